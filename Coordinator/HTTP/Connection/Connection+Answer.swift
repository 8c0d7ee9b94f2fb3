// SPDX-License-Identifier: Apache-2.0
// From a parsed head to a finished answer. A task on the connection's loop serves one request after the other as long
// as they keep coming; a quiet connection has none.

import Core
import Glibc
import JSON

extension Connection {
    /// Bodies up to this size are sent in one piece with their head.
    private static let joinedBytes = 32 * 1024
    private static let requestsPerTurn = 16

    // MARK: Request

    func start(_ parsed: ParsedHead, _ bytes: UnsafeBufferPointer<UInt8>) {
        phase = .handling
        serial &+= 1
        keepsAlive = parsed.keepsAlive
        isVersion10 = parsed.isVersion10
        body = BodyState(parsed)
        sentBytes = 0
        startedNanoseconds = Self.nanoseconds()
        let head = RequestHead(
            bytes: Array(bytes), method: parsed.method, path: parsed.path, query: parsed.query, fields: parsed.fields)
        var client = (peer: peer, isSecure: tls != nil)
        if !owner.proxies.isEmpty { client = owner.proxies.client(head, peer: client.peer, isSecure: client.isSecure) }
        let request = Request(
            head: head,
            body: body.isDone ? EmptyBody.shared : ConnectionBody(self, length: body.length, serial: serial),
            peer: client.peer, isSecure: client.isSecure, id: owner.nextID())
        if let waiter = requestWaiter {
            requestWaiter = nil
            waiter.resume(returning: request)
        } else if hasTask {
            nextRequest = request
        } else {
            hasTask = true
            Task(executorPreference: owner.loop) { [self] in await serve(request) }
        }
    }

    nonisolated(nonsending) private func serve(_ first: Request) async {
        var request: Request? = first
        var count = 0
        while let current = request {
            await handle(current)
            count += 1
            // Requests sent all at once must not keep the loop from others.
            if count.isMultiple(of: Self.requestsPerTurn) { await Task.yield() }
            request = await waitForRequest()
        }
    }

    /// nil when none came in a while; whoever says so has noted already that the task ends.
    nonisolated(nonsending) private func waitForRequest() async -> Request? {
        if let request = nextRequest {
            nextRequest = nil
            return request
        }
        guard phase == .head else {
            hasTask = false
            return nil
        }
        return await withUnsafeContinuation { requestWaiter = $0 }
    }

    /// Lets the task go that waits for a request.
    func releaseTask() {
        guard let waiter = requestWaiter else { return }
        requestWaiter = nil
        hasTask = false
        waiter.resume(returning: nil)
    }

    nonisolated(nonsending) private func handle(_ request: Request) async {
        let answer = await owner.dispatcher.answer(request)
        guard phase == .handling else {
            release(answer.response.body)
            return log(request, answer, status: 499)
        }
        do {
            try await send(answer, to: request)
            log(request, answer, status: answer.response.status.code)
            try await finish()
        } catch {
            log(request, answer, status: answer.response.status.code)
            close()
        }
    }

    /// A handler's file that will not be sent.
    private func release(_ body: Response.Body) {
        if case .file(let slice) = body { Glibc.close(slice.descriptor) }
    }

    nonisolated(nonsending) private func finish() async throws {
        guard phase == .handling else { return }
        if keepsAlive, !body.isDone { try await discardBody() }
        guard phase == .handling else { return }
        serial &+= 1
        guard keepsAlive, !owner.isDraining else {
            // What the client still sends would turn our close into a reset and eat the answer.
            if body.isDone, input.count == inputAt, !isReadable, !isUpgraded { close(politely: true) } else { linger() }
            return
        }
        phase = .head
        arm(Self.warmMilliseconds)
        pump()
    }

    // MARK: Response

    nonisolated(nonsending) private func send(_ answer: Answer, to request: Request) async throws {
        // What follows such an answer is the next one, whatever a handler meant.
        let status = answer.response.status.code
        let isBodiless = request.method == .head || status == 204 || status == 304
        if !body.isDone && !body.isWorthDiscarding || owner.isDraining { keepsAlive = false }
        switch answer.response.body {
        case .empty:
            writeHead(answer, request, length: 0)
            sendScratch()
        case .bytes(let bytes):
            writeHead(answer, request, length: bytes.count)
            if isBodiless || bytes.count <= Self.joinedBytes {
                if !isBodiless { owner.output.append(bytes) }
                sendScratch()
            } else {
                sendScratch()
                send(array: bytes)
            }
        case .file(let slice):
            writeHead(answer, request, length: slice.count)
            sendScratch()
            start(slice, isBodiless: isBodiless)
        case .stream(let length, let produce):
            try await stream(answer, request, length, isBodiless: isBodiless, produce)
        case .webSocket(let name, let talk):
            try await upgrade(answer, request, name, talk)
        }
        if hasOutput { try await waitForOutput() }
        if phase == .closed { throw ConnectionError.closed }
    }

    private func start(_ slice: FileSlice, isBodiless: Bool) {
        if isBodiless || slice.count == 0 || phase == .closed {
            Glibc.close(slice.descriptor)
            return
        }
        file = FileProgress(descriptor: slice.descriptor, offset: slice.offset, left: slice.count)
        posix_fadvise(slice.descriptor, slice.offset, slice.count, POSIX_FADV_SEQUENTIAL)
        flush()
    }

    nonisolated(nonsending) private func stream(
        _ answer: Answer, _ request: Request, _ length: Int?, isBodiless: Bool,
        _ produce: @Sendable (any ResponseBodyWriter) async throws -> Void
    ) async throws {
        // HTTP/1.0 knows no chunks: the end of the connection is the end of the body.
        let isChunked = length == nil && !isVersion10
        if length == nil, isVersion10 { keepsAlive = false }
        writeHead(answer, request, length: length, isChunked: isChunked)
        sendScratch()
        if isBodiless { return }
        let writer = StreamWriter(self, serial: serial, length: length, isChunked: isChunked)
        do {
            try await produce(writer)
        } catch {
            // The status is on its way already; a connection that ends early is the only sign left.
            close()
            throw error
        }
        guard phase == .handling else { throw ConnectionError.closed }
        if let length, writer.written != length { throw ConnectionError.misused }
        if isChunked {
            owner.output.append("0\r\n\r\n")
            sendScratch()
        }
    }

    /// Status line and fields into the scratch memory. `length` nil: told by `isChunked` or by the connection's end.
    func writeHead(_ answer: Answer, _ request: Request, length: Int?, isChunked: Bool = false) {
        let out = owner.output
        let status = answer.response.status
        out.append("HTTP/1.1 ")
        out.append(decimal: status.code)
        out.append(UInt8(ascii: " "))
        out.append(status.reason)
        owner.appendDate(Self.now())
        out.append("\r\nX-Openstack-Request-Id: ")
        out.append(request.id)
        var hasLength = false
        for (name, value) in answer.response.headers {
            switch ownName(name) {
            case .none: writeField(name, value)
            case .length where request.method == .head:
                // Only a HEAD may tell a length that its own body does not have.
                writeField(name, value)
                hasLength = true
            default: break
            }
        }
        for (name, value) in answer.extra { writeField(name, value) }
        let isFramed = status.code >= 200 && status.code != 204 && status.code != 304
        if isFramed, isChunked {
            out.append("\r\nTransfer-Encoding: chunked")
        } else if isFramed, !hasLength, let length {
            out.append("\r\nContent-Length: ")
            out.append(decimal: length)
        }
        if status.code == 101 {
            out.append("\r\nConnection: Upgrade")
        } else if !keepsAlive {
            out.append("\r\nConnection: close")
        } else if isVersion10 {
            out.append("\r\nConnection: keep-alive")
        }
        out.append("\r\n\r\n")
    }

    private func writeField(_ name: String, _ value: String) {
        let out = owner.output
        out.append("\r\n")
        out.append(fieldValue: name)
        out.append(": ")
        out.append(fieldValue: value)
    }

    private enum OwnName { case length, other }

    /// Fields that say how the message is framed are the connection's own.
    private func ownName(_ name: String) -> OwnName? {
        switch name.utf8.count {
        case 14 where name.lowercased() == "content-length": .length
        case 10 where name.lowercased() == "connection", 17 where name.lowercased() == "transfer-encoding": .other
        default: nil
        }
    }

    // MARK: Refusals

    /// An answer to what never became a request.
    func refuse(_ fault: RequestFault) {
        keepsAlive = false
        let id = owner.nextID()
        let body = JSONWriter.bytes { w in
            w.object { w in
                w.object("error") { w in
                    w.field("code", fault.status.code)
                    w.field("message", "\(fault.reason)")
                    w.field("title", "\(fault.status.reason)")
                }
            }
        }
        let out = owner.output
        out.append("HTTP/1.1 ")
        out.append(decimal: fault.status.code)
        out.append(UInt8(ascii: " "))
        out.append(fault.status.reason)
        owner.appendDate(Self.now())
        out.append("\r\nX-Openstack-Request-Id: ")
        out.append(id)
        out.append("\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ")
        out.append(decimal: body.count)
        out.append("\r\n\r\n")
        out.append(body)
        sendScratch()
        owner.dispatcher.unmatched.record(status: fault.status.code, microseconds: 0)
        owner.accessLog.write(refusal: fault.reason, id: id, peer: peer, status: fault.status.code, now: Self.now())
        input = []
        inputAt = 0
        linger()
    }

    // MARK: Log and time

    private func log(_ request: Request, _ answer: Answer, status: Int) {
        let microseconds = (Self.nanoseconds() - startedNanoseconds) / 1000
        let traffic = answer.route?.traffic ?? owner.dispatcher.unmatched
        traffic.record(status: status, microseconds: microseconds)
        owner.accessLog.write(
            request, answer, status: status, microseconds: microseconds, sent: sentBytes, now: Self.now())
    }

    private static func nanoseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    static func now() -> Instant { SystemClock().now }
}

/// Where a streaming handler writes.
final class StreamWriter: ResponseBodyWriter, @unchecked Sendable {
    // Safe: `written` is touched on the connection's loop only.
    private let connection: Connection
    private let serial: Int
    private let length: Int?
    private let isChunked: Bool
    private(set) var written = 0

    init(_ connection: Connection, serial: Int, length: Int?, isChunked: Bool) {
        self.connection = connection
        self.serial = serial
        self.length = length
        self.isChunked = isChunked
    }

    func write(_ bytes: [UInt8]) async throws {
        // An empty chunk would end the body.
        if bytes.isEmpty { return }
        try await connection.onLoop { [self] in
            guard connection.serial == serial, connection.phase == .handling else { throw ConnectionError.closed }
            written += bytes.count
            if let length, written > length { throw ConnectionError.misused }
            let out = connection.owner.output
            if isChunked {
                out.append(hexadecimal: bytes.count)
                out.append("\r\n")
            }
            out.append(bytes)
            if isChunked { out.append("\r\n") }
            connection.sendScratch()
            if connection.hasOutput {
                try await connection.waitForOutput()
            } else {
                await Task.yield()
            }
        }
    }
}
