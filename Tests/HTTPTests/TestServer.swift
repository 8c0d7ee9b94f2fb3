// SPDX-License-Identifier: Apache-2.0
// A server on a free port with a service that shows what HTTP can do.

import Core
import Glibc
import HTTP
import JSON
import Synchronization

struct TestService: Service {
    var description = ServiceDescription(
        name: "test", type: "test", mount: "/test", faults: .keystone,
        microversions: MicroversionRange(
            Microversion(2, 1), Microversion(2, 9), headerType: "test", legacyHeader: "X-Test-Version"))
    var extraRoutes: [Route] = []

    var routes: [Route] {
        [
            Route(.get, "/small", open: .open) { _ in .json { w in w.object { w in w.field("ok", true) } } },
            Route(.get, "/large", open: .open) { _ in
                Response(.ok, body: .bytes([UInt8](repeating: 97, count: 3_000_000)))
            },
            Route(.post, "/echo", open: .open) { call in
                var bytes: [UInt8] = []
                while let piece = try await call.request.body.next() { bytes += piece }
                return Response(.ok, body: .bytes(bytes)).with(
                    "X-Length", call.request.body.length.map { "\($0)" } ?? "chunked")
            },
            Route(.post, "/json", open: .open) { call in .json(rendered: try await call.json().bytes) },
            Route(.post, "/refuse", open: .open) { _ in throw CloudError.forbidden("Not here.") },
            Route(.post, "/count", open: .open) { call in
                var count = 0
                while let piece = try await call.request.body.next() { count += piece.count }
                return .text(.ok, "\(count)")
            },
            Route(.get, "/stream", open: .open) { call in
                let pieces = Int(call.query["pieces"] ?? "") ?? 3
                let length = call.query["length"].flatMap { Int($0) }
                return Response(
                    .ok,
                    body: .stream(length: length) { writer in
                        for i in 0..<pieces { try await writer.write(Array("piece \(i)\n".utf8)) }
                    })
            },
            Route(.get, "/things/{thing_id}", open: .open) { call in
                .text(.ok, "\(call.parameter("thing_id")) \(call.microversion?.description ?? "-")")
            },
            Route(.get, "/mine", open: .authenticated) { call in .text(.ok, try call.authority().userName) },
            Route(.get, "/ruled", "test:ruled") { _ in .text(.ok, "allowed") },
            Route(.get, "/broken", open: .open) { _ in throw BrokenError.secret },
            Route(.get, "/peer", open: .open) { call in .text(.ok, "\(call.request.peer) \(call.request.isSecure)") },
            Route(.get, "/query", open: .open) { call in
                .text(.ok, call.query.items.map { "\($0.name)=\($0.value)" }.joined(separator: "|"))
            },
            Route(.get, "/split", open: .open) { _ in Response.text(.ok, "x").with("X-Value", "a\r\nX-Injected: b") },
        ] + extraRoutes
    }
    enum BrokenError: Error { case secret }
}

/// Knows the tokens "admin" and "reader".
struct TestAuthenticator: Authenticator {
    func authority(of request: Request, for service: ServiceDescription) async throws -> Authority? {
        guard let token = request.head.value("x-auth-token") else { return nil }
        guard ["admin", "reader"].contains(token) else { throw CloudError.unauthorized("Bad token.") }
        return Authority(
            user: ID("u1"), userName: token, userDomain: ID("default"), userDomainName: "Default",
            scope: .project(ID("p1"), name: "p", domain: ID("default"), domainName: "Default"), roles: [token],
            auditID: "a", expires: Instant(seconds: 4_000_000_000))
    }
}

func makeDispatcher(
    _ services: [any Service] = [TestService()], options: Dispatcher.Options = .init(), health: Health = Health(),
    log: Log = Log(level: .error), metrics: Metrics = Metrics()
) throws -> Dispatcher {
    let policy = try PolicyTable([PolicyRule("test:ruled", "role:admin")])
    return try Dispatcher(
        services: services, policy: policy, authenticator: TestAuthenticator(), health: health, log: log,
        metrics: metrics, options: options)
}

/// Starts a server, runs the blocking body on a thread of its own, ends the server.
func withServer<Result: Sendable>(
    routes: [Route] = [], _ set: (inout HTTPServer.Options) -> Void = { _ in },
    _ body: @escaping @Sendable (HTTPServer) throws -> Result
) async throws -> Result {
    var options = HTTPServer.Options()
    set(&options)
    let log = Log(level: .error)
    let metrics = Metrics()
    let dispatcher = try makeDispatcher([TestService(extraRoutes: routes)], log: log, metrics: metrics)
    let server = try HTTPServer(options, dispatcher: dispatcher, log: log, metrics: metrics)
    server.start()
    do {
        let result = try await onThread { try body(server) }
        await server.drain(seconds: 0)
        return result
    } catch {
        await server.drain(seconds: 0)
        throw error
    }
}

/// A request as the server makes it, for what needs no socket.
func makeRequest(_ method: HTTPMethod, _ target: String, headers: [(String, String)] = [], body: String = "") -> Request
{
    Request.make(method, target, headers: headers, body: Array(body.utf8))
}
