// SPDX-License-Identifier: Apache-2.0
// Distinguished names (RFC 4514): written with every value escaped, taken apart, and compared whatever their spelling.

import CLDAP

package enum LDAPName {
    /// A value that can stand in a name.
    package static func escaped(_ value: String) -> String {
        let bytes = Array(value.utf8)
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        for (at, byte) in bytes.enumerated() {
            switch byte {
            case 0: out += hexadecimal(byte)
            case UInt8(ascii: ","), UInt8(ascii: "+"), UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "<"),
                UInt8(ascii: ">"), UInt8(ascii: ";"), UInt8(ascii: "="):
                out += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "#") where at == 0, UInt8(ascii: " ") where at == 0 || at == bytes.count - 1:
                out += [UInt8(ascii: "\\"), byte]
            default: out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// "uid=alice,ou=people" from its parts.
    package static func joined(_ attribute: String, _ value: String, under base: String) -> String {
        let first = "\(attribute)=\(escaped(value))"
        return base.isEmpty ? first : "\(first),\(base)"
    }

    static func hexadecimal(_ byte: UInt8) -> [UInt8] {
        let digits: StaticString = "0123456789abcdef"
        return [UInt8(ascii: "\\"), digits.utf8Start[Int(byte >> 4)], digits.utf8Start[Int(byte & 15)]]
    }

    /// The parts from the entry upwards, each with one attribute or several; nil when it is no name.
    package static func parts(_ name: String) -> [[(attribute: String, value: String)]]? {
        var parsed: LDAPDN?
        guard !name.utf8.contains(0), ldap_str2dn(name, &parsed, UInt32(LDAP_DN_FORMAT_LDAPV3)) == LDAP_SUCCESS else {
            return nil
        }
        defer { ldap_dnfree(parsed) }
        var parts: [[(attribute: String, value: String)]] = []
        var row = parsed
        while let pairs = row?.pointee {
            var part: [(attribute: String, value: String)] = []
            var pair: UnsafeMutablePointer<UnsafeMutablePointer<LDAPAVA>?> = pairs
            while let item = pair.pointee {
                part.append((text(item.pointee.la_attr), text(item.pointee.la_value)))
                pair += 1
            }
            parts.append(part)
            row = row.map { $0 + 1 }
        }
        return parts
    }

    private static func text(_ value: berval) -> String {
        String(decoding: UnsafeRawBufferPointer(start: value.bv_val, count: Int(value.bv_len)), as: UTF8.self)
    }

    /// One spelling for all spellings of a name: lower case, single spaces, parts in order. Text that is no name stays
    /// itself.
    package static func normalized(_ name: String) -> String {
        guard let parts = parts(name) else { return name }
        return parts.map { part in
            part.map { "\($0.attribute.lowercased())=\(escaped(folded($0.value)))" }.sorted().joined(separator: "+")
        }.joined(separator: ",")
    }

    private static func folded(_ value: String) -> String {
        value.lowercased().split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
    }

    package static func isSame(_ a: String, _ b: String) -> Bool { a == b || normalized(a) == normalized(b) }
}
