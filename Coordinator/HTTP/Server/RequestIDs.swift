// SPDX-License-Identifier: Apache-2.0
// Request ids: "req-" and a random UUID (version 4). They name, they do not guard, so a fast generator seeded once by
// the kernel will do.

import Core

struct RequestIDs {
    private static let prefix: StaticString = "req-"
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
            guard let base = UnsafeMutableRawPointer(out.baseAddress) else { return 0 }
            base.copyMemory(from: Self.prefix.utf8Start, byteCount: 4)
            let (a, b) = (Self.digits(UInt32(high >> 32)), Self.digits(UInt32(truncatingIfNeeded: high)))
            let (c, d) = (Self.digits(UInt32(low >> 32)), Self.digits(UInt32(truncatingIfNeeded: low)))
            Self.store(a, base + 4)
            Self.store(b, base + 13)
            Self.store(b >> 32, base + 18)
            Self.store(c, base + 23)
            Self.store(c >> 32, base + 28)
            Self.store(d, base + 32)
            // Each eight digits overlap the dash after them, so the dashes come last.
            for at in stride(from: 12, through: 27, by: 5) { out[at] = UInt8(ascii: "-") }
            return 40
        }
    }

    /// Eight hexadecimal digits as eight bytes, the first in the lowest: all nibbles are spread out and turned into
    /// letters at once.
    private static func digits(_ value: UInt32) -> UInt64 {
        var wide = UInt64(value.byteSwapped)
        wide = (wide | wide << 16) & 0x0000_ffff_0000_ffff
        wide = (wide | wide << 8) & 0x00ff_00ff_00ff_00ff
        wide = (wide >> 4 & 0x000f_000f_000f_000f) | (wide & 0x000f_000f_000f_000f) << 8
        // Bytes above nine carry into bit 4 when six is added; those become letters.
        let letters = (wide &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return wide &+ 0x3030_3030_3030_3030 &+ letters &* 39
    }

    private static func store(_ digits: UInt64, _ place: UnsafeMutableRawPointer) {
        place.storeBytes(of: digits.littleEndian, as: UInt64.self)
    }

    /// Whether a client's own id has the right form, so that it may go into the log.
    static func isValid(_ text: String) -> Bool {
        text.utf8.count == 40 && text.hasPrefix("req-")
            && text.utf8.dropFirst(4).allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 | 0x20 || $0 == 0x2d }
    }
}
