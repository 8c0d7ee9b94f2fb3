// SPDX-License-Identifier: Apache-2.0
// A program to be killed. It writes pairs of rows, each pair in one transaction, from many tasks at once, and says on
// standard output which pairs the database has acknowledged: a line of their number, after the write returned and
// never before.
//
//     durability-writer LOCATION FIRST

import Core
import Database
import Glibc

@main struct DurabilityWriter {
    static let migrations = [
        Migration(
            "durability.1.schema",
            [
                """
                CREATE TABLE half (pair BIGINT NOT NULL, side BIGINT NOT NULL, content TEXT NOT NULL, PRIMARY KEY \
                (pair, side))
                """
            ])
    ]
    private static let tasks = 16

    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let first = Int64(arguments[2]) else { exit(2) }
        let database = try await Database.open(arguments[1], migrations: migrations)
        await withTaskGroup { group in
            for task in 0..<tasks {
                group.addTask {
                    for pair in stride(from: first + Int64(task), to: .max, by: tasks) {
                        guard await write(pair, database) else { continue }
                        let line = "\(pair)\n"
                        // One write of less than a pipe's atomic size: lines do not mix.
                        _ = Glibc.write(1, line, line.utf8.count)
                    }
                }
            }
        }
    }

    private static func write(_ pair: Int64, _ database: Database) async -> Bool {
        do {
            try await database.write("pair") { connection in
                for side in 0..<2 {
                    try connection.execute(
                        "INSERT INTO half VALUES ($1, $2, $3)",
                        [.int(pair), .int(Int64(side)), .text(String(repeating: "x", count: Int(pair % 700)))])
                }
            }
            return true
        } catch {
            return false
        }
    }
}
