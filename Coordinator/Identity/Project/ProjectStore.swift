// SPDX-License-Identifier: Apache-2.0
// Rows of projects and domains, one at a time. Lists are in ProjectStore+List, trees in +Tree, access in +Access.

import Core
import Database
import JSON

package enum ProjectStore {
    static func record(_ row: Row) -> ProjectRecord {
        ProjectRecord(
            id: row.id(0), name: row.text(1), domain: row.optionalID(2), parent: row.optionalID(3),
            isDomain: row.bool(4), isEnabled: row.bool(5), description: row.text(6),
            options: StoredJSON.object(row.text(7)), extra: StoredJSON.object(row.text(8)))
    }

    /// Records from rows that repeat a project for each of its tags, which stand in column 9.
    static func records(_ rows: [Row]) -> [ProjectRecord] {
        var records: [ProjectRecord] = []
        records.reserveCapacity(rows.count)
        for row in rows {
            if records.last?.id.text != row.text(0) { records.append(record(row)) }
            if let tag = row.optionalText(9) { records[records.count - 1].tags.append(tag) }
        }
        return records
    }

    package static func find(_ id: ID<Project>, _ connection: any Connection) throws -> ProjectRecord? {
        try connection.row(
            """
            SELECT id, name, domain_id, parent_id, is_domain, enabled, description, options, extra
            FROM project WHERE id = $1
            """, [.id(id)]
        ).map(record)
    }

    package static func find(name: String, in domain: ID<Domain>, _ connection: any Connection) throws -> ProjectRecord?
    {
        try connection.row(
            """
            SELECT id, name, domain_id, parent_id, is_domain, enabled, description, options, extra
            FROM project WHERE domain_id = $1 AND name = $2 AND is_domain = 0
            """, [.id(domain), .text(name)]
        ).map(record)
    }

    package static func findDomain(_ id: ID<Domain>, _ connection: any Connection) throws -> ProjectRecord? {
        let found = try find(ID<Project>(id.text), connection)
        return found.flatMap { $0.isDomain ? $0 : nil }
    }

    package static func findDomain(name: String, _ connection: any Connection) throws -> ProjectRecord? {
        try connection.row(
            """
            SELECT id, name, domain_id, parent_id, is_domain, enabled, description, options, extra
            FROM project WHERE name = $1 AND is_domain = 1
            """, [.text(name)]
        ).map(record)
    }

    /// A project or domain with its tags, in one statement.
    static func shown(_ id: ID<Project>, _ connection: any Connection) throws -> ProjectRecord? {
        records(
            try connection.rows(
                """
                SELECT p.id, p.name, p.domain_id, p.parent_id, p.is_domain, p.enabled, p.description, p.options,
                    p.extra, t.name
                FROM project p LEFT JOIN project_tag t ON t.project_id = p.id WHERE p.id = $1 ORDER BY t.name
                """, [.id(id)])
        ).first
    }

    package static func insert(_ project: ProjectRecord, _ connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO project (id, name, domain_id, parent_id, is_domain, enabled, description, options, extra)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """,
            [
                .id(project.id), .text(project.name), .id(project.domain), .id(project.parent), .bool(project.isDomain),
                .bool(project.isEnabled), .text(project.description), .text(StoredJSON.text(project.options)),
                .text(StoredJSON.text(project.extra)),
            ])
        try insertTags(project.tags, of: project.id, connection)
    }

    /// Everything that may change; place in the tree and kind never do.
    static func update(_ project: ProjectRecord, _ connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE project SET name = $2, enabled = $3, description = $4, options = $5, extra = $6 WHERE id = $1
            """,
            [
                .id(project.id), .text(project.name), .bool(project.isEnabled), .text(project.description),
                .text(StoredJSON.text(project.options)), .text(StoredJSON.text(project.extra)),
            ])
    }

    static func delete(_ id: ID<Project>, _ connection: any Connection) throws {
        try connection.execute("DELETE FROM project WHERE id = $1", [.id(id)])
    }

    // MARK: Tags

    static func replaceTags(_ tags: [String], of project: ID<Project>, _ connection: any Connection) throws {
        try connection.execute("DELETE FROM project_tag WHERE project_id = $1", [.id(project)])
        try insertTags(tags, of: project, connection)
    }

    static func insertTags(_ tags: [String], of project: ID<Project>, _ connection: any Connection) throws {
        for tag in tags {
            try connection.execute(
                "INSERT INTO project_tag (project_id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                [.id(project), .text(tag)])
        }
    }

    /// False when the project has no such tag.
    static func deleteTag(_ tag: String, of project: ID<Project>, _ connection: any Connection) throws -> Bool {
        try connection.execute(
            "DELETE FROM project_tag WHERE project_id = $1 AND name = $2", [.id(project), .text(tag)]) > 0
    }
}
