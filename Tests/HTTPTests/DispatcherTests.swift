// SPDX-License-Identifier: Apache-2.0
import Core
import HTTP
import JSON
import Testing

private func text(_ response: Response) -> String {
    if case .bytes(let bytes) = response.body { String(decoding: bytes, as: UTF8.self) } else { "" }
}

private func headers(_ response: Response, _ name: String) -> [String] {
    response.headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
}

@Suite struct DispatcherTests {
    private func respond(
        _ method: HTTPMethod, _ target: String, _ headers: [(String, String)] = [],
        options: Dispatcher.Options = .init()
    ) async throws -> Response {
        try await makeDispatcher(options: options).respond(to: makeRequest(method, target, headers: headers))
    }

    @Test func parametersAreDecodedSegmentBySegment() async throws {
        #expect(text(try await respond(.get, "/test/things/a%2Fb%20c")) == "a/b c 2.1")
        #expect(text(try await respond(.get, "/test/things/x/")) == "x 2.1")
        #expect(try await respond(.get, "/test/things/%ff").status == .badRequest)
        #expect(try await respond(.get, "/test/things/").status == .notFound)
        #expect(try await respond(.get, "/test/things/a/b").status == .notFound)
    }

    @Test func theQueryIsDecoded() async throws {
        #expect(text(try await respond(.get, "/test/query?a=1+2&a=%C3%A4&b")) == "a=1 2|a=ä|b=")
        #expect(try await respond(.get, "/test/query?a=%ff").status == .badRequest)
    }

    @Test func whatIsNotThereIsToldInTheServicesOwnForm() async throws {
        let missing = try await respond(.get, "/test/nothing")
        #expect(missing.status == .notFound)
        let error = try JSON.parse(Array(text(missing).utf8))["error"]
        #expect(error?["code"]?.int == 404)
        #expect(error?["title"]?.string == "Not Found")
        #expect(headers(missing, "x-openstack-request-id").count == 1)
        #expect(try await respond(.get, "/nowhere").status == .notFound)
    }

    @Test func aWrongMethodIsToldWhichOnesThereAre() async throws {
        let response = try await respond(.delete, "/test/small")
        #expect(response.status == .methodNotAllowed)
        #expect(headers(response, "allow") == ["GET, HEAD, OPTIONS"])
        let options = try await respond(.options, "/test/small")
        #expect(options.status == .noContent)
        #expect(headers(options, "allow") == ["GET, HEAD, OPTIONS"])
        #expect(try await respond(.head, "/test/small").status == .ok)
    }

    @Test func aCallerIsAskedForWhoHeIs() async throws {
        var options = Dispatcher.Options()
        options.publicURL = "https://cloud.example"
        let response = try await respond(.get, "/test/mine", options: options)
        #expect(response.status == .unauthorized)
        #expect(headers(response, "www-authenticate") == ["Keystone uri=\"https://cloud.example/identity/v3\""])
        #expect(text(try await respond(.get, "/test/mine", [("X-Auth-Token", "reader")])) == "reader")
        #expect(try await respond(.get, "/test/mine", [("X-Auth-Token", "bad")]).status == .unauthorized)
        #expect(try await respond(.get, "/test/ruled").status == .unauthorized)
        #expect(try await respond(.get, "/test/ruled", [("X-Auth-Token", "reader")]).status == .forbidden)
        #expect(try await respond(.get, "/test/ruled", [("X-Auth-Token", "admin")]).status == .ok)
    }

    @Test func aRuleThatDoesNotExistKeepsTheServerFromStarting() throws {
        let service = TestService(extraRoutes: [Route(.get, "/odd", "test:unknown") { _ in .noContent }])
        #expect(throws: CloudError.self) { try makeDispatcher([service]) }
        let twice = TestService(extraRoutes: [Route(.get, "/small", open: .open) { _ in .noContent }])
        #expect(throws: CloudError.self) { try makeDispatcher([twice]) }
    }

    @Test func anUnknownErrorTellsNothingOfItself() async throws {
        let response = try await respond(.get, "/test/broken")
        #expect(response.status == .internalServerError)
        #expect(!text(response).contains("secret"))
    }

    @Test func aLiteralGoesBeforeAParameterAndTheRestOfAPathMayBeTaken() async throws {
        func route(_ pattern: String) -> Route {
            Route(.get, pattern, open: .open) { call in
                .text(.ok, pattern + call.parameters.map { " \($0.name)=\($0.value)" }.joined())
            }
        }
        let service = TestService(extraRoutes: [
            route("/a/{x}/c"), route("/a/b/{y}"), route("/a/b/c"), route("/o/{account}/{object...}"),
            route("/o/{account}"),
        ])
        let dispatcher = try makeDispatcher([service])
        func found(_ path: String) async -> String {
            text(await dispatcher.respond(to: makeRequest(.get, "/test" + path)))
        }
        #expect(await found("/a/b/c") == "/a/b/c")
        #expect(await found("/a/b/d") == "/a/b/{y} y=d")
        #expect(await found("/a/z/c") == "/a/{x}/c x=z")
        #expect(await found("/o/acc") == "/o/{account} account=acc")
        #expect(await found("/o/acc/x/y%20z//w") == "/o/{account}/{object...} account=acc object=x/y z//w")
    }

    @Test func theVersionIsNegotiated() async throws {
        func ask(_ headers: [(String, String)]) async throws -> Response {
            try await respond(.get, "/test/things/x", headers)
        }
        #expect(text(try await ask([])) == "x 2.1")
        #expect(text(try await ask([("OpenStack-API-Version", "other 1.0, test 2.5")])) == "x 2.5")
        #expect(text(try await ask([("X-Test-Version", "2.3")])) == "x 2.3")
        let latest = try await ask([("OpenStack-API-Version", "test latest")])
        #expect(text(latest) == "x 2.9")
        #expect(headers(latest, "openstack-api-version") == ["test 2.9"])
        #expect(headers(latest, "x-test-version") == ["2.9"])
        #expect(headers(latest, "vary") == ["OpenStack-API-Version, X-Test-Version"])
        #expect(try await ask([("OpenStack-API-Version", "test 2.10")]).status == .notAcceptable)
        #expect(try await ask([("OpenStack-API-Version", "test 1.9")]).status == .notAcceptable)
        #expect(try await ask([("OpenStack-API-Version", "test two")]).status == .badRequest)
    }

    @Test func pagesOfListedOriginsMayCall() async throws {
        var options = Dispatcher.Options()
        options.allowedOrigins = ["https://console.example"]
        let good = [("Origin", "https://console.example")], bad = [("Origin", "https://evil.example")]
        let allowed = try await respond(.get, "/test/small", good, options: options)
        #expect(headers(allowed, "access-control-allow-origin") == ["https://console.example"])
        let other = try await respond(.get, "/test/small", bad, options: options)
        #expect(headers(other, "access-control-allow-origin") == [])
        let off = try await respond(.get, "/test/small", good)
        #expect(headers(off, "access-control-allow-origin") == [])
        let preflight = try await respond(
            .options, "/test/small", good + [("Access-Control-Request-Method", "GET")], options: options)
        #expect(preflight.status == .noContent)
        #expect(headers(preflight, "access-control-allow-methods") == ["GET, HEAD, OPTIONS"])
        #expect(headers(preflight, "access-control-allow-headers").first?.contains("X-Auth-Token") == true)
    }

    @Test func theRootListsTheServices() async throws {
        let index = try JSON.parse(Array(text(try await respond(.get, "/")).utf8))
        #expect(index["services"]?[0]?["name"]?.string == "test")
        #expect(index["services"]?[0]?["url"]?.string == "http://127.0.0.1/test")
    }

    @Test func healthIsToldInTextAndJSON() async throws {
        let health = Health(checks: [{ nil }, { "The database does not answer." }])
        let dispatcher = try makeDispatcher(health: health)
        let response = await dispatcher.respond(to: makeRequest(.get, "/healthcheck"))
        #expect(response.status == .serviceUnavailable)
        #expect(text(response) == "The database does not answer.")
        let well = try makeDispatcher()
        #expect(text(await well.respond(to: makeRequest(.get, "/healthcheck"))) == "OK")
        let json = await well.respond(to: makeRequest(.get, "/healthcheck", headers: [("Accept", "application/json")]))
        #expect(try JSON.parse(Array(text(json).utf8))["reasons"]?[0]?.string == "OK")
    }

    @Test func statementsAreCountedAroundTheHandler() async throws {
        var options = Dispatcher.Options()
        options.around = { handle in
            await handle()
            return 7
        }
        let dispatcher = try makeDispatcher(options: options)
        let answer = await dispatcher.answer(makeRequest(.get, "/test/small"))
        #expect(answer.statements == 7)
        #expect(answer.response.status == .ok)
    }
}

@Suite struct FaultTests {
    private func fault(_ kind: CloudError.Kind, _ style: FaultStyle) throws -> JSON {
        let response = Fault.response(CloudError(kind, "Sentence."), style, requestID: "req-1")
        return try JSON.parse(Array(text(response).utf8))
    }

    @Test func eachServiceHasItsForm() throws {
        #expect(
            try fault(.notFound, .keystone) == ["error": ["code": 404, "message": "Sentence.", "title": "Not Found"]])
        #expect(try fault(.notFound, .nova) == ["itemNotFound": ["code": 404, "message": "Sentence."]])
        #expect(try fault(.badRequest, .cinder) == ["badRequest": ["code": 400, "message": "Sentence."]])
        #expect(try fault(.conflict, .nova) == ["conflictingRequest": ["code": 409, "message": "Sentence."]])
        #expect(try fault(.quotaExceeded, .nova) == ["forbidden": ["code": 403, "message": "Sentence."]])
        #expect(try fault(.quotaExceeded, .cinder) == ["overLimit": ["code": 413, "message": "Sentence."]])
        #expect(try fault(.internalError, .nova) == ["computeFault": ["code": 500, "message": "Sentence."]])
        #expect(try fault(.conflict, .neutron)["NeutronError"]?["message"]?.string == "Sentence.")
        #expect(try fault(.conflict, .placement)["errors"]?[0]?["request_id"]?.string == "req-1")
        #expect(try fault(.notFound, .heat)["error"]?["type"]?.string == "NotFound")
        #expect(try fault(.notFound, .ironic)["error_message"]?["faultstring"]?.string == "Sentence.")
        #expect(try fault(.notFound, .glance)["code"]?.string == "404 Not Found")
    }

    @Test func pagesAreEscaped() {
        let error = CloudError(.notFound, "<script>")
        #expect(
            text(Fault.response(error, .swift, requestID: "r"))
                == "<html><h1>Not Found</h1><p>&lt;script&gt;</p></html>")
        #expect(text(Fault.response(error, .glance, requestID: "r", prefersJSON: false)).contains("&lt;script&gt;"))
    }

    @Test func everyKindHasAStatusInEveryForm() {
        for kind in CloudError.Kind.allCases {
            for style in [
                FaultStyle.keystone, .nova, .neutron, .glance, .cinder, .placement, .swift, .heat, .ironic, .plain,
            ] {
                #expect(Fault.status(kind, style).code >= 400)
            }
        }
    }

    @Test func anErrorsOwnHeadersAndBodyAreKept() {
        var error = CloudError(.unauthorized, "More, please.")
        error.headers = [("Openstack-Auth-Receipt", "abc")]
        error.body = Array(#"{"receipt":1}"#.utf8)
        let response = Fault.response(error, .keystone, requestID: "r")
        #expect(response.status == .unauthorized)
        #expect(text(response) == #"{"receipt":1}"#)
        #expect(headers(response, "openstack-auth-receipt") == ["abc"])
    }
}

@Suite struct TrustedProxyTests {
    private func client(_ trusted: [String], _ peer: String, _ headers: [(String, String)]) throws -> String {
        let head = makeRequest(.get, "/", headers: headers).head
        let client = try TrustedProxies(trusted).client(head, peer: peer, isSecure: false)
        return "\(client.peer) \(client.isSecure)"
    }

    @Test func onlyAConfiguredProxyIsBelieved() throws {
        let headers = [("X-Forwarded-For", "192.0.2.9"), ("X-Forwarded-Proto", "https")]
        #expect(try client([], "10.0.0.1", headers) == "10.0.0.1 false")
        #expect(try client(["10.0.0.0/8"], "10.0.0.1", headers) == "192.0.2.9 true")
        #expect(try client(["10.0.0.0/8"], "11.0.0.1", headers) == "11.0.0.1 false")
    }

    @Test func whatTheClientItselfWroteIsNotBelieved() throws {
        let headers = [("X-Forwarded-For", "1.1.1.1, 192.0.2.9, 10.0.0.2")]
        #expect(try client(["10.0.0.0/8"], "10.0.0.1", headers) == "192.0.2.9 false")
        #expect(try client(["10.0.0.0/8"], "10.0.0.1", [("X-Forwarded-For", "nonsense")]) == "10.0.0.1 false")
    }

    @Test func theStandardHeaderIsRead() throws {
        let headers = [("Forwarded", #"for="[2001:db8::7]:4711";proto=https, for=10.0.0.2"#)]
        #expect(try client(["10.0.0.0/8"], "10.0.0.1", headers) == "2001:db8::7 true")
        #expect(try client(["::1"], "::1", [("Forwarded", "for=192.0.2.60:80;proto=https")]) == "192.0.2.60 true")
    }

    @Test(arguments: ["10.0.0.0/33", "x", "10.0.0.1/", "::1/129", ""])
    func whatIsNoNetworkIsRefused(_ text: String) {
        #expect(throws: CloudError.self) { try TrustedProxies([text]) }
    }
}
