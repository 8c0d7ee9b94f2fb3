// SPDX-License-Identifier: Apache-2.0
import HTTP
import Testing

private func parse(_ text: String) -> HeadParser.Outcome {
    var parser = HeadParser()
    return Array(text.utf8).withUnsafeBufferPointer { parser.parse($0) }
}

private func head(_ text: String) throws -> ParsedHead {
    guard case .head(let head) = parse(text) else { throw Unexpected(outcome: "\(parse(text))") }
    return head
}

private func status(_ text: String) -> Int? {
    if case .fault(let fault) = parse(text) { fault.status.code } else { nil }
}

private struct Unexpected: Error { let outcome: String }

@Suite struct HeadParserTests {
    @Test func aWholeHeadIsUnderstood() throws {
        let text =
            "POST /identity/v3?a=b&c HTTP/1.1\r\nHost: cloud.example:5000\r\nContent-Length: 12\r\nX-A:  b c \t\r\n\r\nrest"
        let head = try head(text)
        let bytes = Array(text.utf8)
        func part(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        #expect(head.method == .post)
        #expect(part(head.path) == "/identity/v3")
        #expect(part(head.query) == "a=b&c")
        #expect(head.fields.map { part($0.name) } == ["Host", "Content-Length", "X-A"])
        #expect(head.fields.map { part($0.value) } == ["cloud.example:5000", "12", "b c"])
        #expect(head.framing == .fixed(12))
        #expect(head.keepsAlive)
        #expect(head.count == bytes.count - 4)
    }

    @Test func everyProperPrefixIsIncompleteAndParsingInPiecesGivesTheSame() throws {
        let bytes = Array("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8)
        var parser = HeadParser()
        for count in 0..<bytes.count {
            guard case .incomplete = bytes[..<count].withUnsafeBufferPointer({ parser.parse($0) }) else {
                Issue.record("complete after \(count) bytes")
                return
            }
        }
        guard case .head(let head) = bytes.withUnsafeBufferPointer({ parser.parse($0) }) else {
            Issue.record("not complete")
            return
        }
        #expect(!head.keepsAlive)
    }

    @Test func theAbsoluteFormGivesThePath() throws {
        let text = "GET http://cloud.example:80/v3?x HTTP/1.1\r\nHost: cloud.example\r\n\r\n"
        let head = try head(text)
        #expect(String(decoding: Array(text.utf8)[head.path], as: UTF8.self) == "/v3")
    }

    @Test func theServerItselfIsAskedWithAnAsterisk() throws {
        let text = "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"
        let head = try head(text)
        #expect(String(decoding: Array(text.utf8)[head.path], as: UTF8.self) == "/")
        #expect(status("GET * HTTP/1.1\r\nHost: x\r\n\r\n") == 400)
    }

    @Test func oldClientsAreServedOnce() throws {
        #expect(try !head("GET / HTTP/1.0\r\n\r\n").keepsAlive)
        #expect(try head("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keepsAlive)
        #expect(try !head("GET / HTTP/1.1\r\nHost: x\r\nConnection: foo, Close\r\n\r\n").keepsAlive)
    }

    @Test func aChunkedBodyAndTheWishToContinueAreNoted() throws {
        let head = try head("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\nExpect: 100-Continue\r\n\r\n")
        #expect(head.framing == .chunked)
        #expect(head.expectsContinue)
    }

    @Test func aHeadThatIsTooLargeIsRefusedBeforeItsEnd() {
        #expect(status("GET / HTTP/1.1\r\nHost: x\r\nX-A: " + String(repeating: "a", count: 40_000)) == 431)
        let many = (0..<200).map { "X-\($0): a\r\n" }.joined()
        #expect(status("GET / HTTP/1.1\r\nHost: x\r\n\(many)\r\n") == 431)
    }

    @Test(arguments: [
        // A byte that can never be right is refused without waiting for the end.
        ("\u{16}\u{3}\u{1}", 400), ("GET / HTTP/1.1\nHost: x", 400), ("GET / HTTP/1.1\r\nHost: x\r\nA: \0", 400),
        ("GET / HTTP/1.1\rHost", 400), ("GET /\u{7f}", 400),
    ])
    func aWrongByteIsRefusedAtOnce(_ text: String, _ expected: Int) {
        #expect(status(text) == expected)
    }
}

@Suite struct ChunkDecoderTests {
    private func decode(_ text: String, step: Int = Int.max) throws -> (text: String, isDone: Bool, used: Int) {
        var decoder = ChunkDecoder()
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var used = 0
        while used < bytes.count, !decoder.isDone {
            let end = step == Int.max ? bytes.count : min(used + step, bytes.count)
            used += try Array(bytes[used..<end]).withUnsafeBufferPointer { try decoder.decode($0, into: &out) }
        }
        return (String(decoding: out, as: UTF8.self), decoder.isDone, used)
    }

    @Test func chunksAreJoinedHoweverTheyArrive() throws {
        let body = "5\r\nhello\r\n6;a=\"b\"\r\n world\r\n000\r\nX-T: 1\r\nX-U:\r\n\r\nNEXT"
        for step in [1, 2, 3, 7, Int.max] {
            let result = try decode(body, step: step)
            #expect(result.text == "hello world")
            #expect(result.isDone)
            #expect(result.used == body.utf8.count - 4)
        }
    }

    @Test(arguments: [
        "\r\n", "g\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", " 1\r\n", "1 \r\n", "1\n", "1\r\r\n", "1;\n", "1\r\nab\r\n",
        "1\r\na\n",
        "1\r\na\rX", "10000000000000000\r\n", "ffffffffffffffff\r\n", "0\r\n: x\r\n\r\n", "0\r\n x: y\r\n\r\n",
        "0\r\nx y\r\n\r\n",
        "0\r\nx: \u{1}\r\n\r\n", "0\r\nx\n", "0\r\n\n", "1;\u{1}\r\n", ";a\r\n",
    ])
    func whatIsNotExactlyRightIsRefused(_ body: String) {
        #expect(throws: RequestFault.self) { try decode(body) }
    }

    @Test func extensionsAndTrailersAreBounded() {
        #expect(throws: RequestFault.self) { try decode("1;" + String(repeating: "a", count: 9000) + "\r\n") }
        let trailers = (0..<2000).map { "X-\($0): a\r\n" }.joined()
        #expect(throws: RequestFault.self) { try decode("0\r\n" + trailers) }
        let small = String(repeating: "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n", count: 400)
        #expect(throws: RequestFault.self) { try decode(small) }
    }
}

@Suite struct QueryTests {
    private func parse(_ text: String) throws -> [String] {
        try Array(text.utf8).withUnsafeBufferPointer {
            try QueryParameters(parsing: $0).items.map { "\($0.name)=\($0.value)" }
        }
    }

    @Test func namesAndValuesAreDecoded() throws {
        #expect(try parse("name=a+b%20c&flag&x=%C3%A4&&y=1=2") == ["name=a b c", "flag=", "x=ä", "y=1=2"])
    }

    @Test(arguments: ["a=%", "a=%4", "a=%zz", "a=%ff", "%00=1", "a=%C3"])
    func whatIsNoTextIsRefused(_ query: String) {
        #expect(throws: (any Error).self) { try parse(query) }
    }

    @Test func tooManyParametersAreRefused() {
        #expect(throws: (any Error).self) { try parse((0..<300).map { "a\($0)=1" }.joined(separator: "&")) }
    }
}
