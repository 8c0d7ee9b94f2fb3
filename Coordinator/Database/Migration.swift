// SPDX-License-Identifier: Apache-2.0
// A named, ordered, forward-only step of a module's schema. Statements are portable SQL; where the engines differ, each gets
// its own text. A step runs once, in one transaction, before the coordinator serves.

package struct Migration: Sendable {
    /// "identity.1.schema": module, number, subject. Never renamed once released.
    package let name: String
    package let statements: [StaticString]

    package init(_ name: String, _ statements: [StaticString]) {
        self.name = name
        self.statements = statements
    }
}
