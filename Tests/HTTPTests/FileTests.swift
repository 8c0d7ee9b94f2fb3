// SPDX-License-Identifier: Apache-2.0
import Core
import Glibc
import HTTP
import Testing

private let content = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
private let tag = "\"v1\""

private let file = Route(.get, "/file", open: .open) { call in
    let descriptor = temporaryFile()
    _ = content.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    return .file(
        descriptor, size: content.count, for: call.request.head, type: "application/octet-stream", tag: tag,
        changed: Instant(seconds: 784_111_777))
}

@Suite struct FileTests {
    @Test func aFileIsSentWholeOrInPart() async throws {
        try await withServer(routes: [file]) { server in
            let client = try RawClient(port: server.port)
            let whole = try client.get("/test/file")
            #expect(whole.status == 200)
            #expect(whole.body == content)
            #expect(whole["accept-ranges"] == "bytes")
            #expect(whole["last-modified"] == "Sun, 06 Nov 1994 08:49:37 GMT")
            let part = try client.get("/test/file", "Range: bytes=10-19\r\n")
            #expect(part.status == 206)
            #expect(part.body == Array(content[10...19]))
            #expect(part["content-range"] == "bytes 10-19/200000")
            #expect(try client.get("/test/file", "Range: bytes=199990-\r\n").body == Array(content[199_990...]))
            #expect(try client.get("/test/file", "Range: bytes=-5\r\n").body == Array(content.suffix(5)))
        }
    }

    @Test func aRangePastTheEndIsTold416() async throws {
        try await withServer(routes: [file]) { server in
            let client = try RawClient(port: server.port)
            let response = try client.get("/test/file", "Range: bytes=200000-\r\n")
            #expect(response.status == 416)
            #expect(response["content-range"] == "bytes */200000")
            #expect(try client.get("/test/small").status == 200)
        }
    }

    @Test func conditionsAreHonoured() async throws {
        try await withServer(routes: [file]) { server in
            let client = try RawClient(port: server.port)
            #expect(try client.get("/test/file", "Range: bytes=0-0\r\nIf-Range: \"v0\"\r\n").status == 200)
            #expect(try client.get("/test/file", "Range: bytes=0-0\r\nIf-Range: \"v1\"\r\n").status == 206)
            #expect(try client.get("/test/file", "If-None-Match: \"v1\"\r\n").status == 304)
            #expect(try client.get("/test/file", "If-None-Match: \"v0\"\r\n").status == 200)
            #expect(try client.get("/test/file", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n").status == 304)
        }
    }

    @Test func aHeadOfAFileTellsItsLength() async throws {
        try await withServer(routes: [file]) { server in
            let client = try RawClient(port: server.port)
            let response = try client.exchange("HEAD /test/file HTTP/1.1\r\nHost: test\r\n\r\n")
            #expect(response["content-length"] == "200000")
            #expect(try client.get("/test/small").status == 200)
        }
    }

    @Test func descriptorsAreClosed() async throws {
        // A size that no other file here has: other tests open descriptors at the same time.
        let size = 77_777
        let odd = Route(.get, "/odd", open: .open) { call in
            let descriptor = temporaryFile()
            ftruncate(descriptor, size)
            return .file(descriptor, size: size, for: call.request.head, type: "application/octet-stream", tag: tag)
        }
        try await withServer(routes: [odd]) { server in
            let client = try RawClient(port: server.port)
            for _ in 0..<20 { _ = try client.get("/test/odd", "Range: bytes=0-9\r\n") }
            for _ in 0..<20 { _ = try client.exchange("HEAD /test/odd HTTP/1.1\r\nHost: test\r\n\r\n") }
            for _ in 0..<20 { _ = try client.get("/test/odd", "If-None-Match: *\r\n") }
            let open = (0..<Int32(8192)).count { descriptor in
                var status = stat()
                return fstat(descriptor, &status) == 0 && status.st_size == size
            }
            // The last one may still be on its way out.
            #expect(open <= 1)
        }
    }

    @Test(arguments: [
        ("bytes=0-9", ByteRange.part(0..<10)), ("bytes=90-", .part(90..<100)), ("bytes=-10", .part(90..<100)),
        ("bytes=-1000", .part(0..<100)), ("bytes=50-1000", .part(50..<100)), ("bytes=100-", .unsatisfiable),
        ("bytes=-0", .unsatisfiable), ("bytes=9-0", .whole), ("bytes=0-9,20-29", .whole), ("items=0-9", .whole),
        ("bytes=", .whole), ("bytes=-", .whole), ("bytes=a-b", .whole), ("bytes=99999999999999999999-", .whole),
    ])
    func rangesAreRead(_ field: String, _ expected: ByteRange) {
        #expect(ByteRange(field, size: 100) == expected)
    }
}
