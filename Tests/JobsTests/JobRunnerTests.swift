// SPDX-License-Identifier: Apache-2.0
// The runner with real time: leases, takeover, wishes, deadlines, bounds, several runners at once.

import Core
import Database
import DatabaseTesting
import JSON
import JobsTesting
import Synchronization
import Testing

@testable import Jobs

private struct NoState: JobState {
    init() {}
    init(json: JSON) throws {}
    var json: JSON { [:] }
}

/// What a test's job does, and what was seen of it.
private final class Script: Sendable {
    struct Seen {
        var runs: [String] = []
        var atOnce = 0
        var mostAtOnce = 0
        var faults: [String] = []
    }
    let seen = Mutex(Seen())
    let body: @Sendable (ScriptJob.Label, JobContext) async throws -> JobNext<ScriptJob.Label>

    init(_ body: @escaping @Sendable (ScriptJob.Label, JobContext) async throws -> JobNext<ScriptJob.Label>) {
        self.body = body
    }
    var runs: [String] { seen.withLock { $0.runs } }
}

private struct ScriptJob: Job {
    enum Label: String, CaseIterable, Sendable { case first, second, undo }
    static let kind = "test.script"
    static let firstLabel = Label.first
    static let timeLimitSeconds: Int64? = 600
    let script: Script

    func run(_ label: Label, _ state: inout NoState, _ context: JobContext) async throws -> JobNext<Label> {
        script.seen.withLock {
            $0.runs.append("\(context.subject) \(label.rawValue)")
            $0.atOnce += 1
            $0.mostAtOnce = max($0.mostAtOnce, $0.atOnce)
        }
        defer { script.seen.withLock { $0.atOnce -= 1 } }
        return try await script.body(label, context)
    }
    func label(for wish: JobWish, at label: Label, _ state: NoState) -> Label? { .undo }
    func giveUp(_ reason: String, _ state: NoState, _ context: JobContext, _ connection: any Connection) throws {
        script.seen.withLock { $0.faults.append(reason) }
    }
}

/// A database, a queue and as many runners as a test wants.
private struct Works {
    let database: Database
    let queue = JobQueue()

    func runner(_ script: Script, limit: Int = 64, leaseSeconds: Int64 = 60, queue: JobQueue? = nil) -> Task<
        Void, Never
    > {
        let runner = JobRunner(
            database: database, queue: queue ?? self.queue, kinds: [JobKind(ScriptJob(script: script))],
            log: Log(file: -1),
            limit: limit, leaseSeconds: leaseSeconds)
        return Task { await runner.run() }
    }

    func add(_ subjects: String..., delaySeconds: Int64 = 0) async throws {
        let queue = queue
        try await database.write("add") { connection in
            for subject in subjects {
                try queue.add(ScriptJob.self, subject: subject, NoState(), delaySeconds: delaySeconds, connection)
            }
        }
        queue.announce()
    }

    func jobs(_ subject: String) async throws -> [JobRow] {
        let queue = queue
        return try await database.read("jobs") { try queue.jobs(subject: subject, $0) }
    }

    func count() async throws -> Int64 {
        try await database.read("count") { try $0.row("SELECT COUNT(*) FROM job")?.int(0) ?? -1 }
    }

    func wish(_ subject: String) async throws {
        let queue = queue
        try await database.write("wish") { _ = try queue.wish(.delete, subject: subject, $0) }
        queue.announce()
    }
}

private func end(_ tasks: Task<Void, Never>...) async {
    for task in tasks { task.cancel() }
    for task in tasks { await task.value }
}

@Suite struct JobRunnerTests {
    @Test(arguments: TestEngine.available)
    func aJobGoesFromStepToStepAndIsGone(_ engine: TestEngine) async throws {
        try await withDatabase(engine, JobSchema.migrations) { database in
            let works = Works(database: database)
            let script = Script { label, _ in label == .first ? .next(.second) : .done }
            let runner = works.runner(script)
            try await works.add("a")
            #expect(try await waitUntil { try await works.count() == 0 })
            #expect(script.runs == ["a first", "a second"])
            await end(runner)
        }
    }

    @Test func aJobForLaterRunsWhenItIsDue() async throws {
        try await withDatabase(.sqlite, JobSchema.migrations) { database in
            let works = Works(database: database)
            let script = Script { _, _ in .done }
            let runner = works.runner(script)
            let started = ContinuousClock.now
            try await works.add("later", delaySeconds: 1)
            #expect(try await waitUntil { try await works.count() == 0 })
            #expect(ContinuousClock.now - started >= .milliseconds(990))
            await end(runner)
        }
    }

    @Test(arguments: TestEngine.available)
    func aDeadRunnersJobIsTakenOverWhenItsLeaseEnds(_ engine: TestEngine) async throws {
        try await withDatabase(engine, JobSchema.migrations) { database in
            let works = Works(database: database)
            try await works.add("a")
            let id = try await works.jobs("a")[0].id
            let end1 = SystemClock().now.adding(seconds: 1)
            try await database.write("die") { _ = try JobStore.take(id, owner: "dead", until: end1, $0) }
            let script = Script { _, _ in .done }
            let runner = works.runner(script)
            #expect(try await waitUntil { try await works.count() == 0 })
            #expect(SystemClock().now >= end1)
            await end(runner)
        }
    }

    @Test(arguments: TestEngine.available)
    func severalRunnersShareTheWorkAndNoneIsDoneTwice(_ engine: TestEngine) async throws {
        try await withDatabase(engine, JobSchema.migrations) { database in
            let works = Works(database: database)
            let script = Script { label, _ in
                try await Task.sleep(for: .milliseconds(2))
                return label == .first ? .next(.second) : .done
            }
            for i in 0..<40 { try await works.add("\(i)") }
            let runners = (0..<3).map { _ in works.runner(script, queue: JobQueue()) }
            #expect(try await waitUntil(seconds: 30) { try await works.count() == 0 })
            #expect(script.runs.count == 80)
            #expect(Set(script.runs).count == 80)
            await end(runners[0], runners[1], runners[2])
        }
    }

    @Test func noMoreRunAtOnceThanAllowed() async throws {
        try await withDatabase(.sqlite, JobSchema.migrations) { database in
            let works = Works(database: database)
            let script = Script { _, _ in
                try await Task.sleep(for: .milliseconds(10))
                return .done
            }
            for i in 0..<20 { try await works.add("\(i)") }
            let runner = works.runner(script, limit: 3)
            #expect(try await waitUntil { try await works.count() == 0 })
            #expect(script.seen.withLock { $0.mostAtOnce } == 3)
            await end(runner)
        }
    }

    @Test(arguments: TestEngine.available)
    func aWishStopsAStepThatHangs(_ engine: TestEngine) async throws {
        try await withDatabase(engine, JobSchema.migrations) { database in
            let works = Works(database: database)
            let script = Script { label, _ in
                if label == .undo { return .done }
                try await Task.sleep(for: .seconds(100))
                return .next(.second)
            }
            let runner = works.runner(script)
            try await works.add("a")
            #expect(try await waitUntil { script.runs == ["a first"] })
            try await works.wish("a")
            #expect(try await waitUntil(seconds: 15) { try await works.count() == 0 })
            #expect(script.runs == ["a first", "a undo"])
            await end(runner)
        }
    }

    @Test(arguments: TestEngine.available)
    func aJobPastItsDeadlineSaysWhyAndStillHonoursAWish(_ engine: TestEngine) async throws {
        try await withDatabase(engine, JobSchema.migrations) { database in
            let works = Works(database: database)
            let script = Script { label, _ in
                if label == .undo { return .done }
                throw CloudError(.unavailable, "The host does not answer.")
            }
            let runner = works.runner(script)
            try await works.add("a")
            #expect(try await waitUntil { try await works.jobs("a").first?.attempt ?? 0 > 0 })
            let now = SystemClock().now
            try await database.write("hurry") { try $0.execute("UPDATE job SET deadline = $1, due = $1", [.time(now)]) }
            works.queue.announce()
            #expect(try await waitUntil { script.seen.withLock { !$0.faults.isEmpty } })
            let reason = script.seen.withLock { $0.faults[0] }
            #expect(reason.contains("The host does not answer."))
            #expect(reason.contains("first"))
            // Giving up is told within the write that stores the reason: it is there once that has committed.
            #expect(try await waitUntil { try await works.jobs("a").first?.failure == reason })
            try await works.wish("a")
            #expect(try await waitUntil { try await works.count() == 0 })
            await end(runner)
        }
    }

    @Test(arguments: TestEngine.available)
    func aStepThatOutlastsItsLeaseKeepsIt(_ engine: TestEngine) async throws {
        try await withDatabase(engine, JobSchema.migrations) { database in
            let works = Works(database: database)
            let script = Script { _, _ in
                try await Task.sleep(for: .milliseconds(4500))
                return .done
            }
            let runners = [
                works.runner(script, leaseSeconds: 3), works.runner(script, leaseSeconds: 3, queue: JobQueue()),
            ]
            try await works.add("a")
            #expect(try await waitUntil { try await works.count() == 0 })
            #expect(script.runs == ["a first"])
            await end(runners[0], runners[1])
        }
    }

    @Test func aRunnerThatStopsGivesItsJobsBackAtOnce() async throws {
        try await withDatabase(.sqlite, JobSchema.migrations) { database in
            let works = Works(database: database)
            let script = Script { _, _ in
                try await Task.sleep(for: .seconds(100))
                return .done
            }
            let runner = works.runner(script)
            try await works.add("a")
            #expect(try await waitUntil { script.runs.count == 1 })
            await end(runner)
            let next = Script { _, _ in .done }
            let other = works.runner(next)
            #expect(try await waitUntil(seconds: 30) { try await works.count() == 0 })
            await end(other)
        }
    }

    @Test func aKindThisProgramDoesNotKnowIsLeftAlone() async throws {
        try await withDatabase(.sqlite, JobSchema.migrations) { database in
            let works = Works(database: database)
            let runner = JobRunner(database: database, queue: works.queue, kinds: [], log: Log(file: -1))
            let task = Task { await runner.run() }
            try await works.add("a")
            try await Task.sleep(for: .milliseconds(100))
            let row = try await works.jobs("a").first
            #expect(row?.attempt == 0 && row?.failure == nil)
            await end(task)
        }
    }
}
