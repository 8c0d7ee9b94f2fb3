// SPDX-License-Identifier: Apache-2.0
// Base 32 of RFC 4648, the form in which one-time-password secrets are handed to people. Reading is forgiving where
// people and their tools differ: either case, padding or none, and unused last bits of any value, since some tools
// draw the letters at random.

package enum Base32 {
    private static let symbols: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 4) / 5 * 8)
        var bits: UInt32 = 0
        var count = 0
        for byte in bytes {
            bits = (bits << 8 | UInt32(byte)) & 0xfff
            count += 8
            while count >= 5 {
                count -= 5
                text.append(symbols.utf8Start[Int(bits >> UInt32(count) & 31)])
            }
        }
        if count > 0 { text.append(symbols.utf8Start[Int(bits << UInt32(5 - count) & 31)]) }
        while text.count % 8 != 0 { text.append(UInt8(ascii: "=")) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for a letter outside the alphabet, or a length that no bytes have.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var letters = Array(text.utf8)[...]
        while letters.last == UInt8(ascii: "="), text.utf8.count - letters.count < 6 { letters.removeLast() }
        // 1, 3 or 6 letters over hold less than the byte they begin.
        if [1, 3, 6].contains(letters.count % 8) { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(letters.count * 5 / 8)
        var bits: UInt32 = 0
        var count = 0
        for letter in letters {
            guard let value = value(letter) else { return nil }
            bits = (bits << 5 | value) & 0x1fff
            count += 5
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }

    private static func value(_ letter: UInt8) -> UInt32? {
        switch letter {
        case 0x41...0x5a: UInt32(letter - 0x41)
        case 0x61...0x7a: UInt32(letter - 0x61)
        case 0x32...0x37: UInt32(letter - 0x32 + 26)
        default: nil
        }
    }
}
