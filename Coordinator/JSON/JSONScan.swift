// SPDX-License-Identifier: Apache-2.0
// Runs over the plain part of a string eight bytes at a time; both the parser and the writer spend most of their time
// there.

enum JSONScan {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// How many bytes from `start` on need no escaping, and whether they are all ASCII. It ends at a quote, a
    /// backslash, a control character or the end of `bytes`.
    @inline(__always)
    static func plain(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> (count: Int, isASCII: Bool) {
        guard let base = bytes.baseAddress else { return (0, true) }
        let raw = UnsafeRawPointer(base)
        var at = start
        var seen: UInt64 = 0
        while at + 8 <= bytes.count {
            let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            let stops = special(word)
            if stops != 0 {
                let before = stops.trailingZeroBitCount & ~7
                seen |= word & ((1 << UInt64(before)) - 1)
                return (at + (before >> 3) - start, seen & highs == 0)
            }
            seen |= word
            at += 8
        }
        while at < bytes.count {
            let byte = base[at]
            if byte < 0x20 || byte == 0x22 || byte == 0x5c { break }
            seen |= UInt64(byte)
            at += 1
        }
        return (at - start, seen & highs == 0)
    }

    /// The high bit of the first byte below 0x20, or a quote, or a backslash; bits above it mean nothing.
    @inline(__always)
    private static func special(_ word: UInt64) -> UInt64 {
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5c)
        let control = (word &- (ones &* 0x20)) & ~word
        return (control | ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)) & highs
    }
}
