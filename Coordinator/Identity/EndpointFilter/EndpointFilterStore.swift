// SPDX-License-Identifier: Apache-2.0
// Endpoint groups and which projects they and single endpoints are associated with: SQL only.

import Core
import Database

enum EndpointFilterStore {
    private static func group(_ row: Row) -> EndpointGroupRecord {
        EndpointGroupRecord(
            id: row.id(0), name: row.text(1), description: row.optionalText(2),
            filters: EndpointFilters(StoredJSON.object(row.text(3))))
    }

    static func group(_ id: ID<EndpointGroup>, _ connection: any Connection) throws -> EndpointGroupRecord? {
        try connection.row("SELECT id, name, description, filters FROM endpoint_group WHERE id = $1", [.id(id)]).map(
            group)
    }

    /// All of them: groups are few.
    static func groups(_ connection: any Connection) throws -> [EndpointGroupRecord] {
        try connection.rows("SELECT id, name, description, filters FROM endpoint_group").map(group)
    }

    static func insert(_ group: EndpointGroupRecord, _ connection: any Connection) throws {
        try connection.execute(
            "INSERT INTO endpoint_group (id, name, description, filters) VALUES ($1, $2, $3, $4)",
            [
                .id(group.id), .text(group.name), .optional(group.description),
                .text(StoredJSON.text(group.filters.object)),
            ])
    }

    static func update(_ group: EndpointGroupRecord, _ connection: any Connection) throws {
        try connection.execute(
            "UPDATE endpoint_group SET name = $2, description = $3, filters = $4 WHERE id = $1",
            [
                .id(group.id), .text(group.name), .optional(group.description),
                .text(StoredJSON.text(group.filters.object)),
            ])
    }

    static func delete(_ id: ID<EndpointGroup>, _ connection: any Connection) throws {
        try connection.execute("DELETE FROM endpoint_group WHERE id = $1", [.id(id)])
    }

    // MARK: Endpoints of a project

    static func associate(
        _ project: ID<Project>, _ endpoint: ID<Endpoint>, _ connection: any Connection
    ) throws {
        try connection.execute(
            "INSERT INTO project_endpoint (project_id, endpoint_id) VALUES ($1, $2)", [.id(project), .id(endpoint)])
    }

    static func isAssociated(
        _ project: ID<Project>, _ endpoint: ID<Endpoint>, _ connection: any Connection
    ) throws -> Bool {
        try connection.row(
            "SELECT 1 FROM project_endpoint WHERE project_id = $1 AND endpoint_id = $2", [.id(project), .id(endpoint)])
            != nil
    }

    /// Whether there was one to remove.
    static func dissociate(
        _ project: ID<Project>, _ endpoint: ID<Endpoint>, _ connection: any Connection
    ) throws -> Bool {
        try connection.execute(
            "DELETE FROM project_endpoint WHERE project_id = $1 AND endpoint_id = $2", [.id(project), .id(endpoint)])
            > 0
    }

    static func endpoints(of project: ID<Project>, _ connection: any Connection) throws -> Set<ID<Endpoint>> {
        Set(
            try connection.rows("SELECT endpoint_id FROM project_endpoint WHERE project_id = $1", [.id(project)])
                .map { $0.id(0) })
    }

    static func projects(
        of endpoint: ID<Endpoint>, after marker: String?, limit: Int, _ connection: any Connection
    ) throws -> [ProjectRecord] {
        try connection.rows(
            """
            SELECT id, name, domain_id, parent_id, is_domain, enabled, description, options, extra, tags
            FROM project WHERE id IN (
                SELECT project_id FROM project_endpoint WHERE endpoint_id = $1 AND project_id > $2
                ORDER BY project_id LIMIT $3)
            ORDER BY id
            """, [.id(endpoint), .text(marker ?? ""), .int(Int64(limit))]
        ).map(ProjectStore.record)
    }

    // MARK: Groups of a project

    static func associate(
        _ project: ID<Project>, _ group: ID<EndpointGroup>, _ connection: any Connection
    ) throws {
        try connection.execute(
            "INSERT INTO project_endpoint_group (project_id, endpoint_group_id) VALUES ($1, $2)",
            [.id(project), .id(group)])
    }

    static func isAssociated(
        _ project: ID<Project>, _ group: ID<EndpointGroup>, _ connection: any Connection
    ) throws -> Bool {
        try connection.row(
            """
            SELECT 1 FROM project_endpoint_group WHERE project_id = $1 AND endpoint_group_id = $2
            """, [.id(project), .id(group)]) != nil
    }

    static func dissociate(
        _ project: ID<Project>, _ group: ID<EndpointGroup>, _ connection: any Connection
    ) throws -> Bool {
        try connection.execute(
            """
            DELETE FROM project_endpoint_group WHERE project_id = $1 AND endpoint_group_id = $2
            """, [.id(project), .id(group)]) > 0
    }

    static func groups(of project: ID<Project>, _ connection: any Connection) throws -> [EndpointGroupRecord] {
        try connection.rows(
            """
            SELECT g.id, g.name, g.description, g.filters
            FROM project_endpoint_group p JOIN endpoint_group g ON g.id = p.endpoint_group_id WHERE p.project_id = $1
            """, [.id(project)]
        ).map(group)
    }

    static func projects(
        of group: ID<EndpointGroup>, after marker: String?, limit: Int, _ connection: any Connection
    ) throws -> [ProjectRecord] {
        try connection.rows(
            """
            SELECT id, name, domain_id, parent_id, is_domain, enabled, description, options, extra, tags
            FROM project WHERE id IN (
                SELECT project_id FROM project_endpoint_group WHERE endpoint_group_id = $1 AND project_id > $2
                ORDER BY project_id LIMIT $3)
            ORDER BY id
            """, [.id(group), .text(marker ?? ""), .int(Int64(limit))]
        ).map(ProjectStore.record)
    }
}
