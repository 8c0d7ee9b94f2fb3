// SPDX-License-Identifier: Apache-2.0
// The catalog as tokens show it: filled in, filtered, cheap.

import Core
import Database
import JSON
import Testing

@testable import Identity

struct CatalogSnapshotTests {
    private func catalog(_ cloud: IdentityFixture) async throws -> CatalogSnapshot {
        try await cloud.environment.database.read("test") { try CatalogSnapshot.load($0) }
    }

    private func show(_ snapshot: CatalogSnapshot, _ project: ID<Project>?, user: String = "u1") throws -> [JSON] {
        try #require(try JSON.parse(snapshot.bytes(project: project, user: ID(user))).array)
    }

    private func make(
        _ cloud: IdentityFixture, type: String, url: String, isEnabled: Bool = true, isServiceEnabled: Bool = true
    ) async throws -> ID<Endpoint> {
        let service = CatalogServiceRecord(
            id: .random(SystemEntropy()), type: type, name: "the \"\(type)\"", isEnabled: isServiceEnabled)
        let endpoint = EndpointRecord(
            id: .random(SystemEntropy()), service: service.id, region: "RegionOne".region, interface: .public, url: url,
            isEnabled: isEnabled)
        try await cloud.environment.database.write("test") { connection in
            try CatalogServiceStore.insert(service, connection)
            try EndpointStore.insert(endpoint, connection)
        }
        return endpoint.id
    }

    @Test(arguments: TestEngine.available)
    func `places are filled for the caller, and endpoints that cannot be filled are left out`(_ engine: TestEngine)
        async throws
    {
        try await withCloud(engine) { cloud in
            _ = try await make(cloud, type: "volume", url: "http://v/$(project_id)s/%(user_id)s?a=\"%%\"")
            _ = try await make(cloud, type: "broken", url: "http://b/$(nothing)s")
            _ = try await make(cloud, type: "off", url: "http://o", isServiceEnabled: false)
            _ = try await make(cloud, type: "half", url: "http://o", isEnabled: false)
            let snapshot = try await catalog(cloud)
            let services = try show(snapshot, Places.web)
            #expect(services.compactMap { $0["type"]?.string } == ["broken", "half", "identity", "volume"])
            let volume = try #require(services.last)
            #expect(volume["name"] == "the \"volume\"")
            #expect(volume["endpoints"]?[0]?["url"] == .string("http://v/\(Places.web)/u1?a=\"%\""))
            #expect(
                volume["endpoints"]?[0]?["region"] == "RegionOne"
                    && volume["endpoints"]?[0]?["region_id"] == "RegionOne")
            #expect(services[0]["endpoints"] == [] && services[1]["endpoints"] == [])
            #expect(services[2]["endpoints"]?.array?.count == 3)
            // Without a project only what needs none is shown.
            #expect(try show(snapshot, nil).last?["endpoints"] == [])
        }
    }

    @Test func `an id that needs escaping stays inside its string`() async throws {
        try await withCloud { cloud in
            _ = try await make(cloud, type: "z", url: "http://v/$(user_id)s")
            let services = try show(try await catalog(cloud), nil, user: "a\"b\\")
            #expect(services.last?["endpoints"]?[0]?["url"] == "http://v/a\"b\\")
        }
    }

    @Test(arguments: TestEngine.available)
    func `a project sees what it is associated with, others see all`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let image = try await make(cloud, type: "image", url: "http://i")
            _ = try await make(cloud, type: "network", url: "http://n")
            let path = "/v3/OS-EP-FILTER/projects/\(Places.web)/endpoints/\(image)"
            #expect(try await cloud.request(.put, path, as: .systemAdmin).status == 204)
            var snapshot = try await catalog(cloud)
            #expect(try show(snapshot, Places.web).compactMap { $0["type"]?.string } == ["image"])
            #expect(try show(snapshot, Places.shop).count == 3)
            #expect(try show(snapshot, nil).count == 3)
            // A group adds what it chooses.
            let group = try await cloud.request(
                .post, "/v3/OS-EP-FILTER/endpoint_groups", as: .systemAdmin,
                ["endpoint_group": ["name": "admins", "filters": ["interface": "admin"]]])
            let id = try #require(group["endpoint_group"]?["id"]?.string)
            #expect(
                try await cloud.request(
                    .put, "/v3/OS-EP-FILTER/endpoint_groups/\(id)/projects/\(Places.web)", as: .systemAdmin
                ).status == 204)
            snapshot = try await catalog(cloud)
            let shown = try show(snapshot, Places.web)
            #expect(shown.compactMap { $0["type"]?.string } == ["identity", "image"])
            #expect(shown[0]["endpoints"]?.array?.count == 1)
        }
    }

    @Test func `it is made with three statements and rendered within microseconds`() async throws {
        try await withCloud { cloud in
            for i in 0..<20 { _ = try await make(cloud, type: "service\(i)", url: "http://h:\(i)/v1/$(project_id)s") }
            let tally = StatementTally()
            let snapshot = try await StatementTally.$current.withValue(tally) { try await catalog(cloud) }
            #expect(tally.count == 3)
            let clock = ContinuousClock()
            let rounds = 2_000
            var bytes = 0
            let time = clock.measure {
                for _ in 0..<rounds {
                    bytes += snapshot.bytes(project: Places.web, user: Persona.projectReader.userID).count
                }
            }
            // Debug builds and busy machines are slow; a catalog that is put together anew each time takes far longer
            // still.
            #expect(time / rounds < .microseconds(200), "\(time / rounds) for \(bytes / rounds) bytes")
        }
    }
}

extension String {
    fileprivate var region: ID<Region> { ID(self) }
}
