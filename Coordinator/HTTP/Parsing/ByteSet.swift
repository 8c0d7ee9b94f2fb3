// SPDX-License-Identifier: Apache-2.0
// Classes of ASCII bytes as two words: a look-up without a table or a bounds check.

struct ByteSet {
    private let low: UInt64
    private let high: UInt64

    init(_ characters: StaticString) {
        var low: UInt64 = 0, high: UInt64 = 0
        for i in 0..<characters.utf8CodeUnitCount {
            let byte = characters.utf8Start[i]
            if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte & 63) }
        }
        self.low = low
        self.high = high
    }

    private init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// Letters and digits.
    static let alphanumeric = ByteSet(low: 0x03ff_0000_0000_0000, high: 0x07ff_fffe_07ff_fffe)
    /// What a method or a field name is made of (RFC 9110, 5.6.2).
    static let token = alphanumeric.union(ByteSet("!#$%&'*+-.^_`|~"))
    /// What Host may hold (RFC 3986, 3.2.2 and 3.2.3): a name, an address, brackets, a port.
    static let host = alphanumeric.union(ByteSet("-._~!$&'()*+;=:[]%"))

    func union(_ other: ByteSet) -> ByteSet { ByteSet(low: low | other.low, high: high | other.high) }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        if byte >= 128 { return false }
        return ((byte < 64 ? low : high) >> UInt64(byte & 63)) & 1 == 1
    }
}
