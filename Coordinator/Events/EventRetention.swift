// SPDX-License-Identifier: Apache-2.0
// Keeps the table of events bounded: by age and by number of rows, whichever is reached first. Rows go from the
// oldest on, in small transactions, so a long backlog does not hold up the writer.

import Core
import Database

package struct EventRetention: Sendable {
    /// Long enough to ask "who changed this?" about last month.
    package static let defaultDays = 30
    /// About a gigabyte.
    package static let defaultRows = 2_000_000
    private static let batchRows = 1000

    private let database: Database
    private let clock: any Clock
    private let days: Int
    private let rows: Int

    package init(
        database: Database, clock: any Clock = SystemClock(), days: Int = defaultDays, rows: Int = defaultRows
    ) {
        self.database = database
        self.clock = clock
        self.days = days
        self.rows = rows
    }

    /// One round of the loop; returns when nothing is too old any more.
    package func round() async throws {
        let cutoff = clock.now.adding(days: -Int64(days))
        while !Task.isCancelled {
            let limit = try await database.read("event.oldest") { try self.deletable(before: cutoff, $0) }
            guard let limit else { return }
            try await database.write("event.expire") { try EventStore.delete(upTo: limit, $0) }
        }
    }

    /// The last sequence number of the next batch that may go.
    private func deletable(before cutoff: Instant, _ connection: any Connection) throws -> Int64? {
        let oldest = try EventStore.oldest(limit: Self.batchRows, connection)
        let surplus = try EventStore.newestSequence(connection) - Int64(rows)
        return oldest.prefix { $0.time < cutoff || $0.sequence <= surplus }.last?.sequence
    }
}
