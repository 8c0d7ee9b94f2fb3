// SPDX-License-Identifier: Apache-2.0
// Drives one job turn by turn, with a clock of its own and one trouble, to whatever end it comes.

import Core
import Database
import Jobs
import Synchronization

private struct Planned: Error, CustomStringConvertible { var description: String { "a planned fault" } }
struct JobDriveFailure: Error, CustomStringConvertible { let description: String }

final class JobDrive<J: Job, World: Sendable>: @unchecked Sendable {
    // Safe: one task drives; what the fault hook shares with it is under the lock.
    private struct Count {
        /// Steps stored so far: which step is under way.
        var step = 0
        /// How often the trouble struck.
        var strikes = 0
    }
    let subject: JobSuite<J, World>.Subject
    let database: Database
    private let trouble: JobTrouble
    private let clock = ManualClock()
    private let count = Mutex(Count())
    private let log = Log(file: -1, level: .error)
    private var owner = 1
    private(set) var isUndone = false

    init(_ subject: JobSuite<J, World>.Subject, _ database: Database, _ trouble: JobTrouble) {
        self.subject = subject
        self.database = database
        self.trouble = trouble
    }

    /// Steps whose end was stored.
    var steps: Int { count.withLock { $0.step } }

    func run() async throws {
        let queue = JobQueue(clock: clock)
        let subject = subject
        let id = try await database.write("add") { try queue.add(J.self, subject: subject.subject, subject.state, $0) }
        let kind = JobKind(subject.job)
        for _ in 0..<300 {
            if case .wishSeen(let step) = trouble { try await wish(queue, at: step) }
            guard let row = try await take(id) else { return }
            switch try await self.turns(kind, row, queue) {
            case .finished: return
            case .gaveUp(let reason):
                guard case .deadline = trouble else { throw JobDriveFailure(description: "it gave up: \(reason)") }
                guard reason.count > 20 else {
                    throw JobDriveFailure(description: "it gave up without a reason in words")
                }
                try await database.write("wish") { _ = try queue.wish(.delete, subject: subject.subject, $0) }
            case .released:
                if case .deadline = trouble, count.withLock({ $0.strikes > 0 }) {
                    clock.advance(seconds: J.timeLimitSeconds ?? 0)
                }
            default: break
            }
            // The next due time: a back-off, a wait, or the end of a crashed runner's lease.
            if let due = try await database.read("due", { try JobStore.due(id, $0) }), due.microseconds < .max {
                clock.advance(to: due)
            }
        }
        throw JobDriveFailure(description: "it never ends")
    }

    private func take(_ id: ID<JobRow>) async throws -> JobRow? {
        let (name, end) = ("runner-\(owner)", clock.now.adding(seconds: 60))
        return try await database.write("take") { try JobStore.take(id, owner: name, until: end, $0) }
    }

    /// Turns under one lease.
    private func turns(_ kind: JobKind, _ row: JobRow, _ queue: JobQueue) async throws -> JobTurn {
        let desk = JobDesk(
            database: database, owner: "runner-\(owner)", leaseSeconds: 60, clock: clock, log: log,
            faults: { [self] in try strike($0) })
        var row = row
        while true {
            if case .wishDuring(let step) = trouble { try await wish(queue, at: step) }
            do {
                let turn = try await kind.turn(row, desk)
                guard case .on(let next) = turn else {
                    if turn == .finished { count.withLock { $0.step += 1 } }
                    return turn
                }
                if next.isHonoured && !row.isHonoured { isUndone = true } else { count.withLock { $0.step += 1 } }
                row = next
                // A wish is seen when the row is read: let go of it, so that it is.
                if case .wishSeen(let step) = trouble, steps == step { return .lost }
            } catch is JobCrash {
                owner += 1
                if case .wishAfter(let step) = trouble { try await wish(queue, at: step) }
                return .lost
            }
        }
    }

    private func wish(_ queue: JobQueue, at step: Int) async throws {
        let isDue = count.withLock { count in
            guard count.step == step, count.strikes < (isCrash ? 2 : 1) else { return false }
            count.strikes = 2
            return true
        }
        guard isDue else { return }
        let subject = subject.subject
        try await database.write("wish") { _ = try queue.wish(.delete, subject: subject, $0) }
    }

    private var isCrash: Bool { if case .wishAfter = trouble { true } else { false } }

    private func strike(_ point: JobFaultPoint) throws {
        let strikes = count.withLock { count -> Int in
            guard count.step == trouble.step else { return -1 }
            switch (trouble, point) {
            case (.fault, .beforeStep), (.faultAfter, .afterStep), (.crash, .beforeStep), (.crashAfter, .afterStep),
                (.wishAfter, .afterStep), (.twice, .afterStep), (.deadline, .beforeStep):
                count.strikes += 1
                return count.strikes
            default: return -1
            }
        }
        switch trouble {
        case .fault, .faultAfter: if strikes == 1 { throw Planned() }
        case .crash, .crashAfter, .wishAfter: if strikes == 1 { throw JobCrash() }
        case .twice: if strikes == 1 || strikes == 2 { throw JobCrash() }
        case .deadline: if strikes > 0 && !isUndone { throw Planned() }
        default: break
        }
    }
}
