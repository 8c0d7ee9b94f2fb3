// SPDX-License-Identifier: Apache-2.0
// Brings a schema up to date: which migrations are still due, and one of them with its mark in the same transaction. A
// database that holds a migration this program does not know was written by a newer one and is refused, unchanged.

import Core

enum Migrator {
    /// Makes the table of marks, and returns what is not in it yet, in order.
    static func begin(_ migrations: [Migration], on connection: any Connection) throws -> [Migration] {
        try connection.execute("CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, applied BIGINT NOT NULL)")
        let applied = try connection.rows("SELECT name FROM migration ORDER BY name").map { $0.text(0) }
        let known = Set(migrations.map(\.name))
        let unknown = applied.filter { !known.contains($0) }
        guard unknown.isEmpty else {
            throw CloudError(
                .unsupported,
                """
                The database was written by a newer version of Martlet: it holds \(unknown.joined(separator: ", ")), \
                which this version does not know. Start that version, or restore a backup made before the upgrade.
                """)
        }
        return migrations.filter { !applied.contains($0.name) }
    }

    /// Inside the transaction of one migration, with its statements for this engine. Another coordinator may have
    /// been first: then there is nothing left to do.
    static func apply(
        _ migration: Migration, _ statements: [StaticString], _ connection: any Connection,
        _ run: (StaticString) throws(DatabaseError) -> Void
    ) throws {
        let mark = try connection.execute(
            "INSERT INTO migration (name, applied) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            [.text(migration.name), .time(SystemClock().now)])
        guard mark == 1 else { return }
        for statement in statements { try run(statement) }
    }
}
