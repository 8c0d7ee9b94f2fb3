// SPDX-License-Identifier: Apache-2.0
// One thread of its own that runs Swift tasks: where blocking C (a database, LDAP, password hashing) may block without
// holding up an event loop or the cooperative pool.

import CSystem
import Glibc

package final class ThreadExecutor: SerialExecutor, TaskExecutor, @unchecked Sendable {
    // Safe: `queue` and `isStopped` are only touched under `mutex`.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var queue: [UnownedJob] = []
    private var isStopped = false

    package init(name: String) {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
        startThread(name: name) { [self] in run() }
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(condition)
        mutex.deallocate()
        condition.deallocate()
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pthread_mutex_lock(mutex)
        queue.append(job)
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(condition)
    }

    /// Runs what is queued and ends the thread; nothing may be enqueued after.
    package func stop() {
        pthread_mutex_lock(mutex)
        isStopped = true
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(condition)
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    private func run() {
        while true {
            pthread_mutex_lock(mutex)
            while queue.isEmpty && !isStopped { pthread_cond_wait(condition, mutex) }
            let jobs = queue
            queue.removeAll(keepingCapacity: true)
            pthread_mutex_unlock(mutex)
            if jobs.isEmpty { return }
            for job in jobs {
                job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
            }
        }
    }
}

/// Starts a detached thread that keeps `body` alive until it returns.
package func startThread(name: String, _ body: @escaping @Sendable () -> Void) {
    final class Box {
        let name: String, body: @Sendable () -> Void
        init(_ name: String, _ body: @escaping @Sendable () -> Void) { self.name = name; self.body = body }
    }
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box(name, body))
    let failed = pthread_create(
        &thread, nil,
        { raw in
            guard let raw else { return nil }
            let box = Unmanaged<Box>.fromOpaque(raw).takeRetainedValue()
            _ = csystem_set_thread_name(box.name)
            box.body()
            return nil
        }, box.toOpaque())
    precondition(failed == 0, "the system refuses another thread")
    pthread_detach(thread)
}
