// SPDX-License-Identifier: Apache-2.0
// A job in small: claims room in the database, has a machine made on a pretended host, waits until it runs, publishes
// it; and takes all of it back on a wish. With flaws to switch on, which the suite must find.

import Core
import Database
import JSON
import Jobs
import Synchronization

/// Answers a repeated command from its record, as an agent does.
final class PretendedHost: Sendable {
    struct State {
        var commands: Set<String> = []
        var machines: [String: Int] = [:]
        var looks = 0
    }
    let state = Mutex(State())

    func make(_ machine: String, command: String) {
        state.withLock { if $0.commands.insert(command).inserted { $0.machines[machine, default: 0] += 1 } }
    }
    func makeCarelessly(_ machine: String) { state.withLock { $0.machines[machine, default: 0] += 1 } }
    func remove(_ machine: String) { state.withLock { $0.machines[machine] = nil } }
    /// Ready at the second look.
    var isReady: Bool {
        state.withLock {
            $0.looks += 1
            return $0.looks > 1
        }
    }
    func count(_ machine: String) -> Int { state.withLock { $0.machines[machine] ?? 0 } }
}

struct ThingState: JobState, Equatable {
    var thing: String
    var size: Int
    init(thing: String, size: Int) {
        self.thing = thing
        self.size = size
    }
    init(json: JSON) throws {
        guard let thing = json["thing"]?.string, let size = json["size"]?.int else {
            throw CloudError.internalError("a thing's state lacks a member")
        }
        self.init(thing: thing, size: size)
    }
    var json: JSON { ["thing": .string(thing), "size": .int(size)] }
}

struct CreateThingJob: Job {
    enum Flaw: Sendable { case none, repeatsItsEffect, forgetsTheClaim, forgetsTheMachine, claimsOutsideTheAdvance }
    enum Label: String, CaseIterable, Sendable { case claim, make, check, publish, unmake, release }
    typealias State = ThingState

    static let kind = "test.create_thing"
    static let firstLabel = Label.claim
    static let timeLimitSeconds: Int64? = 3600

    static let migrations =
        JobSchema.migrations + [
            Migration(
                "test.1.thing",
                [
                    "CREATE TABLE thing (id TEXT PRIMARY KEY, status TEXT NOT NULL, fault TEXT)",
                    """
                    CREATE TABLE claim (sequence INTEGER PRIMARY KEY AUTOINCREMENT, thing_id TEXT NOT NULL, size \
                    BIGINT NOT NULL)
                    """,
                ])
        ]

    let host: PretendedHost
    let database: Database
    var flaw = Flaw.none

    func run(_ label: Label, _ state: inout State, _ context: JobContext) async throws -> JobNext<Label> {
        let state = state
        switch label {
        case .claim:
            if flaw == .claimsOutsideTheAdvance {
                try await database.write("claim") { try Self.claim(state, $0) }
                return .next(.make)
            }
            return .next(.make) { try Self.claim(state, $0) }
        case .make:
            if flaw == .repeatsItsEffect {
                host.makeCarelessly(state.thing)
            } else {
                host.make(state.thing, command: context.commandID)
            }
            return .next(.check)
        case .check: return host.isReady ? .next(.publish) : .wait(seconds: 2)
        case .publish:
            return .done { try $0.execute("UPDATE thing SET status = 'ACTIVE' WHERE id = $1", [.text(state.thing)]) }
        case .unmake:
            if flaw != .forgetsTheMachine { host.remove(state.thing) }
            return .next(.release)
        case .release:
            let flaw = flaw
            return .done { connection in
                if flaw != .forgetsTheClaim {
                    try connection.execute("DELETE FROM claim WHERE thing_id = $1", [.text(state.thing)])
                }
                try connection.execute("DELETE FROM thing WHERE id = $1", [.text(state.thing)])
            }
        }
    }

    private static func claim(_ state: State, _ connection: any Connection) throws {
        try connection.execute(
            "INSERT INTO claim (thing_id, size) VALUES ($1, $2)", [.text(state.thing), .int(Int64(state.size))])
    }

    func label(for wish: JobWish, at label: Label, _ state: State) -> Label? { .unmake }

    func giveUp(_ reason: String, _ state: State, _ context: JobContext, _ connection: any Connection) throws {
        try connection.execute(
            "UPDATE thing SET status = 'ERROR', fault = $2 WHERE id = $1", [.text(state.thing), .text(reason)])
    }
}
