// SPDX-License-Identifier: Apache-2.0
// A user, from our own tables or from a directory.

import Core
import Database
import HTTP
import JSON

package struct UserRecord: Sendable, PolicyTarget {
    package var id: ID<User>
    package var name: String
    package var domain: ID<Domain>
    package var isEnabled: Bool
    package var description: String?
    package var defaultProject: ID<Project>?
    package var options: JSON.Object
    package var extra: JSON.Object
    package var created: Instant
    /// Days since 1970 of the last sign-in; kept only when inactivity matters.
    package var lastActiveDay: Int64?
    package var failedAttempts: Int
    package var lastFailed: Instant?
    /// The last time step whose one-time code was taken, so that no code works twice.
    package var totpStep: Int64?
    /// When the present password stops working; nil: never, or no password.
    package var passwordExpires: Instant?
    /// False for a directory's user: read-only here, without options, signing in by bind.
    package var isLocal: Bool

    package init(
        id: ID<User>, name: String, domain: ID<Domain>, isEnabled: Bool = true, description: String? = nil,
        defaultProject: ID<Project>? = nil, options: JSON.Object = [:], extra: JSON.Object = [:], created: Instant,
        isLocal: Bool = true
    ) {
        self.id = id
        self.name = name
        self.domain = domain
        self.isEnabled = isEnabled
        self.description = description
        self.defaultProject = defaultProject
        self.options = options
        self.extra = extra
        self.created = created
        self.isLocal = isLocal
        failedAttempts = 0
    }

    package func policyAttribute(_ name: String) -> String? {
        switch name {
        case "target.user.id": id.text
        case "target.user.domain_id": domain.text
        default: nil
        }
    }
}

package enum UserStore {
    static func record(_ row: Row) -> UserRecord {
        var user = UserRecord(
            id: row.id(0), name: row.text(1), domain: row.id(2), isEnabled: row.bool(3), description: row.optionalText(4),
            defaultProject: row.optionalID(5), options: StoredJSON.object(row.text(6)),
            extra: StoredJSON.object(row.text(7)), created: row.time(8))
        user.lastActiveDay = row.optionalInt(9)
        user.failedAttempts = Int(row.int(10))
        user.lastFailed = row.optionalTime(11)
        user.totpStep = row.optionalInt(12)
        user.passwordExpires = row.optionalTime(13)
        return user
    }

    package static func find(_ id: ID<User>, _ connection: any Connection) throws -> UserRecord? {
        try connection.row("""
            SELECT u.id, u.name, u.domain_id, u.enabled, u.description, u.default_project_id, u.options, u.extra, u.created,
                u.last_active_day, u.failed_attempts, u.last_failed, u.totp_step,
                (SELECT p.expires FROM user_password p WHERE p.user_id = u.id ORDER BY p.created DESC LIMIT 1)
            FROM user_account u WHERE u.id = $1
            """, [.id(id)]).map(record)
    }

    package static func find(name: String, in domain: ID<Domain>, _ connection: any Connection) throws -> UserRecord? {
        try connection.row("""
            SELECT u.id, u.name, u.domain_id, u.enabled, u.description, u.default_project_id, u.options, u.extra, u.created,
                u.last_active_day, u.failed_attempts, u.last_failed, u.totp_step,
                (SELECT p.expires FROM user_password p WHERE p.user_id = u.id ORDER BY p.created DESC LIMIT 1)
            FROM user_account u WHERE u.domain_id = $1 AND u.name = $2
            """, [.id(domain), .text(name)]).map(record)
    }

    package static func insert(_ user: UserRecord, _ connection: any Connection) throws {
        try connection.execute("""
            INSERT INTO user_account (id, name, domain_id, enabled, description, default_project_id, options, extra, created,
                last_active_day, failed_attempts, last_failed, totp_step)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            """, [
                .id(user.id), .text(user.name), .id(user.domain), .bool(user.isEnabled), .optional(user.description),
                .id(user.defaultProject), .text(StoredJSON.text(user.options)), .text(StoredJSON.text(user.extra)),
                .time(user.created), .optional(user.lastActiveDay), .int(Int64(user.failedAttempts)),
                .time(user.lastFailed), .optional(user.totpStep),
            ])
    }
}
