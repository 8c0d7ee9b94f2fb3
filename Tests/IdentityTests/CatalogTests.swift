// SPDX-License-Identifier: Apache-2.0
// Regions, services and endpoints as clients see them.

import Core
import HTTP
import JSON
import Testing

@testable import Identity

struct CatalogTests {
    // MARK: Regions

    @Test(arguments: TestEngine.available)
    func `a region is made with the client's id, shown, changed and deleted`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let made = try await cloud.request(
                .post, "/v3/regions", as: .systemAdmin,
                ["region": ["id": "west", "description": "West", "colour": "blue"]])
            #expect(made.status == 201)
            #expect(made["region"]?["id"] == "west")
            #expect(made["region"]?["parent_region_id"] == .some(.null))
            #expect(made["region"]?["colour"] == "blue")
            #expect(made["region"]?["links"]?["self"] == "http://127.0.0.1:5000/identity/v3/regions/west")
            let child = try await cloud.request(
                .put, "/v3/regions/west-1", as: .systemAdmin, ["region": ["parent_region_id": "west"]])
            #expect(child.status == 201)
            #expect(child["region"]?["description"] == "")
            let listed = try await cloud.request(.get, "/v3/regions?parent_region_id=west", as: .unscoped)
            #expect(listed.ids("regions") == ["west-1"])
            let changed = try await cloud.request(
                .patch, "/v3/regions/west", as: .systemAdmin, ["region": ["description": "Far west"]])
            #expect(changed.status == 200)
            #expect(changed["region"]?["description"] == "Far west")
            #expect(changed["region"]?["colour"] == "blue")
            #expect(try await cloud.request(.delete, "/v3/regions/west", as: .systemAdmin).status == 204)
            // Those below it went with it.
            #expect(try await cloud.request(.get, "/v3/regions/west-1", as: .systemAdmin).status == 404)
        }
    }

    @Test(arguments: TestEngine.available)
    func `a region's id without one given is 32 digits`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            for body: JSON in [["region": [:]], ["region": ["id": ""]]] {
                let made = try await cloud.request(.post, "/v3/regions", as: .projectAdmin, body)
                #expect(made.status == 201)
                #expect(made["region"]?["id"]?.string?.count == 32)
            }
        }
    }

    @Test(arguments: TestEngine.available)
    func `regions refuse duplicates, missing parents, circles and ids that break URLs`(_ engine: TestEngine)
        async throws
    {
        try await withCloud(engine) { cloud in
            func post(_ region: JSON) async throws -> Reply {
                try await cloud.request(.post, "/v3/regions", as: .systemAdmin, ["region": region])
            }
            #expect(try await post(["id": "a"]).status == 201)
            #expect(
                try await post(["id": "a"]).message == "Conflict occurred attempting to store region - Duplicate ID, a."
            )
            #expect(try await post(["id": "b", "parent_region_id": "nowhere"]).status == 404)
            #expect(try await post(["id": "b", "parent_region_id": "a"]).status == 201)
            let circle = try await cloud.request(
                .patch, "/v3/regions/a", as: .systemAdmin, ["region": ["parent_region_id": "b"]])
            #expect(circle.status == 400)
            #expect(circle.message.contains("circular"))
            #expect(
                try await cloud.request(
                    .patch, "/v3/regions/a", as: .systemAdmin, ["region": ["parent_region_id": "a"]]
                ).status == 400)
            for id in ["a/b", "a?b", "a#b", "a%2f", "..", "a b", "a\nb"] {
                let refused = try await post(["id": .string(id)])
                #expect(refused.status == 400 && refused.message.contains("region.id"), "\(id)")
            }
            let other = try await cloud.request(.put, "/v3/regions/c", as: .systemAdmin, ["region": ["id": "d"]])
            #expect(other.status == 400)
        }
    }

    @Test(arguments: TestEngine.available)
    func `a region with endpoints in it or below it stays`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            _ = try await cloud.request(.post, "/v3/regions", as: .systemAdmin, ["region": ["id": "top"]])
            _ = try await cloud.request(
                .post, "/v3/regions", as: .systemAdmin, ["region": ["id": "low", "parent_region_id": "top"]])
            let endpoint = try await makeEndpoint(cloud, ["region_id": "low"])
            let refused = try await cloud.request(.delete, "/v3/regions/top", as: .systemAdmin)
            #expect(refused.status == 403)
            #expect(refused.message.contains("associated endpoints"))
            #expect(try await cloud.request(.delete, "/v3/endpoints/\(endpoint)", as: .systemAdmin).status == 204)
            #expect(try await cloud.request(.delete, "/v3/regions/top", as: .systemAdmin).status == 204)
        }
    }

    // MARK: Services

    @Test(arguments: TestEngine.available)
    func `a service is made, filtered, changed and deleted with its endpoints`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let made = try await cloud.request(
                .post, "/v3/services", as: .systemAdmin, ["service": ["type": "image", "name": "glance", "size": 3]])
            #expect(made.status == 201)
            let service = try #require(made["service"])
            let id = try #require(service["id"]?.string)
            #expect(service["enabled"] == true && service["size"] == 3)
            #expect(service["description"] == nil)
            for query in [
                "type=image", "name=glance", "name__contains=lan", "name__icontains=GLA", "type__startswith=ima",
                "name__endswith=ce",
            ] {
                let listed = try await cloud.request(.get, "/v3/services?\(query)", as: .systemReader)
                #expect(listed.ids("services") == [id], "\(query)")
            }
            #expect(
                try await cloud.request(.get, "/v3/services?name__contains=LAN", as: .systemReader).ids("services")
                    == [])
            let changed = try await cloud.request(
                .patch, "/v3/services/\(id)", as: .systemAdmin,
                ["service": ["description": "Images", "enabled": false, "name": "g"]])
            #expect(changed["service"]?["description"] == "Images")
            #expect(changed["service"]?["enabled"] == false && changed["service"]?["type"] == "image")
            let endpoint = try await cloud.request(
                .post, "/v3/endpoints", as: .systemAdmin,
                ["endpoint": ["service_id": .string(id), "interface": "public", "url": "http://images"]])
            let endpointID = try #require(endpoint["endpoint"]?["id"]?.string)
            #expect(try await cloud.request(.delete, "/v3/services/\(id)", as: .systemAdmin).status == 204)
            #expect(try await cloud.request(.get, "/v3/endpoints/\(endpointID)", as: .systemAdmin).status == 404)
            #expect(try await cloud.request(.get, "/v3/services/\(id)", as: .systemAdmin).status == 404)
        }
    }

    // MARK: Endpoints

    private func makeEndpoint(_ cloud: IdentityFixture, _ more: JSON.Object = [:]) async throws -> String {
        var endpoint: JSON.Object = [
            "service_id": .string(cloud.cloud.service.text), "interface": "public", "url": "http://somewhere:1",
        ]
        for (name, value) in more.members { endpoint[name] = value }
        let made = try await cloud.request(.post, "/v3/endpoints", as: .systemAdmin, ["endpoint": .object(endpoint)])
        return try #require(made["endpoint"]?["id"]?.string, "\(made.text)")
    }

    @Test(arguments: TestEngine.available)
    func `an endpoint shows its region under both names`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let id = try await makeEndpoint(cloud, ["region": "made-on-the-way", "name": "mine"])
            let shown = try await cloud.request(.get, "/v3/endpoints/\(id)", as: .systemReader)
            #expect(shown["endpoint"]?["region"] == "made-on-the-way")
            #expect(shown["endpoint"]?["region_id"] == "made-on-the-way")
            #expect(shown["endpoint"]?["name"] == "mine" && shown["endpoint"]?["enabled"] == true)
            #expect(try await cloud.request(.get, "/v3/regions/made-on-the-way", as: .unscoped).status == 200)
            let cleared = try await cloud.request(
                .patch, "/v3/endpoints/\(id)", as: .systemAdmin, ["endpoint": ["region_id": nil, "interface": "admin"]])
            #expect(cleared["endpoint"]?["region"] == .some(.null) && cleared["endpoint"]?["interface"] == "admin")
            let found = try await cloud.request(
                .get, "/v3/endpoints?interface=admin&service_id=\(cloud.cloud.service)", as: .systemReader)
            #expect(found.ids("endpoints").contains(id))
            let west = try await cloud.request(.get, "/v3/endpoints?region_id=RegionOne", as: .systemReader)
            #expect(west.ids("endpoints").count == 3)
        }
    }

    @Test(arguments: TestEngine.available)
    func `endpoints refuse what does not exist and URLs that cannot be filled`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            func refusal(_ name: String, _ value: JSON) async throws -> Reply {
                var endpoint: JSON.Object = [
                    "service_id": .string(cloud.cloud.service.text), "interface": "public", "url": "http://somewhere:1",
                ]
                endpoint[name] = value
                return try await cloud.request(
                    .post, "/v3/endpoints", as: .systemAdmin, ["endpoint": .object(endpoint)])
            }
            let cases: [(String, JSON)] = [
                ("service_id", "nothing"), ("region_id", "nowhere"), ("region", "a/b"), ("interface", "private"),
                ("url", "no scheme"), ("url", "http://h/$(project)s"), ("url", "http://h/$(project_id)"),
                ("url", "http://h/%(tenant_id)d"), ("url", "http://h/%20"), ("url", "http://h/$(project_id"),
                ("url", ""),
                ("url", .string("http://" + String(repeating: "x", count: 230))), ("enabled", "yes"), ("name", 3),
            ]
            for (name, value) in cases {
                let refused = try await refusal(name, value)
                #expect(refused.status == 400 && refused.message.contains(name), "\(name) \(value) \(refused.text)")
            }
            #expect(try await refusal("url", "http://h/v3/$(project_id)s/%(user_id)s").status == 201)
        }
    }

    @Test func `who may read and write the catalog`() async throws {
        try await withCloud { cloud in
            for persona in Persona.allCases {
                let isWriter = [.systemAdmin, .projectAdmin].contains(persona)
                let isReader = isWriter || [.systemMember, .systemReader].contains(persona)
                let body: JSON = ["service": ["type": "x"]]
                #expect(
                    try await cloud.request(.post, "/v3/services", as: persona, body).status == (isWriter ? 201 : 403),
                    "\(persona)")
                #expect(
                    try await cloud.request(.get, "/v3/services", as: persona).status == (isReader ? 200 : 403),
                    "\(persona)")
                let missing = try await cloud.request(.get, "/v3/endpoints/none", as: persona)
                #expect(missing.status == (isReader ? 404 : 403), "\(persona)")
                #expect(try await cloud.request(.get, "/v3/regions", as: persona).status == 200, "\(persona)")
            }
        }
    }

    @Test(arguments: TestEngine.available)
    func `lists come in pages that join up`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            for id in ["r1", "r2", "r3", "r4"] {
                _ = try await cloud.request(.post, "/v3/regions", as: .systemAdmin, ["region": ["id": .string(id)]])
            }
            var seen: [String] = []
            var next: String? = "/v3/regions?limit=2"
            while let path = next, seen.count < 10 {
                let (count, page) = try await cloud.statements(.get, path, as: .unscoped)
                #expect(count == 1)
                seen += page.ids("regions")
                next = page["links"]?["next"]?.string.map {
                    String($0.dropFirst("http://127.0.0.1:5000/identity".count))
                }
            }
            #expect(seen == ["RegionOne", "r1", "r2", "r3", "r4"])
        }
    }

    @Test(arguments: TestEngine.available)
    func `what a registered limit names stays`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            _ = try await cloud.request(.post, "/v3/regions", as: .systemAdmin, ["region": ["id": "limited"]])
            let made = try await cloud.request(.post, "/v3/services", as: .systemAdmin, ["service": ["type": "volume"]])
            let service = try #require(made["service"]?["id"]?.string)
            let limit: JSON = [
                "service_id": .string(service), "region_id": "limited", "resource_name": "volumes", "default_limit": 1,
            ]
            let registered = try await cloud.request(
                .post, "/v3/registered_limits", as: .systemAdmin, ["registered_limits": [limit]])
            let id = try #require(registered["registered_limits"]?[0]?["id"]?.string)
            for path in ["/v3/regions/limited", "/v3/services/\(service)"] {
                let refused = try await cloud.request(.delete, path, as: .systemAdmin)
                #expect(refused.status == 403 && refused.message.contains("registered limits"), "\(refused.text)")
            }
            #expect(try await cloud.request(.delete, "/v3/registered_limits/\(id)", as: .systemAdmin).status == 204)
            for path in ["/v3/regions/limited", "/v3/services/\(service)"] {
                #expect(try await cloud.request(.delete, path, as: .systemAdmin).status == 204)
            }
        }
    }

    // MARK: URLs

    @Test func `a URL is cut into text and places`() {
        #expect(EndpointURL("http://h/v1")?.pieces == [.text("http://h/v1")])
        #expect(EndpointURL("http://h/$(tenant_id)s")?.pieces == [.text("http://h/"), .project])
        #expect(EndpointURL("http://h/%(user_id)s/x%%y$z")?.pieces == [.text("http://h/"), .user, .text("/x%y$z")])
        for malformed in ["http://h/%", "http://h/%s", "http://h/$(x)s", "http://h/$(project_id)d", "http://h/$("] {
            #expect(EndpointURL(malformed) == nil, "\(malformed)")
        }
    }
}
