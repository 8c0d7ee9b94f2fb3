// SPDX-License-Identifier: Apache-2.0
// From a request to its answer, without sockets: route -> microversion -> caller -> handler, and every error into the
// fault form of its service. The server calls `answer`; tests of services call `respond`.
//
// Invariant: a route that names a rule the policy table lacks does not start, and a handler of a route that is not open
// runs only with a caller.

import Core
import JSON

/// What the server sends and logs.
package struct Answer: Sendable {
    package var response: Response
    /// Headers that the dispatcher adds to those of the handler.
    package var extra: [(name: String, value: String)] = []
    package var route: MountedRoute?
    package var call: Call?
    package var statements = 0
}

package final class Dispatcher: Sendable {
    /// Wraps the handling of a request, such as to count its SQL statements; returns their number.
    package typealias Around = @Sendable (_ handle: () async -> Void) async -> Int

    package struct Options: Sendable {
        /// "https://cloud.example.org": where clients reach us, without a path.
        package var publicURL = "http://127.0.0.1"
        /// Origins whose pages may call us; empty: none.
        package var allowedOrigins: [String] = []
        package var around: Around?
        package init() {}
    }

    private let router: Router
    private let services: [ServiceDescription]
    private let policy: PolicyTable
    private let authenticator: any Authenticator
    private let log: Log
    private let crossOrigin: CrossOrigin
    private let around: Around?
    private let challenge: String
    let unmatched: ServiceTraffic
    package let health: Health
    /// Every route at its place, for the tests that walk them.
    package let routes: [MountedRoute]

    package init(
        services: [any Service], policy: PolicyTable, authenticator: any Authenticator, health: Health = Health(),
        log: Log, metrics: Metrics, options: Options = Options()
    ) throws {
        var router = Router()
        var routes: [MountedRoute] = []
        let builtIn = BuiltInRoutes(
            services: services.map(\.description), publicURL: options.publicURL, health: health, metrics: metrics)
        for service in services + [builtIn] {
            let description = service.description
            let traffic = ServiceTraffic(description.name, metrics)
            for route in service.routes {
                if case .rule(let name) = route.policy, !policy.contains(name) {
                    throw CloudError.internalError(
                        "\(route.method.rawValue) \(description.mount)\(route.pattern) names the policy rule \(name), "
                            + "which does not exist")
                }
                routes.append(try router.add(route, of: description, traffic: traffic))
            }
        }
        self.router = router
        self.routes = routes
        self.services = services.map(\.description).sorted { $0.mount.utf8.count > $1.mount.utf8.count }
        self.policy = policy
        self.authenticator = authenticator
        self.log = log
        self.health = health
        unmatched = ServiceTraffic("none", metrics)
        crossOrigin = CrossOrigin(origins: options.allowedOrigins)
        around = options.around
        challenge = "Keystone uri=\"\(options.publicURL)/identity/v3\""
    }

    /// The whole answer, as a client would see it.
    package func respond(to request: Request) async -> Response {
        let answer = await answer(request)
        var response = answer.response
        response.headers += answer.extra
        response.headers.append(("X-Openstack-Request-Id", request.id))
        return response
    }

    nonisolated(nonsending) package func answer(_ request: Request) async -> Answer {
        guard let around else { return await handle(request) }
        var answer: Answer?
        let statements = await around { answer = await self.handle(request) }
        var known = answer ?? Answer(response: Response(.internalServerError))
        known.statements = statements
        return known
    }

    nonisolated(nonsending) private func handle(_ request: Request) async -> Answer {
        var answer = Answer(response: .noContent)
        do {
            try await handle(request, &answer)
        } catch {
            let style = answer.route?.service.faults ?? service(of: request.head)?.faults ?? .plain
            answer.response = fault(error, style, request)
        }
        if crossOrigin.isOn { answer.extra += crossOrigin.headers(request.head) }
        return answer
    }

    nonisolated(nonsending) private func handle(_ request: Request, _ answer: inout Answer) async throws {
        let head = request.head
        guard let match = head.withPath({ router.match($0) }) else {
            throw CloudError(.notFound, "The resource could not be found.")
        }
        guard let mounted = match.route(for: head.method) else {
            answer.route = match.routes.first
            let allowed = match.allowedMethods
            if head.method == .options {
                answer.response = (crossOrigin.isOn ? crossOrigin.preflight(head, allowed: allowed) : nil) ?? .noContent
                answer.response.headers.append(("Allow", allowed))
                return
            }
            var error = CloudError(.methodNotAllowed, "The method is not allowed for the requested URL.")
            error.headers = [("Allow", allowed)]
            throw error
        }
        answer.route = mounted
        let service = mounted.service
        var version: Microversion?
        if let range = service.microversions {
            let negotiated = try range.negotiate(head)
            answer.extra = range.headers(negotiated)
            version = negotiated
        }
        let caller = try await caller(of: request, mounted)
        let call = Call(
            request: request, service: service, parameters: try match.values(mounted, head),
            query: try head.queryParameters(), caller: caller, policy: policy, microversion: version)
        answer.call = call
        answer.response = try await mounted.route.handler(call)
    }

    nonisolated(nonsending) private func caller(of request: Request, _ mounted: MountedRoute) async throws -> Authority?
    {
        if mounted.route.policy == .open { return nil }
        if let caller = try await authenticator.authority(of: request, for: mounted.service) { return caller }
        throw CloudError.unauthorized("The request you have made requires authentication.")
    }

    // MARK: Faults

    private func fault(_ error: any Error, _ style: FaultStyle, _ request: Request) -> Response {
        let fault = error as? CloudError ?? CloudError.internalError("\(error)")
        if fault.kind == .internalError || fault.detail != nil {
            log.write(fault.kind == .internalError ? .error : .warning, "a request failed") { w in
                w.field("request_id", request.id)
                w.field("path", request.head.pathText)
                w.field("kind", fault.kind.rawValue)
                w.field("detail", fault.detail ?? fault.message)
            }
        }
        let prefersJSON = request.head.value("accept")?.contains("json") ?? false
        var response = Fault.response(fault, style, requestID: request.id, prefersJSON: prefersJSON)
        if fault.kind == .unauthorized,
            !response.headers.contains(where: { $0.name.lowercased() == "www-authenticate" })
        {
            response.headers.append(("WWW-Authenticate", challenge))
        }
        return response
    }

    /// Whose place a path is, even when nothing is there.
    private func service(of head: RequestHead) -> ServiceDescription? {
        let path = head.bytes[head.path]
        return services.first { service in
            path.starts(with: service.mount.utf8)
                && (path.count == service.mount.utf8.count
                    || path[path.startIndex + service.mount.utf8.count] == UInt8(ascii: "/"))
        }
    }
}

extension RequestHead {
    func withPath<Result>(_ body: (UnsafeBufferPointer<UInt8>) throws -> Result) rethrows -> Result {
        try bytes.withUnsafeBufferPointer { try body(UnsafeBufferPointer(rebasing: $0[path])) }
    }

    func queryParameters() throws -> QueryParameters {
        if query.isEmpty { return QueryParameters([]) }
        return try bytes.withUnsafeBufferPointer {
            try QueryParameters(parsing: UnsafeBufferPointer(rebasing: $0[query]))
        }
    }
}

extension Router.Match {
    func route(for method: HTTPMethod) -> MountedRoute? {
        routes.first { $0.route.method == method } ?? (method == .head ? routes.first { $0.route.method == .get } : nil)
    }

    var allowedMethods: String {
        var methods = routes.map(\.route.method)
        if methods.contains(.get), !methods.contains(.head) { methods.append(.head) }
        if !methods.contains(.options) { methods.append(.options) }
        return HTTPMethod.allCases.filter(methods.contains).map(\.rawValue).joined(separator: ", ")
    }

    func values(_ mounted: MountedRoute, _ head: RequestHead) throws -> [(name: String, value: String)] {
        if parameters.isEmpty { return [] }
        return try head.withPath { path in
            try zip(mounted.parameterNames, parameters).map { name, range in
                guard let value = PercentCoding.decode(UnsafeBufferPointer(rebasing: path[range])) else {
                    throw CloudError.badRequest("The path's part '\(name)' is not valid percent-encoded UTF-8 text.")
                }
                return (name, value)
            }
        }
    }
}
