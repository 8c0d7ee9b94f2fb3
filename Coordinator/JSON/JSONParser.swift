// SPDX-License-Identifier: Apache-2.0
// Parses RFC 8259 strictly: UTF-8 checked, surrogates paired, no repeated member names, depth bounded, every byte
// used. Whatever the bytes, it returns a tree or one JSONError with the place; it never traps and never recurses past
// the depth.

package struct JSONError: Error, Equatable, CustomStringConvertible {
    /// Byte offset of the trouble.
    package let offset: Int
    package let reason: String
    package var description: String { "\(reason) at byte \(offset)" }
}

extension JSON {
    /// Deeper nesting is refused: no API of ours needs it, and recursion must be bounded.
    package static let maximumDepth = 64

    package static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSON {
        try bytes.withUnsafeBufferPointer { buffer throws(JSONError) in
            var parser = JSONParser(buffer)
            return try parser.document()
        }
    }

    package static func parse(_ text: String) throws(JSONError) -> JSON { try parse(Array(text.utf8)) }
}

struct JSONParser {
    private let input: UnsafeBufferPointer<UInt8>
    private var at = 0
    private var depth = 0

    init(_ input: UnsafeBufferPointer<UInt8>) { self.input = input }

    mutating func document() throws(JSONError) -> JSON {
        let value = try value()
        skipSpace()
        if at != input.count { throw fail("unexpected data after the document") }
        return value
    }

    private func fail(_ reason: String) -> JSONError { JSONError(offset: at, reason: reason) }
    private var next: UInt8? { at < input.count ? input[at] : nil }

    @inline(__always)
    private mutating func skipSpace() {
        while at < input.count {
            switch input[at] {
            case 0x20, 0x0a, 0x0d, 0x09: at += 1
            default: return
            }
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        at += 1
        return true
    }

    private mutating func value() throws(JSONError) -> JSON {
        skipSpace()
        guard let byte = next else { throw fail("unexpected end") }
        switch byte {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"): return try nested(Self.object)
        case UInt8(ascii: "["): return try nested(Self.array)
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw fail("unexpected character")
        }
    }

    private mutating func nested(
        _ read: (inout JSONParser) throws(JSONError) -> JSON
    ) throws(JSONError) -> JSON {
        depth += 1
        if depth > JSON.maximumDepth { throw fail("nested deeper than \(JSON.maximumDepth) levels") }
        at += 1
        let value = try read(&self)
        depth -= 1
        return value
    }

    private static func object(_ parser: inout JSONParser) throws(JSONError) -> JSON {
        var members: [(name: String, value: JSON)] = []
        var seen: Set<String> = []
        parser.skipSpace()
        if parser.take(UInt8(ascii: "}")) { return .object(JSON.Object()) }
        members.reserveCapacity(8)
        while true {
            parser.skipSpace()
            guard parser.next == UInt8(ascii: "\"") else { throw parser.fail("expected a member name") }
            let name = try parser.string()
            try parser.refuseRepeat(of: name, in: members, &seen)
            parser.skipSpace()
            guard parser.take(UInt8(ascii: ":")) else { throw parser.fail("expected ':'") }
            members.append((name, try parser.value()))
            parser.skipSpace()
            if parser.take(UInt8(ascii: ",")) { continue }
            guard parser.take(UInt8(ascii: "}")) else { throw parser.fail("expected ',' or '}'") }
            return .object(JSON.Object(members))
        }
    }

    /// Small objects are searched; a set is only worth its cost in large ones.
    private func refuseRepeat(
        of name: String, in members: [(name: String, value: JSON)], _ seen: inout Set<String>
    ) throws(JSONError) {
        let isRepeated: Bool
        if members.count < 16 {
            isRepeated = members.contains { $0.name == name }
        } else {
            if seen.isEmpty { seen = Set(members.map(\.name)) }
            isRepeated = !seen.insert(name).inserted
        }
        if isRepeated { throw fail("repeated member name") }
    }

    private static func array(_ parser: inout JSONParser) throws(JSONError) -> JSON {
        var elements: [JSON] = []
        parser.skipSpace()
        if parser.take(UInt8(ascii: "]")) { return .array([]) }
        while true {
            elements.append(try parser.value())
            parser.skipSpace()
            if parser.take(UInt8(ascii: ",")) { continue }
            guard parser.take(UInt8(ascii: "]")) else { throw parser.fail("expected ',' or ']'") }
            return .array(elements)
        }
    }

    private mutating func literal(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        let count = word.utf8CodeUnitCount
        guard at + count <= input.count else { throw fail("unexpected end") }
        for i in 0..<count where input[at + i] != word.utf8Start[i] { throw fail("unexpected word") }
        at += count
        return value
    }

    // MARK: Numbers

    private mutating func digits() -> Int {
        let start = at
        while let byte = next, byte &- 0x30 < 10 { at += 1 }
        return at - start
    }

    private mutating func number() throws(JSONError) -> JSON {
        let start = at
        _ = take(UInt8(ascii: "-"))
        let first = at
        let count = digits()
        guard count > 0 else { throw fail("expected a digit") }
        if count > 1 && input[first] == UInt8(ascii: "0") { throw fail("a number has no leading zero") }
        var isInteger = true
        if take(UInt8(ascii: ".")) {
            isInteger = false
            guard digits() > 0 else { throw fail("expected a digit") }
        }
        if let byte = next, byte | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            at += 1
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            guard digits() > 0 else { throw fail("expected a digit") }
        }
        let text = UnsafeBufferPointer(rebasing: input[start..<at])
        if isInteger, let value = Self.integer(text) { return .int(value) }
        return .number(String(decoding: text, as: UTF8.self))
    }

    /// Nil when it does not fit.
    private static func integer(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        let isNegative = text.first == UInt8(ascii: "-")
        var value = 0
        for digit in text.dropFirst(isNegative ? 1 : 0) {
            // Summed below zero, where there is room for one more than above.
            let (tens, isTooLong) = value.multipliedReportingOverflow(by: 10)
            let (sum, isTooLarge) = tens.subtractingReportingOverflow(Int(digit - 0x30))
            if isTooLong || isTooLarge { return nil }
            value = sum
        }
        if isNegative { return value }
        return value == .min ? nil : -value
    }

    // MARK: Strings

    private mutating func string() throws(JSONError) -> String {
        at += 1
        let start = at
        let plain = JSONScan.plain(input, from: start)
        at += plain.count
        guard at < input.count else { throw fail("unexpected end of a string") }
        if input[at] == 0x22 {
            let bytes = UnsafeBufferPointer(rebasing: input[start..<at])
            at += 1
            // ASCII needs no check, and decoding it is twice as fast as validating.
            return plain.isASCII ? String(decoding: bytes, as: UTF8.self) : try utf8(bytes, from: start)
        }
        return try escapedString(from: start)
    }

    private func utf8(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) throws(JSONError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw JSONError(offset: start, reason: "a string is not UTF-8")
        }
        return text
    }

    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var out = Array(input[start..<at])
        while at < input.count {
            let byte = input[at]
            if byte < 0x20 { throw fail("a control character must be escaped") }
            at += 1
            switch byte {
            case 0x22:
                return try out.withUnsafeBufferPointer { bytes throws(JSONError) in try utf8(bytes, from: start) }
            case 0x5c: try escape(into: &out)
            default:
                let count = 1 + JSONScan.plain(input, from: at).count
                out.append(contentsOf: input[at - 1..<at - 1 + count])
                at += count - 1
            }
        }
        throw fail("unexpected end of a string")
    }

    private mutating func escape(into out: inout [UInt8]) throws(JSONError) {
        guard let byte = next else { throw fail("unexpected end of a string") }
        at += 1
        switch byte {
        case 0x22, 0x5c, 0x2f: out.append(byte)
        case UInt8(ascii: "n"): out.append(0x0a)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "r"): out.append(0x0d)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0c)
        case UInt8(ascii: "u"): out.append(contentsOf: String(Character(try unicodeEscape())).utf8)
        default: throw fail("unknown escape")
        }
    }

    private mutating func unicodeEscape() throws(JSONError) -> Unicode.Scalar {
        var code = try hexQuad()
        if code & 0xfc00 == 0xd800 {
            guard take(0x5c), take(UInt8(ascii: "u")) else { throw fail("half a surrogate pair") }
            let low = try hexQuad()
            guard low & 0xfc00 == 0xdc00 else { throw fail("half a surrogate pair") }
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw fail("half a surrogate pair") }
        return scalar
    }

    private mutating func hexQuad() throws(JSONError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next else { throw fail("unexpected end of a string") }
            switch byte {
            case 0x30...0x39: code = code << 4 | UInt32(byte - 0x30)
            case 0x41...0x46, 0x61...0x66: code = code << 4 | UInt32((byte | 0x20) - 0x57)
            default: throw fail("expected four hexadecimal digits")
            }
            at += 1
        }
        return code
    }
}
