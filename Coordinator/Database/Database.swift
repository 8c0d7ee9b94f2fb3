// SPDX-License-Identifier: Apache-2.0
// The one face of both engines. A service says
//
//     try await database.read("user.find") { connection in try UserStore.find(id, connection) }
//     try await database.write("user.create") { connection in … }
//
// Stores get a Connection and write SQL with $1, $2 …, which both engines take. The name is the statement group's metric.
//
// Invariants: a write's closure runs on the writer, inside one transaction with its own savepoint, and the caller hears of
// success only after the commit is durable; a closure may run again when the engine reports a serialization fault, so it
// must have no effect but its statements; nothing outside is awaited while a connection is held.

import Core

package enum SQLValue: Sendable, Equatable {
    case null
    case int(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])

    package static func optional(_ text: String?) -> SQLValue { text.map { .text($0) } ?? .null }
    package static func optional(_ value: Int64?) -> SQLValue { value.map { .int($0) } ?? .null }
    package static func bool(_ value: Bool) -> SQLValue { .int(value ? 1 : 0) }
    package static func id<Kind>(_ id: ID<Kind>) -> SQLValue { .text(id.text) }
    package static func id<Kind>(_ id: ID<Kind>?) -> SQLValue { optional(id?.text) }
    package static func time(_ instant: Instant) -> SQLValue { .int(instant.microseconds) }
    package static func time(_ instant: Instant?) -> SQLValue { optional(instant?.microseconds) }
}

/// One row; columns by position, in the order the statement names them. A column of another type reads as its empty value.
package struct Row: Sendable {
    package let values: [SQLValue]
    package init(_ values: [SQLValue]) { self.values = values }

    package func text(_ column: Int) -> String { optionalText(column) ?? "" }
    package func int(_ column: Int) -> Int64 { optionalInt(column) ?? 0 }
    package func bool(_ column: Int) -> Bool { int(column) != 0 }
    package func real(_ column: Int) -> Double { if case .real(let value) = values[column] { value } else { Double(int(column)) } }
    package func optionalText(_ column: Int) -> String? { if case .text(let value) = values[column] { value } else { nil } }
    package func optionalInt(_ column: Int) -> Int64? { if case .int(let value) = values[column] { value } else { nil } }
    package func optionalBool(_ column: Int) -> Bool? { optionalInt(column).map { $0 != 0 } }
    package func blob(_ column: Int) -> [UInt8] { if case .blob(let value) = values[column] { value } else { [] } }
    package func id<Kind>(_ column: Int, _ kind: Kind.Type = Kind.self) -> ID<Kind> { ID(text(column)) }
    package func optionalID<Kind>(_ column: Int, _ kind: Kind.Type = Kind.self) -> ID<Kind>? { optionalText(column).map { ID($0) } }
    package func time(_ column: Int) -> Instant { Instant(microseconds: int(column)) }
    package func optionalTime(_ column: Int) -> Instant? { optionalInt(column).map { Instant(microseconds: $0) } }
}

package struct DatabaseError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// A unique index or primary key refused the row.
        case unique
        case foreignKey
        /// The engine asks for the transaction to be run again.
        case serialization
        case full
        case unavailable
        case other
    }
    package let kind: Kind
    package let message: String
    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
    package var description: String { "\(kind): \(message)" }
}

/// A connection lent to a closure for its duration; used by one thread at a time, never kept.
package protocol Connection: AnyObject {
    /// Runs a statement written out in a Store.
    func rows(_ sql: StaticString, _ arguments: [SQLValue]) throws(DatabaseError) -> [Row]
    /// Runs a statement for its effect; returns how many rows it touched.
    @discardableResult
    func execute(_ sql: StaticString, _ arguments: [SQLValue]) throws(DatabaseError) -> Int
    /// Runs a statement put together from written-out pieces.
    func rows(_ query: Query) throws(DatabaseError) -> [Row]
    @discardableResult
    func execute(_ query: Query) throws(DatabaseError) -> Int
}

extension Connection {
    package func rows(_ sql: StaticString) throws(DatabaseError) -> [Row] { try rows(sql, []) }
    package func row(_ sql: StaticString, _ arguments: [SQLValue]) throws(DatabaseError) -> Row? {
        try rows(sql, arguments).first
    }
    @discardableResult
    package func execute(_ sql: StaticString) throws(DatabaseError) -> Int { try execute(sql, []) }
}

/// A statement of written-out pieces and bound values, for lists with optional filters. Text of a client can only come in as
/// a value. In pieces, "?" stands for the next value.
///
///     var query = Query("SELECT id, name FROM user")
///     query.filter("domain_id = ?", .id(domain))
///     query.append("ORDER BY id LIMIT ?", .int(limit))
package struct Query: Sendable {
    package private(set) var text: String
    package private(set) var arguments: [SQLValue] = []
    private var hasFilter = false

    package init(_ head: StaticString, _ values: SQLValue...) {
        text = ""
        add(head, values)
    }

    /// Adds "WHERE …" the first time and "AND …" after.
    package mutating func filter(_ condition: StaticString, _ values: SQLValue...) {
        text += hasFilter ? " AND " : " WHERE "
        hasFilter = true
        add(condition, values)
    }

    package mutating func append(_ piece: StaticString, _ values: SQLValue...) {
        text += " "
        add(piece, values)
    }

    /// Adds "WHERE column IN ($1, …)"; an empty list matches nothing.
    package mutating func filter(_ column: StaticString, in values: [SQLValue]) {
        text += hasFilter ? " AND " : " WHERE "
        hasFilter = true
        guard !values.isEmpty else { return text += "1 = 0" }
        text += "\(column) IN ("
        for (i, value) in values.enumerated() {
            arguments.append(value)
            text += i == 0 ? "$\(arguments.count)" : ", $\(arguments.count)"
        }
        text += ")"
    }

    private mutating func add(_ piece: StaticString, _ values: [SQLValue]) {
        var rest = values[...]
        for character in piece.description.unicodeScalars {
            if character == "?", let value = rest.popFirst() {
                arguments.append(value)
                text += "$\(arguments.count)"
            } else {
                text.unicodeScalars.append(character)
            }
        }
        precondition(rest.isEmpty, "more values than '?' in a statement's piece")
    }
}

/// Statements run on behalf of one request or job; the budget tests and the request log read it.
package final class StatementTally: @unchecked Sendable {
    // Safe: a request is one task, and its statements run one after the other; the engine's hand-over orders the accesses.
    package var reads = 0
    package var writes = 0
    package var count: Int { reads + writes }
    package init() {}

    @TaskLocal package static var current: StatementTally?
}
