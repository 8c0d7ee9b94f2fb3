// SPDX-License-Identifier: Apache-2.0
import HTTP
import Testing

private let echo = Route(.get, "/socket", open: .open) { _ in
    Response(
        .switchingProtocols,
        body: .webSocket(protocol: "binary") { socket in
            while let message = try await socket.receive() {
                if message == .text("bye") { return }
                if message == .text("fail") { throw RawClientError.ended }
                try await socket.send(message)
            }
        })
}

extension RawClient {
    fileprivate func upgrade() throws -> RawResponse {
        try send(
            "GET /test/socket HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        return try readHead()
    }

    fileprivate func sendFrame(_ first: UInt8, _ payload: [UInt8], mask: [UInt8]? = [1, 2, 3, 4]) throws {
        var frame = [first]
        let bit: UInt8 = mask == nil ? 0 : 0x80
        if payload.count < 126 {
            frame.append(bit | UInt8(payload.count))
        } else if payload.count < 65536 {
            frame += [bit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        } else {
            frame += [bit | 127] + (0..<8).reversed().map { UInt8(truncatingIfNeeded: payload.count >> ($0 * 8)) }
        }
        frame += mask ?? []
        frame += payload.enumerated().map { i, byte in byte ^ (mask?[i & 3] ?? 0) }
        try send(frame)
    }

    fileprivate func readFrame() throws -> (first: UInt8, payload: [UInt8]) {
        let head = try read(2)
        var count = Int(head[1])
        if count >= 126 { count = try read(count == 126 ? 2 : 8).reduce(0) { $0 << 8 | Int($1) } }
        return (head[0], try read(count))
    }

    /// The code of the close frame that comes next.
    fileprivate func readClose() throws -> Int {
        let frame = try readFrame()
        guard frame.first == 0x88 else { throw RawClientError.notHTTP("no close frame") }
        return Int(frame.payload[0]) << 8 | Int(frame.payload[1])
    }
}

private func withSocket(
    _ set: (inout HTTPServer.Options) -> Void = { _ in }, _ body: @escaping @Sendable (RawClient) throws -> Void
) async throws {
    try await withServer(routes: [echo], set) { server in
        let client = try RawClient(port: server.port)
        let answer = try client.upgrade()
        #expect(answer.status == 101)
        try body(client)
    }
}

@Suite struct WebSocketTests {
    @Test func theHandshakeIsAnsweredAsTheStandardsExample() async throws {
        try await withServer(routes: [echo]) { server in
            let answer = try RawClient(port: server.port).upgrade()
            #expect(answer.status == 101)
            #expect(answer["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
            #expect(answer["upgrade"] == "websocket")
            #expect(answer["connection"] == "Upgrade")
            #expect(answer["sec-websocket-protocol"] == "binary")
        }
    }

    @Test func aPlainRequestToASocketIsTold426() async throws {
        try await withServer(routes: [echo]) { server in
            let client = try RawClient(port: server.port)
            #expect(try client.get("/test/socket").status == 426)
        }
    }

    @Test(arguments: [0, 1, 125, 126, 65535, 65536, 300_000])
    func messagesOfEverySizeComeBack(_ size: Int) async throws {
        try await withSocket { client in
            let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
            try client.sendFrame(0x82, payload)
            let frame = try client.readFrame()
            #expect(frame.first == 0x82)
            #expect(frame.payload == payload)
        }
    }

    @Test func fragmentsAreJoinedAndAPingBetweenThemIsAnswered() async throws {
        try await withSocket { client in
            try client.sendFrame(0x01, Array("hel".utf8))
            try client.sendFrame(0x89, Array("are you there".utf8))
            try client.sendFrame(0x80, Array("lo".utf8))
            let pong = try client.readFrame()
            #expect(pong.first == 0x8a)
            #expect(pong.payload == Array("are you there".utf8))
            let message = try client.readFrame()
            #expect(message.first == 0x81)
            #expect(message.payload == Array("hello".utf8))
        }
    }

    @Test func aFrameMayArriveByteByByte() async throws {
        try await withSocket { client in
            for byte in [0x81, 0x82, 1, 2, 3, 4, 0x68 ^ 1, 0x69 ^ 2] as [UInt8] { try client.send([byte]) }
            #expect(try client.readFrame().payload == Array("hi".utf8))
        }
    }

    @Test func theHandlersEndAndItsFailureAreTold() async throws {
        try await withSocket { client in
            try client.sendFrame(0x81, Array("bye".utf8))
            #expect(try client.readClose() == 1000)
            #expect(client.isEnded())
        }
        try await withSocket { client in
            try client.sendFrame(0x81, Array("fail".utf8))
            #expect(try client.readClose() == 1011)
        }
    }

    @Test func aCloseIsAnsweredWithItsCode() async throws {
        try await withSocket { client in
            try client.sendFrame(0x88, [0x0b, 0xb8])
            #expect(try client.readClose() == 3000)
        }
    }

    @Test func whatBreaksTheProtocolIsClosedWithItsReason() async throws {
        let cases: [(UInt8, [UInt8], [UInt8]?, Int)] = [
            (0x81, [0x61], nil, 1002),  // no mask
            (0xc1, [0x61], [1, 2, 3, 4], 1002),  // a reserved bit
            (0x83, [0x61], [1, 2, 3, 4], 1002),  // an unknown kind
            (0x80, [0x61], [1, 2, 3, 4], 1002),  // continuation of nothing
            (0x09, [0x61], [1, 2, 3, 4], 1002),  // a control frame in pieces
            (0x89, [UInt8](repeating: 1, count: 126), [1, 2, 3, 4], 1002),  // a control frame that is too long
            (0x81, [0xff, 0xfe], [1, 2, 3, 4], 1007),  // no UTF-8
            (0x88, [0x03], [1, 2, 3, 4], 1002),  // half a close code
            (0x88, [0x03, 0xed], [1, 2, 3, 4], 1002),  // a code that must not be sent
        ]
        for (first, payload, mask, code) in cases {
            try await withSocket { client in
                try client.sendFrame(first, payload, mask: mask)
                #expect(try client.readClose() == code, "frame \(first)")
            }
        }
    }

    @Test func aMessageAboveTheLimitIsRefusedBeforeItIsRead() async throws {
        try await withSocket {
            $0.limits.webSocketMessageBytes = 1000
        } _: { client in
            try client.send([0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4])
            #expect(try client.readClose() == 1009)
        }
        try await withSocket {
            $0.limits.webSocketMessageBytes = 1000
        } _: { client in
            try client.sendFrame(0x02, [UInt8](repeating: 0, count: 600))
            try client.sendFrame(0x80, [UInt8](repeating: 0, count: 600))
            #expect(try client.readClose() == 1009)
        }
    }

    @Test func aQuietPeerIsPingedAndGivenUpWhenItDoesNotAnswer() async throws {
        try await withSocket {
            $0.limits.stallMilliseconds = 200
        } _: { client in
            #expect(try client.readFrame().first == 0x89)
            try client.sendFrame(0x8a, [])
            #expect(try client.readFrame().first == 0x89)
            #expect(client.isEnded())
        }
    }
}
