// SPDX-License-Identifier: Apache-2.0
// Where password hashing happens: a few threads of low priority behind one bounded queue. However many sign-ins wait,
// event loops and the database get the processor first, memory is threads times one hash's (argon2id maps it and
// gives it back), and beyond the bound a caller hears at once that the service is busy.

import EventLoop
import Glibc
import Synchronization

package enum PasswordPoolError: Error, Equatable, Sendable {
    /// The queue is full, or the pool was stopped.
    case busy
}

package final class PasswordPool: Sendable {
    package let hasher: PasswordHasher
    private let queue: WorkQueue

    /// `threads`: one for each core, unless told otherwise. `waiting`: how many may wait for a thread.
    package init(_ hasher: PasswordHasher = PasswordHasher(), threads: Int = cores, waiting: Int) {
        self.hasher = hasher
        let queue = WorkQueue(bound: waiting)
        self.queue = queue
        for number in 0..<max(threads, 1) {
            startThread(name: "password-\(number)") {
                // Who 0 is, to Linux, the calling thread alone.
                setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
                while let work = queue.next() { work() }
            }
        }
    }

    deinit { queue.stop() }

    package static var cores: Int { max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1) }

    /// Callers waiting for a thread.
    package var waiting: Int { queue.count }

    package func hash(_ password: String) async throws -> String {
        try await run { [hasher] in Result { try hasher.hash(password) } }
    }

    package func verify(_ password: String, _ hash: String) async throws -> Bool {
        try await run { [hasher] in .success(hasher.verify(password, hash)) }
    }

    /// Spends the time of one check: see PasswordHasher.verifyNothing.
    package func verifyNothing(_ password: String) async throws {
        try await run { [hasher] in .success(hasher.verifyNothing(password)) }
    }

    /// Ends the threads when the queue is empty; later callers are refused.
    package func stop() { queue.stop() }

    private func run<Value: Sendable>(_ work: @escaping @Sendable () -> Result<Value, any Error>) async throws -> Value
    {
        try Task.checkCancellation()
        return try await withUnsafeThrowingContinuation { continuation in
            if !queue.add({ continuation.resume(with: work()) }) {
                continuation.resume(throwing: PasswordPoolError.busy)
            }
        }
    }
}
