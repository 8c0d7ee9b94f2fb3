// SPDX-License-Identifier: Apache-2.0
// A role, global or of one domain. A domain's role never appears in a token; the global roles it implies do.

import Core
import Database
import HTTP
import JSON

package struct RoleRecord: Sendable, PolicyTarget {
    package var id: ID<Role>
    package var name: String
    package var domain: ID<Domain>?
    package var description: String?
    package var options: JSON.Object
    package var extra: JSON.Object

    package init(
        id: ID<Role>, name: String, domain: ID<Domain>? = nil, description: String? = nil, options: JSON.Object = [:],
        extra: JSON.Object = [:]
    ) {
        self.id = id
        self.name = name
        self.domain = domain
        self.description = description
        self.options = options
        self.extra = extra
    }

    package var isImmutable: Bool { options["immutable"]?.bool ?? false }

    package func policyAttribute(_ name: String) -> String? {
        switch name {
        case "target.role.id": id.text
        case "target.role.name": self.name
        case "target.role.domain_id": domain?.text
        default: nil
        }
    }
}

package enum RoleStore {
    static func record(_ row: Row) -> RoleRecord {
        RoleRecord(
            id: row.id(0), name: row.text(1), domain: row.optionalID(2), description: row.optionalText(3),
            options: StoredJSON.object(row.text(4)), extra: StoredJSON.object(row.text(5)))
    }

    package static func find(_ id: ID<Role>, _ connection: any Connection) throws -> RoleRecord? {
        try connection.row("SELECT id, name, domain_id, description, options, extra FROM role WHERE id = $1", [.id(id)])
            .map(record)
    }

    /// A global role by its name.
    package static func find(name: String, _ connection: any Connection) throws -> RoleRecord? {
        try connection.row(
            """
            SELECT id, name, domain_id, description, options, extra FROM role WHERE name = $1 AND domain_id IS NULL
            """, [.text(name)]
        ).map(record)
    }

    package static func insert(_ role: RoleRecord, _ connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO role (id, name, domain_id, description, options, extra) VALUES ($1, $2, $3, $4, $5, $6)
            """,
            [
                .id(role.id), .text(role.name), .id(role.domain), .optional(role.description),
                .text(StoredJSON.text(role.options)), .text(StoredJSON.text(role.extra)),
            ])
    }
}
