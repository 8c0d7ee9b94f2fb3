// SPDX-License-Identifier: Apache-2.0
// Base 64 of RFC 4648, both alphabets. Reading is strict: no white space, no foreign letters, padding complete where
// it is due, unused bits zero, so that one value has one text. The URL-safe form is read with or without padding, as
// tokens travel both ways.

package enum Base64 {
    enum Alphabet: Sendable {
        case standard, url

        var symbols: UnsafePointer<UInt8> {
            switch self {
            case .standard: Base64.standardSymbols.utf8Start
            case .url: Base64.urlSymbols.utf8Start
            }
        }

        /// The value of each letter; 255 for what is no letter.
        var values: [UInt8] {
            switch self {
            case .standard: Base64.standardValues
            case .url: Base64.urlValues
            }
        }
    }

    private static let standardSymbols: StaticString =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    private static let urlSymbols: StaticString =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    private static let standardValues = inverse(standardSymbols)
    private static let urlValues = inverse(urlSymbols)

    private static func inverse(_ symbols: StaticString) -> [UInt8] {
        var values = [UInt8](repeating: 255, count: 256)
        for value in 0..<64 { values[Int(symbols.utf8Start[value])] = UInt8(value) }
        return values
    }

    // MARK: Whole values

    package static func encode(_ bytes: some Collection<UInt8>) -> String { text(bytes, .standard, padded: true) }

    package static func encodeURL(_ bytes: some Collection<UInt8>, padded: Bool = false) -> String {
        text(bytes, .url, padded: padded)
    }

    /// Nil for anything but complete, padded, canonical base 64.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? { text.utf8.withBytes(decode) }
    package static func decode(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        text.count.isMultiple(of: 4) ? decoded(text, .standard) : nil
    }

    /// Padding may be complete or absent.
    package static func decodeURL(_ text: some StringProtocol) -> [UInt8]? { text.utf8.withBytes(decodeURL) }
    package static func decodeURL(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? { decoded(text, .url) }

    private static func text(_ bytes: some Collection<UInt8>, _ alphabet: Alphabet, padded: Bool) -> String {
        bytes.withBytes { bytes in
            String(unsafeUninitializedCapacity: encodedCount(bytes.count)) {
                encode(bytes, into: $0, alphabet, padded: padded)
            }
        }
    }

    private static func decoded(_ text: UnsafeBufferPointer<UInt8>, _ alphabet: Alphabet) -> [UInt8]? {
        var isValid = true
        let bytes = [UInt8](unsafeUninitializedCapacity: text.count / 4 * 3 + 3) { out, initialized in
            guard let count = decode(text, into: out, alphabet) else {
                isValid = false
                return
            }
            initialized = count
        }
        return isValid ? bytes : nil
    }

    // MARK: Into memory of the caller's

    /// Letters that `count` bytes need, padding included.
    static func encodedCount(_ count: Int) -> Int { (count + 2) / 3 * 4 }

    /// Writes the text and returns its length. `out` has room for `encodedCount`.
    static func encode(
        _ bytes: UnsafeBufferPointer<UInt8>, into out: UnsafeMutableBufferPointer<UInt8>, _ alphabet: Alphabet,
        padded: Bool
    ) -> Int {
        precondition(out.count >= encodedCount(bytes.count), "no room for the text")
        guard let from = bytes.baseAddress, let to = out.baseAddress else { return 0 }
        let symbols = alphabet.symbols
        var at = 0
        var read = 0
        while read + 3 <= bytes.count {
            let group = Int(from[read]) << 16 | Int(from[read + 1]) << 8 | Int(from[read + 2])
            to[at] = symbols[group >> 18]
            to[at + 1] = symbols[group >> 12 & 63]
            to[at + 2] = symbols[group >> 6 & 63]
            to[at + 3] = symbols[group & 63]
            read += 3
            at += 4
        }
        let rest = bytes.count - read
        if rest == 0 { return at }
        let group = Int(from[read]) << 16 | (rest == 2 ? Int(from[read + 1]) << 8 : 0)
        to[at] = symbols[group >> 18]
        to[at + 1] = symbols[group >> 12 & 63]
        if rest == 2 { to[at + 2] = symbols[group >> 6 & 63] }
        at += rest + 1
        if padded {
            for _ in rest..<3 {
                to[at] = UInt8(ascii: "=")
                at += 1
            }
        }
        return at
    }

    /// Writes the bytes and returns their count, nil when the text is not canonical. `out` has room for 3/4 of the
    /// text + 3.
    static func decode(
        _ text: UnsafeBufferPointer<UInt8>, into out: UnsafeMutableBufferPointer<UInt8>, _ alphabet: Alphabet
    ) -> Int? {
        guard let from = text.baseAddress, let to = out.baseAddress else { return text.isEmpty ? 0 : nil }
        guard let count = lettersBeforePadding(text) else { return nil }
        precondition(out.count >= count / 4 * 3 + 3, "no room for the bytes")
        return alphabet.values.withUnsafeBufferPointer { table in
            guard let values = table.baseAddress else { return nil }
            var at = 0
            var read = 0
            while read + 4 <= count {
                let a = values[Int(from[read])], b = values[Int(from[read + 1])]
                let c = values[Int(from[read + 2])], d = values[Int(from[read + 3])]
                if (a | b | c | d) & 0x80 != 0 { return nil }
                to[at] = a << 2 | b >> 4
                to[at + 1] = b << 4 | c >> 2
                to[at + 2] = c << 6 | d
                read += 4
                at += 3
            }
            if read == count { return at }
            let a = values[Int(from[read])], b = values[Int(from[read + 1])]
            let c = count - read == 3 ? values[Int(from[read + 2])] : 0
            if (a | b | c) & 0x80 != 0 { return nil }
            to[at] = a << 2 | b >> 4
            if count - read == 2 { return b & 15 == 0 ? at + 1 : nil }
            to[at + 1] = b << 4 | c >> 2
            return c & 3 == 0 ? at + 2 : nil
        }
    }

    /// Letters before "=" or "==", which may only fill the last group of four; nil for a length no bytes have.
    private static func lettersBeforePadding(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        var count = text.count
        if count.isMultiple(of: 4) {
            if count > 0, text[count - 1] == UInt8(ascii: "=") { count -= 1 }
            if count % 4 == 3, text[count - 1] == UInt8(ascii: "=") { count -= 1 }
        }
        return count % 4 == 1 ? nil : count
    }
}
