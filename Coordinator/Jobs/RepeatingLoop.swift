// SPDX-License-Identifier: Apache-2.0
// A loop takes no input and does constant work, on a timer and on a signal. It is the only repair mechanism: a round
// that fails does nothing, and the next tries again. The signal says "look", never "what".

import Core

/// Anything that runs beside requests until its task is cancelled.
package protocol BackgroundWork: Sendable {
    var name: String { get }
    /// Returns soon after the task is cancelled, and not before.
    func run() async
}

package final class RepeatingLoop: BackgroundWork {
    package let name: String
    private let milliseconds: Int
    private let log: Log
    private let bell = Signal()
    private let rounds: Counter?
    private let failures: Counter?
    private let duration: Histogram?
    private let round: @Sendable () async throws -> Void

    package init(
        _ name: String, everySeconds seconds: Double, log: Log, metrics: Metrics? = nil,
        _ round: @escaping @Sendable () async throws -> Void
    ) {
        self.name = name
        milliseconds = Int(seconds * 1000)
        self.log = log
        self.round = round
        let label = "loop=\"\(name)\""
        rounds = metrics?.counter("martlet_loop_rounds_total", help: "Rounds of each loop.", labels: label)
        failures = metrics?.counter("martlet_loop_failures_total", help: "Rounds that failed.", labels: label)
        duration = metrics?.histogram("martlet_loop_seconds", help: "Time a round takes.", labels: label)
    }

    /// The next round comes at once.
    package func signal() { bell.ring() }

    package func run() async {
        var isFailing = false
        while !Task.isCancelled {
            isFailing = await once(isFailing)
            // A tenth to either side, so that loops of many coordinators part.
            await bell.wait(milliseconds: milliseconds + Int(Double(milliseconds) * Double.random(in: -0.1...0.1)))
        }
    }

    /// A fault that lasts is told once, and its end too.
    private func once(_ wasFailing: Bool) async -> Bool {
        let started = ContinuousClock.now
        defer {
            rounds?.add()
            let spent = (ContinuousClock.now - started).components
            duration?.record(microseconds: Int(spent.seconds) * 1_000_000 + Int(spent.attoseconds / 1_000_000_000_000))
        }
        do {
            try await round()
            if wasFailing { log.info("the loop \"\(name)\" succeeds again") }
            return false
        } catch {
            if Task.isCancelled { return wasFailing }
            failures?.add()
            if !wasFailing { log.error("the loop \"\(name)\" fails: \(error)") }
            return true
        }
    }
}
