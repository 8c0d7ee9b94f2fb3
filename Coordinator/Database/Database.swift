// SPDX-License-Identifier: Apache-2.0
// The one face of both engines. A service says
//
//     try await database.read("user.find") { connection in try UserStore.find(id, connection) }
//     try await database.write("user.create") { connection in … }
//
// Stores get a Connection and write SQL with $1, $2 …, which both engines take. The name is the statement group's
// metric.
//
// Invariants: a write's closure runs in one transaction of its own, as if no other ran beside it, and the caller
// hears of success only after the commit is durable; a closure may run again when the engine asks for it, so it must
// have no effect but its statements; a read sees one snapshot, and everything whose write had returned before it;
// nothing outside is awaited while a connection is held.

import Core
import EventLoop
import Synchronization

package final class Database: Sendable {
    private enum Engine: Sendable {
        case sqlite(SQLiteEngine)
        case postgres(PostgresEngine)
    }
    private let engine: Engine
    private let timings: Timings?

    private init(_ engine: Engine, _ timings: Timings?) {
        self.engine = engine
        self.timings = timings
    }

    /// Opens "sqlite:/path/file.db" or "postgresql://…" and applies the migrations it lacks.
    package static func open(
        _ location: String, migrations: [Migration], metrics: Metrics? = nil, connections: Int = 8
    ) async throws -> Database {
        let engine: Engine = try await onThread("database.open") {
            if let path = location.dropping(prefix: "sqlite:") {
                .sqlite(try SQLiteEngine(path: path, migrations: migrations))
            } else if location.hasPrefix("postgresql://") || location.hasPrefix("postgres://") {
                .postgres(try PostgresEngine(location, migrations: migrations, connections: connections))
            } else {
                throw CloudError.badRequest("A database is named \"sqlite:/path/to/file\" or \"postgresql://…\".")
            }
        }
        let database = Database(engine, metrics.map(Timings.init))
        metrics?.gauge("martlet_database_waiting", help: "Calls waiting for the database.") { [weak database] in
            Double(database?.waiting ?? 0)
        }
        return database
    }

    package var isPostgres: Bool { if case .postgres = engine { true } else { false } }

    /// Calls that wait for the writer or for a connection.
    package var waiting: Int {
        switch engine {
        case .sqlite(let engine): engine.waitingWrites
        case .postgres(let engine): engine.waiting
        }
    }

    // MARK: Reads and writes

    /// A short read: by key, or one page. On SQLite it runs on the caller's thread.
    package nonisolated(nonsending) func read<T: Sendable>(
        _ name: StaticString, _ body: @escaping @Sendable (any Connection) throws -> T
    ) async throws -> T {
        let tally = StatementTally.current
        return try await timed(name) {
            switch engine {
            case .sqlite(let engine): try engine.read(tally, body)
            case .postgres(let engine): try await engine.run(.read, tally, body)
            }
        }
    }

    /// A read that may take long: a whole table, an export. Never on the caller's thread.
    package nonisolated(nonsending) func readLong<T: Sendable>(
        _ name: StaticString, _ body: @escaping @Sendable (any Connection) throws -> T
    ) async throws -> T {
        let tally = StatementTally.current
        return try await timed(name) {
            switch engine {
            case .sqlite(let engine): try await engine.readLong(tally, body)
            case .postgres(let engine): try await engine.run(.longRead, tally, body)
            }
        }
    }

    /// One transaction; returns when it is durable.
    @discardableResult
    package nonisolated(nonsending) func write<T: Sendable>(
        _ name: StaticString, _ body: @escaping @Sendable (any Connection) throws -> T
    ) async throws -> T {
        let tally = StatementTally.current
        return try await timed(name) {
            switch engine {
            case .sqlite(let engine): try await engine.write(tally, body)
            case .postgres(let engine): try await engine.run(.write, tally, body)
            }
        }
    }

    /// Measures, and turns what no Store has a use for into what a user is told.
    private nonisolated(nonsending) func timed<T>(
        _ name: StaticString, _ body: nonisolated(nonsending) () async throws -> T
    ) async throws -> T {
        let started = timings == nil ? 0 : Monotonic.now
        defer { timings?.record(name, since: started) }
        do {
            return try await body()
        } catch let error as DatabaseError {
            switch error.kind {
            case .unique, .foreignKey: throw error
            default: throw error.asCloudError(name)
            }
        }
    }

    // MARK: Care

    /// Serves what is queued and closes every connection.
    package func close() async {
        let engine = engine
        _ = try? await onThread("database.close") {
            switch engine {
            case .sqlite(let engine): engine.close()
            case .postgres(let engine): engine.close()
            }
        }
    }

    /// Writes a consistent copy while the cloud runs. PostgreSQL has tools of its own for that; the error names them.
    package func backup(to path: String) async throws {
        guard case .sqlite(let engine) = engine else {
            throw CloudError(
                .unsupported,
                """
                This cloud keeps its records in PostgreSQL. Back it up with: \
                pg_dump --format=custom --file=\(path) DATABASE
                """
            )
        }
        do {
            try await onThread("database.backup") { try engine.backup(to: path) }
        } catch let error as DatabaseError {
            throw error.asCloudError("backup")
        }
    }

    /// Looks for damage; an empty list is health.
    package func check() async throws -> [String] {
        switch engine {
        case .sqlite: try await readLong("database.check") { try SQLiteEngine.check($0) }
        case .postgres: try await readLong("database.check") { try PostgresEngine.check($0) }
        }
    }
}

/// How long each statement group takes.
private final class Timings: Sendable {
    private let metrics: Metrics
    private let known = Mutex<[StatementKey: Histogram]>([:])

    init(_ metrics: Metrics) { self.metrics = metrics }

    func record(_ name: StaticString, since started: UInt64) {
        let key = StatementKey(name)
        let histogram = known.withLock { known in
            if let histogram = known[key] { return histogram }
            let histogram = metrics.histogram(
                "martlet_database_seconds", help: "Time from asking to answer, by statement group.",
                labels: "name=\"\(name)\"")
            known[key] = histogram
            return histogram
        }
        histogram.record(microseconds: Int((Monotonic.now &- started) / 1000))
    }
}

extension String {
    func dropping(prefix: String) -> String? { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil }
}

// MARK: Signals between coordinators

extension Database {
    /// Calls `handler` soon after any coordinator of this cloud signals the channel. A hint: signals may be lost or
    /// doubled, so whoever listens also looks by himself now and then. On SQLite there is no other coordinator, and
    /// nothing is called.
    package func onSignal(_ channel: StaticString, _ handler: @escaping @Sendable () -> Void) {
        guard case .postgres(let engine) = engine else { return }
        engine.listen(channel.description, handler)
    }

    /// Tells the other coordinators to look. Not part of any transaction: NOTIFY within one makes commits wait for
    /// each other.
    package nonisolated(nonsending) func signal(_ channel: StaticString) async {
        guard case .postgres = engine else { return }
        _ = try? await write("database.signal") { connection in
            try connection.rows("SELECT pg_notify($1, '')", [.text(channel.description)])
        }
    }
}
