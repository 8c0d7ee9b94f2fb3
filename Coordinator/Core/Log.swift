// SPDX-License-Identifier: Apache-2.0
// Structured logging: one JSON object a line on a file descriptor. Lines are gathered in memory and written by a
// thread of their own, so no request waits for the disk; when the reader of the log stalls, lines are dropped and
// counted, never queued without bound. Warnings are written at once where that needs no waiting. Secrets are never
// passed in.

import Glibc
import JSON
import Synchronization

package enum LogLevel: Int, Sendable, Comparable, CaseIterable {
    case debug, info, warning, error
    package static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue < b.rawValue }
    package var name: String { "\(self)" }
    package init?(name: String) {
        guard let level = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = level
    }
}

package final class Log: Sendable {
    /// Bytes waiting to be written; beyond it lines are dropped.
    private static let bufferBytes = 4 << 20

    private struct State {
        var buffer: [UInt8] = []
        var dropped = 0
    }
    private let state = Mutex(State())
    /// Held while bytes go out, so that two writers' lines do not mix.
    private let output = Mutex(())
    private let file: Int32
    package let level: LogLevel
    private let clock: any Clock

    package init(file: Int32 = 2, level: LogLevel = .info, clock: any Clock = SystemClock()) {
        self.file = file
        self.level = level
        self.clock = clock
    }

    package func isEnabled(_ level: LogLevel) -> Bool { level >= self.level }

    /// One line; `fields` adds members to it. Nothing is evaluated when the level is off.
    package func write(
        _ level: LogLevel, _ message: @autoclosure () -> String, _ fields: (inout JSONWriter) -> Void = { _ in }
    ) {
        guard isEnabled(level) else { return }
        var line = JSONWriter.bytes(capacity: 384) { w in
            w.object { w in
                w.field("time", clock.now.text)
                w.field("level", level.name)
                w.field("message", message())
                fields(&w)
            }
        }
        line.append(UInt8(ascii: "\n"))
        let full = line.withUnsafeBufferPointer { append($0, lines: 1) }
        if full || level >= .warning { writeWithoutWaiting() }
    }

    /// Lines that were gathered and rendered elsewhere, each ended by a line feed. Never writes: the flush loop does.
    @discardableResult
    package func append(_ bytes: UnsafeBufferPointer<UInt8>, lines: Int) -> Bool {
        state.withLock { state in
            if state.buffer.count + bytes.count > Self.bufferBytes {
                state.dropped += lines
            } else {
                state.buffer.append(contentsOf: bytes)
            }
            return state.buffer.count > 256 << 10
        }
    }

    package func info(_ message: @autoclosure () -> String) { write(.info, message()) }
    package func warning(_ message: @autoclosure () -> String) { write(.warning, message()) }
    package func error(_ message: @autoclosure () -> String) { write(.error, message()) }

    /// Writes what is waiting, however long that takes. Called by the flush loop four times a second and at the end.
    package func flush() {
        let dropped = output.withLock { _ in writeAll(mayWait: true) }
        if dropped > 0 { write(.warning, "log lines were dropped") { $0.field("count", dropped) } }
    }

    /// From threads that must not stop: as much as the reader takes now. What it does not take stays for the flush
    /// loop.
    private func writeWithoutWaiting() {
        let dropped = output.withLockIfAvailable { _ in writeAll(mayWait: false) } ?? 0
        if dropped > 0 { state.withLock { $0.dropped += dropped } }
    }

    /// How many lines were dropped since it was last asked.
    private func writeAll(mayWait: Bool) -> Int {
        if !mayWait && !isReady { return 0 }
        let (bytes, dropped) = state.withLock { state in
            let taken = (state.buffer, state.dropped)
            state.buffer.removeAll(keepingCapacity: taken.0.count < 1 << 20)
            state.dropped = 0
            return taken
        }
        let written = send(bytes, mayWait: mayWait)
        if written < bytes.count { state.withLock { $0.buffer.insert(contentsOf: bytes[written...], at: 0) } }
        return dropped
    }

    /// A pipe that is ready takes this much without waiting.
    private static let pieceBytes = 4096

    private func send(_ bytes: [UInt8], mayWait: Bool) -> Int {
        var at = 0
        while at < bytes.count {
            if !mayWait && !isReady { return at }
            let count = mayWait ? bytes.count - at : min(bytes.count - at, Self.pieceBytes)
            let written = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress.map { $0 + at }, count) }
            if written < 0 && errno == EINTR { continue }
            // A log that cannot be written to at all must not be kept in memory for ever.
            if written <= 0 { return errno == EAGAIN && !mayWait ? at : bytes.count }
            at += written
        }
        return at
    }

    private var isReady: Bool {
        var wanted = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
        return poll(&wanted, 1, 0) == 1
    }
}
