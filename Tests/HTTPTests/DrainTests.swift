// SPDX-License-Identifier: Apache-2.0
import Core
import EventLoop
import Glibc
import HTTP
import Synchronization
import Testing

/// Handlers wait here until the test lets them go.
private final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var entered = 0
    }
    private let state = Mutex(State())

    var entered: Int { state.withLock { $0.entered } }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                state.entered += 1
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}

private func waitUntil(_ condition: () -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while !condition() {
        try #require(ContinuousClock.now < deadline, "waited too long")
        try await Task.sleep(for: .milliseconds(5))
    }
}

@Suite struct DrainTests {
    private func makeServer(_ gate: Gate, health: Health = Health()) throws -> HTTPServer {
        let slow = Route(.get, "/slow", open: .open) { _ in
            await gate.wait()
            return .text(.ok, "done")
        }
        let log = Log(level: .error)
        let metrics = Metrics()
        let dispatcher = try makeDispatcher(
            [TestService(extraRoutes: [slow])], health: health, log: log, metrics: metrics)
        let server = try HTTPServer(HTTPServer.Options(), dispatcher: dispatcher, log: log, metrics: metrics)
        server.start()
        return server
    }

    @Test func requestsUnderWayEndAndIdleConnectionsAreClosed() async throws {
        let gate = Gate()
        let health = Health()
        let server = try makeServer(gate, health: health)
        let port = server.port
        async let answer = onThread {
            let client = try RawClient(port: port)
            let response = try client.get("/test/slow")
            return (response.text, response["connection"], client.isEnded())
        }
        async let idle = onThread {
            let client = try RawClient(port: port)
            _ = try client.get("/test/small")
            return client.isEnded()
        }
        try await waitUntil { gate.entered == 1 }
        async let drained: Void = server.drain(seconds: 20)
        #expect(try await idle)
        #expect(await health.reasons() == ["The coordinator is shutting down."])
        await #expect(throws: RawClientError.self) { _ = try await onThread { try RawClient(port: port) } }
        gate.open()
        let (text, connection, isEnded) = try await answer
        #expect(text == "done")
        #expect(connection == "close")
        #expect(isEnded)
        await drained
    }

    @Test func whatDoesNotEndInTimeIsGivenUp() async throws {
        let gate = Gate()
        let server = try makeServer(gate)
        let port = server.port
        async let answer = onThread {
            let client = try RawClient(port: port)
            try client.send("GET /test/slow HTTP/1.1\r\nHost: test\r\n\r\n")
            return client.isEnded()
        }
        try await waitUntil { gate.entered == 1 }
        let start = ContinuousClock.now
        await server.drain(seconds: 1)
        #expect(ContinuousClock.now - start < .seconds(5))
        #expect(try await answer)
        gate.open()
    }

    @Test func aHandlerThatWasElsewhereAnswersOnItsLoop() async throws {
        let route = Route(.get, "/far", open: .open) { call in
            let thread = ThreadExecutor(name: "far")
            defer { thread.stop() }
            let text = await Task(executorPreference: thread) { "far" }.value
            await Task.detached { await Task.yield() }.value
            return .text(.ok, text)
        }
        let stream = Route(.post, "/far", open: .open) { call in
            Response(
                .ok,
                body: .stream(length: nil) { writer in
                    // Both ends used from a task that does not prefer the loop.
                    try await Task.detached {
                        while let piece = try await call.request.body.next() { try await writer.write(piece) }
                    }.value
                })
        }
        try await withServer(routes: [route, stream]) {
            $0.loops = 2
        } _: { server in
            let clients = try (0..<4).map { _ in try RawClient(port: server.port) }
            for _ in 0..<20 {
                for client in clients { #expect(try client.get("/test/far").text == "far") }
            }
            let echoed = try clients[0].exchange(
                "POST /test/far HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
            )
            #expect(echoed.text == "abcde")
        }
    }

    @Test func aStreamThatFailsEndsTheConnectionRatherThanTheBody() async throws {
        let route = Route(.get, "/fails", open: .open) { _ in
            Response(
                .ok,
                body: .stream(length: nil) { writer in
                    try await writer.write(Array("begin".utf8))
                    throw CloudError.conflict("no")
                })
        }
        try await withServer(routes: [route]) { server in
            let client = try RawClient(port: server.port)
            #expect(throws: RawClientError.self) { try client.get("/test/fails") }
        }
    }
}
