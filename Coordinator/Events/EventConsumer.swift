// SPDX-License-Identifier: Apache-2.0
// Reads the stream at its own pace and remembers durably how far it came: every event at least once, in order.
//
//     let consumer = try await feed.consumer("metering")
//     while let events = try await consumer.next() {
//         … work that may be done twice …
//         try await consumer.commit()
//     }

import Core
import Database

package actor EventConsumer {
    /// Looks without being told to, should a bell be lost.
    private static let pollMilliseconds = 30_000

    private let name: String
    private let database: Database
    private let bell: Signal
    private let release: @Sendable () -> Void
    private var position: EventPosition

    init(
        name: String, database: Database, position: EventPosition, bell: Signal, release: @escaping @Sendable () -> Void
    ) {
        self.name = name
        self.database = database
        self.position = position
        self.bell = bell
        self.release = release
    }

    deinit { release() }

    /// Waits for the next events, at most `limit`; nil when the task is cancelled.
    package func next(limit: Int = 256) async throws -> [RecordedEvent]? {
        while !Task.isCancelled {
            let from = position
            let page = try await database.readLong("event.consume") {
                try EventStore.page(after: from, limit: limit, $0)
            }
            if let last = page.last {
                position = last.position
                let events = page.filter(\.isForConsumers)
                if !events.isEmpty { return events }
            } else {
                await bell.wait(milliseconds: Self.pollMilliseconds)
            }
        }
        return nil
    }

    /// What was handed out so far is done with.
    package func commit() async throws {
        let (name, position) = (name, position)
        try await database.write("event.commit") { try EventStore.setCursor(of: name, to: position, $0) }
    }

    /// Hands out anew what was not committed.
    package func rewind() async throws {
        let name = name
        position = try await database.read("event.cursor") { try EventStore.cursor(of: name, $0) } ?? .beginning
    }
}
