// SPDX-License-Identifier: Apache-2.0
// What goes into a statement and what comes out of it, the same for both engines.

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

/// One row; columns by position, in the order the statement names them. A column of another type reads as its empty
/// value.
package struct Row: Sendable {
    package let values: [SQLValue]
    package init(_ values: [SQLValue]) { self.values = values }

    package func text(_ column: Int) -> String { optionalText(column) ?? "" }
    package func int(_ column: Int) -> Int64 { optionalInt(column) ?? 0 }
    package func bool(_ column: Int) -> Bool { int(column) != 0 }
    package func real(_ column: Int) -> Double {
        if case .real(let value) = values[column] { value } else { Double(int(column)) }
    }
    package func optionalText(_ column: Int) -> String? {
        if case .text(let value) = values[column] { value } else { nil }
    }
    package func optionalInt(_ column: Int) -> Int64? {
        if case .int(let value) = values[column] { value } else { nil }
    }
    package func optionalBool(_ column: Int) -> Bool? { optionalInt(column).map { $0 != 0 } }
    package func blob(_ column: Int) -> [UInt8] { if case .blob(let value) = values[column] { value } else { [] } }
    package func id<Kind>(_ column: Int, _ kind: Kind.Type = Kind.self) -> ID<Kind> { ID(text(column)) }
    package func optionalID<Kind>(_ column: Int, _ kind: Kind.Type = Kind.self) -> ID<Kind>? {
        optionalText(column).map { ID($0) }
    }
    package func time(_ column: Int) -> Instant { Instant(microseconds: int(column)) }
    package func optionalTime(_ column: Int) -> Instant? { optionalInt(column).map { Instant(microseconds: $0) } }
}
