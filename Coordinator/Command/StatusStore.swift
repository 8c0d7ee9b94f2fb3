// SPDX-License-Identifier: Apache-2.0
// The few counts that `martlet status` shows, straight from the tables.

import Core
import Database

enum StatusStore {
    struct Step: Sendable {
        let name: String
        let applied: Instant
    }

    struct Count: Sendable {
        let name: String
        let rows: Int64
    }

    static func migrations(_ database: Database) async throws -> [Step] {
        try await database.read("status.migrations") { connection in
            try connection.rows("SELECT name, applied FROM migration ORDER BY applied, name").map {
                Step(name: $0.text(0), applied: $0.time(1))
            }
        }
    }

    static func counts(_ database: Database) async throws -> [Count] {
        try await database.readLong("status.counts") { connection in
            let statements: [(String, StaticString)] = [
                ("domains", "SELECT count(*) FROM project WHERE is_domain = 1"),
                ("projects", "SELECT count(*) FROM project WHERE is_domain = 0"),
                ("users", "SELECT count(*) FROM user_account"),
                ("groups", "SELECT count(*) FROM user_group"),
                ("roles", "SELECT count(*) FROM role"),
            ]
            return try statements.map { name, sql in
                Count(name: name, rows: try connection.row(sql, [])?.int(0) ?? 0)
            }
        }
    }
}
