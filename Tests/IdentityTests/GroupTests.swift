// SPDX-License-Identifier: Apache-2.0

import Core
import Database
import HTTP
import JSON
import Testing

@testable import Identity

@Suite struct GroupTests {
    @Test(arguments: TestEngine.available)
    func `a group lives from its making to its end`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud async throws in
            let made = try await cloud.perform(
                .post, "/v3/groups", as: .systemAdmin, ["group": ["name": " team ", "colour": "red"]])
            #expect(made.status == 201)
            let id = try #require(made.json["group"]?["id"]?.string)
            #expect(made.json["group"]?["name"] == "team")
            #expect(made.json["group"]?["description"] == "")
            #expect(made.json["group"]?["domain_id"] == "default")
            #expect(made.json["group"]?["colour"] == "red")
            #expect(made.json["group"]?["links"]?["self"] == .string("http://127.0.0.1:5000/identity/v3/groups/\(id)"))
            #expect(try await cloud.perform(.get, "/v3/groups/\(id)", as: .systemReader).json == made.json)
            let changed = try await cloud.perform(
                .patch, "/v3/groups/\(id)", as: .systemAdmin, ["group": ["description": "x", "size": 3]])
            #expect(changed.json["group"]?["description"] == "x")
            #expect(changed.json["group"]?["size"] == 3)
            #expect(changed.json["group"]?["colour"] == "red")
            #expect(
                try await cloud.perform(.post, "/v3/groups", as: .systemAdmin, ["group": ["name": "team"]]).status
                    == 409)
            #expect(try await cloud.perform(.delete, "/v3/groups/\(id)", as: .systemAdmin).status == 204)
            #expect(try await cloud.perform(.get, "/v3/groups/\(id)", as: .systemAdmin).status == 404)
        }
    }

    @Test func `a bad field is refused by its name`() async throws {
        try await withCloud { cloud async throws in
            for (body, field) in [
                ([:], "group"), (["group": 1], "group"), (["group": [:]], "name"), (["group": ["name": " "]], "name"),
                (["group": ["name": "x", "description": 1]], "description"),
                (["group": ["name": "x", "domain_id": []]], "domain_id"),
            ] as [(JSON, String)] {
                let reply = try await cloud.perform(.post, "/v3/groups", as: .systemAdmin, body)
                #expect(reply.status == 400, "\(body.text) answered \(reply.status)")
                #expect(reply.message.contains(field), "\(body.text): \(reply.message)")
            }
            let id = try await cloud.makeID("/v3/groups", "group", ["name": "team"])
            for body in [
                ["group": [:]], ["group": ["name": 1]], ["group": ["domain_id": .string(Places.away.text)]],
                ["group": ["id": "x"]],
            ] as [JSON] {
                #expect(try await cloud.perform(.patch, "/v3/groups/\(id)", as: .systemAdmin, body).status == 400)
            }
            let far: JSON = ["group": ["name": "x", "domain_id": "nowhere"]]
            #expect(try await cloud.perform(.post, "/v3/groups", as: .systemAdmin, far).status == 404)
        }
    }

    @Test(arguments: TestEngine.available)
    func `members come, are seen from both sides, and go with their tokens`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud async throws in
            let group = try await cloud.makeID("/v3/groups", "group", ["name": "team"])
            let user = try await cloud.makeID("/v3/users", "user", ["name": "alice"])
            let path = "/v3/groups/\(group)/users/\(user)"
            for method in [HTTPMethod.get, .head, .delete] {
                #expect(try await cloud.perform(method, path, as: .systemAdmin).status == 404)
            }
            for _ in 0..<2 { #expect(try await cloud.perform(.put, path, as: .systemAdmin).status == 204) }
            for method in [HTTPMethod.get, .head] {
                #expect(try await cloud.perform(method, path, as: .systemReader).status == 204)
            }
            let members = try await cloud.perform(.get, "/v3/groups/\(group)/users", as: .systemReader)
            #expect(members.json["users"]?.array?.compactMap { $0["id"]?.string } == [user])
            let groups = try await cloud.perform(.get, "/v3/users/\(user)/groups", as: .systemReader)
            #expect(groups.json["groups"]?[0]?["id"] == .string(group))
            #expect(groups.json["groups"]?[0]?["membership_expires_at"] == .null)
            #expect(cloud.revocations.isEmpty)
            #expect(try await cloud.perform(.delete, path, as: .systemAdmin).status == 204)
            #expect(cloud.revocations == [.user(ID(user))])
            let left = try await cloud.perform(.get, "/v3/groups/\(group)/users", as: .systemReader)
            #expect(left.json["users"] == [])
        }
    }

    @Test(arguments: TestEngine.available)
    func `a group that holds roles takes its members' tokens with it, one without does not`(
        _ engine: TestEngine
    ) async throws {
        try await withCloud(engine) { cloud async throws in
            let user = try await cloud.makeID("/v3/users", "user", ["name": "alice"])
            for (holdsRole, ended) in [(false, 0), (true, 1)] {
                let group = try await cloud.makeID("/v3/groups", "group", ["name": "team"])
                try await cloud.perform(.put, "/v3/groups/\(group)/users/\(user)", as: .systemAdmin)
                if holdsRole {
                    try await cloud.environment.database.write("test.grant") { connection in
                        try RoleStore.insert(RoleRecord(id: ID("role"), name: "role"), connection)
                        try AssignmentStore.insert(Assignment(.group(ID(group)), .system, ID("role")), connection)
                    }
                }
                try await cloud.perform(.delete, "/v3/groups/\(group)", as: .systemAdmin)
                #expect(cloud.revocations.count == ended)
            }
            let left = try await cloud.environment.database.read("test") {
                try $0.rows("SELECT 1 FROM assignment WHERE actor_kind = 'group'").count
            }
            #expect(left == 0)
        }
    }

    @Test func `a domain's token sees its own domain's groups and members only`() async throws {
        try await withCloud { cloud async throws in
            let (near, far) = (Places.home.text, Places.away.text)
            var groups: [String: String] = [:]
            var users: [String: String] = [:]
            for domain in [near, far] {
                groups[domain] = try await cloud.makeID(
                    "/v3/groups", "group", ["name": "g", "domain_id": .string(domain)])
                users[domain] = try await cloud.makeID(
                    "/v3/users", "user", ["name": "u", "domain_id": .string(domain)])
            }
            for group in groups.values {
                for user in users.values {
                    try await cloud.perform(.put, "/v3/groups/\(group)/users/\(user)", as: .systemAdmin)
                }
            }
            let (nearGroup, farGroup) = (groups[near] ?? "", groups[far] ?? "")
            let (nearUser, farUser) = (users[near] ?? "", users[far] ?? "")
            func ids(_ path: String, _ list: String, _ persona: Persona) async throws -> [String] {
                let reply = try await cloud.perform(.get, path, as: persona)
                #expect(reply.status == 200, "\(path) as \(persona)")
                return (reply.json[list]?.array ?? []).compactMap { $0["id"]?.string }
            }
            for persona in [Persona.domainAdmin, .domainManager, .domainReader] {
                #expect(try await ids("/v3/groups", "groups", persona) == [nearGroup])
                #expect(try await ids("/v3/groups?domain_id=\(Places.away)", "groups", persona) == [])
                #expect(try await ids("/v3/users/\(nearUser)/groups", "groups", persona) == [nearGroup])
                #expect(try await ids("/v3/groups/\(nearGroup)/users", "users", persona) == [nearUser])
                let isAdmin = persona == .domainAdmin
                for path in [
                    "/v3/groups/\(farGroup)", "/v3/groups/\(farGroup)/users", "/v3/users/\(farUser)/groups",
                    "/v3/groups/\(farGroup)/users/\(nearUser)", "/v3/groups/\(nearGroup)/users/\(farUser)",
                ] {
                    let status = try await cloud.perform(.get, path, as: persona).status
                    #expect((status == 403) == !isAdmin, "\(path) as \(persona) answered \(status)")
                }
            }
            #expect(try await Set(ids("/v3/groups", "groups", .systemReader)).isSuperset(of: groups.values))
        }
    }

    @Test func `who may change groups and memberships: administrators, and a domain's managers within it`() async throws
    {
        try await withCloud { cloud async throws in
            for persona in Persona.allCases {
                for domain in [Places.home, Places.away] {
                    let may = persona.mayManage(domain)
                    let name = "\(persona) \(domain)"
                    let body: JSON = ["group": ["name": .string(name), "domain_id": .string(domain.text)]]
                    #expect(try await cloud.perform(.post, "/v3/groups", as: persona, body).status == (may ? 201 : 403))
                    let group = try await cloud.makeID(
                        "/v3/groups", "group", ["name": .string(name + "2"), "domain_id": .string(domain.text)])
                    let user = try await cloud.makeID(
                        "/v3/users", "user", ["name": .string(name), "domain_id": .string(domain.text)])
                    let path = "/v3/groups/\(group)"
                    #expect(
                        try await cloud.perform(.put, "\(path)/users/\(user)", as: persona).status == (may ? 204 : 403))
                    try await cloud.perform(.put, "\(path)/users/\(user)", as: .systemAdmin)
                    #expect(
                        try await cloud.perform(.delete, "\(path)/users/\(user)", as: persona).status
                            == (may ? 204 : 403))
                    #expect(
                        try await cloud.perform(.patch, path, as: persona, ["group": ["a": 1]]).status
                            == (may ? 200 : 403)
                    )
                    #expect(try await cloud.perform(.delete, path, as: persona).status == (may ? 204 : 403))
                }
                let absent = persona.isAdmin ? 404 : 403
                let known = persona.userID
                #expect(
                    try await cloud.perform(.patch, "/v3/groups/none", as: persona, ["group": ["a": 1]]).status
                        == absent)
                #expect(try await cloud.perform(.put, "/v3/groups/none/users/\(known)", as: persona).status == absent)
                #expect(
                    try await cloud.perform(.delete, "/v3/groups/none/users/\(known)", as: persona).status == absent)
                // Clients are told of an absent group here whatever their rights.
                #expect(try await cloud.perform(.delete, "/v3/groups/none", as: persona).status == 404)
            }
            for (method, path) in [
                (HTTPMethod.get, "/v3/groups"), (.post, "/v3/groups"), (.get, "/v3/groups/x"), (.patch, "/v3/groups/x"),
                (.delete, "/v3/groups/x"), (.get, "/v3/groups/x/users"), (.put, "/v3/groups/x/users/y"),
                (.get, "/v3/groups/x/users/y"), (.delete, "/v3/groups/x/users/y"), (.get, "/v3/users/x/groups"),
            ] {
                #expect(try await cloud.perform(method, path).status == 401)
            }
        }
    }
}
