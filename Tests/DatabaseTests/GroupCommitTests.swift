// SPDX-License-Identifier: Apache-2.0
// Many writers at once: each is one transaction, whatever shares its commit fails or is refused.

import Core
import Database
import DatabaseTesting
import Testing

private let schema = [
    Migration(
        "test.1.schema",
        [
            "CREATE TABLE parent (id TEXT PRIMARY KEY)",
            """
            CREATE TABLE entry (id INTEGER PRIMARY KEY AUTOINCREMENT, writer BIGINT NOT NULL, name TEXT NOT NULL \
            UNIQUE)
            """,
            "CREATE TABLE counter (id TEXT PRIMARY KEY, value BIGINT NOT NULL)",
            "CREATE TABLE late (id TEXT PRIMARY KEY, parent TEXT REFERENCES parent(id) DEFERRABLE INITIALLY DEFERRED)",
        ])
]

private struct Refusal: Error {}

@Suite struct GroupCommitTests {
    @Test(arguments: TestEngine.available)
    func sixtyFourWritersLoseNothingAndCountRight(_ engine: TestEngine) async throws {
        try await withDatabase(engine, schema) { database in
            try await database.write("counter") { try $0.execute("INSERT INTO counter VALUES ('c', 0)") }
            try await withThrowingTaskGroup { group in
                for writer in 0..<64 {
                    group.addTask {
                        for i in 0..<(engine == .sqlite ? 20 : 4) {
                            try await database.write("entry") { connection in
                                let value = try connection.row("SELECT value FROM counter WHERE id = 'c'")?.int(0) ?? 0
                                try connection.execute(
                                    "UPDATE counter SET value = $1 WHERE id = 'c'", [.int(value + 1)])
                                try connection.execute(
                                    "INSERT INTO entry (writer, name) VALUES ($1, $2)",
                                    [.int(Int64(writer)), .text("\(writer)-\(i)")])
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let counts = try await database.read("count") {
                try $0.row("SELECT (SELECT COUNT(*) FROM entry), (SELECT value FROM counter)")
            }
            let expected: Int64 = 64 * (engine == .sqlite ? 20 : 4)
            #expect(counts?.int(0) == expected)
            #expect(counts?.int(1) == expected)
        }
    }

    @Test(arguments: TestEngine.available)
    func whoFailsTakesNobodyAlong(_ engine: TestEngine) async throws {
        try await withDatabase(engine, schema) { database in
            let results = await withTaskGroup(of: (Int, Bool).self) { group in
                for i in 0..<60 {
                    group.addTask {
                        do {
                            try await database.write("entry") { connection in
                                try connection.execute(
                                    "INSERT INTO entry (writer, name) VALUES ($1, $2)", [.int(Int64(i)), .text("\(i)")])
                                switch i % 3 {
                                case 1: throw Refusal()
                                case 2:
                                    try connection.execute(
                                        "INSERT INTO entry (writer, name) VALUES (0, $1)", [.text("\(i)")])
                                default: break
                                }
                            }
                            return (i, true)
                        } catch {
                            return (i, false)
                        }
                    }
                }
                return await group.reduce(into: [Int: Bool]()) { $0[$1.0] = $1.1 }
            }
            for i in 0..<60 { #expect(results[i] == (i % 3 == 0)) }
            let names = try await database.read("names") {
                try $0.rows("SELECT name FROM entry ORDER BY id").map { $0.text(0) }
            }
            #expect(Set(names) == Set((0..<60).filter { $0 % 3 == 0 }.map { "\($0)" }))
        }
    }

    @Test(arguments: TestEngine.available)
    func aConstraintCheckedAtTheCommitFailsTheGuiltyAlone(_ engine: TestEngine) async throws {
        try await withDatabase(engine, schema) { database in
            let failed = await withTaskGroup(of: Int?.self) { group in
                for i in 0..<40 {
                    group.addTask {
                        do {
                            try await database.write("late") { connection in
                                if i % 10 != 0 {
                                    try connection.execute("INSERT INTO parent VALUES ($1)", [.text("\(i)")])
                                }
                                try connection.execute("INSERT INTO late VALUES ($1, $1)", [.text("\(i)")])
                            }
                            return nil
                        } catch let error as DatabaseError where error.kind == .foreignKey {
                            return i
                        } catch {
                            return -1
                        }
                    }
                }
                return await group.reduce(into: Set<Int>()) { if let i = $1 { $0.insert(i) } }
            }
            #expect(failed == [0, 10, 20, 30])
            let count = try await database.read("count") { try $0.row("SELECT COUNT(*) FROM late")?.int(0) }
            #expect(count == 36)
        }
    }

    @Test(arguments: TestEngine.available)
    func whatAClosureThrowsComesOutAsItIs(_ engine: TestEngine) async throws {
        try await withDatabase(engine, schema) { database in
            await #expect(throws: Refusal.self) { try await database.write("refuse") { _ in throw Refusal() } }
            let error = await #expect(throws: CloudError.self) {
                try await database.write("conflict") { _ in throw CloudError.conflict("A name is taken.") }
            }
            #expect(error?.message == "A name is taken.")
        }
    }

    @Test(arguments: TestEngine.available)
    func aReadSeesOneSnapshotWhileWritersGoOn(_ engine: TestEngine) async throws {
        try await withDatabase(engine, schema) { database in
            try await database.write("counter") { connection in
                try connection.execute("INSERT INTO counter VALUES ('a', 0)")
                try connection.execute("INSERT INTO counter VALUES ('b', 0)")
            }
            try await withThrowingTaskGroup { group in
                group.addTask {
                    for _ in 0..<100 {
                        try await database.write("both") { try $0.execute("UPDATE counter SET value = value + 1") }
                    }
                }
                for _ in 0..<200 {
                    let pair = try await database.read("pair") { connection in
                        (
                            try connection.row("SELECT value FROM counter WHERE id = 'a'")?.int(0),
                            try connection.row("SELECT value FROM counter WHERE id = 'b'")?.int(0)
                        )
                    }
                    #expect(pair.0 == pair.1)
                }
                try await group.waitForAll()
            }
        }
    }
}
