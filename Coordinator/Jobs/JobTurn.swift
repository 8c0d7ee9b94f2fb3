// SPDX-License-Identifier: Apache-2.0
// One turn of one job: decide, run a step, store where it led. The only place where a job's row changes while it is
// held. Generic over the kind inside, one face outside, so the runner can hold all kinds in one table.

import Core
import Database
import JSON

/// What the runner and the test suite know of a kind.
package struct JobKind: Sendable {
    package let name: String
    package let turn: @Sendable (JobRow, JobDesk) async throws -> JobTurn

    package init<J: Job>(_ job: J) {
        name = J.kind
        turn = { row, desk in try await JobStep(job, row, desk).take() }
    }
}

/// How a turn ended.
package enum JobTurn: Sendable, Equatable {
    /// Still held: go on with this row.
    case on(JobRow)
    case finished
    /// Given back; due again later.
    case released
    case gaveUp(String)
    /// Someone else holds it; what this turn would have stored was not.
    case lost
}

/// Where turns are taken: who holds the lease, for how long, what time it is.
package struct JobDesk: Sendable {
    let database: Database
    let owner: String
    let leaseSeconds: Int64
    let clock: any Clock
    let log: Log
    /// A test's hand in the machinery: may throw before a step runs and after it ran, before its end is stored.
    private let faults: @Sendable (JobFaultPoint) throws -> Void

    package init(
        database: Database, owner: String, leaseSeconds: Int64, clock: any Clock, log: Log,
        faults: @escaping @Sendable (JobFaultPoint) throws -> Void = { _ in }
    ) {
        self.database = database
        self.owner = owner
        self.leaseSeconds = leaseSeconds
        self.clock = clock
        self.log = log
        self.faults = faults
    }

    func fault(_ point: JobFaultPoint) throws { try faults(point) }
    var leaseEnd: Instant { clock.now.adding(seconds: leaseSeconds) }
}

/// Where a test may make a turn fail.
package enum JobFaultPoint: Sendable, Equatable { case beforeStep, afterStep }
/// As if the process had died there: nothing more is done for the job.
package struct JobCrash: Error { package init() {} }

private struct JobStep<J: Job> {
    private let job: J
    private var row: JobRow
    private let desk: JobDesk

    init(_ job: J, _ row: JobRow, _ desk: JobDesk) {
        self.job = job
        self.row = row
        self.desk = desk
    }

    func take() async throws -> JobTurn {
        let label: J.Label, state: J.State
        do {
            (label, state) = try decoded()
        } catch {
            // A newer coordinator may have stored it, and may come by again.
            if let reason = row.lapse(now: desk.clock.now) { return try await park(reason, nil) }
            return try await retry(error, row.state)
        }
        if let wish = row.wish, !row.isHonoured, let target = job.label(for: wish, at: label, state) {
            return try await honour(target)
        }
        if let reason = row.lapse(now: desk.clock.now) { return try await park(reason, state) }
        return try await step(label, state)
    }

    private func decoded() throws -> (J.Label, J.State) {
        guard let label = J.Label(rawValue: row.label) else {
            throw CloudError.internalError("this version does not know the step \"\(row.label)\" of \(J.kind)")
        }
        return (label, try J.State(json: JSON.parse(row.state)))
    }

    private func step(_ label: J.Label, _ old: J.State) async throws -> JobTurn {
        var state = old
        let next: JobNext<J.Label>
        do {
            try desk.fault(.beforeStep)
            next = try await job.run(label, &state, context)
            try desk.fault(.afterStep)
        } catch let crash as JobCrash {
            throw crash
        } catch  where Task.isCancelled {
            // A wish, a shutdown or a lost lease, and no fault of the step: whoever comes next goes on here.
            return try await release(row, due: desk.clock.now)
        } catch {
            return try await retry(error, row.state)
        }
        var row = row
        row.state = state.json.text
        switch next {
        case .next(let label, let writing):
            row.label = label.rawValue
            row.attempt = 0
            row.failure = nil
            return try await advance(row, writing)
        case .done(let writing): return try await finish(writing)
        case .wait(let seconds):
            row.attempt = 0
            row.failure = nil
            return try await release(row, due: desk.clock.now.adding(seconds: max(seconds, 1)))
        case .failed(let reason):
            // Undoing does not give up.
            if row.isHonoured { return try await retry(CloudError(.unavailable, reason), row.state) }
            return try await park(reason, state)
        }
    }

    private var context: JobContext {
        JobContext(
            id: row.id, subject: row.subject, attempt: row.attempt, created: row.created, now: desk.clock.now,
            commandID: "\(row.id.text).\(row.label)")
    }

    // MARK: Ends of a turn

    private func advance(_ next: JobRow, _ writing: JobNext<J.Label>.Writing?) async throws -> JobTurn {
        let desk = desk
        let stored: JobRow?
        do {
            stored = try await desk.database.write("job.advance") { connection in
                let stored = try JobStore.advance(next, owner: desk.owner, until: desk.leaseEnd, connection)
                if stored != nil { try writing?(connection) }
                return stored
            }
        } catch {
            return try await retry(error, row.state)
        }
        log(stored == nil ? "lost" : "next", to: next.label)
        return stored.map { .on($0) } ?? .lost
    }

    private func finish(_ writing: JobNext<J.Label>.Writing?) async throws -> JobTurn {
        let (desk, id) = (desk, row.id)
        let isOurs: Bool
        do {
            isOurs = try await store { connection in
                guard try JobStore.remove(id, owner: desk.owner, connection) else { return false }
                try writing?(connection)
                return true
            }
        } catch {
            return try await retry(error, row.state)
        }
        log(isOurs ? "done" : "lost", to: nil)
        return isOurs ? .finished : .lost
    }

    private func honour(_ label: J.Label) async throws -> JobTurn {
        let desk = desk
        var row = row
        row.label = label.rawValue
        row.attempt = 0
        row.failure = nil
        row.isHonoured = true
        let honoured = row
        let isOurs = try await store { try JobStore.honour(honoured, owner: desk.owner, until: desk.leaseEnd, $0) }
        if isOurs { log("wish", to: row.label) }
        // A stronger wish came in between, or the lease is lost: looking again tells which.
        return isOurs ? .on(row) : try await release(self.row, due: desk.clock.now)
    }

    /// The step did not happen: its state is as before, and it is tried again later.
    private func retry(_ error: any Error, _ state: String) async throws -> JobTurn {
        var row = row
        row.state = state
        row.attempt += 1
        row.failure = (error as? CloudError)?.message ?? "\(error)"
        desk.log.write(.warning, "job step failed") { w in
            w.field("job", row.id.text)
            w.field("kind", row.kind)
            w.field("label", row.label)
            w.field("attempt", row.attempt)
            w.field("error", "\(error)")
        }
        let pause = BackOff.milliseconds(attempt: row.attempt, random: .random(in: 0..<1))
        var due = Instant(microseconds: desk.clock.now.microseconds + Int64(pause) * 1000)
        // Not later than the deadline, so that giving up is on time.
        if let deadline = row.deadline, !row.isHonoured { due = min(due, max(deadline, desk.clock.now)) }
        return try await release(row, due: due)
    }

    private func release(_ row: JobRow, due: Instant) async throws -> JobTurn {
        let desk = desk
        let isOurs = try await store { try JobStore.release(row, owner: desk.owner, due: due, now: desk.clock.now, $0) }
        return isOurs ? .released : .lost
    }

    private func park(_ reason: String, _ state: J.State?) async throws -> JobTurn {
        let (desk, job, context) = (desk, job, context)
        var row = row
        row.failure = reason
        let parked = row
        let isOurs = try await store { connection in
            guard try JobStore.release(parked, owner: desk.owner, due: JobStore.never, now: desk.clock.now, connection)
            else { return false }
            if let state { try job.giveUp(reason, state, context, connection) }
            return true
        }
        if isOurs { desk.log.error("job \(row.kind) of \(row.subject) gave up: \(reason)") }
        return isOurs ? .gaveUp(reason) : .lost
    }

    private func store(_ body: @escaping @Sendable (any Connection) throws -> Bool) async throws -> Bool {
        try await desk.database.write("job.store", body)
    }

    private func log(_ what: String, to label: String?) {
        desk.log.write(.info, "job") { w in
            w.field("job", row.id.text)
            w.field("kind", row.kind)
            w.field("subject", row.subject)
            w.field("label", row.label)
            w.field("result", what)
            if let label { w.field("next", label) }
        }
    }
}
