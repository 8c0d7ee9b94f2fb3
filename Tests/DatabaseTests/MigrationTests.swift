// SPDX-License-Identifier: Apache-2.0
// Schemas: fresh is the sum of the steps, a step runs once, a newer schema is refused unchanged.

import Core
import Database
import DatabaseTesting
import Glibc
import Testing

private let first = Migration("test.1.schema", ["CREATE TABLE thing (id TEXT PRIMARY KEY)"])
private let second = Migration(
    "test.2.size",
    ["ALTER TABLE thing ADD COLUMN size BIGINT NOT NULL DEFAULT 7", "CREATE INDEX thing_size ON thing (size)"])
private let broken = Migration(
    "test.3.broken", ["CREATE TABLE other (id TEXT PRIMARY KEY)", "CREATE TABLE thing (id TEXT)"])

@Suite struct MigrationTests {
    private func columns(_ database: Database) async throws -> [String] {
        let statement: StaticString =
            database.isPostgres
            ? """
            SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public' \
            ORDER BY 1
            """
            : """
            SELECT m.name || '.' || c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' \
            ORDER BY 1
            """
        return try await database.read("columns") { try $0.rows(statement).map { $0.text(0) } }
    }

    @Test(arguments: TestEngine.available)
    func stepsTakenOneByOneGiveTheFreshSchema(_ engine: TestEngine) async throws {
        let fresh = try await withDatabase(engine, [first, second]) { try await columns($0) }
        try await withPlace(engine) { place in
            let old = try await Database.open(place.location, migrations: [first])
            try await old.write("put") { try $0.execute("INSERT INTO thing VALUES ('kept')") }
            await old.close()
            let new = try await Database.open(place.location, migrations: [first, second])
            #expect(try await columns(new) == fresh)
            let row = try await new.read("kept") { try $0.row("SELECT id, size FROM thing") }
            #expect(row?.values == [.text("kept"), .int(7)])
            await new.close()
            // A second start finds nothing to do.
            let again = try await Database.open(place.location, migrations: [first, second])
            #expect(try await columns(again) == fresh)
            await again.close()
        }
    }

    @Test(arguments: TestEngine.available)
    func aSchemaOfANewerVersionIsRefusedAndNamed(_ engine: TestEngine) async throws {
        try await withPlace(engine) { place in
            await (try Database.open(place.location, migrations: [first, second])).close()
            let error = await #expect(throws: CloudError.self) {
                _ = try await Database.open(place.location, migrations: [first])
            }
            #expect(error?.kind == .unsupported)
            #expect(error?.message.contains("test.2.size") == true)
        }
    }

    @Test(arguments: TestEngine.available)
    func aStepThatFailsLeavesNothingBehind(_ engine: TestEngine) async throws {
        try await withPlace(engine) { place in
            await #expect(throws: (any Error).self) {
                _ = try await Database.open(place.location, migrations: [first, broken])
            }
            let database = try await Database.open(place.location, migrations: [first, second])
            #expect(try await columns(database).contains("other.id") == false)
            await database.close()
        }
    }

    @Test(arguments: TestEngine.available)
    func twoThatStartAtOnceShareTheWork(_ engine: TestEngine) async throws {
        try await withPlace(engine) { place in
            try await withThrowingTaskGroup { group in
                for _ in 0..<4 {
                    group.addTask { await (try Database.open(place.location, migrations: [first, second])).close() }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func theFileIsForItsOwnerOnly() async throws {
        try await withDatabase(.sqlite, [first]) { _ in }
        try await withPlace(.sqlite) { place in
            let database = try await Database.open(place.location, migrations: [first])
            var status = stat()
            for suffix in ["", "-wal", "-shm"] {
                #expect(stat("\(place.folder)/test.db\(suffix)", &status) == 0)
                #expect(status.st_mode & 0o777 == 0o600)
            }
            await database.close()
        }
    }

    @Test func aPlaceOfNoEngineIsRefused() async throws {
        await #expect(throws: CloudError.self) { _ = try await Database.open("mysql://localhost", migrations: []) }
        await #expect(throws: (any Error).self) {
            _ = try await Database.open("sqlite:/nowhere/at/all.db", migrations: [])
        }
    }
}
