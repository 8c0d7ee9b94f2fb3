// SPDX-License-Identifier: Apache-2.0
// A named, ordered, forward-only step of a module's schema. Statements are written once, in SQLite's words; Dialect
// turns the few words that differ (BLOB, INTEGER, AUTOINCREMENT) into PostgreSQL's. Where that is not enough a step
// gives PostgreSQL statements of its own. A step runs once, in one transaction, before the coordinator serves.

package struct Migration: Sendable {
    /// "identity.1.schema": module, number, subject. Never renamed once released.
    package let name: String
    package let statements: [StaticString]
    /// PostgreSQL's own statements; nil when the common ones serve.
    package let postgres: [StaticString]?

    package init(_ name: String, _ statements: [StaticString], postgres: [StaticString]? = nil) {
        self.name = name
        self.statements = statements
        self.postgres = postgres
    }
}
