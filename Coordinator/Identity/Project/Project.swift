// SPDX-License-Identifier: Apache-2.0
// A project or a domain: the API treats a domain as a project that acts as one, and so does the table.

import Core
import Database
import HTTP
import JSON

package struct ProjectRecord: Sendable, PolicyTarget {
    package var id: ID<Project>
    package var name: String
    /// nil for a domain.
    package var domain: ID<Domain>?
    /// The project above; for a top-level project its domain; nil for a domain.
    package var parent: ID<Project>?
    package var isDomain: Bool
    package var isEnabled: Bool
    package var description: String
    package var options: JSON.Object
    package var extra: JSON.Object

    package init(
        id: ID<Project>, name: String, domain: ID<Domain>?, parent: ID<Project>?, isDomain: Bool, isEnabled: Bool = true,
        description: String = "", options: JSON.Object = [:], extra: JSON.Object = [:]
    ) {
        self.id = id
        self.name = name
        self.domain = domain
        self.parent = parent
        self.isDomain = isDomain
        self.isEnabled = isEnabled
        self.description = description
        self.options = options
        self.extra = extra
    }

    /// The domain it belongs to; a domain belongs to itself.
    package var owner: ID<Domain> { domain ?? ID(id.text) }
    package var isImmutable: Bool { options["immutable"]?.bool ?? false }

    package func policyAttribute(_ name: String) -> String? {
        switch name {
        case "target.project.id": isDomain ? nil : id.text
        case "target.project.domain_id": owner.text
        case "target.domain.id": isDomain ? id.text : nil
        case "target.domain_id": owner.text
        default: nil
        }
    }
}

package enum ProjectStore {
    static func record(_ row: Row) -> ProjectRecord {
        ProjectRecord(
            id: row.id(0), name: row.text(1), domain: row.optionalID(2), parent: row.optionalID(3),
            isDomain: row.bool(4), isEnabled: row.bool(5), description: row.text(6),
            options: StoredJSON.object(row.text(7)), extra: StoredJSON.object(row.text(8)))
    }

    package static func find(_ id: ID<Project>, _ connection: any Connection) throws -> ProjectRecord? {
        try connection.row("""
            SELECT id, name, domain_id, parent_id, is_domain, enabled, description, options, extra
            FROM project WHERE id = $1
            """, [.id(id)]).map(record)
    }

    package static func find(name: String, in domain: ID<Domain>, _ connection: any Connection) throws -> ProjectRecord? {
        try connection.row("""
            SELECT id, name, domain_id, parent_id, is_domain, enabled, description, options, extra
            FROM project WHERE domain_id = $1 AND name = $2 AND is_domain = 0
            """, [.id(domain), .text(name)]).map(record)
    }

    package static func findDomain(_ id: ID<Domain>, _ connection: any Connection) throws -> ProjectRecord? {
        let found = try find(ID<Project>(id.text), connection)
        return found.flatMap { $0.isDomain ? $0 : nil }
    }

    package static func findDomain(name: String, _ connection: any Connection) throws -> ProjectRecord? {
        try connection.row("""
            SELECT id, name, domain_id, parent_id, is_domain, enabled, description, options, extra
            FROM project WHERE name = $1 AND is_domain = 1
            """, [.text(name)]).map(record)
    }

    package static func insert(_ project: ProjectRecord, _ connection: any Connection) throws {
        try connection.execute("""
            INSERT INTO project (id, name, domain_id, parent_id, is_domain, enabled, description, options, extra)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """, [
                .id(project.id), .text(project.name), .id(project.domain), .id(project.parent), .bool(project.isDomain),
                .bool(project.isEnabled), .text(project.description), .text(StoredJSON.text(project.options)),
                .text(StoredJSON.text(project.extra)),
            ])
    }
}
