// SPDX-License-Identifier: Apache-2.0
// Appends one CADF line an event to the audit log, and remembers durably how far it came: a line is there at least
// once, whatever is killed when. Fit for logrotate without a signal: when the file was moved away, the next lines go
// to a new one.

import Core
import Database
import EventLoop
import Glibc
import JSON

package struct AuditSink: Sendable {
    private static let retrySeconds = 5

    private let path: String
    private let name: String
    private let feed: EventFeed
    private let log: Log

    /// Each coordinator keeps a whole log of its own; where several share a database, each has a name of its own.
    package init(path: String, feed: EventFeed, log: Log, name: String = "audit") {
        self.path = path
        self.feed = feed
        self.log = log
        self.name = name
    }

    /// Writes until the task is cancelled.
    package func run() async {
        var isFailing = false
        while !Task.isCancelled {
            do {
                try await follow { isFailing = false }
            } catch {
                if !isFailing { log.error("the audit log \(path) cannot be written: \(error)") }
                isFailing = true
                try? await Task.sleep(for: .seconds(Self.retrySeconds))
            }
        }
    }

    private func follow(_ succeeded: () -> Void) async throws {
        let consumer = try await feed.consumer(name)
        let file = AuditFile(path)
        while let events = try await consumer.next() {
            let lines = Self.lines(events)
            try await onThread("audit") { try file.append(lines) }
            try await consumer.commit()
            succeeded()
        }
    }

    private static func lines(_ events: [RecordedEvent]) -> [UInt8] {
        var out: [UInt8] = []
        for event in events {
            out += JSONWriter.bytes(capacity: 1024) { event.cadf(into: &$0) }
            out.append(UInt8(ascii: "\n"))
        }
        return out
    }
}

/// The open log file; used by one thread at a time.
private final class AuditFile: @unchecked Sendable {
    // Safe: AuditSink awaits each append before it starts the next.
    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ call: String) { description = "\(call): \(String(cString: strerror(errno)))" }
    }
    private let path: String
    private var file: Int32 = -1

    init(_ path: String) { self.path = path }
    deinit { if file >= 0 { close(file) } }

    /// All of it, on disk; or an error, and nothing of it left in the file.
    func append(_ bytes: [UInt8]) throws {
        try reopenIfMoved()
        let start = lseek(file, 0, SEEK_END)
        do {
            var at = 0
            while at < bytes.count {
                let count = bytes.withUnsafeBytes { write(file, $0.baseAddress.map { $0 + at }, bytes.count - at) }
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { throw Failure("write") }
                at += count
            }
            // A pipe or a terminal cannot be synchronized, and need not be.
            guard fsync(file) == 0 || errno == EINVAL || errno == EROFS else { throw Failure("fsync") }
        } catch {
            if start >= 0 { ftruncate(file, start) }
            throw error
        }
    }

    private func reopenIfMoved() throws {
        if file >= 0 {
            var named = stat(), held = stat()
            if stat(path, &named) == 0, fstat(file, &held) == 0, named.st_ino == held.st_ino,
                named.st_dev == held.st_dev
            {
                return
            }
            close(file)
        }
        file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure("open") }
    }
}
