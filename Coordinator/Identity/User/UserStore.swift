// SPDX-License-Identifier: Apache-2.0
// SQL of users. A user's present password is the newest row of user_password; when it expires belongs to the user's
// record.

import Core
import Database
import JSON

package enum UserStore {
    static func record(_ row: Row) -> UserRecord {
        var user = UserRecord(
            id: row.id(0), name: row.text(1), domain: row.id(2), isEnabled: row.bool(3),
            description: row.optionalText(4),
            defaultProject: row.optionalID(5), options: StoredJSON.object(row.text(6)),
            extra: StoredJSON.object(row.text(7)), created: row.time(8))
        user.lastActiveDay = row.optionalInt(9)
        user.failedAttempts = Int(row.int(10))
        user.lastFailed = row.optionalTime(11)
        user.passwordExpires = row.optionalTime(12)
        return user
    }

    package static func find(_ id: ID<User>, _ connection: any Connection) throws -> UserRecord? {
        try connection.row(
            """
            SELECT u.id, u.name, u.domain_id, u.enabled, u.description, u.default_project_id, u.options, u.extra,
                u.created, u.last_active_day, u.failed_attempts, u.last_failed,
                (SELECT p.expires FROM user_password p WHERE p.user_id = u.id ORDER BY p.created DESC LIMIT 1)
            FROM user_account u WHERE u.id = $1
            """, [.id(id)]
        ).map(record)
    }

    package static func find(name: String, in domain: ID<Domain>, _ connection: any Connection) throws -> UserRecord? {
        try connection.row(
            """
            SELECT u.id, u.name, u.domain_id, u.enabled, u.description, u.default_project_id, u.options, u.extra,
                u.created, u.last_active_day, u.failed_attempts, u.last_failed,
                (SELECT p.expires FROM user_password p WHERE p.user_id = u.id ORDER BY p.created DESC LIMIT 1)
            FROM user_account u WHERE u.domain_id = $1 AND u.name = $2
            """, [.id(domain), .text(name)]
        ).map(record)
    }

    /// One row more than asked for, when there are more. `group` narrows to its members.
    static func list(
        _ filter: UserFilter, in group: ID<Group>? = nil, after marker: String?, limit: Int,
        _ connection: any Connection
    ) throws -> [UserRecord] {
        var query = Query(
            """
            SELECT * FROM (
                SELECT u.id, u.name, u.domain_id, u.enabled, u.description, u.default_project_id, u.options, u.extra,
                    u.created, u.last_active_day, u.failed_attempts, u.last_failed,
                    (SELECT p.expires FROM user_password p WHERE p.user_id = u.id ORDER BY p.created DESC LIMIT 1)
                        AS expires
                FROM user_account u) AS account
            """)
        if let group { query.filter("id IN (SELECT user_id FROM membership WHERE group_id = ?)", .id(group)) }
        filter.apply(to: &query)
        if let marker { query.filter("id > ?", .text(marker)) }
        query.append("ORDER BY id LIMIT ?", .int(Int64(limit) + 1))
        return try connection.rows(query).map(record)
    }

    /// Every user of a group, by id alone.
    static func memberIDs(of group: ID<Group>, _ connection: any Connection) throws -> [ID<User>] {
        try connection.rows("SELECT user_id FROM membership WHERE group_id = $1", [.id(group)]).map { $0.id(0) }
    }

    package static func insert(_ user: UserRecord, _ connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO user_account (id, name, domain_id, enabled, description, default_project_id, options, extra,
                created, last_active_day, failed_attempts, last_failed)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            """,
            [
                .id(user.id), .text(user.name), .id(user.domain), .bool(user.isEnabled), .optional(user.description),
                .id(user.defaultProject), .text(StoredJSON.text(user.options)), .text(StoredJSON.text(user.extra)),
                .time(user.created), .optional(user.lastActiveDay), .int(Int64(user.failedAttempts)),
                .time(user.lastFailed),
            ])
    }

    /// What the API may change of a user.
    static func update(_ user: UserRecord, _ connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE user_account SET name = $2, enabled = $3, description = $4, default_project_id = $5, options = $6,
                extra = $7, last_active_day = $8, failed_attempts = $9, last_failed = $10
            WHERE id = $1
            """,
            [
                .id(user.id), .text(user.name), .bool(user.isEnabled), .optional(user.description),
                .id(user.defaultProject),
                .text(StoredJSON.text(user.options)), .text(StoredJSON.text(user.extra)), .optional(user.lastActiveDay),
                .int(Int64(user.failedAttempts)), .time(user.lastFailed),
            ])
    }

    static func delete(_ id: ID<User>, _ connection: any Connection) throws {
        try connection.execute("DELETE FROM user_account WHERE id = $1", [.id(id)])
    }

    // MARK: What sign-ins leave behind

    /// Counts a failed sign-in. After a lock-out that is over (`most` failures, the last one before `since`) it starts
    /// anew.
    static func recordFailure(
        _ id: ID<User>, at now: Instant, most: Int, since: Instant, _ connection: any Connection
    ) throws {
        try connection.execute(
            """
            UPDATE user_account SET last_failed = $2,
                failed_attempts = CASE WHEN failed_attempts >= $3 AND COALESCE(last_failed, 0) <= $4 THEN 1
                    ELSE failed_attempts + 1 END
            WHERE id = $1
            """, [.id(id), .time(now), .int(Int64(most)), .time(since)])
    }

    static func clearFailures(_ id: ID<User>, _ connection: any Connection) throws {
        try connection.execute(
            "UPDATE user_account SET failed_attempts = 0, last_failed = NULL WHERE id = $1", [.id(id)])
    }

    static func setLastActive(_ id: ID<User>, day: Int64, _ connection: any Connection) throws {
        try connection.execute("UPDATE user_account SET last_active_day = $2 WHERE id = $1", [.id(id), .int(day)])
    }
}
