// SPDX-License-Identifier: Apache-2.0
// What every engine promises, from one body.

import Core
import Database
import DatabaseTesting
import Testing

private let schema = [
    Migration(
        "test.1.schema",
        [
            "CREATE TABLE owner (id TEXT PRIMARY KEY, name TEXT NOT NULL)",
            """
            CREATE TABLE thing (id INTEGER PRIMARY KEY AUTOINCREMENT, owner_id TEXT REFERENCES owner(id), name TEXT \
            UNIQUE, size BIGINT, share REAL, content BLOB)
            """,
        ])
]

@Suite struct DatabaseTests {
    @Test(arguments: TestEngine.available)
    func valuesComeBackAsTheyWentIn(_ engine: TestEngine) async throws {
        try await withDatabase(engine, schema) { database in
            let text = "Zürich \u{1F426} 'quoted' \\x00"
            try await database.write("insert") { connection in
                try connection.execute("INSERT INTO owner VALUES ($1, $2)", [.text("o"), .text("")])
                try connection.execute(
                    "INSERT INTO thing (name, owner_id, size, share, content) VALUES ($1, $2, $3, $4, $5)",
                    [.text(text), .text("o"), .int(.min), .real(0.1), .blob([0, 255, 92, 120])])
                try connection.execute("INSERT INTO thing (name, content) VALUES ($1, $2)", [.null, .blob([])])
            }
            let rows = try await database.read("list") { connection in
                try connection.rows("SELECT name, owner_id, size, share, content FROM thing ORDER BY id")
            }
            #expect(rows[0].values == [.text(text), .text("o"), .int(.min), .real(0.1), .blob([0, 255, 92, 120])])
            #expect(rows[1].values == [.null, .null, .null, .null, .blob([])])
        }
    }

    @Test(arguments: TestEngine.available)
    func parametersGoByTheirNumberNotTheirPlace(_ engine: TestEngine) async throws {
        try await withDatabase(engine, schema) { database in
            let row = try await database.read("swap") { connection in
                try connection.row("SELECT $2, $1, $2", [.text("one"), .text("two")])
            }
            #expect(row?.values == [.text("two"), .text("one"), .text("two")])
        }
    }

    @Test(arguments: TestEngine.available)
    func aParameterWithoutATypeTakesThatOfItsValue(_ engine: TestEngine) async throws {
        try await withDatabase(engine, schema) { database in
            let rows = try await database.read("untyped") { connection in
                try connection.rows("SELECT COUNT(*) FROM owner WHERE $1 IS NULL OR $2 = 1", [.null, .int(1)])
            }
            #expect(rows.first?.int(0) == 0)
        }
    }

    @Test(arguments: TestEngine.available)
    func refusalsHaveTheirKinds(_ engine: TestEngine) async throws {
        try await withDatabase(engine, schema) { database in
            try await database.write("first") { try $0.execute("INSERT INTO thing (name) VALUES ($1)", [.text("a")]) }
            let unique = await #expect(throws: DatabaseError.self) {
                try await database.write("twice") {
                    try $0.execute("INSERT INTO thing (name) VALUES ($1)", [.text("a")])
                }
            }
            #expect(unique?.kind == .unique)
            let key = await #expect(throws: DatabaseError.self) {
                try await database.write("orphan") {
                    try $0.execute("INSERT INTO thing (owner_id) VALUES ($1)", [.text("x")])
                }
            }
            #expect(key?.kind == .foreignKey)
            let nul = await #expect(throws: CloudError.self) {
                try await database.write("nul") { try $0.execute("INSERT INTO owner VALUES ($1, $1)", [.text("a\0b")]) }
            }
            #expect(nul?.kind == .badRequest)
            let wrong = await #expect(throws: CloudError.self) {
                try await database.read("wrong") { try $0.rows("SELECT nothing FROM nowhere") }
            }
            #expect(wrong?.kind == .internalError)
        }
    }

    @Test(arguments: TestEngine.available)
    func aFailedStatementFailsItsTransactionEvenWhenTheErrorIsSwallowed(_ engine: TestEngine) async throws {
        try await withDatabase(engine, schema) { database in
            await #expect(throws: DatabaseError.self) {
                try await database.write("swallow") { connection in
                    try connection.execute("INSERT INTO owner VALUES ('kept', '')")
                    _ = try? connection.execute("INSERT INTO owner VALUES ('kept', '')")
                }
            }
            let count = try await database.read("count") { try $0.row("SELECT COUNT(*) FROM owner")?.int(0) }
            #expect(count == 0)
        }
    }

    @Test(arguments: TestEngine.available)
    func statementsAreCountedForTheTaskThatAsked(_ engine: TestEngine) async throws {
        try await withDatabase(engine, schema) { database in
            let tally = StatementTally()
            try await StatementTally.$current.withValue(tally) {
                _ = try await database.read("one") { try $0.rows("SELECT 1") }
                try await database.write("two") { connection in
                    try connection.execute("INSERT INTO owner VALUES ('a', '')")
                    try connection.execute("DELETE FROM owner")
                }
            }
            _ = try await database.read("other") { try $0.rows("SELECT 1") }
            #expect(tally.reads == 1)
            #expect(tally.writes == 2)
        }
    }

    @Test(arguments: TestEngine.available)
    func aReadSeesEveryWriteThatReturnedBefore(_ engine: TestEngine) async throws {
        try await withDatabase(engine, schema) { database in
            try await withThrowingTaskGroup { group in
                for task in 0..<8 {
                    group.addTask {
                        for i in 0..<20 {
                            let id = SQLValue.text("\(task)-\(i)")
                            try await database.write("put") {
                                try $0.execute("INSERT INTO owner VALUES ($1, '')", [id])
                            }
                            let found = try await database.read("get") {
                                try $0.row("SELECT id FROM owner WHERE id = $1", [id])
                            }
                            #expect(found != nil)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test(arguments: TestEngine.available)
    func aReadCannotWrite(_ engine: TestEngine) async throws {
        try await withDatabase(engine, schema) { database in
            await #expect(throws: CloudError.self) {
                try await database.read("write") { try $0.execute("INSERT INTO owner VALUES ('a', '')") }
            }
        }
    }

    @Test(arguments: TestEngine.available)
    func listsWithOptionalFiltersBindWhatClientsSend(_ engine: TestEngine) async throws {
        try await withDatabase(engine, schema) { database in
            try await database.write("put") { connection in
                for name in ["a", "b'; DROP TABLE owner; --", "C"] {
                    try connection.execute("INSERT INTO owner VALUES ($1, $1)", [.text(name)])
                }
            }
            let ids = try await database.read("list") { connection in
                var query = Query("SELECT id FROM owner")
                query.filter("id > ?", .text("C"))
                query.filter("name", in: [.text("a"), .text("C"), .text("b'; DROP TABLE owner; --")])
                query.append("ORDER BY id LIMIT ?", .int(5))
                return try connection.rows(query).map { $0.text(0) }
            }
            #expect(ids == ["a", "b'; DROP TABLE owner; --"])
            let none = try await database.read("none") { connection in
                var query = Query("SELECT id FROM owner")
                query.filter("name", in: [])
                return try connection.rows(query)
            }
            #expect(none.isEmpty)
        }
    }
}
