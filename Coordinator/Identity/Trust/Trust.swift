// SPDX-License-Identifier: Apache-2.0
// A trust: the trustor lets the trustee act in its place on one project with some of its roles.

import Core
import Database

package struct TrustRecord: Sendable {
    package var id: ID<Trust>
    package var trustor: ID<User>
    package var trustee: ID<User>
    package var project: ID<Project>?
    package var isImpersonation: Bool
    package var expires: Instant?
    package var remainingUses: Int?
    package var roles: [ID<Role>]
}

package enum TrustStore {
    package static func find(_ id: ID<Trust>, _ connection: any Connection) throws -> TrustRecord? {
        let roles = try connection.rows("SELECT role_id FROM trust_role WHERE trust_id = $1", [.id(id)])
        return try connection.row("""
            SELECT id, trustor_id, trustee_id, project_id, impersonation, expires, remaining_uses FROM trust WHERE id = $1
            """, [.id(id)]).map { row in
                TrustRecord(
                    id: row.id(0), trustor: row.id(1), trustee: row.id(2), project: row.optionalID(3),
                    isImpersonation: row.bool(4), expires: row.optionalTime(5), remainingUses: row.optionalInt(6).map(Int.init),
                    roles: roles.map { $0.id(0) })
            }
    }

    /// Spends one use; throws when none is left.
    package static func consume(_ id: ID<Trust>, _ connection: any Connection) throws {
        let spent = try connection.execute(
            "UPDATE trust SET remaining_uses = remaining_uses - 1 WHERE id = $1 AND remaining_uses > 0", [.id(id)])
        guard spent == 1 else { throw CloudError.forbidden("The trust has no uses left.") }
    }
}
