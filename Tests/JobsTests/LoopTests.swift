// SPDX-License-Identifier: Apache-2.0
// Loops: on the timer, on a signal, through faults, to a clean end.

import Core
import DatabaseTesting
import EventLoop
import Glibc
import Jobs
import Synchronization
import Testing

private final class Rounds: Sendable {
    private let count = Atomic<Int>(0)
    func add() -> Int { count.add(1, ordering: .relaxed).newValue }
    var value: Int { count.load(ordering: .relaxed) }
}

@Suite struct LoopTests {
    @Test func aLoopRunsOnItsTimerAndOnASignal() async throws {
        let rounds = Rounds()
        let loop = RepeatingLoop("test", everySeconds: 1000, log: Log(file: -1)) { _ = rounds.add() }
        let task = Task { await loop.run() }
        #expect(try await waitUntil { rounds.value == 1 })
        loop.signal()
        #expect(try await waitUntil { rounds.value == 2 })
        task.cancel()
        await task.value
        let quick = RepeatingLoop("quick", everySeconds: 0.01, log: Log(file: -1)) { _ = rounds.add() }
        let other = Task { await quick.run() }
        #expect(try await waitUntil { rounds.value > 10 })
        other.cancel()
        await other.value
    }

    @Test func aFaultThatLastsIsToldOnceAndTheLoopGoesOn() async throws {
        var pipes: [Int32] = [0, 0]
        pipe(&pipes)
        let log = Log(file: pipes[1])
        let metrics = Metrics()
        let rounds = Rounds()
        let loop = RepeatingLoop("test", everySeconds: 0.005, log: log, metrics: metrics) {
            if rounds.add() <= 20 { throw CloudError(.unavailable, "not yet") }
        }
        let task = Task { await loop.run() }
        #expect(try await waitUntil { rounds.value > 25 })
        task.cancel()
        await task.value
        log.flush()
        close(pipes[1])
        var text = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(pipes[0], &text, text.count)
        close(pipes[0])
        let lines = String(decoding: text[..<count], as: UTF8.self).split(separator: "\n")
        #expect(lines.filter { $0.contains("fails") }.count == 1)
        #expect(lines.filter { $0.contains("succeeds again") }.count == 1)
        #expect(metrics.text.contains("martlet_loop_failures_total{loop=\"test\"} 20"))
    }

    @Test func allEndTogetherAndInTime() async throws {
        let runner = LoopRunner()
        let rounds = Rounds()
        for i in 0..<5 {
            await runner.add(RepeatingLoop("\(i)", everySeconds: 1000, log: Log(file: -1)) { _ = rounds.add() })
        }
        await runner.add("plain") { try? await Task.sleep(for: .seconds(1000)) }
        await runner.start()
        #expect(try await waitUntil { rounds.value == 5 })
        #expect(await runner.stop())
    }

    @Test func whatWillNotEndIsReported() async throws {
        let runner = LoopRunner()
        let mayEnd = Bell()
        let release = Signal()
        await runner.add("stubborn") {
            // Deaf to cancellation.
            await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
                startThread(name: "stubborn") {
                    while !mayEnd.takeOwn() { usleep(1000) }
                    done.resume()
                }
            }
            release.ring()
        }
        await runner.start()
        #expect(await runner.stop(withinSeconds: 0) == false)
        mayEnd.ring()
        await release.wait(milliseconds: 5000)
    }
}
