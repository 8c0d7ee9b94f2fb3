// SPDX-License-Identifier: Apache-2.0
// Takes a chunked body apart (RFC 9112, 7.1), strictly: every line ends with CR LF, sizes are plain hexadecimal,
// extensions and trailers are bounded and dropped. Pure: bytes in, data and the number of bytes used out.

package struct ChunkDecoder {
    private enum State {
        case size, extensions, sizeEnd, data, dataReturn, dataEnd
        case trailer, trailerField, trailerLine, trailerEnd, lastLine, done
    }
    /// Extensions and trailers together; nothing of ours reads them.
    private static let largestExtra = 8 * 1024
    private static let mostDigits = 15

    private var state = State.size
    private var left = 0
    private var digits = 0
    private var extra = 0

    package init() {}

    package var isDone: Bool { state == .done }

    /// Appends data to `out` until the input, `limit` bytes of data or the body's end is reached; returns the bytes
    /// used.
    package mutating func decode(
        _ input: UnsafeBufferPointer<UInt8>, limit: Int = Int.max, into out: inout [UInt8]
    ) throws(RequestFault) -> Int {
        var at = 0
        var room = limit
        while at < input.count, state != .done, room > 0 {
            if state == .data {
                let count = min(left, input.count - at, room)
                out.append(contentsOf: UnsafeBufferPointer(rebasing: input[at..<at + count]))
                at += count
                left -= count
                room -= count
                if left == 0 { state = .dataReturn }
            } else {
                try step(input[at])
                at += 1
            }
        }
        return at
    }

    private mutating func step(_ byte: UInt8) throws(RequestFault) {
        switch state {
        case .size: try readSize(byte)
        case .extensions:
            if byte == 0x0d { state = .sizeEnd } else { try countExtra(byte) }
        case .sizeEnd:
            try expectLineFeed(byte)
            digits = 0
            state = left == 0 ? .trailer : .data
        case .dataReturn:
            guard byte == 0x0d else { throw .bad("A chunk is longer than its size says.") }
            state = .dataEnd
        case .dataEnd:
            try expectLineFeed(byte)
            state = .size
        case .trailer:
            if byte == 0x0d {
                state = .lastLine
            } else {
                guard ByteSet.token.contains(byte) else { throw .bad("A trailer line does not begin with a name.") }
                try countExtra(byte)
                state = .trailerField
            }
        case .trailerField:
            try countExtra(byte)
            if byte == UInt8(ascii: ":") {
                state = .trailerLine
            } else if !ByteSet.token.contains(byte) {
                throw .bad("A trailer's name must be followed by a colon.")
            }
        case .trailerLine:
            if byte == 0x0d { state = .trailerEnd } else { try countExtra(byte) }
        case .trailerEnd:
            try expectLineFeed(byte)
            state = .trailer
        case .lastLine:
            try expectLineFeed(byte)
            state = .done
        case .data, .done: break
        }
    }

    private mutating func readSize(_ byte: UInt8) throws(RequestFault) {
        switch byte {
        case 0x30...0x39: try add(Int(byte - 0x30))
        case 0x41...0x46, 0x61...0x66: try add(Int((byte | 0x20) - 0x57))
        case 0x0d where digits > 0: state = .sizeEnd
        case UInt8(ascii: ";") where digits > 0: state = .extensions
        default: throw .bad("A chunk must begin with its size in hexadecimal digits.")
        }
    }

    private mutating func add(_ digit: Int) throws(RequestFault) {
        guard digits < Self.mostDigits else { throw .bad("A chunk's size has too many digits.") }
        left = left << 4 | digit
        digits += 1
    }

    private mutating func countExtra(_ byte: UInt8) throws(RequestFault) {
        guard byte >= 0x20 && byte != 0x7f || byte == 0x09 else {
            throw .bad("A chunk's line holds a control character.")
        }
        extra += 1
        guard extra <= Self.largestExtra else {
            throw RequestFault(.headersTooLarge, "Chunk extensions and trailers are too large.")
        }
    }

    private func expectLineFeed(_ byte: UInt8) throws(RequestFault) {
        guard byte == 0x0a else { throw .bad("A line must end with CR LF.") }
    }
}
