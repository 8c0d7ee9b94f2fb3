// SPDX-License-Identifier: Apache-2.0
// Backup, check, full disks, restarts, time limits.

import Core
import DatabaseTesting
import Glibc
import Testing

@testable import Database

private let schema = [
    Migration("test.1.schema", ["CREATE TABLE thing (id INTEGER PRIMARY KEY AUTOINCREMENT, content BLOB)"])
]

private func count(_ database: Database) async throws -> Int64? {
    try await database.read("count") { try $0.row("SELECT COUNT(*) FROM thing")?.int(0) }
}

@Suite struct CareTests {
    @Test func aBackupTakenWhileWritersWorkIsWhole() async throws {
        try await withPlace(.sqlite) { place in
            let database = try await Database.open(place.location, migrations: schema)
            let copy = "\(place.folder)/copy.db"
            try await withThrowingTaskGroup { group in
                for _ in 0..<4 {
                    group.addTask {
                        for _ in 0..<50 {
                            // Two rows each time: a snapshot never holds an odd number.
                            try await database.write("two") { connection in
                                for _ in 0..<2 {
                                    try connection.execute(
                                        "INSERT INTO thing (content) VALUES ($1)",
                                        [.blob([UInt8](repeating: 7, count: 2000))])
                                }
                            }
                        }
                    }
                }
                group.addTask { for _ in 0..<3 { try await database.backup(to: copy) } }
                try await group.waitForAll()
            }
            try await database.backup(to: copy)
            await database.close()
            let restored = try await Database.open("sqlite:\(copy)", migrations: schema)
            #expect(try await restored.check() == [])
            #expect(try await count(restored) == 400)
            var status = stat()
            #expect(stat(copy, &status) == 0 && status.st_mode & 0o777 == 0o600)
            await restored.close()
        }
    }

    @Test(.enabled(if: TestEngine.available.contains(.postgres)))
    func postgresNamesItsOwnBackup() async throws {
        try await withDatabase(.postgres, schema) { database in
            let error = await #expect(throws: CloudError.self) { try await database.backup(to: "/tmp/x") }
            #expect(error?.message.contains("pg_dump") == true)
            let findings = try await database.check()
            #expect(findings == [])
        }
    }

    @Test func damageIsFound() async throws {
        try await withPlace(.sqlite) { place in
            let database = try await Database.open(place.location, migrations: schema)
            try await database.write("fill") { connection in
                for _ in 0..<200 {
                    try connection.execute(
                        "INSERT INTO thing (content) VALUES ($1)", [.blob([UInt8](repeating: 1, count: 500))])
                }
            }
            #expect(try await database.check() == [])
            await database.close()
            let file = open("\(place.folder)/test.db", O_RDWR)
            let junk = [UInt8](repeating: 0xff, count: 3000)
            pwrite(file, junk, junk.count, 5 * 4096)
            close(file)
            let damaged = try? await Database.open(place.location, migrations: schema)
            var findings: [String] = []
            do { findings = try await damaged?.check() ?? ["it does not open"] } catch { findings = ["\(error)"] }
            #expect(!findings.isEmpty)
            await damaged?.close()
        }
    }

    @Test(arguments: TestEngine.available)
    func theStreamOfWaitingCallsIsServedBeforeTheEnd(_ engine: TestEngine) async throws {
        try await withPlace(engine) { place in
            let database = try await Database.open(place.location, migrations: schema)
            let writes = (0..<100).map { _ in
                Task { try await database.write("put") { try $0.execute("INSERT INTO thing (content) VALUES (NULL)") } }
            }
            for write in writes { _ = try await write.value }
            await database.close()
            await #expect(throws: CloudError.self) {
                try await database.write("late") { try $0.execute("DELETE FROM thing") }
            }
        }
    }

    /// Mounts a small file system, so a full disk is a real one.
    @Test(.enabled(if: getuid() == 0))
    func aFullDiskIsSaidHarmsNothingAndPasses() async throws {
        let folder = "/tmp/martlet_full_\(Hex.text(SystemEntropy().bytes(6)))"
        mkdir(folder, 0o700)
        guard await runProgram("/bin/mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", folder]) == 0 else {
            rmdir(folder)
            return
        }
        defer {
            umount2(folder, 2)
            rmdir(folder)
        }
        let database = try await Database.open("sqlite:\(folder)/test.db", migrations: schema)
        var kept: Int64 = 0
        var refused: CloudError?
        for _ in 0..<400 where refused == nil {
            do {
                try await database.write("fill") { connection in
                    try connection.execute(
                        "INSERT INTO thing (content) VALUES ($1)", [.blob([UInt8](repeating: 3, count: 60_000))])
                }
                kept += 1
            } catch let error as CloudError {
                refused = error
            }
        }
        #expect(refused?.kind == .storageFull)
        // Together as well: everybody is told the same.
        let together = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    do {
                        try await database.write("fill") { connection in
                            try connection.execute(
                                "INSERT INTO thing (content) VALUES ($1)",
                                [.blob([UInt8](repeating: 3, count: 600_000))])
                        }
                        return false
                    } catch {
                        return (error as? CloudError)?.kind == .storageFull
                    }
                }
            }
            return await group.allSatisfy { $0 }
        }
        #expect(together)
        #expect(try await count(database) == kept)
        #expect(await runProgram("/bin/mount", ["-o", "remount,size=64m", folder]) == 0)
        try await database.write("again") { connection in
            try connection.execute(
                "INSERT INTO thing (content) VALUES ($1)", [.blob([UInt8](repeating: 3, count: 60_000))])
        }
        #expect(try await database.check() == [])
        await database.close()
    }

    @Test(.enabled(if: TestEngine.available.contains(.postgres)))
    func aLostConnectionIsMadeAnew() async throws {
        try await withDatabase(.postgres, schema) { database in
            try await database.write("put") { try $0.execute("INSERT INTO thing (content) VALUES (NULL)") }
            for _ in 0..<3 {
                // The server ends every connection of this database but the one that asks.
                _ = try await database.readLong("end") { connection in
                    try connection.rows(
                        """
                        SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                        WHERE datname = current_database() AND pid <> pg_backend_pid()
                        """)
                }
                try await withThrowingTaskGroup { group in
                    for _ in 0..<16 {
                        group.addTask {
                            try await database.write("put") {
                                try $0.execute("INSERT INTO thing (content) VALUES (NULL)")
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            let rows = try await count(database)
            #expect(rows == 49)
        }
    }

    @Test(.enabled(if: TestEngine.available.contains(.postgres)))
    func anAbsentServerIsUnavailableWithATimeToComeBack() async throws {
        let started = ContinuousClock.now
        await #expect(throws: (any Error).self) {
            _ = try await Database.open("postgresql://nobody@/none?host=/nowhere", migrations: [])
        }
        #expect(ContinuousClock.now - started < .seconds(10))
        let error = DatabaseError(.unavailable, "gone").asCloudError("test")
        #expect(error.kind == .unavailable)
        #expect(error.headers.contains { $0.name == "Retry-After" })
    }

    @Test(.enabled(if: TestEngine.available.contains(.postgres)))
    func signalsReachOtherCoordinators() async throws {
        try await withPlace(.postgres) { place in
            let one = try await Database.open(place.location, migrations: schema)
            let other = try await Database.open(place.location, migrations: schema)
            let heard = Bell()
            other.onSignal("test_channel") { heard.ring() }
            // The first call tells that the listener is there.
            #expect(try await waitUntil { heard.takeOwn() })
            await one.signal("test_channel")
            #expect(try await waitUntil { heard.takeOwn() })
            await one.close()
            await other.close()
        }
    }

    @Test func wordsOfOneEngineBecomeThoseOfTheOther() {
        let statement =
            "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, \"TEXT\" TEXT, b BLOB DEFAULT 'TEXT') STRICT"
        #expect(
            Dialect.postgres(statement) == """
                CREATE TABLE t (id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, "TEXT" TEXT COLLATE "C", \
                b BYTEA DEFAULT 'TEXT')\u{20}
                """)
    }
}
