// SPDX-License-Identifier: Apache-2.0
// SQL of roles and their implications. Rows that point at a role go with it by cascade.

import Core
import Database

extension RoleStore {
    package static func all(_ connection: any Connection) throws -> [RoleRecord] {
        try connection.rows("SELECT id, name, domain_id, description, options, extra FROM role").map(record)
    }

    /// A role by its name, global or of the domain.
    static func find(name: String, in domain: ID<Domain>?, _ connection: any Connection) throws -> RoleRecord? {
        guard let domain else { return try find(name: name, connection) }
        return try connection.row(
            """
            SELECT id, name, domain_id, description, options, extra FROM role WHERE domain_id = $1 AND name = $2
            """, [.id(domain), .text(name)]
        ).map(record)
    }

    static func update(_ role: RoleRecord, _ connection: any Connection) throws {
        try connection.execute(
            "UPDATE role SET name = $2, description = $3, options = $4, extra = $5 WHERE id = $1",
            [
                .id(role.id), .text(role.name), .optional(role.description), .text(StoredJSON.text(role.options)),
                .text(StoredJSON.text(role.extra)),
            ])
    }

    static func delete(_ id: ID<Role>, _ connection: any Connection) throws {
        try connection.execute("DELETE FROM role WHERE id = $1", [.id(id)])
    }

    // MARK: Implications

    package static func implications(_ connection: any Connection) throws -> [RoleImplication] {
        try connection.rows("SELECT prior_id, implied_id FROM implied_role").map { RoleImplication($0.id(0), $0.id(1)) }
    }

    package static func graph(_ connection: any Connection) throws -> RoleGraph {
        RoleGraph(try all(connection), implications: try implications(connection))
    }

    package static func insert(_ implication: RoleImplication, _ connection: any Connection) throws {
        try connection.execute(
            "INSERT INTO implied_role (prior_id, implied_id) VALUES ($1, $2)",
            [.id(implication.prior), .id(implication.implied)])
    }

    /// False when there was none.
    static func delete(_ implication: RoleImplication, _ connection: any Connection) throws -> Bool {
        try connection.execute(
            "DELETE FROM implied_role WHERE prior_id = $1 AND implied_id = $2",
            [.id(implication.prior), .id(implication.implied)]) > 0
    }
}
