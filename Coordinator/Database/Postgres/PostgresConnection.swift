// SPDX-License-Identifier: Apache-2.0
// One PostgreSQL connection and the transaction of the closure it is lent to. BEGIN travels with the first statement
// and a statement's preparation with its first run, so a closure costs one round trip a statement and one for the
// commit.

import CPostgres
import Core
import Glibc

final class PostgresConnection: Connection {
    enum Transaction {
        /// As if transactions ran one after the other, which is what SQLite's single writer gives.
        case write
        /// One snapshot.
        case read
        /// One snapshot, with time for a whole table.
        case longRead

        var isRead: Bool { self != .write }
        var seconds: Int { self == .longRead ? Limits.longReadSeconds : Limits.databaseSeconds }
        fileprivate var commands: [String] {
            switch self {
            case .write: ["BEGIN ISOLATION LEVEL SERIALIZABLE"]
            case .read: ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"]
            case .longRead:
                [
                    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                    "SET LOCAL statement_timeout = \(Limits.longReadSeconds * 1000)",
                ]
            }
        }
    }
    private enum State { case none, due(Transaction), open }

    private static let keptStatements = 256
    /// The server stops a statement by itself first; this is for a server that says nothing at all.
    private static let silenceSeconds = 5

    private let wire: PostgresWire
    private let types: ExplicitTypes
    private var statements = StatementCache<String>(limit: keptStatements)
    private var named = 0
    private var state = State.none
    private var seconds = Limits.databaseSeconds
    private var tally: StatementTally?
    private(set) var failure: DatabaseError?

    init(_ location: String, _ types: ExplicitTypes) throws(DatabaseError) {
        wire = try PostgresWire(location)
        self.types = types
        try command("SET statement_timeout = \(Limits.databaseSeconds * 1000)")
        try command("SET idle_in_transaction_session_timeout = \(Limits.databaseSeconds * 2000)")
        try command("SET client_min_messages = warning")
        // Guesses about recursive statements are so far off that compiling a plan costs a hundred times its execution.
        try command("SET jit = off")
    }

    var isBroken: Bool { wire.isBroken }

    // MARK: Life of one closure

    /// Runs a closure in a transaction up to, not including, its end.
    func lend<T>(_ transaction: Transaction, to tally: StatementTally?, _ body: () throws -> T) throws -> T {
        self.tally = tally
        failure = nil
        state = .due(transaction)
        seconds = transaction.seconds
        defer {
            self.tally = nil
            seconds = Limits.databaseSeconds
        }
        let value = try body()
        if let failure { throw failure }
        return value
    }

    func commit() throws(DatabaseError) {
        guard case .open = state else { return state = .none }
        state = .none
        // A transaction that a failure has ended answers COMMIT with "ROLLBACK" and no error.
        guard try command("COMMIT") == "COMMIT" else { throw DatabaseError(.other, "the transaction had failed") }
    }

    func rollback() {
        defer { state = .none }
        guard case .open = state, !isBroken else { return }
        _ = try? command("ROLLBACK")
    }

    private var deadline: UInt64 { Monotonic.after(seconds: seconds + Self.silenceSeconds) }

    /// One command without parameters, outside the closure's account; returns what the server did.
    @discardableResult
    func command(_ text: String) throws(DatabaseError) -> String {
        try wire.send(text)
        guard let result = try wire.results(until: deadline).first else {
            throw DatabaseError(.unavailable, "no answer")
        }
        guard result.isGood else { throw result.error }
        return result.command
    }

    // MARK: Connection

    func rows(_ sql: StaticString, _ arguments: [SQLValue]) throws(DatabaseError) -> [Row] {
        tally?.reads += 1
        return try sticky(StatementKey(sql), { sql.description }, arguments).rows
    }

    @discardableResult
    func execute(_ sql: StaticString, _ arguments: [SQLValue]) throws(DatabaseError) -> Int {
        tally?.writes += 1
        return try sticky(StatementKey(sql), { sql.description }, arguments).changes
    }

    func rows(_ query: Query) throws(DatabaseError) -> [Row] {
        tally?.reads += 1
        return try sticky(.text(query.text), { query.text }, query.arguments).rows
    }

    @discardableResult
    func execute(_ query: Query) throws(DatabaseError) -> Int {
        tally?.writes += 1
        return try sticky(.text(query.text), { query.text }, query.arguments).changes
    }

    // MARK: One statement

    private func sticky(
        _ key: StatementKey, _ text: () -> String, _ arguments: [SQLValue]
    ) throws(DatabaseError) -> PostgresResult {
        if let failure { throw failure }
        do {
            return try run(key, text, PostgresParameters(arguments))
        } catch {
            failure = error
            throw error
        }
    }

    private func run(
        _ key: StatementKey, _ text: () -> String, _ parameters: PostgresParameters
    ) throws(DatabaseError) -> PostgresResult {
        let begun = try sendBegin()
        let known = statements.find(key)
        let name = known ?? nextName
        if known == nil { try wire.sendPrepare(name, text(), types: types.contains(key) ? parameters.types : []) }
        try wire.sendPrepared(name, parameters)
        var results = try wire.results(until: deadline)[...]
        for _ in 0..<begun {
            guard let result = results.popFirst() else { throw Self.lost }
            guard result.isGood else { throw result.error }
            state = .open
        }
        if known == nil { try keep(name, key, results.popFirst(), parameters) }
        guard let result = results.first else { throw Self.lost }
        if !result.isGood { throw outdated(result) ?? result.error }
        return result
    }

    private static var lost: DatabaseError { DatabaseError(.unavailable, "an answer is missing") }

    /// How many commands it took to begin the transaction, which they do only now.
    private func sendBegin() throws(DatabaseError) -> Int {
        guard case .due(let transaction) = state else { return 0 }
        for command in transaction.commands { try wire.send(command) }
        return transaction.commands.count
    }

    private var nextName: String {
        named += 1
        return "s\(named)"
    }

    /// Remembers a statement the server has accepted.
    private func keep(
        _ name: String, _ key: StatementKey, _ result: PostgresResult?, _ parameters: PostgresParameters
    ) throws(DatabaseError) {
        guard let result else { throw Self.lost }
        guard result.isGood else {
            // Indeterminate type of a parameter: say them all, and run the closure again.
            if ["42P18", "42P08"].contains(result.state), types.insert(key) {
                throw DatabaseError(.serialization, "the types of a statement's parameters must be named")
            }
            throw result.error
        }
        if let evicted = statements.insert(name, for: key) {
            try wire.send("DEALLOCATE \(evicted)")
            _ = try wire.results(until: deadline)
        }
    }

    /// A plan the schema outdated: everything is prepared anew.
    private func outdated(_ result: PostgresResult) -> DatabaseError? {
        guard ["0A000", "26000"].contains(result.state) else { return nil }
        _ = statements.removeAll()
        return result.error
    }
}
