// SPDX-License-Identifier: Apache-2.0
// What must end when its time is over, on a thread of its own: callers' waits, and calls into the library that it has
// no time-out for.

import Glibc
import Synchronization

final class LDAPWatch: @unchecked Sendable {
    // Safe: `entries` and `isStopped` are only touched under `mutex`.
    private struct Entry {
        let deadline: Int64
        let isOver: @Sendable () -> Bool
        let expire: @Sendable () -> Void
    }
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    /// The next to expire first.
    private var entries: [Entry] = []
    private var isStopped = false

    init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(condition)
        mutex.deallocate()
        condition.deallocate()
    }

    /// Calls `expire` after this time, unless it is over by then.
    func add(seconds: Int, isOver: @escaping @Sendable () -> Bool, expire: @escaping @Sendable () -> Void) {
        let entry = Entry(
            deadline: Stopwatch.nanoseconds + Int64(seconds) * 1_000_000_000, isOver: isOver, expire: expire)
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        // What is over goes before the list doubles: it stays in proportion to what is not.
        if entries.count == entries.capacity { entries.removeAll { $0.isOver() } }
        // Times are of a few lengths, so the place is near the end.
        var at = entries.count
        while at > 0, entries[at - 1].deadline > entry.deadline { at -= 1 }
        entries.insert(entry, at: at)
        if at == 0 { pthread_cond_signal(condition) }
    }

    func stop() {
        pthread_mutex_lock(mutex)
        isStopped = true
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(condition)
    }

    /// The thread's body. When stopped, what is left expires in its time, and then the thread ends.
    func run() {
        while let overdue = nextOverdue() {
            for entry in overdue { entry.expire() }
        }
    }

    /// Sleeps until something is overdue; nil when stopped and nothing is left.
    private func nextOverdue() -> [Entry]? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            entries = Array(entries.drop { $0.isOver() })
            guard let first = entries.first else {
                if isStopped { return nil }
                pthread_cond_wait(condition, mutex)
                continue
            }
            let now = Stopwatch.nanoseconds
            if first.deadline <= now {
                let overdue = entries.prefix { $0.deadline <= now }
                entries.removeFirst(overdue.count)
                return Array(overdue)
            }
            var until = timespec(
                tv_sec: Int(first.deadline / 1_000_000_000), tv_nsec: Int(first.deadline % 1_000_000_000))
            pthread_cond_timedwait(condition, mutex, &until)
        }
    }
}

/// Cuts a connection's socket when one call on it takes too long: the library then sees the server hang up and returns.
final class LDAPFuse: Sendable {
    private enum State { case armed, disarmed, blown }
    private let state = Mutex(State.armed)
    private let file: Int32

    /// `file` stays open until the fuse is disarmed.
    init(_ file: Int32) { self.file = file }

    var isOver: Bool { state.withLock { $0 != .armed } }

    func blow() {
        state.withLock { state in
            guard state == .armed else { return }
            shutdown(file, Int32(SHUT_RDWR))
            state = .blown
        }
    }

    /// Whether it was blown; it is not after this.
    func disarm() -> Bool {
        state.withLock { state in
            defer { state = .disarmed }
            return state == .blown
        }
    }
}
