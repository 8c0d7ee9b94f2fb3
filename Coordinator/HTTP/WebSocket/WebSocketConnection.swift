// SPDX-License-Identifier: Apache-2.0
// The server's end of a WebSocket, on a connection that was upgraded. One task may receive while another sends. A peer
// that says nothing is pinged, and given up when it does not answer.

import COpenSSL
import Core

enum WebSocketHandshake {
    /// The value of Sec-WebSocket-Accept; nil when the request does not ask properly (RFC 6455, 4.2.1).
    static func accept(_ head: RequestHead) -> String? {
        guard head.method == .get, has("websocket", in: head.values("upgrade")),
            has("upgrade", in: head.values("connection")), head.value("sec-websocket-version") == "13",
            let key = head.value("sec-websocket-key"), key.utf8.count == 24, key.hasSuffix("==")
        else { return nil }
        let text = Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)
        var digest = [UInt8](repeating: 0, count: 20)
        SHA1(text, text.count, &digest)
        var encoded = [UInt8](repeating: 0, count: 32)
        let count = EVP_EncodeBlock(&encoded, digest, 20)
        return String(decoding: encoded.prefix(Int(count)), as: UTF8.self)
    }

    private static func has(_ word: String, in values: [String]) -> Bool {
        values.contains { $0.lowercased().split { $0 == "," || $0 == " " }.contains(Substring(word)) }
    }
}

final class WebSocketConnection: WebSocket, @unchecked Sendable {
    // Safe: touched on the connection's loop only, where `onLoop` brings every call.
    private let connection: Connection
    private var decoder: FrameDecoder
    private var awaitsPong = false
    private(set) var isClosed = false

    init(_ connection: Connection) {
        self.connection = connection
        decoder = FrameDecoder(largestMessage: connection.owner.limits.webSocketMessageBytes)
    }

    func receive() async throws -> WebSocketMessage? {
        try await connection.onLoop { [self] in
            do {
                return try await nextMessage()
            } catch let fault as WebSocketFault {
                sendClose(fault.code, fault.reason)
                throw CloudError.badRequest("The WebSocket was ended: \(fault.reason).")
            } catch ConnectionError.closed {
                // Either the peer is gone, or the server wants to end.
                sendClose(1001, "going away")
                return nil
            }
        }
    }

    private func nextMessage() async throws -> WebSocketMessage? {
        while !isClosed {
            let step = try connection.decode(&decoder)
            switch step {
            case .message(let message): return message
            case .ping(let payload):
                // A peer that does not read has no use for more pongs.
                if !connection.hasOutput { sendFrame(10, payload) }
            case .pong: break
            case .close(let code):
                sendClose(code ?? 1000, "")
                return nil
            case nil: try await more()
            }
            awaitsPong = false
        }
        return nil
    }

    private func more() async throws {
        while !connection.readMore() {
            guard connection.phase == .handling, connection.keepsAlive else { throw ConnectionError.closed }
            do {
                if !connection.isReadable { try await connection.waitForInput() }
            } catch ConnectionError.stalled {
                if awaitsPong {
                    connection.close()
                    throw ConnectionError.closed
                }
                awaitsPong = true
                sendFrame(9, [])
            }
        }
    }

    func send(_ message: WebSocketMessage) async throws {
        try await connection.onLoop { [self] in
            guard !isClosed, connection.phase == .handling else { throw ConnectionError.closed }
            switch message {
            case .text(let text): sendFrame(1, Array(text.utf8))
            case .binary(let bytes): sendFrame(2, bytes)
            }
            try await connection.waitForOutput()
        }
    }

    func close(code: UInt16, reason: String) async {
        try? await connection.onLoop { [self] in sendClose(code, reason) }
    }

    private func sendClose(_ code: UInt16, _ reason: String) {
        guard !isClosed else { return }
        isClosed = true
        sendFrame(8, [UInt8(code >> 8), UInt8(code & 0xff)] + reason.utf8.prefix(100))
        connection.resumeInput()
    }

    private func sendFrame(_ opcode: UInt8, _ payload: [UInt8]) {
        let out = connection.owner.output
        out.append(0x80 | opcode)
        switch payload.count {
        case ...125: out.append(UInt8(payload.count))
        case ...0xffff:
            out.append(126)
            out.append(UInt8(payload.count >> 8))
            out.append(UInt8(payload.count & 0xff))
        default:
            out.append(127)
            for shift in stride(from: 56, through: 0, by: -8) {
                out.append(UInt8(truncatingIfNeeded: payload.count >> shift))
            }
        }
        out.append(payload)
        connection.sendScratch()
    }
}

extension Connection {
    func upgrade(
        _ answer: Answer, _ request: Request, _ name: String?,
        _ talk: @Sendable (any WebSocket) async throws -> Void
    ) async throws {
        var answer = answer
        guard let accept = isVersion10 ? nil : WebSocketHandshake.accept(request.head) else {
            keepsAlive = false
            answer.response = Response(HTTPStatus(426, "Upgrade Required"), headers: [("Upgrade", "websocket")])
            writeHead(answer, request, length: 0)
            return sendScratch()
        }
        answer.response.status = .switchingProtocols
        answer.response.headers += [("Upgrade", "websocket"), ("Sec-WebSocket-Accept", accept)]
        if let name { answer.response.headers.append(("Sec-WebSocket-Protocol", name)) }
        writeHead(answer, request, length: nil)
        isUpgraded = true
        sendScratch()
        let socket = WebSocketConnection(self)
        do {
            try await talk(socket)
            await socket.close(code: 1000, reason: "")
        } catch {
            await socket.close(code: 1011, reason: "")
        }
        keepsAlive = false
        guard phase == .handling else { throw ConnectionError.closed }
    }

    /// The next event among what was received; nil when there is no whole frame.
    func decode(_ decoder: inout FrameDecoder) throws(WebSocketFault) -> FrameDecoder.Event? {
        let kept = input
        let (event, used) = try kept.withUnsafeBufferPointer { bytes throws(WebSocketFault) in
            try decoder.next(UnsafeBufferPointer(rebasing: bytes[inputAt...]))
        }
        consume(used)
        return event
    }

    /// Reads once; false when nothing is there now.
    func readMore() -> Bool {
        guard let scratch = owner.input.baseAddress else { return false }
        let got = read(into: scratch, owner.input.count)
        if got > 0 { keep(UnsafeBufferPointer(start: scratch, count: got)) }
        return got > 0
    }
}
