// SPDX-License-Identifier: Apache-2.0
// What one project or one domain may use of a resource, in place of the registered standard.

import Core
import Database
import HTTP

struct LimitRecord: Sendable, PolicyTarget {
    let id: ID<ProjectLimit>
    let registered: ID<RegisteredLimit>
    /// One of project and domain is set.
    let project: ID<Project>?
    let domain: ID<Domain>?
    let service: ID<CatalogService>
    let region: ID<Region>?
    let resource: String
    /// -1: no limit.
    var limit: Int
    var description: String?
    /// The domain the project is in.
    var projectDomain: ID<Domain>?

    func policyAttribute(_ name: String) -> String? {
        switch name {
        case "target.limit.project_id": project?.text
        case "target.limit.domain.id": domain?.text
        case "target.limit.project.domain_id": projectDomain?.text
        default: nil
        }
    }
}

enum LimitStore {
    static func record(_ row: Row) -> LimitRecord {
        LimitRecord(
            id: row.id(0), registered: row.id(1), project: row.optionalID(2), domain: row.optionalID(3),
            service: row.id(4),
            region: row.optionalID(5), resource: row.text(6), limit: Int(row.int(7)), description: row.optionalText(8),
            projectDomain: row.optionalID(9))
    }

    static func find(_ id: ID<ProjectLimit>, _ connection: any Connection) throws -> LimitRecord? {
        try connection.row(
            """
            SELECT l.id, l.registered_limit_id, l.project_id, l.domain_id, r.service_id, r.region_id, r.resource_name,
                l.resource_limit, l.description, p.domain_id
            FROM project_limit l JOIN registered_limit r ON r.id = l.registered_limit_id
                LEFT JOIN project p ON p.id = l.project_id WHERE l.id = $1
            """, [.id(id)]
        ).map(record)
    }

    static func list(_ filter: LimitFilter, _ page: PageRequest, _ connection: any Connection) throws -> [LimitRecord] {
        var query = Query(
            """
            SELECT l.id, l.registered_limit_id, l.project_id, l.domain_id, r.service_id, r.region_id, r.resource_name,
                l.resource_limit, l.description, p.domain_id
            FROM project_limit l JOIN registered_limit r ON r.id = l.registered_limit_id
                LEFT JOIN project p ON p.id = l.project_id
            """)
        if let service = filter.service { query.filter("r.service_id = ?", .text(service)) }
        if let region = filter.region { query.filter("r.region_id = ?", .text(region)) }
        if let project = filter.project { query.filter("l.project_id = ?", .text(project)) }
        if let domain = filter.domain { query.filter("l.domain_id = ?", .text(domain)) }
        if let project = filter.visibleProject { query.filter("l.project_id = ?", .id(project)) }
        if let domain = filter.visibleDomain {
            query.filter("(l.domain_id = ? OR p.domain_id = ?)", .id(domain), .id(domain))
        }
        if let resource = filter.resource { query.filter("r.resource_name = ?", .text(resource)) }
        if let marker = page.marker { query.filter("l.id > ?", .text(marker)) }
        query.append("ORDER BY l.id LIMIT ?", .int(Int64(page.limit) + 1))
        return try connection.rows(query).map(record)
    }

    /// All limits of several projects.
    static func limits(of projects: [ID<Project>], _ connection: any Connection) throws -> [LimitRecord] {
        var query = Query(
            """
            SELECT l.id, l.registered_limit_id, l.project_id, l.domain_id, r.service_id, r.region_id, r.resource_name,
                l.resource_limit, l.description, p.domain_id
            FROM project_limit l JOIN registered_limit r ON r.id = l.registered_limit_id
                LEFT JOIN project p ON p.id = l.project_id
            """)
        query.filter("l.project_id", in: projects.map { .id($0) })
        query.append("ORDER BY l.id")
        return try connection.rows(query).map(record)
    }

    /// The limit a domain has for a resource; nil when it has none of its own.
    static func limit(
        of domain: ID<Domain>, _ registered: ID<RegisteredLimit>, _ connection: any Connection
    ) throws -> Int? {
        try connection.row(
            """
            SELECT resource_limit FROM project_limit WHERE domain_id = $1 AND registered_limit_id = $2
            """, [.id(domain), .id(registered)]
        ).map { Int($0.int(0)) }
    }

    /// The highest limit that a project anywhere below a domain has for a resource.
    static func highestLimit(
        below domain: ID<Domain>, _ registered: ID<RegisteredLimit>, _ connection: any Connection
    ) throws -> Int? {
        try connection.row(
            """
            SELECT l.resource_limit FROM project_limit l JOIN project p ON p.id = l.project_id
            WHERE p.domain_id = $1 AND l.registered_limit_id = $2
            ORDER BY l.resource_limit DESC LIMIT 1
            """, [.id(domain), .id(registered)]
        ).map { Int($0.int(0)) }
    }

    static func insert(_ limit: LimitRecord, _ connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO project_limit (id, registered_limit_id, project_id, domain_id, resource_limit, description)
            VALUES ($1, $2, $3, $4, $5, $6)
            """,
            [
                .id(limit.id), .id(limit.registered), .id(limit.project), .id(limit.domain), .int(Int64(limit.limit)),
                .optional(limit.description),
            ])
    }

    static func update(_ limit: LimitRecord, _ connection: any Connection) throws {
        try connection.execute(
            "UPDATE project_limit SET resource_limit = $2, description = $3 WHERE id = $1",
            [.id(limit.id), .int(Int64(limit.limit)), .optional(limit.description)])
    }

    static func delete(_ id: ID<ProjectLimit>, _ connection: any Connection) throws {
        try connection.execute("DELETE FROM project_limit WHERE id = $1", [.id(id)])
    }
}
