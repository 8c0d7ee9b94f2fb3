// SPDX-License-Identifier: Apache-2.0
// Roles and implied roles as clients see them.

import Core
import HTTP
import JSON
import Testing

@testable import Identity

struct RoleTests {
    private let absent = String(repeating: "0", count: 32)

    @Test(arguments: TestEngine.available)
    func `a role is made, shown, changed and deleted`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let made = try await cloud.request(
                .post, "/v3/roles", as: .systemAdmin,
                ["role": ["name": "operator", "description": "Runs it", "colour": "red"]])
            #expect(made.status == 201)
            let role = try #require(made["role"])
            let id = try #require(role["id"]?.string)
            #expect(id.count == 32)
            #expect(role["domain_id"] == .some(.null))
            #expect(role["description"] == "Runs it")
            #expect(role["options"] == [:])
            #expect(role["colour"] == "red")
            #expect(role["links"]?["self"]?.string?.hasSuffix("/identity/v3/roles/\(id)") ?? false)
            #expect(try await cloud.request(.get, "/v3/roles/\(id)", as: .systemReader)["role"] == role)
            let changed = try await cloud.request(
                .patch, "/v3/roles/\(id)", as: .projectAdmin, ["role": ["name": "runner", "description": nil]])
            #expect(changed.status == 200)
            #expect(changed["role"]?["name"] == "runner")
            #expect(changed["role"]?["description"] == .some(.null))
            #expect(changed["role"]?["colour"] == "red")
            #expect(try await cloud.request(.delete, "/v3/roles/\(id)", as: .systemAdmin).status == 204)
            #expect(try await cloud.request(.get, "/v3/roles/\(id)", as: .systemAdmin).status == 404)
        }
    }

    @Test(arguments: TestEngine.available)
    func `names are unique among global roles and within a domain`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            _ = try await cloud.makeRole("helper")
            _ = try await cloud.makeRole("helper", in: Places.home)
            _ = try await cloud.makeRole("helper", in: Places.away)
            for body: JSON in [["name": "helper"], ["name": "helper", "domain_id": .string(Places.home.text)]] {
                let reply = try await cloud.request(.post, "/v3/roles", as: .systemAdmin, ["role": body])
                #expect(reply.status == 409)
                #expect(reply.message.contains("Duplicate entry found with name helper"))
            }
            let other = try await cloud.makeRole("other")
            let reply = try await cloud.request(
                .patch, "/v3/roles/\(other)", as: .systemAdmin, ["role": ["name": "helper"]])
            #expect(reply.status == 409)
        }
    }

    @Test func `lists are of global roles or of one domain's, and filtered by name`() async throws {
        try await withCloud { cloud in
            let helper = try await cloud.makeRole("Helper", in: Places.home)
            let all = try await cloud.request(.get, "/v3/roles", as: .systemReader)
            #expect(all.status == 200)
            #expect(!all.ids("roles").contains(helper))
            #expect(all["links"]?["next"] == .some(.null))
            #expect(
                try await cloud.request(.get, "/v3/roles?domain_id=\(Places.home)", as: .systemReader).ids("roles") == [
                    helper
                ])
            #expect(
                try await cloud.request(.get, "/v3/roles?name=reader", as: .systemReader).ids("roles") == [
                    try cloud.role("reader")
                ])
            let inexact = try await cloud.request(
                .get, "/v3/roles?domain_id=\(Places.home)&name__icontains=HELP", as: .systemReader)
            #expect(inexact.ids("roles") == [helper])
            #expect(
                try await cloud.request(.get, "/v3/roles?name__startswith=no", as: .systemReader).ids("roles") == [])
        }
    }

    @Test func `a list comes in pages`() async throws {
        try await withCloud { cloud in
            let all = try await cloud.request(.get, "/v3/roles", as: .systemAdmin).ids("roles")
            #expect(all == all.sorted())
            var seen: [String] = []
            var path: String? = "/v3/roles?limit=2"
            while let next = path {
                let page = try await cloud.request(.get, next, as: .systemAdmin)
                #expect(page.ids("roles").count <= 2)
                seen += page.ids("roles")
                path = page["links"]?["next"]?.string.map { String($0.drop { $0 != "?" }) }.map { "/v3/roles" + $0 }
            }
            #expect(seen == all)
        }
    }

    @Test func `an immutable role changes only by being made mutable`() async throws {
        try await withCloud { cloud in
            let made = try await cloud.request(
                .post, "/v3/roles", as: .systemAdmin, ["role": ["name": "fixed", "options": ["immutable": true]]])
            #expect(made["role"]?["options"] == ["immutable": true])
            let path = "/v3/roles/" + (made["role"]?["id"]?.string ?? "")
            let renamed = try await cloud.request(.patch, path, as: .systemAdmin, ["role": ["name": "free"]])
            #expect(renamed.status == 403)
            #expect(renamed.message.contains("immutable"))
            #expect(try await cloud.request(.delete, path, as: .systemAdmin).status == 403)
            let freed = try await cloud.request(
                .patch, path, as: .systemAdmin, ["role": ["options": ["immutable": false]]])
            #expect(freed["role"]?["options"] == ["immutable": false])
            #expect(try await cloud.request(.delete, path, as: .systemAdmin).status == 204)
        }
    }

    @Test func `bad bodies are refused with the field's name`() async throws {
        try await withCloud { cloud in
            let cases: [(JSON, String)] = [
                ([:], "role"), (["role": []], "role"), (["role": [:]], "name"), (["role": ["name": ""]], "name"),
                (["role": ["name": "  "]], "name"), (["role": ["name": 7]], "name"),
                (["role": ["name": .string(String(repeating: "x", count: 256))]], "name"),
                (["role": ["name": "x", "options": ["other": true]]], "other"),
                (["role": ["name": "x", "options": ["immutable": "yes"]]], "immutable"),
                (["role": ["name": "x", "domain_id": 1]], "domain_id"),
            ]
            for (body, field) in cases {
                let reply = try await cloud.request(.post, "/v3/roles", as: .systemAdmin, body)
                #expect(reply.status == 400, "\(body)")
                #expect(reply.message.contains(field), "\(reply.message)")
            }
            let nowhere = try await cloud.request(
                .post, "/v3/roles", as: .systemAdmin, ["role": ["name": "x", "domain_id": "nowhere"]])
            #expect(nowhere.status == 404)
            let role = try await cloud.makeRole("worker")
            let moved = try await cloud.request(
                .patch, "/v3/roles/\(role)", as: .systemAdmin, ["role": ["domain_id": .string(Places.home.text)]])
            #expect(moved.status == 400)
            let renumbered = try await cloud.request(
                .patch, "/v3/roles/\(role)", as: .systemAdmin, ["role": ["id": .string(absent)]])
            #expect(renumbered.status == 400)
            #expect(try await cloud.request(.get, "/v3/roles?limit=x", as: .systemAdmin).status == 400)
        }
    }

    @Test func `each persona may do with roles what its scope allows`() async throws {
        try await withCloud { cloud in
            let member = try cloud.role("member")
            let admin = try cloud.role("admin")
            let helper = try await cloud.makeRole("helper", in: Places.home)
            let all = Persona.allCases
            let admins: Set<Persona> = [.systemAdmin, .projectAdmin]
            let readers = admins.union([.systemMember, .systemReader])
            for persona in all {
                let show = try await cloud.request(.get, "/v3/roles/\(member)", as: persona).status
                let isManager = [.domainManager, .projectManager, .domainAdmin, .otherDomainAdmin].contains(persona)
                #expect((show == 200) == (readers.contains(persona) || isManager), "\(persona) \(show)")
                let shown = try await cloud.request(.get, "/v3/roles/\(admin)", as: persona).status
                #expect(
                    (shown == 200)
                        == (readers.contains(persona) || [.domainAdmin, .otherDomainAdmin].contains(persona)),
                    "\(persona) \(shown)")
                let list = try await cloud.request(.get, "/v3/roles", as: persona).status
                #expect(
                    (list == 200)
                        == (readers.contains(persona)
                            || [.domainManager, .domainAdmin, .otherDomainAdmin].contains(persona)),
                    "\(persona) \(list)")
                let ofDomain = try await cloud.request(.get, "/v3/roles/\(helper)", as: persona).status
                #expect(ofDomain == (readers.contains(persona) ? 200 : 403), "\(persona)")
                let listed = try await cloud.request(.get, "/v3/roles?domain_id=\(Places.home)", as: persona).status
                #expect(listed == (readers.contains(persona) ? 200 : 403), "\(persona)")
                let made = try await cloud.request(
                    .post, "/v3/roles", as: persona, ["role": ["name": .string("of \(persona)")]]
                ).status
                #expect(made == (admins.contains(persona) ? 201 : 403), "\(persona)")
                // What does not exist is told to everybody.
                #expect(
                    try await cloud.request(.patch, "/v3/roles/\(absent)", as: persona, ["role": [:]]).status == 404)
                #expect(try await cloud.request(.delete, "/v3/roles/\(absent)", as: persona).status == 404)
                if !admins.contains(persona) {
                    #expect(try await cloud.request(.delete, "/v3/roles/\(helper)", as: persona).status == 403)
                }
            }
            #expect(try await cloud.request(.get, "/v3/roles", as: nil).status == 401)
        }
    }

    // MARK: Implied roles

    @Test(arguments: TestEngine.available)
    func `a role implies another until told otherwise`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let (prior, implied) = (try await cloud.makeRole("prior"), try await cloud.makeRole("implied"))
            let path = "/v3/roles/\(prior)/implies/\(implied)"
            #expect(try await cloud.request(.get, path, as: .systemReader).status == 404)
            let made = try await cloud.request(.put, path, as: .systemAdmin)
            #expect(made.status == 201)
            #expect(made["role_inference"]?["prior_role"]?["name"] == "prior")
            #expect(made["role_inference"]?["implies"]?["id"]?.string == implied)
            #expect(try await cloud.request(.put, path, as: .systemAdmin).status == 409)
            #expect(try await cloud.request(.head, path, as: .systemReader).status == 204)
            #expect(try await cloud.request(.get, path, as: .systemReader).status == 200)
            let all = try await cloud.request(.get, "/v3/roles/\(prior)/implies", as: .systemReader)
            #expect(all["role_inference"]?["implies"]?.array?.count == 1)
            let inferences = try await cloud.request(.get, "/v3/role_inferences", as: .systemReader)
            #expect(
                inferences["role_inferences"]?.array?.contains { $0["prior_role"]?["id"]?.string == prior } ?? false)
            #expect(try await cloud.request(.delete, path, as: .systemAdmin).status == 204)
            #expect(try await cloud.request(.delete, path, as: .systemAdmin).status == 404)
            #expect(try await cloud.request(.head, path, as: .systemAdmin).status == 404)
        }
    }

    @Test func `implications that would confuse are refused`() async throws {
        try await withCloud { cloud in
            let (a, b, c) = (
                try await cloud.makeRole("a"), try await cloud.makeRole("b"), try await cloud.makeRole("c")
            )
            let helper = try await cloud.makeRole("helper", in: Places.home)
            func imply(_ prior: String, _ implied: String) async throws -> Int {
                try await cloud.request(.put, "/v3/roles/\(prior)/implies/\(implied)", as: .systemAdmin).status
            }
            #expect(try await imply(a, b) == 201)
            #expect(try await imply(b, c) == 201)
            #expect(try await imply(c, a) == 403)
            #expect(try await imply(a, a) == 403)
            #expect(try await imply(a, cloud.role("admin")) == 403)
            #expect(try await imply(a, helper) == 403)
            #expect(try await imply(helper, a) == 201)
            #expect(try await imply(a, absent) == 404)
            #expect(try await imply(absent, a) == 404)
        }
    }

    @Test func `only admins change implications and only readers of the system see them`() async throws {
        try await withCloud { cloud in
            let (prior, implied) = (try await cloud.makeRole("prior"), try await cloud.makeRole("implied"))
            let path = "/v3/roles/\(prior)/implies/\(implied)"
            try await cloud.put(path)
            for persona: Persona in [
                .domainAdmin, .domainManager, .domainReader, .projectManager, .projectReader, .unscoped,
            ] {
                for (method, path): (HTTPMethod, String) in [
                    (.get, path), (.head, path), (.put, path), (.delete, path), (.get, "/v3/roles/\(prior)/implies"),
                    (.get, "/v3/role_inferences"),
                ] {
                    #expect(
                        try await cloud.request(method, path, as: persona).status == 403, "\(persona) \(method) \(path)"
                    )
                }
            }
            #expect(try await cloud.request(.delete, path, as: .systemReader).status == 403)
            #expect(try await cloud.request(.get, path, as: nil).status == 401)
        }
    }

    @Test func `listing roles takes one statement`() async throws {
        try await withCloud { cloud in
            let (count, reply) = try await cloud.statements(.get, "/v3/roles", as: .systemAdmin)
            #expect(reply.status == 200)
            #expect(count == 1)
        }
    }
}
