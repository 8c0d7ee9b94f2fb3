// SPDX-License-Identifier: Apache-2.0
// Policies and which of them is in force at an endpoint.

import Core
import HTTP
import JSON
import Testing

@testable import Identity

struct PolicyBlobTests {
    private func makePolicy(_ cloud: IdentityFixture, _ type: String = "application/json") async throws -> String {
        let made = try await cloud.request(
            .post, "/v3/policies", as: .systemAdmin, ["policy": ["type": .string(type), "blob": "{}", "owner": "me"]])
        return try #require(made["policy"]?["id"]?.string, "\(made.text)")
    }

    @Test(arguments: TestEngine.available)
    func `a policy is made, filtered, changed and deleted`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let id = try await makePolicy(cloud, "text/plain")
            _ = try await makePolicy(cloud)
            let shown = try await cloud.request(.get, "/v3/policies/\(id)", as: .systemReader)
            #expect(shown["policy"]?["owner"] == "me" && shown["policy"]?["blob"] == "{}")
            #expect(try await cloud.request(.get, "/v3/policies", as: .systemReader).ids("policies").count == 2)
            #expect(
                try await cloud.request(.get, "/v3/policies?type=text/plain", as: .systemReader).ids("policies") == [id]
            )
            let changed = try await cloud.request(
                .patch, "/v3/policies/\(id)", as: .systemAdmin, ["policy": ["blob": "[]"]])
            #expect(changed["policy"]?["blob"] == "[]" && changed["policy"]?["type"] == "text/plain")
            #expect(try await cloud.request(.delete, "/v3/policies/\(id)", as: .systemAdmin).status == 204)
            #expect(try await cloud.request(.get, "/v3/policies/\(id)", as: .systemAdmin).status == 404)
        }
    }

    @Test(arguments: TestEngine.available)
    func `the nearest association is in force`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let service = cloud.cloud.service
            let endpoint = try #require(cloud.cloud.endpoints[.public])
            _ = try await cloud.request(.post, "/v3/regions", as: .systemAdmin, ["region": ["id": "world"]])
            _ = try await cloud.request(
                .patch, "/v3/regions/RegionOne", as: .systemAdmin, ["region": ["parent_region_id": "world"]])
            let effective = "/v3/endpoints/\(endpoint)/OS-ENDPOINT-POLICY/policy"
            #expect(try await cloud.request(.get, effective, as: .systemReader).status == 404)
            // From the farthest to the nearest, each takes over.
            for subject in [
                "services/\(service)", "services/\(service)/regions/world", "services/\(service)/regions/RegionOne",
                "endpoints/\(endpoint)",
            ] {
                let policy = try await makePolicy(cloud)
                let path = "/v3/policies/\(policy)/OS-ENDPOINT-POLICY/\(subject)"
                #expect(try await cloud.request(.get, path, as: .systemReader).status == 404)
                #expect(try await cloud.request(.put, path, as: .systemAdmin).status == 204)
                #expect(try await cloud.request(.put, path, as: .systemAdmin).status == 204)
                #expect(try await cloud.request(.get, path, as: .systemReader).status == 204)
                let found = try await cloud.request(.get, effective, as: .systemReader)
                #expect(found["policy"]?["id"] == .string(policy), "\(subject)")
                let covered = try await cloud.request(
                    .get, "/v3/policies/\(policy)/OS-ENDPOINT-POLICY/endpoints", as: .systemReader)
                #expect(covered.ids("endpoints").contains(endpoint.text), "\(subject)")
                #expect(covered.ids("endpoints").count == (subject.hasPrefix("endpoints") ? 1 : 3), "\(subject)")
                if subject.hasPrefix("endpoints") {
                    #expect(try await cloud.request(.delete, path, as: .systemAdmin).status == 204)
                    #expect(try await cloud.request(.get, path, as: .systemReader).status == 404)
                }
            }
        }
    }

    @Test(arguments: TestEngine.available)
    func `an association needs its policy and its subject, and goes with them`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let policy = try await makePolicy(cloud)
            let base = "/v3/policies/\(policy)/OS-ENDPOINT-POLICY"
            for path in [
                base + "/endpoints/none", base + "/services/none",
                base + "/services/\(cloud.cloud.service)/regions/none",
                "/v3/policies/none/OS-ENDPOINT-POLICY/services/\(cloud.cloud.service)",
            ] {
                #expect(try await cloud.request(.put, path, as: .systemAdmin).status == 404, "\(path)")
            }
            let endpoint = try #require(cloud.cloud.endpoints[.admin])
            #expect(try await cloud.request(.put, base + "/endpoints/\(endpoint)", as: .systemAdmin).status == 204)
            #expect(try await cloud.request(.delete, "/v3/endpoints/\(endpoint)", as: .systemAdmin).status == 204)
            let left = try await cloud.environment.database.read("test") {
                try $0.row("SELECT COUNT(*) FROM policy_association")?.int(0)
            }
            #expect(left == 0)
        }
    }
}
