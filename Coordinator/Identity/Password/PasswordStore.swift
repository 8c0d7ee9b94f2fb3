// SPDX-License-Identifier: Apache-2.0
// SQL of passwords. The newest row of a user is the present password; older ones stay as long as history asks for them.

import Core
import Database

struct StoredPassword: Sendable, Equatable {
    let hash: String
    let created: Instant
    let expires: Instant?
    let isSelfService: Bool
}

enum PasswordStore {
    private static func record(_ row: Row, at column: Int = 0) -> StoredPassword? {
        row.optionalText(column).map {
            StoredPassword(
                hash: $0, created: row.time(column + 1), expires: row.optionalTime(column + 2),
                isSelfService: row.bool(column + 3))
        }
    }

    /// The newest first.
    static func list(of user: ID<User>, limit: Int, _ connection: any Connection) throws -> [StoredPassword] {
        try connection.rows(
            """
            SELECT hash, created, expires, is_self_service FROM user_password
            WHERE user_id = $1 ORDER BY created DESC LIMIT $2
            """, [.id(user), .int(Int64(limit))]
        ).compactMap { record($0) }
    }

    /// What a sign-in looks at, in one statement: the present password and what may have changed since the user was
    /// found.
    struct SignInState: Sendable {
        let password: StoredPassword?
        let failedAttempts: Int
        let lastFailed: Instant?
        let isUserEnabled: Bool
        let isDomainEnabled: Bool
    }

    static func signInState(of user: ID<User>, _ connection: any Connection) throws -> SignInState? {
        let row = try connection.row(
            """
            SELECT p.hash, p.created, p.expires, p.is_self_service, u.failed_attempts, u.last_failed, u.enabled,
                d.enabled
            FROM user_account u JOIN project d ON d.id = u.domain_id
                LEFT JOIN user_password p ON p.user_id = u.id
                    AND p.created = (SELECT MAX(q.created) FROM user_password q WHERE q.user_id = u.id)
            WHERE u.id = $1
            """, [.id(user)])
        return row.map { row in
            SignInState(
                password: record(row), failedAttempts: Int(row.int(4)), lastFailed: row.optionalTime(5),
                isUserEnabled: row.bool(6), isDomainEnabled: row.bool(7))
        }
    }

    /// Makes a password the present one: older ones expire, and those beyond `kept` go.
    static func insert(_ password: StoredPassword, of user: ID<User>, keeping kept: Int, _ connection: any Connection)
        throws
    {
        try connection.execute(
            """
            UPDATE user_password SET expires = $2 WHERE user_id = $1 AND (expires IS NULL OR expires > $2)
            """, [.id(user), .time(password.created)])
        try connection.execute(
            """
            INSERT INTO user_password (user_id, created, hash, expires, is_self_service) VALUES ($1, $2, $3, $4, $5)
            """,
            [
                .id(user), .time(password.created), .text(password.hash), .time(password.expires),
                .bool(password.isSelfService),
            ])
        try connection.execute(
            """
            DELETE FROM user_password WHERE user_id = $1 AND created NOT IN (
                SELECT created FROM user_password WHERE user_id = $1 ORDER BY created DESC LIMIT $2)
            """, [.id(user), .int(Int64(kept))])
    }

    static func deleteAll(of user: ID<User>, _ connection: any Connection) throws {
        try connection.execute("DELETE FROM user_password WHERE user_id = $1", [.id(user)])
    }

    /// The same password in a hash of another strength.
    static func replaceHash(
        _ old: String, with new: String, of user: ID<User>, created: Instant, _ connection: any Connection
    ) throws {
        try connection.execute(
            "UPDATE user_password SET hash = $3 WHERE user_id = $1 AND created = $2 AND hash = $4",
            [.id(user), .time(created), .text(new), .text(old)])
    }
}
