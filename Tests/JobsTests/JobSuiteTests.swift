// SPDX-License-Identifier: Apache-2.0
// The generic suite on a good job, and on jobs with a flaw each, which it must find.

import Core
import Database
import DatabaseTesting
import Jobs
import JobsTesting
import Testing

@Suite struct JobSuiteTests {
    private func suite(_ flaw: CreateThingJob.Flaw) -> JobSuite<CreateThingJob, (PretendedHost, String)> {
        JobSuite(
            migrations: CreateThingJob.migrations,
            makeWorld: { database in
                let thing: String = ID<JobRow>.random(SystemEntropy()).text
                try await database.write("thing") {
                    try $0.execute("INSERT INTO thing VALUES ($1, 'BUILD', NULL)", [.text(thing)])
                }
                let host = PretendedHost()
                return .init(
                    CreateThingJob(host: host, database: database, flaw: flaw), (host, thing),
                    subject: "thing:\(thing)",
                    state: ThingState(thing: thing, size: 3))
            },
            checkDone: { world, database in
                let counts = try await Self.counts(world.1, database)
                return Self.unlike(counts.status, "ACTIVE", "status") + Self.unlike(counts.claims, 1, "claims")
                    + Self.unlike(world.0.count(world.1), 1, "machines")
            },
            checkUndone: { world, database in
                let counts = try await Self.counts(world.1, database)
                return Self.unlike(counts.status, nil, "status") + Self.unlike(counts.claims, 0, "claims")
                    + Self.unlike(world.0.count(world.1), 0, "machines")
            })
    }

    private static func unlike<T: Equatable>(_ value: T, _ wanted: T, _ name: String) -> [String] {
        value == wanted ? [] : ["\(name) is \(value), not \(wanted)"]
    }

    private static func counts(_ thing: String, _ database: Database) async throws -> (status: String?, claims: Int64) {
        try await database.read("counts") { connection in
            (
                try connection.row("SELECT status FROM thing WHERE id = $1", [.text(thing)])?.text(0),
                try connection.row("SELECT COUNT(*) FROM claim WHERE thing_id = $1", [.text(thing)])?.int(0) ?? -1
            )
        }
    }

    @Test(arguments: TestEngine.available)
    func aGoodJobWithstandsEverything(_ engine: TestEngine) async throws {
        #expect(try await suite(.none).run(engine) == [])
    }

    @Test(arguments: [
        CreateThingJob.Flaw.repeatsItsEffect, .forgetsTheClaim, .forgetsTheMachine, .claimsOutsideTheAdvance,
    ])
    func aFlawIsFound(_ flaw: CreateThingJob.Flaw) async throws {
        #expect(try await suite(flaw).run(.sqlite).isEmpty == false)
    }
}
