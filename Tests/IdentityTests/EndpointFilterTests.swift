// SPDX-License-Identifier: Apache-2.0
// Endpoint groups, and what projects are associated with.

import Core
import HTTP
import JSON
import Testing

@testable import Identity

struct EndpointFilterTests {
    private func makeGroup(_ cloud: IdentityFixture, _ filters: JSON = ["interface": "public"]) async throws -> String {
        let made = try await cloud.request(
            .post, "/v3/OS-EP-FILTER/endpoint_groups", as: .systemAdmin,
            ["endpoint_group": ["name": "group", "filters": filters]])
        return try #require(made["endpoint_group"]?["id"]?.string, "\(made.text)")
    }

    @Test(arguments: TestEngine.available)
    func `a group is made, listed, changed and deleted`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let id = try await makeGroup(cloud)
            let path = "/v3/OS-EP-FILTER/endpoint_groups/\(id)"
            let shown = try await cloud.request(.get, path, as: .systemReader)
            #expect(shown["endpoint_group"]?["filters"] == ["interface": "public"])
            #expect(shown["endpoint_group"]?["description"] == .some(.null))
            #expect(shown["endpoint_group"]?["links"]?["self"] == .string("http://127.0.0.1:5000/identity" + path))
            #expect(try await cloud.request(.head, path, as: .systemReader).status == 200)
            let changed = try await cloud.request(
                .patch, path, as: .systemAdmin,
                ["endpoint_group": ["name": "new", "filters": ["region_id": "RegionOne"]]])
            #expect(changed["endpoint_group"]?["name"] == "new")
            #expect(changed["endpoint_group"]?["filters"] == ["region_id": "RegionOne"])
            let all = "/v3/OS-EP-FILTER/endpoint_groups"
            #expect(try await cloud.request(.get, all + "?name=new", as: .systemReader).ids("endpoint_groups") == [id])
            #expect(try await cloud.request(.get, all + "?name=old", as: .systemReader).ids("endpoint_groups") == [])
            let chosen = try await cloud.request(.get, path + "/endpoints", as: .systemReader)
            #expect(chosen.ids("endpoints").count == 3)
            #expect(try await cloud.request(.delete, path, as: .systemAdmin).status == 204)
            #expect(try await cloud.request(.get, path, as: .systemAdmin).status == 404)
        }
    }

    @Test(arguments: TestEngine.available)
    func `filters are few and must be right`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let cases: [(JSON, String)] = [
                ([:], "filters"), (["colour": "red"], "colour"), (["interface": "secret"], "interface"),
                (["service_id": 3], "service_id"),
                ("text", "filters"),
            ]
            for (filters, name) in cases {
                let refused = try await cloud.request(
                    .post, "/v3/OS-EP-FILTER/endpoint_groups", as: .systemAdmin,
                    ["endpoint_group": ["name": "x", "filters": filters]])
                #expect(refused.status == 400 && refused.message.contains(name), "\(refused.text)")
            }
        }
    }

    @Test(arguments: TestEngine.available)
    func `endpoints are associated with a project once, and taken away again`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let endpoint = try #require(cloud.cloud.endpoints[.admin])
            let path = "/v3/OS-EP-FILTER/projects/\(Places.web)/endpoints/\(endpoint)"
            #expect(try await cloud.request(.get, path, as: .systemReader).status == 404)
            #expect(try await cloud.request(.put, path, as: .systemAdmin).status == 204)
            #expect(try await cloud.request(.put, path, as: .systemAdmin).status == 409)
            #expect(try await cloud.request(.head, path, as: .systemReader).status == 204)
            let projects = try await cloud.request(
                .get, "/v3/OS-EP-FILTER/endpoints/\(endpoint)/projects", as: .systemReader)
            #expect(projects.ids("projects") == [Places.web.text])
            #expect(projects["projects"]?[0]?["tags"] == [])
            let list = "/v3/OS-EP-FILTER/projects/\(Places.web)/endpoints"
            #expect(try await cloud.request(.get, list, as: .systemReader).ids("endpoints") == [endpoint.text])
            #expect(try await cloud.request(.delete, path, as: .systemAdmin).status == 204)
            let gone = try await cloud.request(.delete, path, as: .systemAdmin)
            #expect(gone.message == "Endpoint \(endpoint) not found in project \(Places.web).")
            for missing in [
                "/v3/OS-EP-FILTER/projects/none/endpoints/\(endpoint)",
                "/v3/OS-EP-FILTER/projects/\(Places.web)/endpoints/none",
            ] {
                #expect(try await cloud.request(.put, missing, as: .systemAdmin).status == 404)
            }
        }
    }

    @Test(arguments: TestEngine.available)
    func `groups are associated with a project`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let id = try await makeGroup(cloud)
            let group = "/v3/OS-EP-FILTER/endpoint_groups/\(id)"
            let path = group + "/projects/\(Places.web)"
            #expect(try await cloud.request(.get, path, as: .systemReader).status == 404)
            #expect(try await cloud.request(.put, path, as: .systemAdmin).status == 204)
            #expect(try await cloud.request(.put, path, as: .systemAdmin).status == 409)
            let shown = try await cloud.request(.get, path, as: .systemReader)
            #expect(shown["project_endpoint_group"]?["endpoint_group_id"] == .string(id))
            #expect(shown["project_endpoint_group"]?["project_id"] == .string(Places.web.text))
            let projects = try await cloud.request(.get, group + "/projects", as: .systemReader)
            #expect(projects.ids("projects") == [Places.web.text])
            let project = "/v3/OS-EP-FILTER/projects/\(Places.web)"
            #expect(
                try await cloud.request(.get, project + "/endpoint_groups", as: .systemReader).ids("endpoint_groups")
                    == [id])
            let chosen = try await cloud.request(.get, project + "/endpoints", as: .systemReader)
            #expect(chosen.ids("endpoints") == cloud.cloud.endpoints[.public].map { [$0.text] })
            #expect(try await cloud.request(.delete, path, as: .systemAdmin).status == 204)
            #expect(try await cloud.request(.delete, path, as: .systemAdmin).status == 404)
        }
    }
}
