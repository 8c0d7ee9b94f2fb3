// SPDX-License-Identifier: Apache-2.0
// What a statement can fail with, the same for both engines, and what becomes of it at the module's edge. Stores catch
// `unique` and `foreignKey`, which mean something to their callers; everything else leaves the module as a CloudError.

import Core

package struct DatabaseError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// A unique index or primary key refused the row.
        case unique
        case foreignKey
        /// The engine asks for the transaction to be run again.
        case serialization
        /// The disk under the database is full.
        case full
        /// The engine cannot be reached, or did not answer in time.
        case unavailable
        /// A value no engine can hold: a text with a NUL character.
        case badValue
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

extension DatabaseError {
    /// Seconds a refused caller is asked to wait.
    private static let retrySeconds = 2

    /// What the user is told; `name` is the statement group, for the log.
    package func asCloudError(_ name: StaticString) -> CloudError {
        let detail = "database \(name): \(message)"
        switch kind {
        case .full:
            return CloudError(
                .storageFull,
                "The cloud's database has no disk space left, so nothing was changed. Free some and try again.",
                detail: detail)
        case .unavailable, .serialization:
            var error = CloudError(
                .unavailable, "The cloud's database is busy or cannot be reached. Try again in a moment.",
                detail: detail)
            error.headers = [(name: "Retry-After", value: "\(Self.retrySeconds)")]
            return error
        case .badValue:
            return CloudError(
                .badRequest, "A text in the request holds a NUL character, which is not allowed.", detail: detail)
        case .unique, .foreignKey, .other:
            return .internalError(detail)
        }
    }
}
