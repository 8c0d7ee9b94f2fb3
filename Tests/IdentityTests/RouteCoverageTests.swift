// SPDX-License-Identifier: Apache-2.0
// Walks every route of identity: without a token it is refused, by a reader of another project or domain it is
// refused, and a body of any wrong form is a 400 that names the field. A route without a case in RouteCases fails.

import Core
import HTTP
import JSON
import Testing

@testable import Identity

struct RouteCoverageTests {
    private struct Walked {
        let method: HTTPMethod
        let pattern: String
        let isOpen: Bool
        var name: String { "\(method.rawValue) \(pattern)" }
        var hasBody: Bool { [.post, .put, .patch].contains(method) }
    }

    private func routes(_ cloud: IdentityFixture) -> [Walked] {
        cloud.dispatcher.routes.filter { $0.service.name == "identity" }.map { mounted in
            Walked(method: mounted.route.method, pattern: mounted.route.pattern, isOpen: mounted.route.policy == .open)
        }
    }

    private func ask(
        _ cloud: IdentityFixture, _ route: Walked, _ things: RouteThings, as persona: Persona?, body: [UInt8]
    ) async throws -> Reply {
        let path = try #require(things.path(route.pattern), "\(route.name) has a parameter that the tests do not know")
        return try await cloud.request(
            route.method, path, token: persona?.token, body: body, headers: [("X-Subject-Token", things.token)])
    }

    @Test func `every route has a case, and every case a route`() async throws {
        try await withCloud { cloud in
            let things = try await RouteThings(cloud)
            let routes = routes(cloud)
            let names = Set(routes.map(\.name))
            let bodies = RouteCases.bodies(things)
            #expect(Set(routes.filter(\.isOpen).map(\.name)) == Set(RouteCases.open.keys))
            for route in routes {
                #expect(things.path(route.pattern) != nil, "\(route.name)")
                if route.hasBody {
                    let hasCase = (bodies[route.name] != nil) != RouteCases.withoutBody.contains(route.name)
                    #expect(hasCase, "\(route.name) needs a case for its body")
                }
            }
            let known = Set(RouteCases.forAnyone.keys).union(RouteCases.withoutBody).union(bodies.keys)
            #expect(known.subtracting(names) == [], "cases of routes that do not exist")
        }
    }

    @Test func `without a token every route but the open ones answers 401`() async throws {
        try await withCloud { cloud in
            let things = try await RouteThings(cloud)
            for route in routes(cloud) where !route.isOpen {
                for token in [nil, "", "no-token", "gAAAAABinvalid"] {
                    let path = try #require(things.path(route.pattern))
                    let reply = try await cloud.request(route.method, path, token: token)
                    #expect(reply.status == 401, "\(route.name) with \(token ?? "none"): \(reply.text)")
                    #expect(reply.header("WWW-Authenticate") != nil, "\(route.name)")
                }
            }
        }
    }

    @Test(arguments: [Persona.otherReader, .otherDomainReader, .unscoped])
    func `a reader of another project or domain is refused`(_ persona: Persona) async throws {
        try await withCloud { cloud in
            let things = try await RouteThings(cloud)
            let bodies = RouteCases.bodies(things)
            for route in routes(cloud) where !route.isOpen && RouteCases.forAnyone[route.name] == nil {
                let body = bodies[route.name].map { $0.body($0.valid).bytes } ?? []
                let reply = try await ask(cloud, route, things, as: persona, body: body)
                if isOwnList(route, reply) { continue }
                #expect(
                    [403, 404].contains(reply.status), "\(route.name) as \(persona): \(reply.status) \(reply.text)")
            }
        }
    }

    /// So that a refusal above is one of rights, and not of a path that leads nowhere.
    @Test func `those with the right reach every GET`() async throws {
        try await withCloud { cloud in
            let things = try await RouteThings(cloud)
            for route in routes(cloud) where route.method == .get && RouteCases.defaultDomainOnly[route.name] == nil {
                let reply = try await ask(
                    cloud, route, things, as: RouteCases.owners[route.name] ?? .systemAdmin, body: [])
                // A route's own 404: the two things that it asks about do not belong together.
                let isOwnAnswer = reply.status == 404 && reply.message != "The resource could not be found."
                #expect(
                    [200, 204, 300].contains(reply.status) || isOwnAnswer,
                    "\(route.name): \(reply.status) \(reply.text)")
            }
        }
    }

    /// Lists that a domain's people see of their own domain, which here is another one: nothing of the home domain is
    /// in them.
    private func isOwnList(_ route: Walked, _ reply: Reply) -> Bool {
        let lists = ["/v3/users", "/v3/groups", "/v3/projects", "/v3/domains", "/v3/roles", "/v3/role_assignments"]
        guard route.method == .get, lists.contains(route.pattern), reply.status == 200 else { return false }
        return !reply.text.contains(Places.home.text) && !reply.text.contains(Places.web.text)
    }

    @Test(arguments: TestEngine.available)
    func `a body of any wrong form is a 400 that names the field`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let things = try await RouteThings(cloud)
            let bodies = RouteCases.bodies(things)
            for route in routes(cloud) {
                guard let known = bodies[route.name] else { continue }
                for text in [#"{""#, "nonsense", "[]", #""text""#, "3", "null", #"{"a": 1, "a": 2}"#, "\u{1}", "{}"] {
                    if text == "{}" && known.wrapper == nil && known.valid.isEmpty { continue }
                    let reply = try await ask(cloud, route, things, as: known.persona, body: Array(text.utf8))
                    #expect(reply.status == 400, "\(route.name) \(text): \(reply.status) \(reply.text)")
                }
                if let wrapper = known.wrapper {
                    let kind: BodyCase.Kind = known.isArray ? .array : .object
                    for wrong in kind.wrong + [.null] {
                        let body = JSON.object(JSON.Object([(wrapper, wrong)]))
                        let reply = try await ask(cloud, route, things, as: known.persona, body: body.bytes)
                        #expect(
                            reply.status == 400 && reply.message.contains(wrapper),
                            "\(route.name) \(body.text): \(reply.status) \(reply.text)")
                    }
                }
                for (name, kind) in known.fields.sorted(by: { $0.key < $1.key }) {
                    for wrong in kind.wrong + (kind == .string ? ["a\0b"] : []) {
                        var object = known.valid
                        object[name] = wrong
                        let reply = try await ask(
                            cloud, route, things, as: known.persona, body: known.body(object).bytes)
                        #expect(
                            reply.status == known.refusal && reply.message.contains(name),
                            "\(route.name) \(name) = \(wrong.text): \(reply.status) \(reply.text)")
                    }
                }
            }
        }
    }

    @Test(arguments: TestEngine.available)
    func `no path and no query makes a fault of ours`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let things = try await RouteThings(cloud)
            let oddities = [
                "%00", "%ff", "'", "%25", "a%2Fb", "..%2f", String(repeating: "x", count: 3000), "%F0%9F%90%A6", "-1",
            ]
            let queries = [
                "limit=0", "limit=-1", "limit=x", "limit=99999999999999999999", "marker=%00", "marker='", "marker=%ff",
                "name=%00",
                "name__contains=%25", "name=%27%20OR%201=1--", "enabled=maybe", "id=%00", "domain_id=%00", "a=&&b",
                "sort_key=x",
            ]
            for route in routes(cloud) where [.get, .head, .delete].contains(route.method) {
                var paths: [String] = []
                if route.pattern.contains("{") {
                    for oddity in oddities {
                        var odd = things
                        for name in odd.parameters.keys { odd.parameters[name] = oddity }
                        odd.accessKey = oddity
                        paths.append(try #require(odd.path(route.pattern)))
                    }
                }
                if route.method == .get {
                    paths += queries.compactMap { query in things.path(route.pattern).map { $0 + "?" + query } }
                }
                for path in paths {
                    let reply = try await cloud.request(
                        route.method, path, token: Persona.systemAdmin.token,
                        headers: [("X-Subject-Token", things.token)])
                    #expect(reply.status < 500, "\(route.name) \(path.prefix(200)): \(reply.status) \(reply.text)")
                }
            }
        }
    }
}
