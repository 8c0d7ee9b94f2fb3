// SPDX-License-Identifier: Apache-2.0
// What many or greedy clients do to the rest: nothing. The numbers here are small enough for every run;
// Tests/Benchmarks/idle asks the same with 10,000 idle and 500 slow connections.

import Core
import Glibc
import HTTP
import Testing

/// This process's memory in KiB.
private func residentKiB() -> Int {
    let file = open("/proc/self/status", O_RDONLY)
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 8192)
    let count = read(file, &bytes, bytes.count)
    let text = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
    return Int(line.filter(\.isNumber)) ?? 0
}

@Suite(.serialized) struct LoadTests {
    /// Milliseconds, sorted, of `count` requests one after the other.
    private static func times(_ server: HTTPServer, count: Int) throws -> [Double] {
        let client = try RawClient(port: server.port)
        return try (0..<count).map { _ in
            let start = ContinuousClock.now
            guard try client.get("/test/small").status == 200 else { throw RawClientError.ended }
            let time = ContinuousClock.now - start
            return Double(time.components.attoseconds) / 1e15 + Double(time.components.seconds) * 1000
        }.sorted()
    }

    @Test func idleAndSlowConnectionsDoNotDisturbAClient() async throws {
        try await withServer { server in
            let before = try Self.times(server, count: 2000)
            let quiet = try (0..<400).map { _ in try RawClient(port: server.port) }
            let trickling = try (0..<50).map { _ in try RawClient(port: server.port) }
            for client in trickling { try client.send("GET /test/small HTTP/1.1\r\nHost: test\r\nX-Slow: ") }
            #expect(try Self.times(server, count: 10).count == 10)
            let after = try Self.times(server, count: 2000)
            for client in trickling { _ = client.sendSome([97]) }
            let (p99Before, p99After) = (before[before.count * 99 / 100], after[after.count * 99 / 100])
            // Twice, with room for a machine that does other things meanwhile.
            #expect(p99After < 2 * p99Before + 20)
            _ = quiet.count
        }
    }

    @Test func aBodyNobodyReadsWaitsAtTheClientAndCostsNoMemory() async throws {
        let stop = Route(.post, "/stop", open: .open) { call in
            var count = try await call.request.body.next()?.count ?? 0
            try await Task.sleep(for: .milliseconds(400))
            while let piece = try await call.request.body.next() { count += piece.count }
            return .text(.ok, "\(count)")
        }
        try await withServer(routes: [stop]) { server in
            let client = try RawClient(port: server.port)
            let size = 64 << 20
            try client.send("POST /test/stop HTTP/1.1\r\nHost: test\r\nContent-Length: \(size)\r\n\r\n")
            let piece = [UInt8](repeating: 7, count: 1 << 20)
            // As long as the handler sleeps only the kernel's buffers fill.
            var taken = 0
            usleep(50_000)
            let start = ContinuousClock.now
            while ContinuousClock.now - start < .milliseconds(250) {
                let sent = client.sendSome(piece)
                if sent > 0 { taken += sent } else { usleep(1000) }
            }
            #expect(taken < 32 << 20)
            while taken < size { taken += client.send(some: piece, atMost: size - taken) }
            #expect(try client.readResponse().text == "\(size)")
        }
    }

    @Test func aStreamIsHeldBackByItsReaderAndMemoryStaysConstant() async throws {
        let written = Metrics().counter("written", help: "Bytes.")
        let endless = Route(.get, "/endless", open: .open) { _ in
            Response(
                .ok,
                body: .stream(length: nil) { writer in
                    let piece = [UInt8](repeating: 120, count: 64 * 1024)
                    for _ in 0..<4096 {
                        try await writer.write(piece)
                        written.add(piece.count)
                    }
                })
        }
        try await withServer(routes: [endless]) { server in
            let client = try RawClient(port: server.port, receiveBuffer: 64 * 1024)
            try client.send("GET /test/endless HTTP/1.1\r\nHost: test\r\n\r\n")
            _ = try client.readHead()
            var last = -1
            while written.value != last {
                last = written.value
                usleep(100_000)
            }
            #expect(written.value < 32 << 20)
            let memory = residentKiB()
            var total = 0
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            while total < 200 << 20 {
                let got = recv(client.descriptor, &buffer, buffer.count, 0)
                guard got > 0 else { throw RawClientError.ended }
                total += got
            }
            #expect(residentKiB() < memory + 64 * 1024)
        }
    }

    @Test func oneGreedyClientDoesNotHoldUpAnother() async throws {
        try await withServer { server in
            let greedy = try RawClient(port: server.port)
            let requests = Array(
                String(repeating: "GET /test/small HTTP/1.1\r\nHost: test\r\n\r\n", count: 20_000).utf8)
            _ = greedy.sendSome(requests)
            let uploader = try RawClient(port: server.port)
            try uploader.send("POST /test/count HTTP/1.1\r\nHost: test\r\nContent-Length: 100000000\r\n\r\n")
            _ = uploader.sendSome([UInt8](repeating: 1, count: 8 << 20))
            let times = try Self.times(server, count: 100)
            #expect(times[50] < 50)
        }
    }
}

extension RawClient {
    /// Sends up to `most` bytes, waiting for room; returns how many were taken.
    fileprivate func send(some bytes: [UInt8], atMost most: Int) -> Int {
        let sent = bytes.withUnsafeBytes {
            Glibc.send(descriptor, $0.baseAddress!, min(bytes.count, most), Int32(MSG_NOSIGNAL))
        }
        return max(sent, 0)
    }
}
