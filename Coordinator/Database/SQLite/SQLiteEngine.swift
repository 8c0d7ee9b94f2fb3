// SPDX-License-Identifier: Apache-2.0
// The embedded engine: one writer thread, readers that run on the caller's own thread. A read by key takes some 20
// us; a hop to another thread would cost as much again, so short reads run where they are asked for, each closure in
// one snapshot (BEGIN costs less than the lock that every further statement would take by itself). Reads of unbounded
// length have threads of their own.

import CSQLite
import Core
import Synchronization

final class SQLiteEngine: Sendable {
    /// Reader connections kept when idle; more are opened when more threads read at once.
    private static let keptReaders = 4
    private static let longReaders = 2

    let path: String
    private let idle = Mutex<[SQLiteConnection]>([])
    private let writer: SQLiteWriter
    private let longReads = WorkQueue<@Sendable () -> Void>(
        name: "sqlite-reader", items: Limits.queuedWrites, threads: longReaders
    ) { { batch in for work in batch { work() } } }

    /// Blocks; called on a thread of its own.
    init(path: String, migrations: [Migration]) throws {
        self.path = path
        let connection = try SQLiteConnection(path: path, role: .writer)
        for migration in try Migrator.begin(migrations, on: connection) {
            try SQLiteEngine.apply(migration, connection)
        }
        writer = SQLiteWriter(connection)
    }

    private static func apply(_ migration: Migration, _ connection: SQLiteConnection) throws {
        do {
            try connection.control("BEGIN IMMEDIATE")
            try connection.lend(to: nil, seconds: Limits.longReadSeconds) {
                try Migrator.apply(migration, migration.statements, connection) { statement throws(DatabaseError) in
                    try connection.execute(Query(statement))
                }
            }
            try connection.control("COMMIT")
        } catch {
            connection.rollback()
            throw error
        }
    }

    // MARK: Reads

    func read<T>(_ tally: StatementTally?, seconds: Int = Limits.databaseSeconds, _ body: (any Connection) throws -> T)
        throws -> T
    {
        let connection = try idle.withLock { $0.popLast() } ?? SQLiteConnection(path: path, role: .reader)
        defer { giveBack(connection) }
        try connection.control("BEGIN")
        return try connection.lend(to: tally, seconds: seconds) { try body(connection) }
    }

    private func giveBack(_ connection: SQLiteConnection) {
        connection.rollback()
        guard !connection.isInTransaction else { return }
        idle.withLock { if $0.count < Self.keptReaders { $0.append(connection) } }
    }

    nonisolated(nonsending) func readLong<T: Sendable>(
        _ tally: StatementTally?, _ body: @escaping @Sendable (any Connection) throws -> T
    ) async throws -> T {
        try await withUnsafeThrowingContinuation { (caller: UnsafeContinuation<T, any Error>) in
            let isQueued = longReads.push { [self] in
                caller.resume(with: Result { try read(tally, seconds: Limits.longReadSeconds, body) })
            }
            if !isQueued { caller.resume(throwing: DatabaseError(.unavailable, "too many reads are waiting")) }
        }
    }

    // MARK: Writes

    nonisolated(nonsending) func write<T: Sendable>(
        _ tally: StatementTally?, _ body: @escaping @Sendable (any Connection) throws -> T
    ) async throws -> T {
        try await withUnsafeThrowingContinuation { (caller: UnsafeContinuation<T, any Error>) in
            let outcome = Outcome<T>()
            let isQueued = writer.push(
                SQLiteWriter.Item(
                    tally: tally, run: { outcome.value = try body($0) },
                    finish: { error in outcome.resume(caller, error) }))
            if !isQueued { caller.resume(throwing: DatabaseError(.unavailable, "too many writes are waiting")) }
        }
    }

    var waitingWrites: Int { writer.waiting }

    /// Blocks until what is queued has been served; moves the log into the file.
    func close() {
        longReads.stop()
        writer.stop()
        idle.withLock { $0 = [] }
        guard let last = try? SQLiteConnection(path: path, role: .writer) else { return }
        try? last.control("PRAGMA wal_checkpoint(TRUNCATE)")
    }
}

/// Carries a closure's result from the thread that ran it to the caller.
final class Outcome<T: Sendable>: @unchecked Sendable {
    // Safe: written by the serving thread, and read by it when it resumes the caller.
    var value: T?

    func resume(_ caller: UnsafeContinuation<T, any Error>, _ error: (any Error)?) {
        if let error {
            caller.resume(throwing: error)
        } else if let value {
            caller.resume(returning: value)
        } else {
            caller.resume(throwing: DatabaseError(.other, "a closure ended without a result"))
        }
    }
}
