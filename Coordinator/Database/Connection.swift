// SPDX-License-Identifier: Apache-2.0
// What a Store gets for the length of one closure. Statements are written out with $1, $2 …, which both engines take.
//
// Invariant: a statement that failed fails its transaction, on both engines (PostgreSQL insists on it). A closure that
// catches the error may only translate it; whatever it runs after that throws the same error again, and a closure that
// swallows it has not succeeded. "Insert unless there" is written ON CONFLICT DO NOTHING.

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
    package func row(_ sql: StaticString, _ arguments: [SQLValue] = []) throws(DatabaseError) -> Row? {
        try rows(sql, arguments).first
    }
    @discardableResult
    package func execute(_ sql: StaticString) throws(DatabaseError) -> Int { try execute(sql, []) }
}
