// SPDX-License-Identifier: Apache-2.0
import Core
import Glibc
import HTTP
import Testing

@Suite struct LimitTests {
    @Test func aSlowHeadIsTold408() async throws {
        try await withServer {
            $0.limits.headMilliseconds = 300
        } _: { server in
            let client = try RawClient(port: server.port)
            try client.send("GET /test/small HTTP/1.1\r\nHost: te")
            #expect(try client.readResponse().status == 408)
            #expect(client.isEnded())
        }
    }

    @Test func aTrickleDoesNotPutTheDeadlineOff() async throws {
        try await withServer {
            $0.limits.headMilliseconds = 300
        } _: { server in
            let client = try RawClient(port: server.port)
            let start = ContinuousClock.now
            try client.send("GET /test/small HTTP/1.1\r\nX-A: ")
            while ContinuousClock.now - start < .seconds(5), client.sendSome([97]) == 1 {
                var look: UInt8 = 0
                if recv(client.descriptor, &look, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) >= 0 { break }
                usleep(20_000)
            }
            #expect(try client.readResponse().status == 408)
            #expect(ContinuousClock.now - start < .seconds(4))
        }
    }

    @Test func aStalledBodyIsTold408() async throws {
        try await withServer {
            $0.limits.stallMilliseconds = 300
        } _: { server in
            let client = try RawClient(port: server.port)
            try client.send("POST /test/echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhello")
            let response = try client.readResponse()
            #expect(response.status == 408)
            #expect(response["connection"] == "close")
        }
    }

    @Test func anIdleConnectionIsEnded() async throws {
        try await withServer {
            $0.limits.idleMilliseconds = 300
        } _: { server in
            let quiet = try RawClient(port: server.port), used = try RawClient(port: server.port)
            #expect(try used.get("/test/small").status == 200)
            #expect(quiet.isEnded())
            #expect(used.isEnded())
        }
    }

    @Test func aLargeHeadIsTold431() async throws {
        try await withServer { server in
            let client = try RawClient(port: server.port)
            try client.send(
                "GET /test/small HTTP/1.1\r\nHost: test\r\nX-A: \(String(repeating: "a", count: 100_000))\r\n\r\n")
            #expect(try client.readResponse().status == 431)
        }
    }

    @Test func aLargeJSONBodyIsTold413AndTheAnswerArrivesWhileTheClientStillSends() async throws {
        try await withServer { server in
            let client = try RawClient(port: server.port)
            try client.send("POST /test/json HTTP/1.1\r\nHost: test\r\nContent-Length: 5000000\r\n\r\n")
            try client.send([UInt8](repeating: 0x20, count: 5_000_000))
            #expect(try client.readResponse().status == 413)
            let chunked = try RawClient(port: server.port)
            try chunked.send("POST /test/json HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n")
            try chunked.send([UInt8](repeating: 0x20, count: 0x100000))
            #expect(try chunked.readResponse().status == 413)
        }
    }

    @Test func aSmallBodyThatNobodyReadDoesNotEndTheConnection() async throws {
        try await withServer { server in
            let client = try RawClient(port: server.port)
            let refused = try client.exchange(
                "POST /test/refuse HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello")
            #expect(refused.status == 403)
            #expect(refused["connection"] == nil)
            #expect(try client.get("/test/small").status == 200)
        }
    }

    @Test func connectionsAboveTheLimitAreTold503() async throws {
        try await withServer {
            $0.limits.connections = 3
        } _: { server in
            let kept = try (0..<3).map { _ in try RawClient(port: server.port) }
            for client in kept { #expect(try client.get("/test/small").status == 200) }
            let extra = try RawClient(port: server.port)
            #expect(try extra.readResponse().status == 503)
            #expect(try kept[0].get("/test/small").status == 200)
        }
    }

    @Test func aClientThatDoesNotReadIsLetGo() async throws {
        try await withServer {
            $0.limits.stallMilliseconds = 300
        } _: { server in
            let client = try RawClient(port: server.port, receiveBuffer: 4096)
            // Far more than the kernel buffers between us.
            for _ in 0..<20 { try client.send("GET /test/large HTTP/1.1\r\nHost: test\r\n\r\n") }
            usleep(1_200_000)
            var total = 0
            var buffer = [UInt8](repeating: 0, count: 65536)
            while true {
                let got = recv(client.descriptor, &buffer, buffer.count, 0)
                if got <= 0 { break }
                total += got
            }
            #expect(total < 60_000_000)
        }
    }
}
