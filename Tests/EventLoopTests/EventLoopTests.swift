// SPDX-License-Identifier: Apache-2.0
import EventLoop
import Glibc
import Synchronization
import Testing

/// Starts a loop for one test and ends it after.
private func withLoop<Result: Sendable>(_ body: (EventLoop) async throws -> Result) async throws -> Result {
    let loop = EventLoop(name: "test")
    loop.start()
    defer { loop.stop() }
    return try await body(loop)
}

private final class Alarm: TimerTarget, @unchecked Sendable {
    let fired = Atomic<Int>(0)
    func timerFired() { fired.add(1, ordering: .relaxed) }
}

private func nonisolatedIsCurrent(_ loop: EventLoop) async -> Bool { loop.isCurrent }

@Suite struct EventLoopTests {
    @Test func aTaskThatPrefersTheLoopRunsOnItsThreadAndReturnsToItAfterAnAwait() async throws {
        try await withLoop { loop in
            let places = await Task(executorPreference: loop) {
                let before = loop.isCurrent
                await Task.detached {}.value
                let after = loop.isCurrent
                return [before, after, await nonisolatedIsCurrent(loop)]
            }.value
            #expect(places == [true, true, true])
            #expect(!loop.isCurrent)
        }
    }

    @Test func closuresFromManyThreadsAllRun() async throws {
        try await withLoop { loop in
            let count = Alarm()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask { for _ in 0..<500 { await loop.run { count.timerFired() } } }
                }
            }
            #expect(count.fired.load(ordering: .relaxed) == 4000)
        }
    }

    @Test func aTimerFiresOnceAfterItsTimeAndNotWhenCancelled() async throws {
        try await withLoop { loop in
            let alarm = Alarm(), cancelled = Alarm()
            let start = ContinuousClock.now
            await loop.run {
                loop.arm(LoopTimer(alarm), milliseconds: 150)
                let timer = LoopTimer(cancelled)
                loop.arm(timer, milliseconds: 100)
                loop.cancel(timer)
            }
            try await wait { alarm.fired.load(ordering: .relaxed) > 0 }
            #expect(ContinuousClock.now - start >= .milliseconds(140))
            #expect(alarm.fired.load(ordering: .relaxed) == 1)
            #expect(cancelled.fired.load(ordering: .relaxed) == 0)
        }
    }

    @Test func aTimerThatIsPutOffFiresAtItsLastTime() async throws {
        try await withLoop { loop in
            let alarm = Alarm()
            let start = ContinuousClock.now
            await loop.run {
                let timer = LoopTimer(alarm)
                loop.arm(timer, milliseconds: 80)
                loop.arm(timer, milliseconds: 400)
            }
            try await wait { alarm.fired.load(ordering: .relaxed) > 0 }
            #expect(ContinuousClock.now - start >= .milliseconds(390))
        }
    }

    @Test func aTimerBeyondTheWheelStillWaits() async throws {
        try await withLoop { loop in
            let far = Alarm(), near = Alarm()
            await loop.run {
                loop.arm(LoopTimer(far), milliseconds: 200_000)
                loop.arm(LoopTimer(near), milliseconds: 100)
            }
            try await wait { near.fired.load(ordering: .relaxed) == 1 }
            #expect(far.fired.load(ordering: .relaxed) == 0)
        }
    }

    @Test func aYieldingTaskDoesNotKeepOthersWaiting() async throws {
        try await withLoop { loop in
            let done = Alarm()
            let busy = Task(executorPreference: loop) {
                while done.fired.load(ordering: .relaxed) == 0 { await Task.yield() }
            }
            let alarm = Alarm()
            await loop.run { loop.arm(LoopTimer(alarm), milliseconds: 100) }
            try await wait { alarm.fired.load(ordering: .relaxed) == 1 }
            done.timerFired()
            await busy.value
        }
    }

    @Test func aReadyDescriptorReachesItsHandlerAndNotAfterItWasUnregistered() async throws {
        final class Reader: EventHandler, @unchecked Sendable {
            let descriptor: Int32
            let received = Mutex<[UInt8]>([])
            init(_ descriptor: Int32) { self.descriptor = descriptor }
            func ready(_ events: UInt32) {
                var bytes = [UInt8](repeating: 0, count: 64)
                let count = read(descriptor, &bytes, 64)
                if count > 0 { received.withLock { $0 += bytes[..<count] } }
            }
        }
        try await withLoop { loop in
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            let (readEnd, writeEnd) = (ends[0], ends[1])
            let reader = Reader(readEnd)
            let slot = try #require(await loop.run { loop.register(readEnd, events: 1, reader) })
            write(writeEnd, "abc", 3)
            try await wait { reader.received.withLock { $0 } == Array("abc".utf8) }
            await loop.run {
                loop.unregister(slot)
                close(readEnd)
            }
            close(writeEnd)
        }
    }

    /// Waits until `condition` holds, at most ten seconds.
    private func wait(_ condition: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while !condition() {
            try #require(ContinuousClock.now < deadline, "waited too long")
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
