// SPDX-License-Identifier: Apache-2.0
// The shared engine: a pool of connections, each on a thread of its own, that take closures from one queue.
// Transactions are serializable; the server's request to run one again is honoured with a jittered back-off. A lost
// connection is made anew: closures that had not reached their commit run again, one whose commit was on its way is
// reported, for nobody knows.

import Core
import Glibc
import Synchronization

final class PostgresEngine: Sendable {
    struct Item: Sendable {
        let transaction: PostgresConnection.Transaction
        let tally: StatementTally?
        let deadline: UInt64
        let run: @Sendable (PostgresConnection) throws -> Void
        /// Tells the caller; nil is success.
        let finish: @Sendable ((any Error)?) -> Void
    }

    private let location: String
    private let types = ExplicitTypes()
    private let queue: WorkQueue<Item>
    private let listeners = Mutex<[PostgresListener]>([])

    /// Blocks; called on a thread of its own.
    init(_ location: String, migrations: [Migration], connections: Int) throws {
        self.location = location
        let types = types, contention = Contention()
        try Self.migrate(PostgresConnection(location, types), migrations)
        queue = WorkQueue(name: "postgres", items: Limits.queuedWrites, threads: connections) {
            let worker = PostgresWorker(location, types, contention)
            return { batch in for item in batch { worker.serve(item) } }
        }
    }

    /// Several coordinators may start at once: a lock of the server's makes them take turns.
    private static func migrate(_ connection: PostgresConnection, _ migrations: [Migration]) throws {
        try connection.command("SET statement_timeout = 0")
        try connection.command("SELECT pg_advisory_lock(\(lockNumber))")
        defer { _ = try? connection.command("SELECT pg_advisory_unlock(\(lockNumber))") }
        func transaction<T>(_ body: () throws -> T) throws -> T {
            do {
                let value = try connection.lend(.write, to: nil, body)
                try connection.commit()
                return value
            } catch {
                connection.rollback()
                throw error
            }
        }
        for migration in try transaction({ try Migrator.begin(migrations, on: connection) }) {
            try transaction {
                try Migrator.apply(migration, migration.postgres ?? migration.statements, connection) {
                    statement throws(DatabaseError) in
                    let isOwn = migration.postgres != nil
                    try connection.command(isOwn ? statement.description : Dialect.postgres(statement.description))
                }
            }
        }
    }

    private static let lockNumber = 0x6d61_7274_6c65_74

    nonisolated(nonsending) func run<T: Sendable>(
        _ transaction: PostgresConnection.Transaction, _ tally: StatementTally?,
        _ body: @escaping @Sendable (any Connection) throws -> T
    ) async throws -> T {
        try await withUnsafeThrowingContinuation { (caller: UnsafeContinuation<T, any Error>) in
            let outcome = Outcome<T>()
            let isQueued = queue.push(
                Item(
                    transaction: transaction, tally: tally, deadline: Monotonic.after(seconds: Limits.databaseSeconds),
                    run: { outcome.value = try body($0) }, finish: { error in outcome.resume(caller, error) }))
            if !isQueued { caller.resume(throwing: DatabaseError(.unavailable, "too many calls are waiting")) }
        }
    }

    var waiting: Int { queue.waiting }

    /// Blocks until what is queued has been served.
    func close() {
        for listener in listeners.withLock({ $0 }) { listener.stop() }
        queue.stop()
    }

    /// Calls `handler` on a thread of its own whenever a coordinator notifies the channel, and after every reconnect.
    func listen(_ channel: String, _ handler: @escaping @Sendable () -> Void) {
        let listener = PostgresListener(location, channel, handler)
        listeners.withLock { $0.append(listener) }
    }

    static func check(_ connection: any Connection) throws -> [String] {
        try connection.rows(
            """
            SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
            WHERE NOT i.indisvalid OR NOT i.indisready ORDER BY c.relname
            """
        ).map { "index \($0.text(0)) is not valid: run REINDEX INDEX \($0.text(0))" }
    }
}

/// Statements whose parameters' types the server cannot work out.
final class ExplicitTypes: Sendable {
    private let keys = Mutex<Set<StatementKey>>([])
    func contains(_ key: StatementKey) -> Bool { keys.withLock { $0.contains(key) } }
    /// False when it was known already.
    func insert(_ key: StatementKey) -> Bool { keys.withLock { $0.insert(key).inserted } }
}
