// SPDX-License-Identifier: Apache-2.0
// Rows of projects and domains, one at a time. Lists are in ProjectStore+List, trees in +Tree, access in +Access.

import Core
import Database
import JSON

package enum ProjectStore {
    static func record(_ row: Row) -> ProjectRecord {
        var project = ProjectRecord(
            id: row.id(0), name: row.text(1), domain: row.optionalID(2), parent: row.optionalID(3),
            isDomain: row.bool(4), isEnabled: row.bool(5), description: row.text(6),
            options: StoredJSON.object(row.text(7)), extra: StoredJSON.object(row.text(8)))
        project.tags = StoredTags.list(row.text(9))
        return project
    }

    package static func find(_ id: ID<Project>, _ connection: any Connection) throws -> ProjectRecord? {
        try connection.row(
            """
            SELECT id, name, domain_id, parent_id, is_domain, enabled, description, options, extra, tags
            FROM project WHERE id = $1
            """, [.id(id)]
        ).map(record)
    }

    package static func find(
        name: String, in domain: ID<Domain>, _ connection: any Connection
    ) throws -> ProjectRecord? {
        try connection.row(
            """
            SELECT id, name, domain_id, parent_id, is_domain, enabled, description, options, extra, tags
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
            SELECT id, name, domain_id, parent_id, is_domain, enabled, description, options, extra, tags
            FROM project WHERE name = $1 AND is_domain = 1
            """, [.text(name)]
        ).map(record)
    }

    package static func insert(_ project: ProjectRecord, _ connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO project (id, name, domain_id, parent_id, is_domain, enabled, description, options, extra, tags)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            """,
            [
                .id(project.id), .text(project.name), .id(project.domain), .id(project.parent), .bool(project.isDomain),
                .bool(project.isEnabled), .text(project.description), .text(StoredJSON.text(project.options)),
                .text(StoredJSON.text(project.extra)), .text(StoredTags.text(project.tags)),
            ])
    }

    /// Everything that may change; place in the tree and kind never do.
    static func update(_ project: ProjectRecord, _ connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE project SET name = $2, enabled = $3, description = $4, options = $5, extra = $6, tags = $7
            WHERE id = $1
            """,
            [
                .id(project.id), .text(project.name), .bool(project.isEnabled), .text(project.description),
                .text(StoredJSON.text(project.options)), .text(StoredJSON.text(project.extra)),
                .text(StoredTags.text(project.tags)),
            ])
    }

    static func delete(_ id: ID<Project>, _ connection: any Connection) throws {
        try connection.execute("DELETE FROM project WHERE id = $1", [.id(id)])
    }
}

/// Tags in one column, each between commas, which no tag holds: ",blue,green,". So a project comes with its tags in one
/// row, and has a tag exactly when taking ",tag," out changes the column. Tags of no project are the empty text.
enum StoredTags {
    static func text(_ tags: [String]) -> String {
        tags.isEmpty ? "" : "," + tags.joined(separator: ",") + ","
    }

    static func list(_ text: String) -> [String] {
        text.isEmpty ? [] : text.split(separator: ",").map(String.init)
    }
}
