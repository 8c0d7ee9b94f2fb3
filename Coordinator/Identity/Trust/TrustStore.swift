// SPDX-License-Identifier: Apache-2.0
// SQL of trusts. A trust passed on goes with the one it came from, by cascade.

import Core
import Database

package enum TrustStore {
    /// Also one that is expired or used up; see TrustRecord.isUsable.
    package static func find(_ id: ID<Trust>, _ connection: any Connection) throws -> TrustRecord? {
        collect(
            try connection.rows(
                """
                SELECT t.id, t.trustor_id, t.trustee_id, t.project_id, t.impersonation, t.expires, t.remaining_uses,
                    t.redelegated_trust_id, t.redelegation_count, t.extra, r.role_id
                FROM trust t LEFT JOIN trust_role r ON r.trust_id = t.id WHERE t.id = $1 ORDER BY r.role_id
                """, [.id(id)])
        ).first
    }

    /// Spends one use of a trust that counts them; throws when none is left. A trust without a limit always has one.
    package static func consume(_ id: ID<Trust>, _ connection: any Connection) throws {
        let spent = try connection.execute(
            "UPDATE trust SET remaining_uses = remaining_uses - 1 WHERE id = $1 AND remaining_uses > 0", [.id(id)])
        if spent == 1 { return }
        let isUnlimited =
            try connection.row(
                "SELECT 1 FROM trust WHERE id = $1 AND remaining_uses IS NULL", [.id(id)]) != nil
        guard isUnlimited else { throw CloudError.forbidden("The trust has no uses left.") }
    }

    /// The trust and those it came from, the nearest first.
    package static func line(from id: ID<Trust>, _ connection: any Connection) throws -> [TrustRecord] {
        var line: [TrustRecord] = []
        var next: ID<Trust>? = id
        // Lines are short: each trust passed on lowers the count, which starts at Redelegation.deepest at most.
        while let id = next, line.count <= Redelegation.deepest, let trust = try find(id, connection) {
            line.append(trust)
            next = trust.source
        }
        return line
    }

    /// The trust and all that were made from it, near and far.
    static func descendants(of id: ID<Trust>, _ connection: any Connection) throws -> [ID<Trust>] {
        try connection.rows(
            """
            WITH RECURSIVE chain(id) AS (
                SELECT id FROM trust WHERE id = $1
                UNION SELECT t.id FROM trust t JOIN chain ON t.redelegated_trust_id = chain.id)
            SELECT id FROM chain
            """, [.id(id)]
        ).map { $0.id(0) }
    }

    /// A page in order of id, with one more when there are more; without roles, which lists do not show.
    static func list(
        trustor: ID<User>?, trustee: ID<User>?, after marker: String?, limit: Int, _ connection: any Connection
    ) throws -> [TrustRecord] {
        var query = Query(
            """
            SELECT id, trustor_id, trustee_id, project_id, impersonation, expires, remaining_uses, redelegated_trust_id,
                redelegation_count, extra, CAST(NULL AS TEXT)
            FROM trust
            """)
        if let trustor { query.filter("trustor_id = ?", .id(trustor)) }
        if let trustee { query.filter("trustee_id = ?", .id(trustee)) }
        if let marker { query.filter("id > ?", .text(marker)) }
        query.append("ORDER BY id LIMIT ?", .int(Int64(limit) + 1))
        return collect(try connection.rows(query))
    }

    /// Rows of one trust follow each other, one for each role.
    private static func collect(_ rows: [Row]) -> [TrustRecord] {
        var trusts: [TrustRecord] = []
        for row in rows {
            if trusts.last?.id.text != row.text(0) {
                trusts.append(
                    TrustRecord(
                        id: row.id(0), trustor: row.id(1), trustee: row.id(2), project: row.optionalID(3),
                        isImpersonation: row.bool(4), expires: row.optionalTime(5),
                        remainingUses: row.optionalInt(6).map(Int.init),
                        source: row.optionalID(7), redelegationCount: Int(row.int(8)), roles: [],
                        extra: StoredJSON.object(row.text(9))))
            }
            if let role: ID<Role> = row.optionalID(10) { trusts[trusts.count - 1].roles.append(role) }
        }
        return trusts
    }

    static func insert(_ trust: TrustRecord, _ connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO trust (id, trustor_id, trustee_id, project_id, impersonation, expires, remaining_uses,
                redelegated_trust_id, redelegation_count, extra)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            """,
            [
                .id(trust.id), .id(trust.trustor), .id(trust.trustee), .id(trust.project), .bool(trust.isImpersonation),
                .time(trust.expires), .optional(trust.remainingUses.map(Int64.init)), .id(trust.source),
                .int(Int64(trust.redelegationCount)),
                .text(StoredJSON.text(trust.extra)),
            ])
        for role in trust.roles {
            try connection.execute(
                "INSERT INTO trust_role (trust_id, role_id) VALUES ($1, $2)", [.id(trust.id), .id(role)])
        }
    }

    static func delete(_ id: ID<Trust>, _ connection: any Connection) throws {
        try connection.execute("DELETE FROM trust WHERE id = $1", [.id(id)])
    }
}
