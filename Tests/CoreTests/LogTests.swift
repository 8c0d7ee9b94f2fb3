// SPDX-License-Identifier: Apache-2.0
import Glibc
import JSON
import Testing

@testable import Core

struct LogTests {
    private struct Stopped: Clock { var now: Instant { Instant(seconds: 0) } }

    /// A pipe whose reading end the test holds.
    private final class Reader: Sendable {
        let output: Int32
        private let input: Int32
        init() {
            var ends: [Int32] = [0, 0]
            pipe(&ends)
            (input, output) = (ends[0], ends[1])
            _ = fcntl(input, F_SETFL, O_NONBLOCK)
        }
        deinit {
            close(input)
            close(output)
        }

        /// What was written so far.
        func read() -> String {
            var all: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = Glibc.read(input, &piece, piece.count)
                if count <= 0 { return String(decoding: all, as: UTF8.self) }
                all += piece[..<count]
            }
        }
    }

    @Test func `a line is one JSON object`() throws {
        let reader = Reader()
        let log = Log(file: reader.output, clock: Stopped())
        log.write(.info, "a \"quoted\"\nline") { $0.field("count", 3) }
        #expect(reader.read() == "", "gathered, not written")
        log.flush()
        let text = reader.read()
        #expect(text.hasSuffix("}\n") && text.split(separator: "\n").count == 1)
        let expected: JSON = [
            "time": "1970-01-01T00:00:00.000000Z", "level": "info", "message": "a \"quoted\"\nline", "count": 3,
        ]
        #expect(try JSON.parse(text) == expected)
    }

    @Test func `a level that is off costs nothing`() {
        let reader = Reader()
        let log = Log(file: reader.output, level: .warning, clock: Stopped())
        func costly() -> String {
            Issue.record("evaluated")
            return ""
        }
        log.info(costly())
        log.flush()
        #expect(reader.read() == "")
        #expect(!log.isEnabled(.info) && log.isEnabled(.warning) && log.isEnabled(.error))
        #expect(LogLevel(name: "debug") == .debug && LogLevel(name: "loud") == nil)
    }

    @Test func `warnings are written at once, after what came before`() {
        let reader = Reader()
        let log = Log(file: reader.output, clock: Stopped())
        log.info("first")
        log.warning("second")
        let text = reader.read()
        #expect(text.split(separator: "\n").count == 2)
        #expect(text.contains("first") && text.contains("second"))
    }

    @Test func `a reader that stalls holds nobody up, and is told what it missed`() throws {
        let reader = Reader()
        let log = Log(file: reader.output, clock: Stopped())
        let long = String(repeating: "x", count: 100_000)
        let start = ContinuousClock.now
        for _ in 0..<100 { log.warning(long) }
        #expect(ContinuousClock.now - start < .seconds(5))
        var text = reader.read()
        // What could not be written is kept up to a bound, in order and whole.
        startDrain(log, reader)
        let deadline = ContinuousClock.now + .seconds(20)
        while !text.contains("log lines were dropped"), ContinuousClock.now < deadline {
            text += reader.read()
            usleep(1000)
        }
        let lines = text.split(separator: "\n").map { try? JSON.parse(String($0)) }
        #expect(lines.allSatisfy { $0 != nil })
        let dropped = lines.last??["count"]?.int ?? 0
        #expect(dropped > 0)
        #expect(lines.count - 1 + dropped == 100)
    }

    /// Holds the reader until it is done: a descriptor that was closed meanwhile may be another test's file by now.
    private func startDrain(_ log: Log, _ reader: Reader) {
        Task.detached {
            log.flush()
            log.flush()
            withExtendedLifetime(reader) {}
        }
    }

    @Test func `a log that cannot be written is not kept`() {
        let log = Log(file: -1, clock: Stopped())
        for _ in 0..<1000 { log.error("x") }
        log.flush()
    }
}
