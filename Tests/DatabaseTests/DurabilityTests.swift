// SPDX-License-Identifier: Apache-2.0
// Killed at random moments under a load of writes, on both engines: every acknowledged write is there afterwards, and
// no half of another. On PostgreSQL the server is killed too, and the writer goes on when it is back.
// MARTLET_DURABILITY_ROUNDS sets how often; a few rounds by default.

import Core
import Database
import DatabaseTesting
import EventLoop
import Glibc
import Testing

private let migrations = [
    Migration(
        "durability.1.schema",
        [
            """
            CREATE TABLE half (pair BIGINT NOT NULL, side BIGINT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (pair, \
            side))
            """
        ])
]

/// The writer under its process id, and the pairs it says were acknowledged.
private struct Writer {
    let process: pid_t
    let output: Int32

    init(_ location: String, first: Int64) throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        // Only the copy on the program's standard output goes along, so the pipe ends with the program.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        process = try #require(
            startProgram("\(builtProgramsFolder)/DurabilityWriter", [location, "\(first)"], output: ends[1]))
        close(ends[1])
        output = ends[0]
    }

    /// Blocks until the program is dead; a line it had not finished does not count.
    func acknowledged() -> Set<Int64> {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(output, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { break }
            text += buffer[..<count]
        }
        close(output)
        _ = waitForProgram(process)
        let whole = text.prefix((text.lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1)
        return Set(whole.split(separator: UInt8(ascii: "\n")).compactMap { Int64(String(decoding: $0, as: UTF8.self)) })
    }
}

@Suite(.serialized) struct DurabilityTests {
    private static let rounds = getenv("MARTLET_DURABILITY_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 4

    /// One round: write, kill after a while, compare.
    private func round(_ location: String, _ number: Int, during: @escaping @Sendable () -> Void) async throws -> Int {
        let milliseconds = UInt32.random(in: 30...400)
        let acknowledged = try await onThread("durability") {
            let writer = try Writer(location, first: Int64(number) * 1_000_000)
            // From its first write on.
            var descriptor = pollfd(fd: writer.output, events: Int16(POLLIN), revents: 0)
            poll(&descriptor, 1, 30_000)
            usleep(milliseconds * 1000)
            during()
            kill(writer.process, SIGKILL)
            return writer.acknowledged()
        }
        let database = try await Database.open(location, migrations: migrations)
        let stored = try await database.readLong("stored") { connection in
            try connection.rows("SELECT pair, COUNT(*) FROM half GROUP BY pair").map { ($0.int(0), $0.int(1)) }
        }
        let findings = try await database.check()
        await database.close()
        #expect(stored.filter { $0.1 != 2 }.isEmpty, "a write is there in part")
        #expect(acknowledged.subtracting(stored.map(\.0)).isEmpty, "an acknowledged write is gone")
        #expect(findings == [])
        return acknowledged.count
    }

    @Test func sqliteKeepsWhatItAcknowledged() async throws {
        try await withPlace(.sqlite) { place in
            var total = 0
            for number in 1...Self.rounds { total += try await round(place.location, number) {} }
            #expect(total > 0, "no round lasted long enough to write")
        }
    }

    @Test(.enabled(if: TestEngine.available.contains(.postgres)))
    func postgresKeepsWhatItAcknowledgedThoughTheServerDies() async throws {
        let script = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let folder = "/tmp/martlet_durability_\(Hex.text(SystemEntropy().bytes(6)))"
        let control = "/\(script)/Support/postgres"
        try #require(await runProgram(control, ["start", folder]) == 0)
        var total = 0
        for number in 1...Self.rounds {
            // Every second time the server dies first, and the writer meets it again for a while.
            total += try await round("postgresql://martlet@/postgres?host=\(folder)", number) {
                guard number.isMultiple(of: 2) else { return }
                _ = startProgram(control, ["restart", folder]).map(waitForProgram)
                usleep(200_000)
            }
        }
        _ = await runProgram(control, ["stop", folder])
        #expect(total > 0, "no round lasted long enough to write")
    }
}
