// SPDX-License-Identifier: Apache-2.0
// Revocations in the database: written with the change that causes them, read at start-up and when another
// coordinator wrote some, dropped by a loop once no token can match them any more.

import Core
import Database

enum RevocationStore {
    static func insert(_ stored: StoredRevocation, _ connection: any Connection) throws {
        let r = stored.revocation
        try connection.execute(
            """
            INSERT INTO revocation (id, audit_id, audit_chain_id, user_id, project_id, domain_id, role_id, trust_id,
                application_credential_id, is_system, issued_before, revoked, expires)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            """,
            [
                .text(stored.id), .optional(r.auditID), .optional(r.auditChainID), .id(r.user), .id(r.project),
                .id(r.domain),
                .id(r.role), .id(r.trust), .id(r.applicationCredential), .bool(r.isSystem), .time(stored.issuedBefore),
                .time(stored.revoked), .time(stored.expires),
            ])
    }

    static func live(at now: Instant, _ connection: any Connection) throws -> [StoredRevocation] {
        try connection.rows(
            """
            SELECT id, audit_id, audit_chain_id, user_id, project_id, domain_id, role_id, trust_id,
                application_credential_id, is_system, issued_before, revoked, expires
            FROM revocation WHERE expires > $1
            """, [.time(now)]
        ).map { row in
            var r = Revocation()
            r.auditID = row.optionalText(1)
            r.auditChainID = row.optionalText(2)
            r.user = row.optionalID(3)
            r.project = row.optionalID(4)
            r.domain = row.optionalID(5)
            r.role = row.optionalID(6)
            r.trust = row.optionalID(7)
            r.applicationCredential = row.optionalID(8)
            r.isSystem = row.bool(9)
            return StoredRevocation(
                id: row.text(0), revocation: r, issuedBefore: row.time(10), revoked: row.time(11), expires: row.time(12)
            )
        }
    }

    static func removeExpired(at now: Instant, _ connection: any Connection) throws {
        try connection.execute("DELETE FROM revocation WHERE expires <= $1", [.time(now)])
    }
}
