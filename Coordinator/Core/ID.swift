// SPDX-License-Identifier: Apache-2.0
// Ids that cannot be mixed up: ID<User> is not ID<Project>. The text is what the API shows; most are 32 hexadecimal
// digits, some are words (the domain "default") and directory users have longer ones.

package struct ID<Kind>: Hashable, Sendable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
}

extension ID: Comparable {
    package static func < (a: ID, b: ID) -> Bool { a.text < b.text }
}

extension ID {
    /// A fresh random id of 32 hexadecimal digits.
    package static func random(_ entropy: any Entropy) -> ID { ID(Hex.text(entropy.bytes(16))) }
}

package enum Hex {
    package static func text(_ bytes: some Collection<UInt8>) -> String {
        String(unsafeUninitializedCapacity: bytes.count * 2) { out in
            var at = 0
            for byte in bytes {
                out[at] = digit(byte >> 4)
                out[at + 1] = digit(byte & 15)
                at += 2
            }
            return at
        }
    }

    package static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var out: [UInt8] = []
        out.reserveCapacity(digits.count / 2)
        for i in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[i]), let low = value(digits[i + 1]) else { return nil }
            out.append(high << 4 | low)
        }
        return out
    }

    private static func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46, 0x61...0x66: (digit | 0x20) - 0x57
        default: nil
        }
    }
}
