// SPDX-License-Identifier: Apache-2.0
// What every kind of job must withstand, in one suite: a clean run; at each of its steps a fault before the effect, a
// fault after it, a crash before and after it with another runner going on, the step run twice, a wish seen before
// it, a wish that comes while it runs, a wish after its effect was made but not stored, and a deadline that passes
// there. After each the world must be as if nothing had happened, or as if nothing had been asked for, and no job
// left.
//
//     let suite = JobSuite(migrations: …, makeWorld: …, checkDone: …, checkUndone: …)
//     #expect(try await suite.run(engine) == [])

import Core
import Database
import DatabaseTesting
import Jobs
import Synchronization

package struct JobSuite<J: Job, World: Sendable>: Sendable {
    /// One fresh subject: the job, what it works on, and its first state.
    package struct Subject: Sendable {
        package let job: J
        package let world: World
        package let subject: String
        package let state: J.State

        package init(_ job: J, _ world: World, subject: String, state: J.State) {
            self.job = job
            self.world = world
            self.subject = subject
            self.state = state
        }
    }
    package typealias Check = @Sendable (World, Database) async throws -> [String]

    private let migrations: [Migration]
    private let makeWorld: @Sendable (Database) async throws -> Subject
    private let checkDone: Check
    private let checkUndone: Check

    package init(
        migrations: [Migration], makeWorld: @escaping @Sendable (Database) async throws -> Subject,
        checkDone: @escaping Check, checkUndone: @escaping Check
    ) {
        self.migrations = migrations
        self.makeWorld = makeWorld
        self.checkDone = checkDone
        self.checkUndone = checkUndone
    }

    /// What is wrong, in words; empty is good.
    package func run(_ engine: TestEngine) async throws -> [String] {
        try await withDatabase(engine, migrations) { database in
            let clean = JobDrive(try await makeWorld(database), database, .none)
            var problems = try await outcome("a clean run", clean)
            for step in 0..<clean.steps {
                for trouble in JobTrouble.all(at: step) where trouble.applies(J.self) {
                    let drive = JobDrive(try await makeWorld(database), database, trouble)
                    problems += try await outcome("\(trouble)", drive)
                }
            }
            return problems
        }
    }

    private func outcome(_ name: String, _ drive: JobDrive<J, World>) async throws -> [String] {
        var problems: [String]
        do {
            try await drive.run()
            let check = drive.isUndone ? checkUndone : checkDone
            problems = try await check(drive.subject.world, drive.database)
        } catch {
            problems = ["\(error)"]
        }
        let subject = drive.subject.subject
        let left = try await drive.database.read("left") { try JobStore.list(subject: subject, $0) }
        problems += left.map { "a job is left at \"\($0.label)\"" }
        return problems.map { "\(J.kind), \(name): \($0)" }
    }
}

/// What goes wrong in one run, and at which step.
enum JobTrouble: Sendable, CustomStringConvertible {
    case none
    case fault(Int), faultAfter(Int), crash(Int), crashAfter(Int), twice(Int)
    case wishSeen(Int), wishDuring(Int), wishAfter(Int), deadline(Int)

    static func all(at step: Int) -> [JobTrouble] {
        [
            .fault(step), .faultAfter(step), .crash(step), .crashAfter(step), .twice(step), .wishSeen(step),
            .wishDuring(step),
            .wishAfter(step), .deadline(step),
        ]
    }

    func applies<J: Job>(_ job: J.Type) -> Bool {
        if case .deadline = self { J.timeLimitSeconds != nil } else { true }
    }

    var step: Int {
        switch self {
        case .none: -1
        case .fault(let step), .faultAfter(let step), .crash(let step), .crashAfter(let step), .twice(let step),
            .wishSeen(let step), .wishDuring(let step), .wishAfter(let step), .deadline(let step):
            step
        }
    }

    var description: String {
        switch self {
        case .none: "a clean run"
        case .fault(let step): "a fault before step \(step)"
        case .faultAfter(let step): "a fault after step \(step)"
        case .crash(let step): "a crash before step \(step)"
        case .crashAfter(let step): "a crash after step \(step)"
        case .twice(let step): "step \(step) run three times"
        case .wishSeen(let step): "a wish seen before step \(step)"
        case .wishDuring(let step): "a wish while step \(step) runs"
        case .wishAfter(let step): "a wish after the effect of step \(step)"
        case .deadline(let step): "the deadline at step \(step)"
        }
    }
}
