// SPDX-License-Identifier: Apache-2.0
// One thread around epoll that is also a Swift executor: async handlers run as tasks on the very loop that owns their
// connection, with no hop between reading a request, answering it and writing the answer.
//
//     epoll_wait -> expired timers -> ready descriptors -> jobs (Swift tasks, closures from elsewhere) -> epoll_wait
//
// Invariant: handlers, timers and the slots below are touched on the loop's thread only. Other threads reach the loop
// through `enqueue` and `execute`. Nothing that runs here may block.

import CSystem
import Glibc
import Synchronization

/// Something with a descriptor that the loop watches.
package protocol EventHandler: AnyObject {
    func ready(_ events: UInt32)
}

package final class EventLoop: TaskExecutor, SerialExecutor, @unchecked Sendable {
    // Safe: `inbox` and `thread` guard themselves, the descriptors never change; everything else is confined to the
    // thread.
    private struct Inbox {
        var jobs: [UnownedJob] = []
        var isStopped = false
    }
    private struct Slot {
        var handler: (any EventHandler)?
        /// Events carry it, so that one meant for a closed descriptor never reaches the next user of its slot.
        var generation: UInt32 = 0
    }

    /// Rounds of jobs between two looks at the descriptors: tasks that keep yielding must not starve them.
    private static let jobRounds = 8
    private static let eventsPerRound = 256
    private static let wakeTag = UInt64.max

    package let name: String
    private let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    private let wakeDescriptor = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
    private let inbox = Mutex(Inbox())
    private let thread = Atomic<UInt>(0)
    private var jobs: [UnownedJob] = []
    private var running: [UnownedJob] = []
    private var slots: [Slot] = []
    private var freeSlots: [Int] = []
    private var wheel: TimerWheel
    private var isStopped = false
    /// Milliseconds of the monotonic clock, taken once a round.
    package private(set) var now: Int

    package init(name: String) {
        self.name = name
        now = Self.milliseconds()
        wheel = TimerWheel(now: now)
        let added = csystem_epoll_add(epoll, wakeDescriptor, EPOLLIN.rawValue, Self.wakeTag)
        precondition(epoll >= 0 && added == 0, "the system gives no descriptors for an event loop")
    }

    deinit {
        close(epoll)
        close(wakeDescriptor)
    }

    /// Starts the loop's thread, which keeps the loop alive until `stop`.
    package func start() { startThread(name: name) { self.run() } }

    /// Ends the thread after what is queued has run. Tasks enqueued later do not run.
    package func stop() {
        inbox.withLock { $0.isStopped = true }
        wake()
    }

    package var isCurrent: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    // MARK: Executor

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent {
            jobs.append(job)
            return
        }
        let isFirst = inbox.withLock { inbox in
            inbox.jobs.append(job)
            return inbox.jobs.count == 1
        }
        if isFirst { wake() }
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    package func checkIsolated() { precondition(isCurrent, "expected to run on the event loop \(name)") }

    /// Runs `body` on the loop, from any thread.
    package func execute(_ body: @escaping @Sendable () -> Void) {
        Task(executorPreference: self) { body() }
    }

    /// Runs `body` on the loop and gives back what it returns.
    package func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await Task(executorPreference: self) { body() }.value
    }

    private func wake() {
        // The counter only overflows after 2^64 - 2 unread wakes; any result means the loop will look.
        _ = eventfd_write(wakeDescriptor, 1)
    }

    // MARK: Descriptors and timers (on the loop)

    /// Watches a descriptor. The handler is kept until `unregister`; nil when the kernel refuses.
    package func register(_ descriptor: Int32, events: UInt32, _ handler: any EventHandler) -> Int? {
        let slot = freeSlots.popLast() ?? slots.count
        if slot == slots.count { slots.append(Slot()) }
        slots[slot].handler = handler
        let tag = UInt64(slots[slot].generation) << 32 | UInt64(slot)
        guard csystem_epoll_add(epoll, descriptor, events, tag) == 0 else {
            slots[slot].handler = nil
            freeSlots.append(slot)
            return nil
        }
        return slot
    }

    /// Call before closing the descriptor; closing ends the kernel's watch.
    package func unregister(_ slot: Int) {
        slots[slot].handler = nil
        slots[slot].generation &+= 1
        freeSlots.append(slot)
    }

    package func arm(_ timer: LoopTimer, milliseconds: Int) { wheel.arm(timer, at: now + milliseconds) }
    package func cancel(_ timer: LoopTimer) { wheel.cancel(timer) }

    // MARK: The loop

    private func run() {
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: Self.eventsPerRound)
        defer { events.deallocate() }
        while !isStopped || !jobs.isEmpty {
            let timeout = jobs.isEmpty ? min(wheel.wait(now: now) ?? -1, 60_000) : 0
            let count = epoll_wait(epoll, events, Int32(Self.eventsPerRound), Int32(timeout))
            now = Self.milliseconds()
            for target in wheel.expire(now: now) { target.timerFired() }
            for i in 0..<Int(max(count, 0)) { deliver(events[i]) }
            runJobs()
        }
        for slot in slots.indices { slots[slot].handler = nil }
        thread.store(0, ordering: .relaxed)
    }

    private func deliver(_ event: epoll_event) {
        let tag = event.data.u64
        if tag == Self.wakeTag { return takeInbox() }
        let slot = Int(tag & 0xffff_ffff)
        guard slots[slot].generation == UInt32(tag >> 32) else { return }
        slots[slot].handler?.ready(event.events)
    }

    private func takeInbox() {
        var value: eventfd_t = 0
        _ = eventfd_read(wakeDescriptor, &value)
        let taken = inbox.withLock { inbox in
            let taken = inbox
            inbox.jobs.removeAll(keepingCapacity: taken.jobs.count < 1024)
            return taken
        }
        jobs.append(contentsOf: taken.jobs)
        isStopped = taken.isStopped
    }

    private func runJobs() {
        for _ in 0..<Self.jobRounds where !jobs.isEmpty {
            swap(&jobs, &running)
            for job in running {
                // Named as task executor only: nonisolated functions, which all handlers are, then find themselves
                // where they want to be and go on without being queued again.
                job.runSynchronously(on: asUnownedTaskExecutor())
            }
            running.removeAll(keepingCapacity: running.count < 4096)
        }
    }

    private static func milliseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}
