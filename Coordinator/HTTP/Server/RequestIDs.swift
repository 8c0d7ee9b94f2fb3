// SPDX-License-Identifier: Apache-2.0
// Request ids: "req-" and a random UUID (version 4). They name, they do not guard, so a fast generator seeded once by
// the kernel will do.

import Core

struct RequestIDs {
    private var state: UInt64

    init(_ entropy: any Entropy) {
        state = entropy.bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func word() -> UInt64 {
        // splitmix64
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }

    mutating func next() -> String {
        let high = word() & ~0xf000 | 0x4000
        let low = word() & ~(3 << 62) | 2 << 62
        return String(unsafeUninitializedCapacity: 40) { out in
            let prefix: StaticString = "req-"
            for i in 0..<4 { out[i] = prefix.utf8Start[i] }
            var at = 4
            for digit in 0..<32 {
                if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
                    out[at] = UInt8(ascii: "-")
                    at += 1
                }
                let word = digit < 16 ? high : low
                let nibble = UInt8(truncatingIfNeeded: word >> UInt64((15 - digit & 15) << 2) & 15)
                out[at] = nibble < 10 ? 0x30 + nibble : 0x57 + nibble
                at += 1
            }
            return at
        }
    }

    /// Whether a client's own id has the right form, so that it may go into the log.
    static func isValid(_ text: String) -> Bool {
        text.utf8.count == 40 && text.hasPrefix("req-")
            && text.utf8.dropFirst(4).allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 | 0x20 || $0 == 0x2d }
    }
}
