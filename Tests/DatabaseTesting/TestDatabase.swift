// SPDX-License-Identifier: Apache-2.0
// Gives each test a database of its own, on each engine: a SQLite file in a temporary folder, and a PostgreSQL
// database on the server that MARTLET_TEST_POSTGRES names. Without a server the tests run on SQLite alone and say so.
//
//     @Test(arguments: TestEngine.available)
//     func usersAreFound(_ engine: TestEngine) async throws {
//         try await withDatabase(engine, IdentitySchema.migrations) { database in … }
//     }

import Core
import Database
import EventLoop
import Glibc

package enum TestEngine: String, CaseIterable, Sendable, CustomStringConvertible {
    case sqlite = "SQLite"
    case postgres = "PostgreSQL"
    package var description: String { rawValue }

    package static let server = getenv("MARTLET_TEST_POSTGRES").map { String(cString: $0) }

    /// The engines there are to test on.
    package static let available: [TestEngine] = {
        guard server == nil else { return allCases }
        let note = "note: MARTLET_TEST_POSTGRES is not set, so these tests run on SQLite alone\n"
        _ = write(2, note, note.utf8.count)
        return [.sqlite]
    }()
}

package struct TestPlaceFailure: Error, CustomStringConvertible {
    package let description: String
}

/// A place for one database, removed with everything in it by `remove`.
package struct TestPlace: Sendable {
    package let engine: TestEngine
    /// What Database.open takes.
    package let location: String
    package let folder: String

    package init(_ engine: TestEngine) async throws {
        self.engine = engine
        let name = "martlet_test_\(Hex.text(SystemEntropy().bytes(6)))"
        folder = "/tmp/\(name)"
        mkdir(folder, 0o700)
        switch engine {
        case .sqlite: location = "sqlite:\(folder)/test.db"
        case .postgres:
            guard let server = TestEngine.server else {
                throw TestPlaceFailure(description: "no PostgreSQL server is given")
            }
            try await Self.administrate("CREATE DATABASE \(name)")
            location = Self.address(server, database: name)
        }
    }

    package func remove() async {
        if engine == .postgres {
            try? await Self.administrate("DROP DATABASE IF EXISTS \(folder.dropFirst("/tmp/".count)) WITH (FORCE)")
        }
        _ = await runProgram("/bin/rm", ["-rf", folder])
    }

    /// The server's address with another database's name in its path.
    private static func address(_ server: String, database: String) -> String {
        let pieces = server.split(separator: "?", maxSplits: 1)
        // "postgresql:", "", "host", "database"
        let head = (pieces.first ?? "").split(separator: "/", omittingEmptySubsequences: false).prefix(3)
        let query = pieces.count > 1 ? "?\(pieces[1])" : ""
        return head.joined(separator: "/") + "/\(database)\(query)"
    }

    private static func administrate(_ command: String) async throws {
        let status = await runProgram("/usr/bin/psql", ["-q", "-X", "-d", TestEngine.server ?? "", "-c", command])
        guard status == 0 else { throw TestPlaceFailure(description: "psql could not run: \(command)") }
    }
}

/// Gives a test a place for a database, and removes it after.
@discardableResult
package nonisolated(nonsending) func withPlace<T>(
    _ engine: TestEngine, _ body: nonisolated(nonsending) (TestPlace) async throws -> T
) async throws -> T {
    let place = try await TestPlace(engine)
    do {
        let result = try await body(place)
        await place.remove()
        return result
    } catch {
        await place.remove()
        throw error
    }
}

/// Opens a database of its own for a test, and removes it after.
@discardableResult
package nonisolated(nonsending) func withDatabase<T>(
    _ engine: TestEngine, _ migrations: [Migration], _ body: nonisolated(nonsending) (Database) async throws -> T
) async throws -> T {
    try await withPlace(engine) { place in
        let database = try await Database.open(place.location, migrations: migrations)
        do {
            let result = try await body(database)
            await database.close()
            return result
        } catch {
            await database.close()
            throw error
        }
    }
}

/// Waits until a condition holds, looking again and again; false when it did not within the time.
package nonisolated(nonsending) func waitUntil(
    seconds: Double = 30, _ condition: nonisolated(nonsending) () async throws -> Bool
) async throws -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    // Many tests wait at once: each looks less and less often.
    var milliseconds = 2
    while ContinuousClock.now < end {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(milliseconds))
        milliseconds = min(milliseconds * 2, 100)
    }
    return try await condition()
}
