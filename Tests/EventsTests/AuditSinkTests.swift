// SPDX-License-Identifier: Apache-2.0
// The audit log: a line an event, through restarts and rotation.

import Core
import Database
import DatabaseTesting
import Events
import Glibc
import JSON
import Testing

@Suite struct AuditSinkTests {
    private func lines(_ path: String) -> [JSON] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        while true {
            let byte = getc(file)
            if byte == EOF { break }
            bytes.append(UInt8(byte))
        }
        return bytes.split(separator: UInt8(ascii: "\n")).compactMap { try? JSON.parse(Array($0)) }
    }

    private func targets(_ path: String) -> [String] { lines(path).compactMap { $0["target"]?["id"]?.string } }

    @Test func everyEventHasALineThroughRestartAndRotation() async throws {
        try await withPlace(.sqlite) { place in
            let path = "\(place.folder)/audit.log"
            let database = try await Database.open(place.location, migrations: EventSchema.migrations)
            let recorder = EventRecorder()
            let log = Log(file: -1)
            let feed = EventFeed(database: database, recorder: recorder, log: log) { _ in }
            try await feed.start()
            let following = Task { await feed.run() }

            // Before there is a sink at all.
            try await database.record(recorder, thing("1"))
            var sink = Task { await AuditSink(path: path, feed: feed, log: log).run() }
            try await database.record(recorder, thing("2"), thing("3"))
            #expect(try await waitUntil { targets(path) == ["1", "2", "3"] })
            var status = stat()
            #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)

            rename(path, "\(path).1")
            try await database.record(recorder, thing("4"))
            #expect(try await waitUntil { targets(path) == ["4"] })
            #expect(targets("\(path).1") == ["1", "2", "3"])

            sink.cancel()
            await sink.value
            try await database.record(recorder, thing("5"))
            sink = Task { await AuditSink(path: path, feed: feed, log: log).run() }
            // At least once: "4" may come again when the sink ended between its line and its cursor.
            #expect(try await waitUntil { targets(path).last == "5" })
            #expect(Set(targets(path)) == ["4", "5"])

            sink.cancel()
            following.cancel()
            await sink.value
            await following.value
            await database.close()
        }
    }
}
