// SPDX-License-Identifier: Apache-2.0
// Gives each test a database of its own, on each engine: a SQLite file in a temporary folder, and a PostgreSQL database on
// the server that MARTLET_TEST_POSTGRES names. Without a server the tests run on SQLite alone and say so.

import Core
import Database
import Glibc
import Testing

enum TestEngine: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case sqlite = "SQLite"
    case postgres = "PostgreSQL"
    var testDescription: String { rawValue }

    static let server = getenv("MARTLET_TEST_POSTGRES").map { String(cString: $0) }

    /// The engines there are to test on.
    static let available: [TestEngine] = {
        guard server == nil else { return allCases }
        let note = "note: MARTLET_TEST_POSTGRES is not set, so these tests run on SQLite alone\n"
        _ = write(2, note, note.utf8.count)
        return [.sqlite]
    }()
}

/// A place for one database that is removed with everything in it.
struct TestPlace: Sendable {
    let engine: TestEngine
    let location: String
    let folder: String

    init(_ engine: TestEngine) async throws {
        self.engine = engine
        let name = "martlet_test_\(Hex.text(SystemEntropy().bytes(6)))"
        folder = "/tmp/\(name)"
        mkdir(folder, 0o700)
        switch engine {
        case .sqlite: location = "sqlite:\(folder)/test.db"
        case .postgres:
            let server = try #require(TestEngine.server)
            try Self.administrate("CREATE DATABASE \(name)")
            location = Self.address(server, database: name)
        }
    }

    func remove() {
        if engine == .postgres {
            let name = folder.dropFirst("/tmp/".count)
            try? Self.administrate("DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
        }
        _ = run("/bin/rm", ["-rf", folder])
    }

    /// The server's address with another database's name in its path.
    private static func address(_ server: String, database: String) -> String {
        let schemeEnd = server.range(of: "://").map(\.upperBound) ?? server.startIndex
        let queryStart = server[schemeEnd...].firstIndex(of: "?") ?? server.endIndex
        let slash = server[schemeEnd..<queryStart].firstIndex(of: "/") ?? queryStart
        return server[..<slash] + "/" + database + server[queryStart...]
    }

    private static func administrate(_ command: String) throws {
        let status = run("/usr/bin/psql", ["-q", "-X", "-d", TestEngine.server ?? "", "-c", command])
        try #require(status == 0, "psql could not run: \(command)")
    }
}

extension String {
    func range(of text: String) -> Range<String.Index>? {
        indices.lazy.map { self[$0...] }.first { $0.hasPrefix(text) }
            .map { $0.startIndex..<$0.index($0.startIndex, offsetBy: text.count) }
    }
}

/// Runs a program to its end; returns its status.
func run(_ program: String, _ arguments: [String]) -> Int32 {
    var process = pid_t()
    var pointers = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    guard posix_spawn(&process, program, nil, nil, &pointers, environ) == 0 else { return -1 }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    return status >> 8 & 0xff
}

/// Opens a database of its own for a test, and removes it after.
func withDatabase(
    _ engine: TestEngine, _ migrations: [Migration], _ body: (Database) async throws -> Void
) async throws {
    let place = try await TestPlace(engine)
    defer { place.remove() }
    let database = try await Database.open(place.location, migrations: migrations)
    do {
        try await body(database)
    } catch {
        await database.close()
        throw error
    }
    await database.close()
}
