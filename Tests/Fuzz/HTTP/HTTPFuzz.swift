// SPDX-License-Identifier: Apache-2.0
// Everything of HTTP that reads a client's bytes: heads, chunks, WebSocket frames, queries, paths. Beyond not crashing,
// each reader must come to the same result however the bytes are cut into pieces.

import FuzzDriver
import Glibc
import HTTP

@main
struct HTTPFuzz {
    static func main() {
        exit(fuzz_run(CommandLine.argc, CommandLine.unsafeArgv) { fuzzOne(UnsafeBufferPointer(start: $0, count: $1)) })
    }
}

private func fuzzOne(_ bytes: UnsafeBufferPointer<UInt8>) -> Int32 {
    guard let kind = bytes.first else { return 0 }
    let rest = UnsafeBufferPointer(rebasing: bytes.dropFirst())
    switch kind & 3 {
    case 0: fuzzHead(rest)
    case 1: fuzzChunks(rest, step: Int(kind >> 2) + 1)
    case 2: fuzzFrames(rest, step: Int(kind >> 2) + 1)
    default: fuzzText(rest)
    }
    return 0
}

private func fuzzHead(_ bytes: UnsafeBufferPointer<UInt8>) {
    var whole = HeadParser()
    let outcome = whole.parse(bytes)
    var pieces = HeadParser()
    for count in 0...bytes.count {
        let piece = pieces.parse(UnsafeBufferPointer(rebasing: bytes[..<count]))
        switch piece {
        case .incomplete: continue
        case .fault:
            // What is refused early must not have been understood as a whole.
            if case .head(let head) = outcome, head.count <= count {
                preconditionFailure("refused in pieces, read as a whole")
            }
            return
        case .head(let head):
            guard case .head(let same) = outcome, same.count == head.count, same.framing == head.framing,
                same.path == head.path
            else { preconditionFailure("read in pieces, not as a whole") }
            check(head, bytes)
            return
        }
    }
}

private func check(_ head: ParsedHead, _ bytes: UnsafeBufferPointer<UInt8>) {
    precondition(head.count <= bytes.count && bytes[head.path.lowerBound] == UInt8(ascii: "/"))
    let request = RequestHead(
        bytes: Array(bytes[..<head.count]), method: head.method, path: head.path, query: head.query, fields: head.fields
    )
    precondition(request.value("host") != nil || head.isVersion10)
    for field in head.fields {
        precondition(!field.name.isEmpty && field.value.upperBound <= head.count)
        precondition(!bytes[field.value].contains { $0 == 0x0d || $0 == 0x0a || $0 == 0 })
    }
    _ = ByteRange(request.value("range"), size: 1000)
    fuzzText(UnsafeBufferPointer(rebasing: bytes[head.query]))
}

private func fuzzChunks(_ bytes: UnsafeBufferPointer<UInt8>, step: Int) {
    func decode(_ step: Int) -> (data: [UInt8], used: Int, isDone: Bool, isFault: Bool) {
        var decoder = ChunkDecoder()
        var data: [UInt8] = []
        var used = 0
        do throws(RequestFault) {
            while used < bytes.count, !decoder.isDone {
                let end = min(bytes.count, used + step)
                let more = try decoder.decode(UnsafeBufferPointer(rebasing: bytes[used..<end]), into: &data)
                precondition(more > 0, "no progress")
                used += more
            }
        } catch {
            return (data, 0, false, true)
        }
        return (data, used, decoder.isDone, false)
    }
    let whole = decode(bytes.count + 1), pieces = decode(step)
    precondition(whole == pieces, "pieces decode differently")
    precondition(whole.data.count <= bytes.count)
}

private func fuzzFrames(_ bytes: UnsafeBufferPointer<UInt8>, step: Int) {
    func decode(_ step: Int) -> (events: [FrameDecoder.Event], fault: UInt16) {
        var decoder = FrameDecoder(largestMessage: 4096)
        var events: [FrameDecoder.Event] = []
        var start = 0, end = 0
        while true {
            do throws(WebSocketFault) {
                let (event, used) = try decoder.next(UnsafeBufferPointer(rebasing: bytes[start..<end]))
                start += used
                if let event {
                    events.append(event)
                    continue
                }
            } catch {
                return (events, error.code)
            }
            if end == bytes.count { return (events, 0) }
            end = min(bytes.count, end + step)
        }
    }
    let whole = decode(bytes.count + 1), pieces = decode(step)
    precondition(whole == pieces, "pieces decode differently")
}

private func fuzzText(_ bytes: UnsafeBufferPointer<UInt8>) {
    if let query = try? QueryParameters(parsing: bytes) { precondition(query.items.count <= 200) }
    if let text = PercentCoding.decode(bytes) { precondition(text.utf8.count <= bytes.count) }
    _ = IPAddress(String(decoding: bytes, as: UTF8.self))
    _ = Microversion(text: String(decoding: bytes, as: UTF8.self))
    _ = ByteRange(String(decoding: bytes, as: UTF8.self), size: 100)
}
