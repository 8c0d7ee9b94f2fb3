// SPDX-License-Identifier: Apache-2.0
// A domain whose users are in a real directory: OpenLDAP's slapd, as Tests/Support/slapd starts it. Without
// MARTLET_TEST_LDAP these tests are skipped.

import Core
import Database
import Glibc
import HTTP
import JSON
import Testing

@testable import Identity

private let directoryURL = getenv("MARTLET_TEST_LDAP").map { String(cString: $0) }

@Suite(.enabled(if: directoryURL != nil, "MARTLET_TEST_LDAP is not set")) struct DirectoryTests {
    private func withDirectory(
        _ engine: TestEngine = .sqlite, _ change: JSON.Object = [:],
        _ body: (IdentityFixture, ID<Domain>) async throws -> Void
    ) async throws {
        try await withCloud(engine) { cloud async throws in
            let domain = try await cloud.makeID("/v3/domains", "domain", ["name": "people"])
            var options: JSON.Object = [
                "url": .string(directoryURL ?? ""), "user": "cn=reader,dc=example,dc=org", "password": "reader-secret",
                "user_tree_dn": "ou=people,dc=example,dc=org", "group_tree_dn": "ou=groups,dc=example,dc=org",
                "user_id_attribute": "uid", "user_name_attribute": "uid", "group_id_attribute": "cn",
                "group_name_attribute": "cn",
            ]
            for (name, value) in change.members { options[name] = value }
            let config: JSON = ["config": ["identity": ["driver": "ldap"], "ldap": .object(options)]]
            let reply = try await cloud.perform(.put, "/v3/domains/\(domain)/config", as: .systemAdmin, config)
            try #require(reply.status == 201, "\(reply.message)")
            try await body(cloud, ID(domain))
        }
    }

    private func id(_ domain: ID<Domain>, _ name: String) -> String { DirectoryID.make(domain, .user, name) }

    @Test(arguments: TestEngine.available)
    func `users and groups of the directory are listed and shown under ids that stay`(_ engine: TestEngine) async throws
    {
        try await withDirectory(engine) { cloud, domain async throws in
            let unknown = try await cloud.perform(.get, "/v3/users/\(id(domain, "alice"))", as: .systemReader)
            #expect(unknown.status == 404)
            let list = try await cloud.perform(.get, "/v3/users?domain_id=\(domain)", as: .systemReader)
            #expect(list.status == 200, "\(list.message)")
            #expect(list.ids("users").count == 203)
            #expect(list.ids("users").contains(id(domain, "alice")))
            let alice = try await cloud.perform(.get, "/v3/users/\(id(domain, "alice"))", as: .systemReader)
            #expect(alice["user"]?["name"] == "alice")
            #expect(alice["user"]?["email"] == "alice@example.org")
            #expect(alice["user"]?["domain_id"]?.string == domain.text)
            #expect(alice["user"]?["enabled"] == true)
            let odd = try await cloud.perform(
                .get, "/v3/users?domain_id=\(domain)&name=odd%2C+%28one%29%2A", as: .systemReader)
            #expect(odd.ids("users").count == 1)
            let groups = try await cloud.perform(.get, "/v3/groups?domain_id=\(domain)", as: .systemReader)
            #expect(Set((groups["groups"]?.array ?? []).compactMap { $0["name"]?.string }) == ["engineers", "admins"])
            let everyone = try await cloud.perform(.get, "/v3/users", as: .systemReader)
            #expect(!everyone.ids("users").contains(id(domain, "alice")))
        }
    }

    @Test func `pages of a directory's users follow each other`() async throws {
        try await withDirectory { cloud, domain async throws in
            var path: String? = "/v3/users?domain_id=\(domain)&limit=100&name__startswith=user"
            var ids: [String] = []
            while let next = path {
                let reply = try await cloud.perform(.get, next, as: .systemReader)
                ids += reply.ids("users")
                path = reply["links"]?["next"]?.string.map {
                    String($0.dropFirst("http://127.0.0.1:5000/identity".count))
                }
            }
            #expect(ids.count == 200 && Set(ids).count == 200 && ids == ids.sorted())
        }
    }

    @Test func `memberships are seen from both sides`() async throws {
        try await withDirectory { cloud, domain async throws in
            let groups = try await cloud.perform(
                .get, "/v3/groups?domain_id=\(domain)&name=engineers", as: .systemReader)
            let group = try #require(groups.ids("groups").first)
            let members = try await cloud.perform(.get, "/v3/groups/\(group)/users", as: .systemReader)
            #expect(Set(members.ids("users")) == [id(domain, "alice"), id(domain, "bob")])
            let ofAlice = try await cloud.perform(.get, "/v3/users/\(id(domain, "alice"))/groups", as: .systemReader)
            #expect(ofAlice.ids("groups").count == 2)
            let path = "/v3/groups/\(group)/users/"
            #expect(try await cloud.perform(.head, path + id(domain, "bob"), as: .systemReader).status == 204)
            _ = try await cloud.perform(.get, "/v3/users?domain_id=\(domain)&name=user001", as: .systemReader)
            #expect(try await cloud.perform(.head, path + id(domain, "user001"), as: .systemReader).status == 404)
            #expect(
                try await cloud.perform(.head, path + Persona.projectReader.userID.text, as: .systemAdmin).status == 403
            )
        }
    }

    @Test func `a directory's user signs in by bind and has the roles of the directory's groups`() async throws {
        try await withDirectory { cloud, domain async throws in
            let name: JSON = ["name": "alice", "domain": ["id": .string(domain.text)], "password": "alice-secret"]
            func auth(_ user: JSON, _ scope: JSON? = nil) async throws -> Reply {
                var auth: JSON.Object = ["identity": ["methods": ["password"], "password": ["user": user]]]
                auth["scope"] = scope
                return try await cloud.perform(.post, "/v3/auth/tokens", as: nil, ["auth": .object(auth)])
            }
            let unscoped = try await auth(name)
            #expect(unscoped.status == 201, "\(unscoped.message)")
            #expect(unscoped["token"]?["user"]?["id"]?.string == id(domain, "alice"))
            for wrong in ["", "alice", "bob-secret"] {
                let user: JSON = ["name": "alice", "domain": ["id": .string(domain.text)], "password": .string(wrong)]
                #expect(try await auth(user).status == 401)
            }
            let nobody: JSON = ["name": "nobody", "domain": ["id": .string(domain.text)], "password": "x"]
            #expect(try await auth(nobody).status == 401)

            let groups = try await cloud.perform(.get, "/v3/groups?domain_id=\(domain)&name=admins", as: .systemReader)
            let group = try #require(groups.ids("groups").first)
            let role = try cloud.role("member")
            try await cloud.put("/v3/projects/\(Places.web)/groups/\(group)/roles/\(role)")
            let project: JSON = ["project": ["id": .string(Places.web.text)]]
            let scoped = try await auth(name, project)
            #expect(scoped.status == 201, "\(scoped.message)")
            let token = try #require(scoped.header("X-Subject-Token"))
            let own = try await cloud.request(.get, "/v3/users/\(id(domain, "alice"))", token: token)
            #expect(own.status == 200)
        }
    }

    @Test func `nothing of a directory can be changed`() async throws {
        try await withDirectory { cloud, domain async throws in
            _ = try await cloud.perform(.get, "/v3/users?domain_id=\(domain)", as: .systemReader)
            let groups = try await cloud.perform(.get, "/v3/groups?domain_id=\(domain)", as: .systemReader)
            let (user, group) = (id(domain, "alice"), try #require(groups.ids("groups").first))
            for (method, path, body) in [
                (.post, "/v3/users", ["user": ["name": "new", "domain_id": .string(domain.text)]]),
                (.patch, "/v3/users/\(user)", ["user": ["description": "x"]]), (.delete, "/v3/users/\(user)", nil),
                (.post, "/v3/groups", ["group": ["name": "new", "domain_id": .string(domain.text)]]),
                (.patch, "/v3/groups/\(group)", ["group": ["description": "x"]]), (.delete, "/v3/groups/\(group)", nil),
                (.put, "/v3/groups/\(group)/users/\(user)", nil), (.delete, "/v3/groups/\(group)/users/\(user)", nil),
                (.post, "/v3/users/\(user)/password", ["user": ["original_password": "a", "password": "b"]]),
            ] as [(HTTPMethod, String, JSON?)] {
                let reply = try await cloud.perform(method, path, as: .systemAdmin, body)
                #expect(reply.status == 403, "\(method) \(path) answered \(reply.status) \(reply.message)")
            }
        }
    }

    @Test func `an account of our own works in a domain with a directory`() async throws {
        try await withDirectory { cloud, domain async throws in
            let users = UserService(cloud.environment)
            let account = UserRecord(id: ID("own"), name: "operator", domain: domain, created: cloud.clock.now)
            try await cloud.environment.database.write("test.own") { try UserStore.insert(account, $0) }
            #expect(try await users.find(name: "operator", in: domain)?.isLocal == true)
            let list = try await cloud.perform(.get, "/v3/users?domain_id=\(domain)", as: .systemReader)
            #expect(list.ids("users").contains("own") && list.ids("users").contains(id(domain, "alice")))
        }
    }

    @Test func `a directory that is down or misconfigured stops only its own domain`() async throws {
        for change in [
            ["url": "ldap://127.0.0.1:1"], ["password": "wrong"], ["user_tree_dn": "ou=none,dc=example,dc=org"],
        ] as [JSON.Object] {
            try await withDirectory(.sqlite, change) { cloud, domain async throws in
                let list = try await cloud.perform(.get, "/v3/users?domain_id=\(domain)", as: .systemReader)
                #expect(list.status == 503)
                #expect(list.message.contains(domain.text))
                #expect(list.header("Retry-After") != nil)
                #expect(!list.text.contains("reader"))
                let name: JSON = ["name": "alice", "domain": ["id": .string(domain.text)], "password": "alice-secret"]
                let (_, reply) = try await cloud.signIn([
                    "identity": ["methods": ["password"], "password": ["user": name]]
                ])
                #expect(reply.status == 503)
                #expect(try await cloud.perform(.get, "/v3/users", as: .systemReader).status == 200)
            }
        }
    }

    @Test func `a change of the domain's configuration is seen at once`() async throws {
        try await withDirectory { cloud, domain async throws in
            let path = "/v3/users?domain_id=\(domain)"
            #expect(try await cloud.perform(.get, path, as: .systemReader).ids("users").count == 203)
            let filter: JSON = ["config": ["ldap": ["user_filter": "(uid=bob)"]]]
            #expect(
                try await cloud.perform(.patch, "/v3/domains/\(domain)/config", as: .systemAdmin, filter).status == 200)
            #expect(try await cloud.perform(.get, path, as: .systemReader).ids("users") == [id(domain, "bob")])
            #expect(try await cloud.perform(.delete, "/v3/domains/\(domain)/config", as: .systemAdmin).status == 204)
            #expect(try await cloud.perform(.get, path, as: .systemReader).ids("users") == [])
        }
    }

    @Test func `looking again asks neither the database nor the directory`() async throws {
        try await withDirectory { cloud, domain async throws in
            let users = UserService(cloud.environment)
            let first = try #require(try await users.find(name: "alice", in: domain))
            _ = try await users.find(first.id)
            _ = try await users.groupIDs(of: first)
            let tally = StatementTally()
            let clock = ContinuousClock()
            let time = try await clock.measure {
                try await StatementTally.$current.withValue(tally) {
                    for _ in 0..<100 {
                        let again = try #require(try await users.find(first.id))
                        #expect(try await users.groupIDs(of: again).count == 2)
                    }
                }
            }
            #expect(tally.count == 0)
            #expect(time < .seconds(1))
        }
    }
}
