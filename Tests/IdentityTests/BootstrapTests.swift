// SPDX-License-Identifier: Apache-2.0
// The beginning of a cloud, and the way back in.

import Core
import Database
import JSON
import Testing

@testable import Identity

struct BootstrapTests {
    @Test(arguments: TestEngine.available)
    func `it makes the domain, the roles, the admin and identity's place in the catalog`(_ engine: TestEngine)
        async throws
    {
        try await withCloud(engine) { cloud in
            #expect(cloud.cloud.domain.text == "default")
            #expect(cloud.cloud.roles.keys.sorted() == ["admin", "manager", "member", "reader", "service"])
            #expect(try await IdentityBootstrap.isDone(cloud.environment))
            let (roles, isAdmin) = try await cloud.environment.database.read("test") {
                [roles = cloud.cloud.roles] connection in
                let found = try roles.keys.map { try #require(try RoleStore.find(name: $0, connection)) }
                let admin = try #require(roles["admin"])
                let user = cloud.cloud.user
                return (
                    found,
                    try BootstrapStore.isAssigned(Assignment(.user(user), .system, admin), connection)
                        && BootstrapStore.isAssigned(
                            Assignment(.user(user), .project(cloud.cloud.project), admin), connection)
                )
            }
            #expect(roles.filter { !$0.isImmutable }.isEmpty)
            #expect(isAdmin)
            let endpoints = try await cloud.request(.get, "/v3/endpoints", as: .systemReader)
            #expect(Set(endpoints.ids("endpoints")) == Set(cloud.cloud.endpoints.values.map(\.text)))
            #expect(endpoints["endpoints"]?[0]?["url"]?.string == "http://127.0.0.1:5000/identity")
        }
    }

    @Test(arguments: TestEngine.available)
    func `each role implies the next below it`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let pairs = try await cloud.environment.database.read("test") { connection in
                try connection.rows(
                    """
                    SELECT p.name, i.name FROM implied_role r
                        JOIN role p ON p.id = r.prior_id JOIN role i ON i.id = r.implied_id
                    """
                ).map { $0.text(0) + ">" + $0.text(1) }
            }
            #expect(pairs.sorted() == ["admin>manager", "manager>member", "member>reader"])
        }
    }

    @Test(arguments: TestEngine.available)
    func `run again it changes nothing`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let before = try await events(cloud)
            let again = try await IdentityBootstrap.run(
                BootstrapOptions(password: IdentityFixture.adminPassword), cloud.environment)
            #expect(again.user == cloud.cloud.user && again.project == cloud.cloud.project)
            #expect(again.roles == cloud.cloud.roles && again.endpoints == cloud.cloud.endpoints)
            // What is left is the touch that tells other coordinators to look again.
            #expect(try await events(cloud) == before)
        }
    }

    private func events(_ cloud: IdentityFixture) async throws -> Int64 {
        try await cloud.environment.database.read("test") {
            try $0.row("SELECT COUNT(*) FROM event WHERE service = 'identity'")?.int(0) ?? 0
        }
    }

    @Test(arguments: TestEngine.available)
    func `with a password it lets a locked-out operator in again`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let users = UserService(cloud.environment)
            let admin = try #require(try await users.find(cloud.cloud.user))
            try await cloud.environment.database.write("test") { connection in
                var disabled = admin
                disabled.isEnabled = false
                try UserStore.update(disabled, connection)
            }
            cloud.clock.advance(seconds: 1)
            try await IdentityBootstrap.run(BootstrapOptions(password: "another password 2"), cloud.environment)
            let found = try await users.find(cloud.cloud.user)
            #expect(found?.isEnabled == true)
            try await users.signIn(found, password: "another password 2")
            await #expect(throws: CloudError.self) {
                try await users.signIn(found, password: IdentityFixture.adminPassword)
            }
        }
    }

    @Test(arguments: TestEngine.available)
    func `every persona of the tests can sign in, and real tokens show the catalog`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            for persona in Persona.allCases {
                let token = try await cloud.token(of: persona)
                let shown = try await cloud.request(
                    .get, "/v3/auth/tokens", token: token, headers: [("X-Subject-Token", token)])
                let roles = (shown["token"]?["roles"]?.array ?? []).compactMap { $0["name"]?.string }
                #expect(Set(roles) == Set(persona.roles), "\(persona)")
                #expect((shown["token"]?["catalog"]?[0]?["type"] == "identity") == (persona != .unscoped), "\(persona)")
            }
        }
    }

    @Test(arguments: TestEngine.available)
    func `a changed public URL is written into the endpoints`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let region = ID<Region>("RegionOne")
            try await cloud.environment.change("test", by: nil) { connection, changes in
                try CatalogRegistration.ensure(
                    .identity, publicURL: "https://cloud.example.org", region: region, connection, &changes)
                try CatalogRegistration.ensure(
                    .identity, publicURL: "https://cloud.example.org", region: region, connection, &changes)
            }
            let reply = try await cloud.request(.get, "/v3/endpoints", as: .systemReader)
            let urls = (reply["endpoints"]?.array ?? []).compactMap { $0["url"]?.string }
            #expect(urls == Array(repeating: "https://cloud.example.org/identity", count: 3))
            let services = try await cloud.request(.get, "/v3/services", as: .systemReader)
            #expect(services.ids("services") == [cloud.cloud.service.text])
        }
    }
}
