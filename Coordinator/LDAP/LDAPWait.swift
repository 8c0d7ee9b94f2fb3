// SPDX-License-Identifier: Apache-2.0
// How long a caller waits. A thread inside the library cannot be called back, so the wait and the work are two
// things: the wait ends once, by the result or by the clock, and the work learns that nobody waits any more.

import Glibc
import Synchronization

enum Stopwatch {
    /// Of the clock that only goes forward.
    static var nanoseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
    static var seconds: Int64 { nanoseconds / 1_000_000_000 }
}

final class LDAPWait<Value: Sendable>: Sendable {
    private let continuation: Mutex<UnsafeContinuation<Result<Value, LDAPError>, Never>?>

    init(_ continuation: UnsafeContinuation<Result<Value, LDAPError>, Never>) {
        self.continuation = Mutex(continuation)
    }

    var isOver: Bool { continuation.withLock { $0 == nil } }

    /// The first result counts.
    func end(_ result: Result<Value, LDAPError>) {
        let taken = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        taken?.resume(returning: result)
    }
}
