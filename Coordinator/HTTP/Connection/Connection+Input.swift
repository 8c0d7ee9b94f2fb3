// SPDX-License-Identifier: Apache-2.0
// Bytes in: heads while the connection waits for a request, the body while a handler pulls it. The loop's scratch
// memory is read into; only what cannot be used at once is kept by the connection.

import COpenSSL
import Core
import Glibc

/// Where the body of the request under way stands.
struct BodyState {
    enum Rest {
        case done
        case fixed(Int)
        case chunked(ChunkDecoder)
    }
    var rest = Rest.done
    var length: Int? = 0
    /// The client waits for "100 Continue" before it sends.
    var owesContinue = false

    init() {}
    init(_ head: ParsedHead) {
        switch head.framing {
        case .none: break
        case .fixed(let count):
            rest = .fixed(count)
            length = count
        case .chunked:
            rest = .chunked(ChunkDecoder())
            length = nil
        }
        owesContinue = head.expectsContinue && !isDone
    }

    var isDone: Bool { if case .done = rest { true } else { false } }

    /// Little enough is left, and it is on its way, so that reading it is cheaper than a new connection.
    var isWorthDiscarding: Bool {
        if case .fixed(let left) = rest { left <= Limits.discardedBodyBytes && !owesContinue } else { false }
    }
}

extension Connection {
    // MARK: Reading

    /// Up to `count` bytes into `place`. 0: nothing now, or the connection is closed.
    func read(into place: UnsafeMutableRawPointer, _ count: Int) -> Int {
        assert(owner.loop.isCurrent)
        guard isReadable, phase != .closed else { return 0 }
        let got: Int
        if tls != nil {
            ERR_clear_error()
            let result = SSL_read(tls, place, Int32(truncatingIfNeeded: count))
            if result <= 0 {
                let error = SSL_get_error(tls, result)
                isReadable = false
                if error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE { peerEnded() }
                return 0
            }
            got = Int(result)
        } else {
            got = recv(descriptor, place, count, 0)
            if got < 0 {
                if errno == EINTR { return 0 }
                isReadable = false
                if errno != EAGAIN { close() }
                return 0
            }
            if got == 0 {
                isReadable = false
                peerEnded()
                return 0
            }
            // A short read means that the kernel has no more, unless the end follows.
            if got < count, !sawHangUp { isReadable = false }
        }
        owner.traffic.received.add(got)
        return got
    }

    /// The client sends no more. Someone who only closed that half may still read an answer under way.
    private func peerEnded() {
        if phase != .handling || inputWaiter != nil || !body.isDone || isUpgraded { close() }
    }

    // MARK: Heads

    /// Reads and parses until a request starts or there is nothing to read.
    func pump() {
        while phase == .head {
            if input.count > inputAt, parseKept() { continue }
            guard phase == .head, isReadable, let scratch = owner.input.baseAddress else { break }
            let got = read(into: scratch, owner.input.count)
            if got == 0 {
                if isReadable { continue }
                break
            }
            let isFirst = input.count == inputAt
            if isFirst {
                let used = parse(UnsafeBufferPointer(start: scratch, count: got))
                if used < got, phase != .closed { keep(UnsafeBufferPointer(start: scratch + used, count: got - used)) }
                if phase == .head, input.count > inputAt { arm(owner.limits.headMilliseconds) }
            } else {
                keep(UnsafeBufferPointer(start: scratch, count: got))
            }
        }
    }

    /// True when a request was started from what was kept.
    private func parseKept() -> Bool {
        // Nothing new since the last look.
        let kept = input
        let used = kept.withUnsafeBufferPointer { parse(UnsafeBufferPointer(rebasing: $0[inputAt...])) }
        consume(used)
        return used > 0
    }

    func keep(_ bytes: UnsafeBufferPointer<UInt8>) {
        if inputAt == input.count {
            input.removeAll(keepingCapacity: true)
            inputAt = 0
        }
        input.append(contentsOf: bytes)
    }

    func consume(_ count: Int) {
        inputAt += count
        guard inputAt >= input.count else { return }
        inputAt = 0
        // An idle connection holds no buffer.
        input = []
    }

    /// Starts the request at the beginning of `bytes`, if it is whole; returns the bytes used.
    private func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        let skipped = HeadParser.leadingLines(bytes)
        let rest = UnsafeBufferPointer(rebasing: bytes[skipped...])
        switch parser.parse(rest) {
        case .incomplete: return skipped
        case .fault(let fault):
            refuse(fault)
            return bytes.count
        case .head(let head):
            start(head, UnsafeBufferPointer(rebasing: rest[..<head.count]))
            return skipped + head.count
        }
    }

    // MARK: Bodies

    /// The next piece of the body, nil at its end.
    nonisolated(nonsending) func nextPiece(_ serial: Int) async throws -> [UInt8]? {
        guard serial == self.serial, phase == .handling || body.isDone else { throw ConnectionError.closed }
        if body.owesContinue {
            body.owesContinue = false
            owner.output.append("HTTP/1.1 100 Continue\r\n\r\n")
            sendScratch()
        }
        while true {
            guard serial == self.serial, phase == .handling else { throw ConnectionError.closed }
            switch body.rest {
            case .done: return nil
            case .fixed(let left):
                let piece = takePiece(left)
                if !piece.isEmpty {
                    body.rest = piece.count == left ? .done : .fixed(left - piece.count)
                    await pause(after: piece.count)
                    return piece
                }
            case .chunked(var decoder):
                // A copy is decoded with and put back: the state must not be read while it is written.
                let piece = try decodePiece(&decoder)
                body.rest = decoder.isDone ? .done : .chunked(decoder)
                if !piece.isEmpty {
                    await pause(after: piece.count)
                    return piece
                }
                if decoder.isDone { continue }
            }
            if !isReadable { try await waitForInput() }
        }
    }

    /// A handler that never has to wait must let others run now and then.
    nonisolated(nonsending) private func pause(after count: Int) async {
        unpaused += count
        if unpaused < 1 << 20 { return }
        unpaused = 0
        await Task.yield()
    }

    private func takePiece(_ left: Int) -> [UInt8] {
        let most = min(left, ServerLoop.scratchBytes)
        if input.count > inputAt {
            let count = min(most, input.count - inputAt)
            let piece = Array(input[inputAt..<inputAt + count])
            consume(count)
            return piece
        }
        guard isReadable else { return [] }
        return [UInt8](unsafeUninitializedCapacity: most) { place, count in
            guard let base = place.baseAddress else { return }
            // A TLS record holds 16 KiB at most; several make one piece.
            while count < most {
                let got = read(into: base + count, most - count)
                if got == 0 { break }
                count += got
            }
        }
    }

    private func decodePiece(_ decoder: inout ChunkDecoder) throws(RequestFault) -> [UInt8] {
        var piece: [UInt8] = []
        do {
            if input.count > inputAt {
                let kept = input
                let used = try kept.withUnsafeBufferPointer { bytes throws(RequestFault) in
                    try decoder.decode(UnsafeBufferPointer(rebasing: bytes[inputAt...]), into: &piece)
                }
                consume(used)
            } else if isReadable, let scratch = owner.input.baseAddress {
                let got = read(into: scratch, owner.input.count)
                let used = try decoder.decode(UnsafeBufferPointer(start: scratch, count: got), into: &piece)
                if used < got { keep(UnsafeBufferPointer(start: scratch + used, count: got - used)) }
            }
        } catch {
            keepsAlive = false
            throw error
        }
        return piece
    }

    /// Reads what is left of a body that nobody wanted.
    nonisolated(nonsending) func discardBody() async throws {
        while try await nextPiece(serial) != nil {}
    }

    /// While lingering: reads and forgets.
    func discard() {
        while phase == .lingering, isReadable, let scratch = owner.input.baseAddress {
            let got = read(into: scratch, owner.input.count)
            lingered += got
            if lingered > Limits.lingerBytes { close() }
            if got == 0, isReadable { continue }
        }
    }
}

/// What a handler holds of a body. Kept past its request it only throws.
final class ConnectionBody: RequestBody {
    let length: Int?
    private let connection: Connection
    private let serial: Int

    init(_ connection: Connection, length: Int?, serial: Int) {
        self.connection = connection
        self.length = length
        self.serial = serial
    }

    func next() async throws -> [UInt8]? {
        do {
            return try await connection.onLoop { [connection, serial] in try await connection.nextPiece(serial) }
        } catch let fault as RequestFault {
            throw CloudError(.badRequest, "The request's body cannot be read: \(fault.reason)")
        } catch ConnectionError.stalled {
            throw CloudError(.timeout, "The request's body did not arrive in time.")
        } catch ConnectionError.closed {
            throw CloudError(.badRequest, "The client ended the connection before the request's body was whole.")
        } catch ConnectionError.misused {
            throw CloudError.internalError("two tasks read one request's body at once")
        }
    }
}

/// The body of a request that has none.
package final class EmptyBody: RequestBody {
    package static let shared = EmptyBody()
    package var length: Int? { 0 }
    package func next() async throws -> [UInt8]? { nil }
}
