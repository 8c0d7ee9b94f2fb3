// SPDX-License-Identifier: Apache-2.0
// Search filters (RFC 4515). Values are escaped wherever they stand, so nothing a user types can change a filter's
// meaning; only an operator's own filter is taken as text.

package indirect enum LDAPFilter: Sendable, Equatable {
    case equal(String, String)
    case present(String)
    /// The attribute contains the parts in this order; an empty first or last part leaves that end open.
    case like(String, [String])
    case all([LDAPFilter])
    case any([LDAPFilter])
    case not(LDAPFilter)
    /// An operator's filter, with or without its outer parentheses.
    case written(String)

    package var text: String {
        switch self {
        case .equal(let attribute, let value): "(\(attribute)=\(Self.escaped(value)))"
        case .present(let attribute): "(\(attribute)=*)"
        case .like(let attribute, let parts): "(\(attribute)=\(parts.map(Self.escaped).joined(separator: "*")))"
        case .all(let filters): "(&\(filters.map(\.text).joined()))"
        case .any(let filters): "(|\(filters.map(\.text).joined()))"
        case .not(let filter): "(!\(filter.text))"
        case .written(let text): text.hasPrefix("(") ? text : "(\(text))"
        }
    }

    /// A value in which no character has a meaning to the filter.
    package static func escaped(_ value: String) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(value.utf8.count)
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "*"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\\"), 0:
                out += LDAPName.hexadecimal(byte)
            default: out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
