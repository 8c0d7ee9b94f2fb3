// SPDX-License-Identifier: Apache-2.0
// The engines that a test of identity runs on, and a database of its own for each test: a SQLite file in a temporary
// folder, or a PostgreSQL database on the server that MARTLET_TEST_POSTGRES names.

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
    static var available: [TestEngine] { server == nil ? [.sqlite] : allCases }
}

/// A place for one database; gone, with everything in it, after `remove`.
struct TestPlace: Sendable {
    let location: String
    private let engine: TestEngine
    private let name: String

    init(_ engine: TestEngine) throws {
        self.engine = engine
        name = "martlet_identity_\(Hex.text(SystemEntropy().bytes(6)))"
        switch engine {
        case .sqlite:
            mkdir("/tmp/\(name)", 0o700)
            location = "sqlite:/tmp/\(name)/test.db"
        case .postgres:
            let server = try #require(TestEngine.server)
            try #require(Self.run("/usr/bin/psql", ["-q", "-X", "-d", server, "-c", "CREATE DATABASE \(name)"]) == 0)
            location = Self.address(server, database: name)
        }
    }

    func remove() {
        switch engine {
        case .sqlite: _ = Self.run("/bin/rm", ["-rf", "/tmp/\(name)"])
        case .postgres:
            let command = "DROP DATABASE IF EXISTS \(name) WITH (FORCE)"
            _ = Self.run("/usr/bin/psql", ["-q", "-X", "-d", TestEngine.server ?? "", "-c", command])
        }
    }

    /// The server's address with another database's name in its path: "postgresql://user@host/NAME?options".
    private static func address(_ server: String, database: String) -> String {
        let parts = server.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let pieces = parts[0].split(separator: "/", omittingEmptySubsequences: false)
        let base = pieces.prefix(3).joined(separator: "/") + "/" + database
        return parts.count > 1 ? base + "?" + parts[1] : base
    }

    /// Runs a program to its end; returns its status.
    private static func run(_ program: String, _ arguments: [String]) -> Int32 {
        var process = pid_t()
        var pointers = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        guard posix_spawn(&process, program, nil, nil, &pointers, environ) == 0 else { return -1 }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        return status >> 8 & 0xff
    }
}
