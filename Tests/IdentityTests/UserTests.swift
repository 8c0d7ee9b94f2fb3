// SPDX-License-Identifier: Apache-2.0

import Core
import Database
import HTTP
import JSON
import Testing

@testable import Identity

@Suite struct UserTests {
    // MARK: Shape

    @Test(arguments: TestEngine.available)
    func `a user is shown as it was made, without its password`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud async throws in
            let reply = try await cloud.perform(
                .post, "/v3/users", as: .systemAdmin,
                [
                    "user": [
                        "name": "  alice ", "password": "secret", "email": "alice@example.org", "description": "first",
                        "options": ["ignore_password_expiry": true, "lock_password": nil],
                        "quota": ["a": [1, .number("2.5"), nil]],
                    ]
                ])
            #expect(reply.status == 201)
            let user = reply.json["user"]
            let id = try #require(user?["id"]?.string)
            #expect(user?["name"] == "alice")
            #expect(user?["domain_id"] == "default")
            #expect(user?["enabled"] == true)
            #expect(user?["email"] == "alice@example.org")
            #expect(user?["description"] == "first")
            #expect(user?["options"] == ["ignore_password_expiry": true])
            #expect(user?["password_expires_at"] == .null)
            #expect(user?["default_project_id"] == nil)
            #expect(user?["quota"]?["a"] == [1, .number("2.5"), nil])
            #expect(user?["links"]?["self"] == .string("http://127.0.0.1:5000/identity/v3/users/\(id)"))
            #expect(!String(decoding: reply.body, as: UTF8.self).contains("secret"))
            #expect(!String(decoding: reply.body, as: UTF8.self).contains("argon2"))
            let (count, shown) = try await cloud.statements(.get, "/v3/users/\(id)", as: .systemReader)
            #expect(shown.json == reply.json)
            #expect(count == 1)
        }
    }

    @Test(arguments: TestEngine.available)
    func `the domain comes from the body, else from a domain's token, else it is the default one`(
        _ engine: TestEngine
    ) async throws {
        try await withCloud(engine) { cloud async throws in
            let bodies: [(Persona, JSON, String)] = [
                (.systemAdmin, ["user": ["name": "a", "domain_id": .string(Places.away.text)]], Places.away.text),
                (.domainAdmin, ["user": ["name": "a"]], Places.home.text),
                (.projectAdmin, ["user": ["name": "a"]], "default"),
            ]
            for (persona, body, domain) in bodies {
                let reply = try await cloud.perform(.post, "/v3/users", as: persona, body)
                #expect(reply.json["user"]?["domain_id"]?.string == domain)
            }
            let reply = try await cloud.perform(
                .post, "/v3/users", as: .systemAdmin, ["user": ["name": "a", "domain_id": "none"]])
            #expect(reply.status == 404)
        }
    }

    @Test(arguments: TestEngine.available)
    func `two users of one domain cannot share a name`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud async throws in
            let id = try await cloud.makeID("/v3/users", "user", ["name": "alice"])
            _ = try await cloud.makeID("/v3/users", "user", ["name": "alice", "domain_id": .string(Places.away.text)])
            let second = try await cloud.perform(.post, "/v3/users", as: .systemAdmin, ["user": ["name": "alice"]])
            #expect(second.status == 409)
            #expect(second.message.contains("Duplicate entry found with name alice at domain ID default"))
            let bob = try await cloud.makeID("/v3/users", "user", ["name": "bob"])
            let renamed = try await cloud.perform(
                .patch, "/v3/users/\(bob)", as: .systemAdmin, ["user": ["name": "alice"]])
            #expect(renamed.status == 409)
            #expect(try await cloud.perform(.get, "/v3/users/\(id)", as: .systemAdmin).status == 200)
        }
    }

    // MARK: Bad input

    static let badUsers: [(JSON, String)] = [
        ([:], "user"), (["user": []], "user"), (["user": [:]], "name"), (["user": ["name": ""]], "name"),
        (["user": ["name": "   "]], "name"), (["user": ["name": 7]], "name"),
        (["user": ["name": .string(String(repeating: "x", count: 256))]], "name"),
        (["user": ["name": "x", "enabled": "yes"]], "enabled"), (["user": ["name": "x", "password": 5]], "password"),
        (["user": ["name": "x", "domain_id": "a/b"]], "domain_id"),
        (["user": ["name": "x", "domain_id": 5]], "domain_id"),
        (["user": ["name": "x", "default_project_id": "default"]], "default_project_id"),
        (["user": ["name": "x", "description": ["a"]]], "description"),
        (["user": ["name": "x", "options": "a"]], "options"),
        (["user": ["name": "x", "options": ["ignore_password_expire": true]]], "ignore_password_expiry"),
        (["user": ["name": "x", "options": ["lock_password": "true"]]], "lock_password"),
        (["user": ["name": "x", "options": ["multi_factor_auth_rules": "password"]]], "multi_factor_auth_rules"),
        (["user": ["name": "x", "options": ["multi_factor_auth_rules": [[]]]]], "multi_factor_auth_rules[0]"),
        (["user": ["name": "x", "options": ["multi_factor_auth_rules": [["a", 1]]]]], "multi_factor_auth_rules[0]"),
        (["user": ["name": "x", "options": ["multi_factor_auth_rules": [["a", "a"]]]]], "multi_factor_auth_rules[0]"),
        (["user": ["name": "x", "options": ["multi_factor_auth_rules": [["a"], ["a"]]]]], "multi_factor_auth_rules"),
        (["user": ["name": "x", "federated": [["idp_id": "google", "protocols": []]]]], "federated[0].idp_id"),
    ]

    @Test func `a bad field is refused by its name`() async throws {
        try await withCloud { cloud async throws in
            for (body, field) in Self.badUsers {
                let reply = try await cloud.perform(.post, "/v3/users", as: .systemAdmin, body)
                #expect(reply.status == 400, "\(body.text) answered \(reply.status)")
                #expect(reply.message.contains(field), "\(body.text): \(reply.message)")
            }
            let id = try await cloud.makeID("/v3/users", "user", ["name": "alice"])
            for (body, field) in [
                (["user": [:]], "user"), (["user": ["name": nil]], "name"), (["user": ["enabled": nil]], "enabled"),
                (["user": ["id": "other"]], "id"), (["user": ["domain_id": .string(Places.away.text)]], "domain_id"),
                (["user": ["options": ["nothing": 1]]], "nothing"),
            ] as [(JSON, String)] {
                let reply = try await cloud.perform(.patch, "/v3/users/\(id)", as: .systemAdmin, body)
                #expect(reply.status == 400, "\(body.text) answered \(reply.status)")
                #expect(reply.message.contains(field), "\(body.text): \(reply.message)")
            }
            for raw in ["", "{", "[]", "nul", #"{"user": {"name": "\#u{0}"}}"#] {
                let reply = try await cloud.request(
                    .post, "/v3/users", token: Persona.systemAdmin.token, body: Array(raw.utf8))
                #expect(reply.status == 400)
            }
        }
    }

    @Test func `a caller without the right learns nothing from the rest of the body`() async throws {
        try await withCloud { cloud async throws in
            for body in [["user": ["name": 7]], ["user": ["name": "x", "domain_id": .string(Places.away.text)]]]
                as [JSON]
            {
                let manager = try await cloud.perform(.post, "/v3/users", as: .domainManager, body)
                let stranger = try await cloud.perform(.post, "/v3/users", body)
                #expect(manager.status == 403 && stranger.status == 401)
            }
        }
    }

    // MARK: Changes

    @Test(arguments: TestEngine.available)
    func `an update changes what it names and keeps the rest`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud async throws in
            let id = try await cloud.makeID(
                "/v3/users", "user",
                [
                    "name": "alice", "email": "a@example.org", "description": "first", "default_project_id": "abc",
                    "options": ["lock_password": true, "ignore_password_expiry": true],
                ])
            let reply = try await cloud.perform(
                .patch, "/v3/users/\(id)", as: .systemAdmin,
                [
                    "user": [
                        "phone": "1", "description": nil, "default_project_id": nil, "options": ["lock_password": nil],
                        "domain_id": "default",
                    ]
                ])
            #expect(reply.status == 200)
            let user = reply.json["user"]
            #expect(user?["name"] == "alice")
            #expect(user?["email"] == "a@example.org")
            #expect(user?["phone"] == "1")
            #expect(user?["description"] == nil)
            #expect(user?["default_project_id"] == nil)
            #expect(user?["options"] == ["ignore_password_expiry": true])
            #expect(try await cloud.perform(.get, "/v3/users/\(id)", as: .systemAdmin).json == reply.json)
        }
    }

    @Test(arguments: TestEngine.available)
    func `disabling, a new password and deleting end a user's tokens; other updates do not`(
        _ engine: TestEngine
    ) async throws {
        try await withCloud(engine) { cloud async throws in
            let id = try await cloud.makeID("/v3/users", "user", ["name": "alice"])
            let user = ID<User>(id)
            func revoked(_ body: JSON?) async throws -> Bool {
                let before = cloud.revocations.count
                if let body {
                    try await cloud.perform(.patch, "/v3/users/\(id)", as: .systemAdmin, body)
                } else {
                    try await cloud.perform(.delete, "/v3/users/\(id)", as: .systemAdmin)
                }
                let all = cloud.revocations
                #expect(all.allSatisfy { $0 == .user(user) })
                return all.count > before
            }
            #expect(try await !revoked(["user": ["name": "bob"]]))
            #expect(try await revoked(["user": ["enabled": false]]))
            #expect(try await !revoked(["user": ["enabled": false]]))
            #expect(try await !revoked(["user": ["enabled": true]]))
            #expect(try await revoked(["user": ["password": "new"]]))
            #expect(try await revoked(nil))
            #expect(try await cloud.perform(.get, "/v3/users/\(id)", as: .systemAdmin).status == 404)
            #expect(try await cloud.perform(.delete, "/v3/users/\(id)", as: .systemAdmin).status == 404)
        }
    }

    @Test func `a user may end the own tokens, others only as administrators`() async throws {
        try await withCloud { cloud async throws in
            let own = "/v3/users/\(Persona.projectReader.userID)/tokens"
            #expect(try await cloud.perform(.delete, own).status == 401)
            #expect(try await cloud.perform(.delete, own, as: .projectMember).status == 403)
            #expect(try await cloud.perform(.delete, "/v3/users/nobody/tokens", as: .projectMember).status == 403)
            #expect(try await cloud.perform(.delete, own, as: .projectReader).status == 204)
            #expect(try await cloud.perform(.delete, own, as: .projectAdmin).status == 204)
            #expect(cloud.revocations.count == 2)
        }
    }

    // MARK: Lists

    @Test(arguments: TestEngine.available)
    func `filters narrow a list by names, domain, state and password expiry`(_ engine: TestEngine) async throws {
        try await withCloud(engine, { $0.passwordExpiresDays = 10 }) { cloud async throws in
            let far = try await cloud.makeID("/v3/domains", "domain", ["name": "far"])
            for (name, password, isEnabled) in [("Anna", "x", true), ("anton_%", nil, false), ("Bernd", nil, true)] {
                var user: JSON.Object = ["name": .string(name), "enabled": .bool(isEnabled), "domain_id": .string(far)]
                if let password { user["password"] = .string(password) }
                _ = try await cloud.makeID("/v3/users", "user", user)
            }
            let limit = cloud.clock.now.adding(days: 10).wholeSecond.shortText
            let cases: [(String, Set<String>)] = [
                ("domain_id=\(far)", ["Anna", "anton_%", "Bernd"]), ("domain_id=nowhere", []),
                ("domain_id=\(far)&name=Anna", ["Anna"]), ("name=anna", []), ("name__contains=nt", ["anton_%"]),
                ("name__contains=%25", ["anton_%"]), ("name__icontains=AN&domain_id=\(far)", ["Anna", "anton_%"]),
                ("name__startswith=An", ["Anna"]), ("name__istartswith=an&domain_id=\(far)", ["Anna", "anton_%"]),
                ("name__endswith=nd", ["Bernd"]), ("name__iendswith=ND", ["Bernd"]),
                ("name__endswith=a+very+long+name+that+is+longer+than+all+others", []),
                ("domain_id=\(far)&enabled=false", ["anton_%"]), ("domain_id=\(far)&enabled", ["Anna", "Bernd"]),
                ("domain_id=\(far)&password_expires_at=eq:\(limit)", ["Anna"]),
                ("domain_id=\(far)&password_expires_at=\(limit)", ["Anna"]),
                ("domain_id=\(far)&password_expires_at=lt:\(limit)", []),
                ("domain_id=\(far)&password_expires_at=lte:\(limit)", ["Anna"]),
                ("domain_id=\(far)&password_expires_at=gt:2000-01-01T00:00:00Z", ["Anna"]),
                ("domain_id=\(far)&password_expires_at=neq:\(limit)", []),
                ("idp_id=x", []), ("domain_id=\(far)&nonsense=1", ["Anna", "anton_%", "Bernd"]),
            ]
            for (query, expected) in cases {
                let reply = try await cloud.perform(.get, "/v3/users?\(query)", as: .systemReader)
                let names = Set((reply.json["users"]?.array ?? []).compactMap { $0["name"]?.string })
                #expect(reply.status == 200)
                #expect(names == expected, "\(query)")
            }
            for query in [
                "password_expires_at=near:2000-01-01T00:00:00Z", "password_expires_at=lt:yesterday", "limit=0",
                "limit=x",
            ] {
                #expect(
                    try await cloud.perform(.get, "/v3/users?\(query)", as: .systemReader).status == 400, "\(query)")
            }
        }
    }

    @Test(arguments: TestEngine.available)
    func `pages follow each other and hold every user once`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud async throws in
            let far = try await cloud.makeID("/v3/domains", "domain", ["name": "far"])
            for i in 0..<7 {
                _ = try await cloud.makeID("/v3/users", "user", ["name": .string("u\(i)"), "domain_id": .string(far)])
            }
            var path: String? = "/v3/users?domain_id=\(far)&limit=3"
            var names: [String] = []
            var pages = 0
            while let next = path {
                let reply = try await cloud.perform(.get, next, as: .systemAdmin)
                names += (reply.json["users"]?.array ?? []).compactMap { $0["name"]?.string }
                path = reply.json["links"]?["next"]?.string.map {
                    String($0.dropFirst("http://127.0.0.1:5000/identity".count))
                }
                pages += 1
            }
            #expect(pages == 3)
            #expect(names.count == 7 && Set(names).count == 7)
        }
    }

    @Test func `a list of a thousand users is one statement`() async throws {
        try await withCloud { cloud async throws in
            let now = cloud.clock.now
            let far = try await cloud.makeID("/v3/domains", "domain", ["name": "far"])
            try await cloud.environment.database.write("test.many") { connection in
                for i in 0..<1000 {
                    let user = UserRecord(
                        id: ID("many-\(i)"), name: "many \(i)", domain: ID(far), extra: ["email": "x@example.org"],
                        created: now)
                    try UserStore.insert(user, connection)
                }
            }
            // The first look at a domain also asks whether it has a directory.
            for most in [2, 1] {
                let (count, reply) = try await cloud.statements(.get, "/v3/users?domain_id=\(far)", as: .systemAdmin)
                #expect(reply.json["users"]?.array?.count == 1000)
                #expect(count <= most)
            }
        }
    }

    // MARK: Who may

    @Test func `who may read users: administrators, the system's readers, a domain's readers within it, and oneself`()
        async throws
    {
        try await withCloud { cloud async throws in
            let near = try await cloud.makeID(
                "/v3/users", "user", ["name": "near", "domain_id": .string(Places.home.text)])
            let far = try await cloud.makeID(
                "/v3/users", "user", ["name": "far", "domain_id": .string(Places.away.text)])
            for persona in Persona.allCases {
                func status(_ id: String) async throws -> Int {
                    try await cloud.perform(.get, "/v3/users/\(id)", as: persona).status
                }
                #expect(try await status(near) == (persona.mayRead(Places.home) ? 200 : 403), "\(persona)")
                #expect(try await status(far) == (persona.mayRead(Places.away) ? 200 : 403), "\(persona)")
                #expect(try await status(persona.userID.text) == 200, "\(persona)")
                #expect(try await status("nobody") == (persona.readsSystem ? 404 : 403), "\(persona)")
                let list = try await cloud.perform(.get, "/v3/users", as: persona)
                #expect(list.status == (persona.mayList ? 200 : 403), "\(persona)")
                for (id, domain) in [(near, Places.home), (far, Places.away)] {
                    let isSeen = persona.mayList && (persona.scopeDomain ?? domain) == domain
                    #expect(list.ids("users").contains(id) == isSeen, "\(persona)")
                }
            }
            let list = try await cloud.perform(.get, "/v3/users")
            let one = try await cloud.perform(.get, "/v3/users/\(near)")
            #expect(list.status == 401 && one.status == 401)
        }
    }

    @Test func `who may change users: administrators, and a domain's managers within it`() async throws {
        try await withCloud { cloud async throws in
            for persona in Persona.allCases {
                for domain in [Places.home, Places.away] {
                    let may = persona.mayManage(domain)
                    let name = "\(persona) \(domain)"
                    let made = try await cloud.perform(
                        .post, "/v3/users", as: persona,
                        ["user": ["name": .string(name), "domain_id": .string(domain.text)]])
                    #expect(made.status == (may ? 201 : 403), "\(persona)")
                    let id = try await cloud.makeID(
                        "/v3/users", "user", ["name": .string(name + " 2"), "domain_id": .string(domain.text)])
                    let changed = try await cloud.perform(
                        .patch, "/v3/users/\(id)", as: persona, ["user": ["description": "x"]])
                    #expect(changed.status == (may ? 200 : 403), "\(persona)")
                    let gone = try await cloud.perform(.delete, "/v3/users/\(id)", as: persona)
                    #expect(gone.status == (may ? 204 : 403), "\(persona)")
                }
                let status = persona.isAdmin ? 404 : 403
                #expect(
                    try await cloud.perform(.patch, "/v3/users/nobody", as: persona, ["user": ["a": 1]]).status
                        == status)
                #expect(try await cloud.perform(.delete, "/v3/users/nobody", as: persona).status == status)
            }
        }
    }
}
