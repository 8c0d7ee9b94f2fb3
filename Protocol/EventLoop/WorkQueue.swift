// SPDX-License-Identifier: Apache-2.0
// Work for a few threads of one kind: first come, first served, bounded, so that a slow library behind it makes callers
// hear "busy" instead of making the process grow.

import Glibc

package final class WorkQueue: @unchecked Sendable {
    // Safe: `work`, `head` and `isStopped` are only touched under `mutex`.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private let bound: Int
    private var work: [@Sendable () -> Void] = []
    private var head = 0
    private var isStopped = false

    package init(bound: Int) {
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

    /// What waits for a thread.
    package var count: Int { locked { work.count - head } }

    /// False when there is no room, or the queue was stopped.
    package func add(_ item: @escaping @Sendable () -> Void) -> Bool {
        let isAdded = locked {
            if isStopped || work.count - head >= bound { return false }
            work.append(item)
            return true
        }
        if isAdded { pthread_cond_signal(condition) }
        return isAdded
    }

    /// Waits for work; nil when stopped and all is done.
    package func next() -> (@Sendable () -> Void)? {
        locked {
            while head == work.count, !isStopped { pthread_cond_wait(condition, mutex) }
            if head == work.count { return nil }
            let item = work[head]
            forgetTaken()
            return item
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

    /// What is queued is still done; then `next` ends the threads.
    package func stop() {
        locked { isStopped = true }
        pthread_cond_broadcast(condition)
    }
}
