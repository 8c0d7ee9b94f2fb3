// SPDX-License-Identifier: Apache-2.0
// One SQLite connection: prepares, binds, steps, reads columns. The writer owns one, the readers share a small pool.
// Every statement is run to its end before the call returns, so no statement is ever open between two calls.

import CSQLite
import Core
import Glibc

final class SQLiteConnection: Connection, @unchecked Sendable {
    // Safe: a connection belongs to one thread at a time; the pool and the writer hand it over under their locks.

    enum Role { case writer, reader }

    /// Prepared statements kept by one connection; at 3-5 KiB each this stays under 1 MiB.
    private static let keptStatements = 192
    /// Virtual machine steps between two looks at the clock.
    private static let stepsPerCheck: Int32 = 50_000

    let handle: OpaquePointer
    private var statements = StatementCache<SQLiteStatement>(limit: keptStatements)
    /// Monotonic nanoseconds after which a running statement is stopped; outside the object because C reads it.
    private let deadline: UnsafeMutablePointer<UInt64>
    private var tally: StatementTally?
    private(set) var failure: DatabaseError?

    init(path: String, role: Role) throws(DatabaseError) {
        handle = try Self.opened(path)
        deadline = .allocate(capacity: 1)
        deadline.pointee = .max
        sqlite3_extended_result_codes(handle, 1)
        // Another process (the command line) may hold the write lock for a moment.
        sqlite3_busy_timeout(handle, 5000)
        sqlite3_progress_handler(handle, Self.stepsPerCheck, { isPast($0) }, deadline)
        for pragma in Self.pragmas(role) { try control(pragma) }
    }

    /// A bare connection to a file that a backup fills.
    init(backup path: String) throws(DatabaseError) {
        handle = try Self.opened(path)
        deadline = .allocate(capacity: 1)
        deadline.pointee = .max
    }

    private static func opened(_ path: String) throws(DatabaseError) -> OpaquePointer {
        // Made here and not by SQLite, so that nobody else can read it even for a moment. Its side files take its
        // mode. A file that exists is not opened: closing it would drop the locks that SQLite holds on it for this
        // whole process (POSIX), and another process would then take the log away from under it.
        let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if file >= 0 {
            Glibc.close(file)
        } else if errno != EEXIST {
            throw DatabaseError(.unavailable, "cannot open \(path): \(String(cString: strerror(errno)))")
        }
        var handle: OpaquePointer?
        let code = sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let handle else {
            sqlite3_close_v2(handle)
            throw DatabaseError(.unavailable, "cannot open \(path): \(String(cString: sqlite3_errstr(code)))")
        }
        return handle
    }

    /// LIKE minds case, as it does in PostgreSQL. Caches are small: the kernel's own cache is behind them.
    private static func pragmas(_ role: Role) -> [StaticString] {
        let common: [StaticString] = [
            "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON",
            "PRAGMA case_sensitive_like=ON", "PRAGMA temp_store=MEMORY",
        ]
        return switch role {
        case .writer:
            common + [
                "PRAGMA cache_size=-1024", "PRAGMA wal_autocheckpoint=2000", "PRAGMA journal_size_limit=16777216",
            ]
        case .reader: common + ["PRAGMA cache_size=-512", "PRAGMA query_only=ON"]
        }
    }

    deinit {
        for statement in statements.removeAll() { sqlite3_finalize(statement.handle) }
        sqlite3_close_v2(handle)
        deadline.deallocate()
    }

    // MARK: Life of one closure

    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Runs a closure's statements: they are counted, bounded in time, and the first failure sticks.
    func lend<T>(to tally: StatementTally?, seconds: Int = Limits.databaseSeconds, _ body: () throws -> T) throws -> T {
        self.tally = tally
        failure = nil
        deadline.pointee = Monotonic.now &+ UInt64(seconds) &* 1_000_000_000
        defer {
            deadline.pointee = .max
            self.tally = nil
        }
        let value = try body()
        if let failure { throw failure }
        return value
    }

    /// BEGIN, COMMIT, pragmas: not counted, not subject to an earlier failure.
    func control(_ sql: StaticString) throws(DatabaseError) {
        _ = try run(StatementKey(sql), { sql.description }, [], collect: false)
    }

    /// Ends whatever transaction is open; what it did is gone.
    func rollback() {
        guard isInTransaction else { return }
        try? control("ROLLBACK")
    }

    // MARK: Connection

    func rows(_ sql: StaticString, _ arguments: [SQLValue]) throws(DatabaseError) -> [Row] {
        tally?.reads += 1
        return try sticky(StatementKey(sql), { sql.description }, arguments, collect: true).rows
    }

    @discardableResult
    func execute(_ sql: StaticString, _ arguments: [SQLValue]) throws(DatabaseError) -> Int {
        tally?.writes += 1
        return try sticky(StatementKey(sql), { sql.description }, arguments, collect: false).changes
    }

    func rows(_ query: Query) throws(DatabaseError) -> [Row] {
        tally?.reads += 1
        return try sticky(.text(query.text), { query.text }, query.arguments, collect: true).rows
    }

    @discardableResult
    func execute(_ query: Query) throws(DatabaseError) -> Int {
        tally?.writes += 1
        return try sticky(.text(query.text), { query.text }, query.arguments, collect: false).changes
    }

    // MARK: One statement

    private func sticky(
        _ key: StatementKey, _ text: () -> String, _ arguments: [SQLValue], collect: Bool
    ) throws(DatabaseError) -> (rows: [Row], changes: Int) {
        if let failure { throw failure }
        do {
            return try run(key, text, arguments, collect: collect)
        } catch {
            failure = error
            throw error
        }
    }

    private func run(
        _ key: StatementKey, _ text: () -> String, _ arguments: [SQLValue], collect: Bool
    ) throws(DatabaseError) -> (rows: [Row], changes: Int) {
        let statement = try prepared(key, text)
        defer {
            sqlite3_reset(statement.handle)
            sqlite3_clear_bindings(statement.handle)
        }
        try statement.bind(arguments, self)
        var rows: [Row] = []
        while true {
            switch sqlite3_step(statement.handle) {
            case SQLITE_ROW: if collect { rows.append(statement.row) }
            case SQLITE_DONE:
                let changes = sqlite3_stmt_readonly(statement.handle) == 0 ? Int(sqlite3_changes(handle)) : 0
                return (rows, changes)
            default: throw lastError
            }
        }
    }

    private func prepared(_ key: StatementKey, _ text: () -> String) throws(DatabaseError) -> SQLiteStatement {
        if let known = statements.find(key) { return known }
        let statement = try SQLiteStatement(text(), self)
        if let evicted = statements.insert(statement, for: key) { sqlite3_finalize(evicted.handle) }
        return statement
    }
}

/// Called by SQLite every so many steps; non-zero stops the statement.
private func isPast(_ deadline: UnsafeMutableRawPointer?) -> Int32 {
    guard let deadline else { return 0 }
    return Monotonic.now > deadline.load(as: UInt64.self) ? 1 : 0
}
