// SPDX-License-Identifier: Apache-2.0
// Takes a client's WebSocket frames apart (RFC 6455, 5) and joins fragments into messages. Pure: bytes in, an event and
// the number of bytes used out. What breaks the protocol is a fault with the close code that tells the client so.

package struct WebSocketFault: Error, Equatable {
    package let code: UInt16
    package let reason: String
}

package struct FrameDecoder {
    package enum Event: Equatable {
        case message(WebSocketMessage)
        case ping([UInt8])
        case pong
        case close(UInt16?)
    }
    private enum Opcode: UInt8 { case continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 }
    private struct Header {
        var isLast: Bool
        var opcode: Opcode
        var payload: Range<Int>
        var mask: (UInt8, UInt8, UInt8, UInt8)
    }

    private let largestMessage: Int
    private var fragments: [UInt8] = []
    /// What the message under way began as; nil between messages.
    private var kind: Opcode?

    package init(largestMessage: Int) { self.largestMessage = largestMessage }

    /// The next event, if a whole frame is there; `used` bytes are done with even when no event comes of them.
    package mutating func next(_ bytes: UnsafeBufferPointer<UInt8>) throws(WebSocketFault) -> (event: Event?, used: Int)
    {
        var at = 0
        while let header = try header(bytes, at), header.payload.upperBound <= bytes.count {
            at = header.payload.upperBound
            if let event = try take(header, Self.unmask(bytes, header)) { return (event, at) }
        }
        return (nil, at)
    }

    private func header(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int) throws(WebSocketFault) -> Header? {
        guard bytes.count - start >= 2 else { return nil }
        let first = bytes[start], second = bytes[start + 1]
        guard first & 0x70 == 0, let opcode = Opcode(rawValue: first & 0x0f) else {
            throw WebSocketFault(code: 1002, reason: "unknown frame")
        }
        guard second & 0x80 != 0 else { throw WebSocketFault(code: 1002, reason: "frame without a mask") }
        let short = Int(second & 0x7f)
        let isLast = first & 0x80 != 0
        if opcode.rawValue >= 8, !isLast || short > 125 {
            throw WebSocketFault(code: 1002, reason: "bad control frame")
        }
        let extra = short == 126 ? 2 : short == 127 ? 8 : 0
        var at = start + 2
        guard bytes.count - at >= extra + 4 else { return nil }
        var length = extra == 0 ? short : 0
        for i in 0..<extra {
            if extra == 8, i == 0, bytes[at] & 0x80 != 0 { throw WebSocketFault(code: 1002, reason: "bad length") }
            length = length << 8 | Int(bytes[at + i])
        }
        at += extra
        guard length <= largestMessage - fragments.count else {
            throw WebSocketFault(code: 1009, reason: "a message may have \(largestMessage) bytes")
        }
        return Header(
            isLast: isLast, opcode: opcode, payload: at + 4..<at + 4 + length,
            mask: (bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]))
    }

    private static func unmask(_ bytes: UnsafeBufferPointer<UInt8>, _ header: Header) -> [UInt8] {
        let mask = [header.mask.0, header.mask.1, header.mask.2, header.mask.3]
        return header.payload.enumerated().map { i, at in bytes[at] ^ mask[i & 3] }
    }

    private mutating func take(_ header: Header, _ payload: [UInt8]) throws(WebSocketFault) -> Event? {
        switch header.opcode {
        case .ping: return .ping(payload)
        case .pong: return .pong
        case .close: return .close(try Self.closeCode(payload))
        case .text, .binary:
            guard kind == nil else { throw WebSocketFault(code: 1002, reason: "a message inside another") }
            kind = header.opcode
        case .continuation:
            guard kind != nil else { throw WebSocketFault(code: 1002, reason: "continuation of nothing") }
        }
        if fragments.isEmpty { fragments = payload } else { fragments += payload }
        guard header.isLast, let kind else { return nil }
        let whole = fragments
        fragments = []
        self.kind = nil
        if kind == .binary { return .message(.binary(whole)) }
        guard let text = String(validating: whole, as: UTF8.self) else {
            throw WebSocketFault(code: 1007, reason: "text is not UTF-8")
        }
        return .message(.text(text))
    }

    private static func closeCode(_ payload: [UInt8]) throws(WebSocketFault) -> UInt16? {
        if payload.isEmpty { return nil }
        guard payload.count >= 2, String(validating: payload[2...], as: UTF8.self) != nil else {
            throw WebSocketFault(code: 1002, reason: "bad close frame")
        }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        guard (1000...1003).contains(code) || (1007...1011).contains(code) || (3000...4999).contains(code) else {
            throw WebSocketFault(code: 1002, reason: "bad close code")
        }
        return code
    }
}
