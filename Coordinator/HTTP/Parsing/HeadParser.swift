// SPDX-License-Identifier: Apache-2.0
// Reads the head of a request (RFC 9112), strictly: bytes in; a head, "more, please" or a fault out. No I/O, no clock.
// What two readers could understand in two ways is refused, because a proxy in front may be the other reader: bare line
// feeds, folded lines, space before a colon, two lengths, a length beside a transfer coding, codings but "chunked".
//
// Bytes that arrive one by one are looked at once each; a byte that can never be right is refused as soon as it is
// seen.

import CSystem
import Core

/// Why a request cannot be read. The sentence goes to the client.
package struct RequestFault: Error, Equatable {
    package let status: HTTPStatus
    package let reason: StaticString

    init(_ status: HTTPStatus, _ reason: StaticString) {
        self.status = status
        self.reason = reason
    }
    package static func == (a: RequestFault, b: RequestFault) -> Bool {
        a.status == b.status && "\(a.reason)" == "\(b.reason)"
    }
    static func bad(_ reason: StaticString) -> RequestFault { RequestFault(.badRequest, reason) }
}

/// A head that was understood, with what the connection must know of it. Ranges count from the head's first byte.
package struct ParsedHead {
    package enum Framing: Equatable { case none, fixed(Int), chunked }
    /// Bytes of the head, the empty line included.
    package var count = 0
    package var method = HTTPMethod.get
    package var path = 0..<0
    package var query = 0..<0
    package var fields: [RequestHead.Field] = []
    package var framing = Framing.none
    package var isVersion10 = false
    package var keepsAlive = true
    package var expectsContinue = false
    package var wantsUpgrade = false
}

package struct HeadParser {
    package enum Outcome {
        case incomplete
        case head(ParsedHead)
        case fault(RequestFault)
    }

    private let largestHead: Int
    private let mostFields: Int
    /// Bytes known to hold nothing wrong and no end.
    private var scanned = 0

    package init(largestHead: Int = Limits.requestHeadBytes, mostFields: Int = Limits.requestHeaderFields) {
        self.largestHead = largestHead
        self.mostFields = mostFields
    }

    /// Looks at everything received since the last head; the same bytes come again, with more after them, until a head
    /// is found. The bytes a head took are `count`; leading empty lines must be dropped with `leadingLines` before.
    package mutating func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> Outcome {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return .incomplete }
        // The end may begin up to three bytes before what is new.
        let from = max(0, scanned - 3)
        guard let end = csystem_head_end(base + from, bytes.count - from) else {
            if bytes.count > largestHead { return .fault(Self.tooLarge) }
            if let fault = scan(bytes) { return .fault(fault) }
            return .incomplete
        }
        let count = end - base + 4
        guard count <= largestHead else { return .fault(Self.tooLarge) }
        scanned = 0
        var reader = HeadReader(base: base, count: count, mostFields: mostFields)
        do {
            return .head(try reader.read())
        } catch {
            return .fault(error)
        }
    }

    /// Empty lines a sloppy client left after its last body; at most two are forgiven.
    package static func leadingLines(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var at = 0
        while at < 4, at + 1 < bytes.count, bytes[at] == 0x0d, bytes[at + 1] == 0x0a { at += 2 }
        return at
    }

    private static let tooLarge = RequestFault(.headersTooLarge, "The request's head is too large.")

    private mutating func scan(_ bytes: UnsafeBufferPointer<UInt8>) -> RequestFault? {
        var at = scanned
        while at < bytes.count {
            let byte = bytes[at]
            if byte < 0x20 {
                switch byte {
                case 0x0a where at == 0 || bytes[at - 1] != 0x0d: return .bad("A line must end with CR LF.")
                case 0x0a, 0x09: break
                case 0x0d:
                    // Judged with the byte after it.
                    if at + 1 == bytes.count {
                        scanned = at
                        return nil
                    }
                    if bytes[at + 1] != 0x0a { return .bad("A line must end with CR LF.") }
                default: return .bad("The request's head holds a control character.")
                }
            } else if byte == 0x7f {
                return .bad("The request's head holds a control character.")
            }
            at += 1
        }
        scanned = at
        return nil
    }
}

/// One walk over a whole head. The last four bytes are CR LF CR LF, so no step needs to ask for the end of the buffer
/// as long as it stops at CR.
private struct HeadReader {
    let base: UnsafePointer<UInt8>
    let count: Int
    let mostFields: Int
    var at = 0
    var head = ParsedHead()
    private var hasHost = false
    private var hasLength = false
    private var hasCoding = false

    init(base: UnsafePointer<UInt8>, count: Int, mostFields: Int) {
        self.base = base
        self.count = count
        self.mostFields = mostFields
    }

    mutating func read() throws(RequestFault) -> ParsedHead {
        try readMethod()
        try readTarget()
        try readVersion()
        head.fields.reserveCapacity(12)
        while base[at] != 0x0d { try readField() }
        guard at + 2 == count, base[at + 1] == 0x0a else { throw .bad("A line must end with CR LF.") }
        try checkWhole()
        head.count = count
        return head
    }

    private mutating func readMethod() throws(RequestFault) {
        while ByteSet.token.contains(base[at]) { at += 1 }
        guard at > 0, base[at] == 0x20 else { throw .bad("The request line must begin with a method and one space.") }
        guard let method = method(length: at) else {
            throw RequestFault(.notImplemented, "This method is not known here.")
        }
        head.method = method
        at += 1
    }

    private func method(length: Int) -> HTTPMethod? {
        if length == 3, matches(0, "GET") { return .get }
        return HTTPMethod.allCases.first { method in
            var text = method.rawValue
            return text.withUTF8 { utf8 in
                utf8.count == length && utf8.indices.allSatisfy { utf8[$0] == base[$0] }
            }
        }
    }

    private mutating func readTarget() throws(RequestFault) {
        if base[at] == UInt8(ascii: "*"), base[at + 1] == 0x20, head.method == .options {
            // "The server itself": told by the root. The path must have a "/" to point at; the version brings one.
            at += 1
            guard at + 6 < count else { throw .bad("The request line is cut off.") }
            head.path = at + 5..<at + 6
            head.query = at..<at
            return
        }
        if base[at] != UInt8(ascii: "/") { try skipAuthority() }
        let start = at
        var question = -1
        while base[at] > 0x20, base[at] < 0x7f {
            if base[at] == UInt8(ascii: "?"), question < 0 { question = at }
            if base[at] == UInt8(ascii: "#") { throw .bad("The request's target must not have a fragment.") }
            at += 1
        }
        guard base[at] == 0x20, at > start, base[start] == UInt8(ascii: "/") else {
            throw .bad("The request's target must be a path and hold printable ASCII only.")
        }
        head.path = start..<(question < 0 ? at : question)
        head.query = (question < 0 ? at : question + 1)..<at
    }

    /// The absolute form, "http://host/path", as proxies send it.
    private mutating func skipAuthority() throws(RequestFault) {
        let length = matchesAnyCase(at, "https://") ? 8 : matchesAnyCase(at, "http://") ? 7 : 0
        guard length > 0 else { throw .bad("The request's target must begin with '/'.") }
        at += length
        let start = at
        while ByteSet.host.contains(base[at]) { at += 1 }
        guard at > start, base[at] == UInt8(ascii: "/") else {
            throw .bad("The request's target has no valid host and path.")
        }
    }

    private mutating func readVersion() throws(RequestFault) {
        guard count - at >= 13, matches(at, " HTTP/"), base[at + 9] == 0x0d, base[at + 10] == 0x0a,
            base[at + 7] == UInt8(ascii: "."), isDigit(base[at + 6]), isDigit(base[at + 8])
        else { throw .bad("The request line must end with one space and the version, such as HTTP/1.1.") }
        guard base[at + 6] == UInt8(ascii: "1"), base[at + 8] <= UInt8(ascii: "1") else {
            throw RequestFault(
                HTTPStatus(505, "HTTP Version Not Supported"), "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
        }
        head.isVersion10 = base[at + 8] == UInt8(ascii: "0")
        head.keepsAlive = !head.isVersion10
        at += 11
    }

    private mutating func readField() throws(RequestFault) {
        let start = at
        while ByteSet.token.contains(base[at]) { at += 1 }
        guard at > start, base[at] == UInt8(ascii: ":") else {
            throw .bad("A header line must be a name, a colon right after it, and a value.")
        }
        let name = start..<at
        at += 1
        while base[at] == 0x20 || base[at] == 0x09 { at += 1 }
        let first = at
        while base[at] >= 0x20 && base[at] != 0x7f || base[at] == 0x09 { at += 1 }
        guard base[at] == 0x0d, base[at + 1] == 0x0a else { throw .bad("A header value holds a control character.") }
        var end = at
        while end > first, base[end - 1] == 0x20 || base[end - 1] == 0x09 { end -= 1 }
        at += 2
        guard head.fields.count < mostFields else {
            throw RequestFault(.headersTooLarge, "The request has too many header fields.")
        }
        head.fields.append(RequestHead.Field(name: name, value: first..<end))
        try note(name, first..<end)
    }

    /// The fields that decide about the connection and the body.
    private mutating func note(_ name: Range<Int>, _ value: Range<Int>) throws(RequestFault) {
        let start = name.lowerBound
        switch name.count {
        case 4 where matchesAnyCase(start, "host"): try noteHost(value)
        case 6 where matchesAnyCase(start, "expect"):
            guard value.count == 12, matchesAnyCase(value.lowerBound, "100-continue") else {
                throw RequestFault(HTTPStatus(417, "Expectation Failed"), "The only expectation known is 100-continue.")
            }
            head.expectsContinue = true
        case 7 where matchesAnyCase(start, "upgrade"): head.wantsUpgrade = true
        case 10 where matchesAnyCase(start, "connection"): noteConnection(value)
        case 14 where matchesAnyCase(start, "content-length"): try noteLength(value)
        case 17 where matchesAnyCase(start, "transfer-encoding"):
            guard !hasCoding else { throw .bad("Transfer-Encoding may come once only.") }
            hasCoding = true
            guard value.count == 7, matchesAnyCase(value.lowerBound, "chunked") else {
                throw RequestFault(.notImplemented, "The only transfer coding known is chunked.")
            }
            head.framing = .chunked
        default: break
        }
    }

    private mutating func noteHost(_ value: Range<Int>) throws(RequestFault) {
        guard !hasHost else { throw .bad("Host may come once only.") }
        hasHost = true
        guard !value.isEmpty, value.allSatisfy({ ByteSet.host.contains(base[$0]) }) else {
            throw .bad("The Host header is not a valid host name and port.")
        }
    }

    private mutating func noteLength(_ value: Range<Int>) throws(RequestFault) {
        guard !hasLength else { throw .bad("Content-Length may come once only.") }
        hasLength = true
        // 18 digits cannot overflow.
        guard !value.isEmpty, value.count <= 18 else { throw .bad("Content-Length must be a number of bytes.") }
        var length = 0
        for i in value {
            guard isDigit(base[i]) else { throw .bad("Content-Length must be a number of bytes.") }
            length = length * 10 + Int(base[i] - 0x30)
        }
        if head.framing == .none { head.framing = .fixed(length) }
    }

    private mutating func noteConnection(_ value: Range<Int>) {
        var start = value.lowerBound
        while start < value.upperBound {
            var end = start
            while end < value.upperBound, base[end] != UInt8(ascii: ",") { end += 1 }
            var first = start, last = end
            while first < last, base[first] == 0x20 || base[first] == 0x09 { first += 1 }
            while last > first, base[last - 1] == 0x20 || base[last - 1] == 0x09 { last -= 1 }
            if last - first == 5, matchesAnyCase(first, "close") { head.keepsAlive = false }
            if last - first == 10, head.isVersion10, matchesAnyCase(first, "keep-alive") { head.keepsAlive = true }
            start = end + 1
        }
    }

    private mutating func checkWhole() throws(RequestFault) {
        guard hasHost || head.isVersion10 else { throw .bad("The request has no Host header.") }
        if hasCoding {
            guard !hasLength else { throw .bad("Content-Length and Transfer-Encoding exclude each other.") }
            guard !head.isVersion10 else { throw .bad("HTTP/1.0 knows no Transfer-Encoding.") }
        }
        if head.framing == .fixed(0) { head.framing = .none }
        if head.isVersion10 { head.expectsContinue = false }
    }

    @inline(__always)
    private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// Never reads past the head: it ends with CR, which no text below holds.
    @inline(__always)
    private func matches(_ start: Int, _ text: StaticString) -> Bool {
        for i in 0..<text.utf8CodeUnitCount where base[start + i] != text.utf8Start[i] { return false }
        return true
    }

    @inline(__always)
    private func matchesAnyCase(_ start: Int, _ text: StaticString) -> Bool {
        for i in 0..<text.utf8CodeUnitCount {
            let byte = base[start + i]
            if (byte &- 0x41 < 26 ? byte | 0x20 : byte) != text.utf8Start[i] { return false }
        }
        return true
    }
}
