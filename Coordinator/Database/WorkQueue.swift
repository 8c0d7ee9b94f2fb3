// SPDX-License-Identifier: Apache-2.0
// A bounded queue between callers and the threads that serve them. Threads are started when there is work and no idle
// one, up to a limit, so an engine that is not used costs none.

import EventLoop
import Glibc

final class WorkQueue<Item: Sendable>: @unchecked Sendable {
    // Safe: everything below is only touched under `mutex`.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var items: [Item] = []
    private var threads = 0
    private var idle = 0
    private var isStopped = false

    private let name: String
    private let itemLimit: Int
    private let threadLimit: Int
    private let batchLimit: Int
    private let makeServer: @Sendable () -> (_ batch: [Item]) -> Void

    /// `makeServer` is called on each new thread; what it returns serves that thread's batches until the queue stops.
    init(
        name: String, items: Int, threads: Int, batch: Int = 1,
        _ makeServer: @escaping @Sendable () -> (_ batch: [Item]) -> Void
    ) {
        self.name = name
        itemLimit = items
        threadLimit = threads
        batchLimit = batch
        self.makeServer = makeServer
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

    /// False when the queue is full or stopped; the item is then the caller's to refuse.
    func push(_ item: Item) -> Bool {
        pthread_mutex_lock(mutex)
        guard !isStopped, items.count < itemLimit else {
            pthread_mutex_unlock(mutex)
            return false
        }
        items.append(item)
        let needsThread = idle < items.count && threads < threadLimit
        if needsThread { threads += 1 }
        pthread_mutex_unlock(mutex)
        if needsThread { startThread(name: name) { [self] in serve() } } else { pthread_cond_signal(condition) }
        return true
    }

    /// Serves what is queued, takes nothing new, and returns when the last thread has ended. Blocks.
    func stop() {
        pthread_mutex_lock(mutex)
        isStopped = true
        pthread_cond_broadcast(condition)
        while threads > 0 { pthread_cond_wait(condition, mutex) }
        pthread_mutex_unlock(mutex)
    }

    var waiting: Int {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return items.count
    }

    private func serve() {
        do {
            let server = makeServer()
            while let batch = take() { server(batch) }
        }
        pthread_mutex_lock(mutex)
        threads -= 1
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    private func take() -> [Item]? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        idle += 1
        while items.isEmpty && !isStopped { pthread_cond_wait(condition, mutex) }
        idle -= 1
        guard !items.isEmpty else { return nil }
        guard items.count > batchLimit else {
            defer { items.removeAll(keepingCapacity: items.count <= 1024) }
            return items
        }
        let batch = Array(items.prefix(batchLimit))
        items.removeFirst(batchLimit)
        return batch
    }
}
