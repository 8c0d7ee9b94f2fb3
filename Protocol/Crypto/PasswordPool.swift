// SPDX-License-Identifier: Apache-2.0
// Where password hashing happens: a few threads of low priority behind one bounded queue. However many sign-ins wait,
// event loops and the database get the processor first, memory is threads times one hash's (argon2id maps it and gives it
// back), and beyond the bound a caller hears at once that the service is busy.

import EventLoop
import Glibc
import Synchronization

package enum PasswordPoolError: Error, Equatable, Sendable {
    /// The queue is full, or the pool was stopped.
    case busy
}

package final class PasswordPool: Sendable {
    package let hasher: PasswordHasher
    private let queue: PasswordQueue

    /// `threads`: one for each core, unless told otherwise. `waiting`: how many may wait for a thread.
    package init(_ hasher: PasswordHasher = PasswordHasher(), threads: Int = cores, waiting: Int) {
        self.hasher = hasher
        let queue = PasswordQueue(bound: waiting)
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

    private func run<Value: Sendable>(_ work: @escaping @Sendable () -> Result<Value, any Error>) async throws -> Value {
        try Task.checkCancellation()
        return try await withUnsafeThrowingContinuation { continuation in
            if !queue.add({ continuation.resume(with: work()) }) { continuation.resume(throwing: PasswordPoolError.busy) }
        }
    }
}

/// First come, first served, over a mutex and a condition.
private final class PasswordQueue: @unchecked Sendable {
    // Safe: `work`, `head` and `isStopped` are only touched under `mutex`.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private let bound: Int
    private var work: [@Sendable () -> Void] = []
    private var head = 0
    private var isStopped = false

    init(bound: Int) {
        self.bound = bound
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(condition)
        mutex.deallocate()
        condition.deallocate()
    }

    private func locked<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    var count: Int { locked { work.count - head } }

    /// False when there is no room.
    func add(_ item: @escaping @Sendable () -> Void) -> Bool {
        let isAdded = locked {
            if isStopped || work.count - head >= bound { return false }
            work.append(item)
            return true
        }
        if isAdded { pthread_cond_signal(condition) }
        return isAdded
    }

    /// Waits for work; nil when stopped and all is done.
    func next() -> (@Sendable () -> Void)? {
        locked {
            while head == work.count, !isStopped { pthread_cond_wait(condition, mutex) }
            if head == work.count { return nil }
            defer { forgetTaken() }
            return work[head]
        }
    }

    /// Taken items go in batches, so that taking one does not move all the others.
    private func forgetTaken() {
        head += 1
        if head == work.count || head >= 64 {
            work.removeFirst(head)
            head = 0
        }
    }

    func stop() {
        locked { isStopped = true }
        pthread_cond_broadcast(condition)
    }
}
