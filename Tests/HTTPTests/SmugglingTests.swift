// SPDX-License-Identifier: Apache-2.0
// Requests that two servers in a row could read differently, each sent over a socket with a second, hidden request
// behind it. The first must be refused and the connection ended: the hidden one must never be answered.

import HTTP
import Testing

private let hidden = "GET /test/small HTTP/1.1\r\nHost: test\r\n\r\n"

struct SmugglingCase: Sendable, CustomTestStringConvertible {
    let name: String
    let request: String
    let status: Int
    init(_ name: String, _ request: String, _ status: Int = 400) {
        self.name = name
        self.request = request
        self.status = status
    }
    var testDescription: String { name }

    private static func post(_ name: String, _ fields: String, _ body: String = "0\r\n\r\n", _ status: Int = 400)
        -> SmugglingCase
    {
        SmugglingCase(name, "POST /test/echo HTTP/1.1\r\nHost: test\r\n\(fields)\r\n\r\n\(body)", status)
    }

    private static func get(_ name: String, _ fields: String, _ status: Int = 400) -> SmugglingCase {
        SmugglingCase(name, "GET /test/small HTTP/1.1\r\n\(fields)\r\n\r\n", status)
    }

    static let all: [SmugglingCase] = lengths + codings + lines + targets + hosts

    private static let lengths = [
        post("two equal lengths", "Content-Length: 5\r\nContent-Length: 5", "hello"),
        post("two different lengths", "Content-Length: 5\r\nContent-Length: 0", "hello"),
        post("a list of lengths", "Content-Length: 5, 5", "hello"),
        post("a signed length", "Content-Length: +5", "hello"),
        post("a negative length", "Content-Length: -5", "hello"),
        post("a hexadecimal length", "Content-Length: 0x5", "hello"),
        post("a length with a space inside", "Content-Length: 1 0", "hello"),
        post("an empty length", "Content-Length:", "hello"),
        post("a length that overflows", "Content-Length: 18446744073709551621", "hello"),
        post("a length with a fraction", "Content-Length: 5.0", "hello"),
        post("a length with a vertical tab", "Content-Length: \u{b}5", "hello"),
        post("a length and a coding", "Content-Length: 5\r\nTransfer-Encoding: chunked"),
        post("a coding and a length", "Transfer-Encoding: chunked\r\nContent-Length: 5"),
        post("a zero length and a coding", "Content-Length: 0\r\nTransfer-Encoding: chunked"),
    ]

    private static let codings = [
        post("two codings", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        post("identity after chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
        post("a list of codings", "Transfer-Encoding: gzip, chunked", "0\r\n\r\n", 501),
        post("chunked twice in a list", "Transfer-Encoding: chunked, chunked", "0\r\n\r\n", 501),
        post("an unknown coding", "Transfer-Encoding: xchunked", "0\r\n\r\n", 501),
        post("a quoted coding", "Transfer-Encoding: \"chunked\"", "0\r\n\r\n", 501),
        post("a coding with a parameter", "Transfer-Encoding: chunked;a=b", "0\r\n\r\n", 501),
        post("an empty coding", "Transfer-Encoding:", "0\r\n\r\n", 501),
        post("a coding with a vertical tab", "Transfer-Encoding: \u{b}chunked"),
        post("a coding with a NUL", "Transfer-Encoding: chunked\0"),
        post("a space before the coding's colon", "Transfer-Encoding : chunked"),
        post("a tab before the coding's colon", "Transfer-Encoding\t: chunked"),
        SmugglingCase(
            "a coding in HTTP/1.0",
            "POST /test/echo HTTP/1.0\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        post("a chunk size with a sign", "Transfer-Encoding: chunked", "+5\r\nhello\r\n0\r\n\r\n"),
        post("a chunk size with 0x", "Transfer-Encoding: chunked", "0x5\r\nhello\r\n0\r\n\r\n"),
        post("a chunk size that overflows", "Transfer-Encoding: chunked", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
        post("a chunk that is too long", "Transfer-Encoding: chunked", "3\r\nhello\r\n0\r\n\r\n"),
        post("a chunk line ended by LF", "Transfer-Encoding: chunked", "5\nhello\r\n0\r\n\r\n"),
        post("a chunk ended by LF", "Transfer-Encoding: chunked", "5\r\nhello\n0\r\n\r\n"),
        post("a last chunk ended by LF", "Transfer-Encoding: chunked", "0\n\n"),
        post("a space after a chunk's size", "Transfer-Encoding: chunked", "5 \r\nhello\r\n0\r\n\r\n"),
        post("a trailer without a colon", "Transfer-Encoding: chunked", "0\r\nGET / HTTP/1.1\r\n\r\n"),
    ]

    private static let lines = [
        get("a folded line", "Host: test\r\nX-A: b\r\n c"),
        get("a folded line with a tab", "Host: test\r\nX-A: b\r\n\tc"),
        get("a first line that is folded", " X-A: b\r\nHost: test"),
        get("a space before a colon", "Host: test\r\nX-A : b"),
        get("a name with a space", "Host: test\r\nX A: b"),
        get("a line without a colon", "Host: test\r\nX-A"),
        get("an empty name", "Host: test\r\n: b"),
        get("a name with a bracket", "Host: test\r\nX[A]: b"),
        get("a name that is not ASCII", "Host: test\r\nX-Ä: b"),
        get("a NUL in a value", "Host: test\r\nX-A: b\0c"),
        get("a bare CR in a value", "Host: test\r\nX-A: b\rc"),
        get("a bare LF in a value", "Host: test\r\nX-A: b\nc"),
        SmugglingCase("bare LF line ends", "GET /test/small HTTP/1.1\nHost: test\n\n"),
        SmugglingCase("a bare LF before the end", "GET /test/small HTTP/1.1\r\nHost: test\n\r\n"),
        SmugglingCase("a bare CR as line end", "GET /test/small HTTP/1.1\rHost: test\r\r"),
    ]

    private static let targets = [
        SmugglingCase("two spaces after the method", "GET  /test/small HTTP/1.1\r\nHost: test\r\n\r\n"),
        SmugglingCase("a tab after the method", "GET\t/test/small HTTP/1.1\r\nHost: test\r\n\r\n"),
        SmugglingCase("a space in the target", "GET /test/small x HTTP/1.1\r\nHost: test\r\n\r\n"),
        SmugglingCase("no version", "GET /test/small\r\nHost: test\r\n\r\n"),
        SmugglingCase("a lower-case version", "GET /test/small http/1.1\r\nHost: test\r\n\r\n"),
        SmugglingCase("a version with two digits", "GET /test/small HTTP/1.10\r\nHost: test\r\n\r\n"),
        SmugglingCase("version 2.0", "GET /test/small HTTP/2.0\r\nHost: test\r\n\r\n", 505),
        SmugglingCase("version 1.2", "GET /test/small HTTP/1.2\r\nHost: test\r\n\r\n", 505),
        SmugglingCase("a space after the version", "GET /test/small HTTP/1.1 \r\nHost: test\r\n\r\n"),
        SmugglingCase("a method that is no token", "G@T /test/small HTTP/1.1\r\nHost: test\r\n\r\n"),
        SmugglingCase("an unknown method", "BREW /test/small HTTP/1.1\r\nHost: test\r\n\r\n", 501),
        SmugglingCase("a tunnel", "CONNECT test:443 HTTP/1.1\r\nHost: test\r\n\r\n", 501),
        SmugglingCase("a target without a slash", "GET test/small HTTP/1.1\r\nHost: test\r\n\r\n"),
        SmugglingCase("a target with a fragment", "GET /test/small#x HTTP/1.1\r\nHost: test\r\n\r\n"),
        SmugglingCase("a target with a raw byte", "GET /test/sm\u{e4}ll HTTP/1.1\r\nHost: test\r\n\r\n"),
        SmugglingCase("an absolute target with user", "GET http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n"),
        SmugglingCase("a target of another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    ]

    private static let hosts = [
        get("no host", "X-A: b"),
        get("two hosts", "Host: test\r\nHost: test"),
        get("an empty host", "Host:"),
        get("a host with a path", "Host: test/evil"),
        get("a host with a user", "Host: evil@test"),
        get("a host with a space", "Host: test evil"),
        get("a host with a comma", "Host: test,evil"),
        get("an unknown expectation", "Host: test\r\nExpect: 200-ok", 417),
    ]
}

@Suite struct SmugglingTests {
    @Test(arguments: SmugglingCase.all)
    func aRequestWithTwoMeaningsIsRefusedAndEndsTheConnection(_ example: SmugglingCase) async throws {
        try await withServer { server in
            let client = try RawClient(port: server.port)
            try client.send(example.request + hidden)
            let response = try client.readResponse()
            #expect(response.status == example.status)
            #expect(response["connection"] == "close")
            #expect(response["x-openstack-request-id"]?.hasPrefix("req-") == true)
            client.endSending()
            #expect(throws: RawClientError.self) { try client.readResponse() }
        }
    }
}
