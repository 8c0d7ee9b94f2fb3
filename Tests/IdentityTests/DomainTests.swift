// SPDX-License-Identifier: Apache-2.0

import Core
import Database
import HTTP
import JSON
import Testing

@testable import Identity

@Suite struct DomainTests {
    @Test(arguments: TestEngine.available)
    func aDomainIsShownAsItWasMade(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let made = try await cloud.make(
                "domain", "/v3/domains", ["name": "  acme ", "color": "blue", "tags": ["b", "a"]])
            #expect(made["name"] == "acme")
            #expect(made["enabled"] == true)
            #expect(made["description"] == "")
            #expect(made["color"] == "blue")
            #expect(made["tags"] == ["a", "b"])
            #expect(made["options"] == [:])
            #expect(made["links"]?["self"] == .string("http://127.0.0.1:5000/identity/v3/domains/\(made.id)"))
            #expect(made["parent_id"] == nil)
            let shown = await cloud.get("/v3/domains/\(made.id)")
            #expect(shown.status == 200)
            #expect(shown.json["domain"] == made)
            #expect(try await cloud.statements("/v3/domains/\(made.id)") == 1)
            // It is a project too, one that acts as a domain.
            let project = await cloud.get("/v3/projects/\(made.id)").json["project"]
            #expect(project?["is_domain"] == true)
            #expect(project?["domain_id"] == .null)
        }
    }

    @Test func anExplicitIDIsKeptWhenItIsOne() async throws {
        try await withCloud(.sqlite) { cloud in
            let id = "12345678123456781234567812345678"
            let made = try await cloud.make("domain", "/v3/domains", ["name": "x", "explicit_domain_id": .string(id)])
            #expect(made.id == id)
            #expect(made["explicit_domain_id"] == nil)
            let again = await cloud.post("/v3/domains", ["domain": ["name": "y", "explicit_domain_id": .string(id)]])
            #expect(again.status == 409)
            for wrong in ["", "default", "1234567812345678123456781234567G", "12345678-1234-5678-1234-567812345678"] {
                let reply = await cloud.post(
                    "/v3/domains", ["domain": ["name": "z", "explicit_domain_id": .string(wrong)]])
                #expect(reply.status == 400)
                #expect(reply.message.contains("explicit_domain_id"))
            }
        }
    }

    @Test(arguments: TestEngine.available)
    func twoDomainsCannotShareAName(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let reply = await cloud.post("/v3/domains", ["domain": ["name": "home"]])
            #expect(reply.status == 409)
            #expect(reply.message.contains("acting as domains with the same name: home"))
            let renamed = await cloud.patch("/v3/domains/\(Places.away)", ["domain": ["name": "home"]])
            #expect(renamed.status == 409)
            // A project may have a domain's name.
            _ = try await cloud.make(
                "project", "/v3/projects", ["name": "home", "domain_id": .string(Places.home.text)])
        }
    }

    @Test func bodiesThatMakeNoSenseAreRefusedByField() async throws {
        try await withCloud(.sqlite) { cloud in
            let wrong: [(JSON, String)] = [
                (["domain": [:]], "name"), (["domain": ["name": ""]], "name"), (["domain": ["name": "  "]], "name"),
                (["domain": ["name": 7]], "name"), (["domain": ["name": .null]], "name"),
                (["domain": ["name": .string(String(repeating: "a", count: 65))]], "name"),
                (["domain": ["name": "n", "enabled": "yes"]], "enabled"),
                (["domain": ["name": "n", "enabled": .null]], "enabled"),
                (["domain": ["name": "n", "description": 1]], "description"),
                (["domain": ["name": "n", "options": ["unknown": true]]], "unknown"),
                (["domain": ["name": "n", "options": ["immutable": "yes"]]], "immutable"),
                (["domain": ["name": "n", "tags": ["a,b"]]], "tags[0]"),
                (["domain": ["name": "n", "tags": "a"]], "tags"),
                (["domain": "n"], "domain"), (["x": 1], "domain"),
            ]
            for (body, field) in wrong {
                let reply = await cloud.post("/v3/domains", body)
                #expect(reply.status == 400, "\(body)")
                #expect(reply.message.contains(field), "\(reply.message)")
            }
            #expect(await cloud.post("/v3/domains", ["domain": ["name": "a\0b"]]).status == 400)
            #expect(await cloud.post("/v3/domains", [1]).status == 400)
            #expect(await cloud.patch("/v3/domains/\(Places.home)", ["domain": [:]]).status == 400)
        }
    }

    @Test(arguments: TestEngine.available)
    func onlyADisabledDomainIsDeletedAndTakesItsContentsAlong(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let id = Places.home
            let enabled = await cloud.delete("/v3/domains/\(id)")
            #expect(enabled.status == 403)
            #expect(enabled.message.contains("please disable it first"))
            let child = try await cloud.make(
                "project", "/v3/projects",
                ["name": "child", "domain_id": .string(id.text), "parent_id": .string(Places.web.text), "tags": ["t"]])
            #expect(await cloud.patch("/v3/domains/\(id)", ["domain": ["enabled": false]]).status == 200)
            let deleted = await cloud.delete("/v3/domains/\(id)")
            #expect(deleted.status == 204)
            #expect(deleted.body.isEmpty)
            #expect(await cloud.get("/v3/domains/\(id)").status == 404)
            #expect(await cloud.get("/v3/projects/\(Places.web)").status == 404)
            #expect(await cloud.get("/v3/projects/\(child.id)").status == 404)
            #expect(await cloud.get("/v3/users/\(Persona.domainReader.userID)").status == 404)
            #expect(await cloud.get("/v3/projects/\(Places.shop)").status == 200)
            #expect(await cloud.delete("/v3/domains/\(id)").status == 404)
        }
    }

    @Test(arguments: TestEngine.available)
    func disablingAndDeletingEndTheTokens(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            _ = await cloud.patch("/v3/domains/\(Places.away)", ["domain": ["enabled": false]])
            #expect(cloud.revoked { $0.domain == Places.away })
            let before = cloud.environment.stamps.snapshot([.domain(Places.away)])
            _ = await cloud.delete("/v3/domains/\(Places.away)")
            #expect(!cloud.environment.stamps.isCurrent(before))
            // Describing a domain ends nothing.
            _ = await cloud.patch("/v3/domains/\(Places.home)", ["domain": ["description": "x"]])
            #expect(!cloud.revoked { $0.domain == Places.home })
        }
    }

    @Test(arguments: TestEngine.available)
    func anImmutableDomainStaysUntilItIsToldOtherwise(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let path = "/v3/domains/\(Places.away)"
            #expect(
                await cloud.patch(path, ["domain": ["enabled": false, "options": ["immutable": true]]]).status == 200)
            let renamed = await cloud.patch(path, ["domain": ["name": "x"]])
            #expect(renamed.status == 403)
            #expect(renamed.message.contains("immutable"))
            #expect(await cloud.patch(path, ["domain": ["name": "x", "options": ["immutable": false]]]).status == 403)
            #expect(await cloud.delete(path).status == 403)
            let freed = await cloud.patch(path, ["domain": ["options": ["immutable": .null]]])
            #expect(freed.status == 200)
            #expect(freed.json["domain"]?["options"] == [:])
            #expect(await cloud.delete(path).status == 204)
        }
    }

    @Test func aDomainWithAnImmutableProjectIsNotDeleted() async throws {
        try await withCloud(.sqlite) { cloud in
            _ = await cloud.patch("/v3/projects/\(Places.shop)", ["project": ["options": ["immutable": true]]])
            _ = await cloud.patch("/v3/domains/\(Places.away)", ["domain": ["enabled": false]])
            let reply = await cloud.delete("/v3/domains/\(Places.away)")
            #expect(reply.status == 403)
            #expect(reply.message.contains(Places.shop.text))
            #expect(await cloud.get("/v3/projects/\(Places.shop)").status == 200)
        }
    }

    @Test(arguments: TestEngine.available)
    func listsAreFilteredAndPaged(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            for i in 0..<5 {
                _ = try await cloud.make(
                    "domain", "/v3/domains", ["name": .string("Page-\(i)"), "enabled": .bool(i != 0)])
            }
            func names(_ query: String) async -> [String] {
                await cloud.get("/v3/domains" + query).json["domains"]?.array?.compactMap { $0["name"]?.string }
                    .sorted() ?? []
            }
            #expect(await names("?name=Page-3") == ["Page-3"])
            #expect(await names("?name=page-3") == [])
            #expect(await names("?name__startswith=Page").count == 5)
            #expect(await names("?name__icontains=AGE-").count == 5)
            #expect(await names("?name__contains=AGE-") == [])
            #expect(await names("?name__iendswith=e-4") == ["Page-4"])
            #expect(await names("?name__startswith=Page&enabled=false") == ["Page-0"])
            #expect(await names("?name__startswith=Page&enabled").count == 4)
            var (seen, path): ([String], String?) = ([], "/v3/domains?name__startswith=Page&limit=2")
            while let next = path {
                let reply = await cloud.get(next)
                seen += reply.ids("domains")
                path = reply.json["links"]?["next"]?.string.map {
                    String($0.dropFirst("http://127.0.0.1:5000/identity".count))
                }
            }
            #expect(seen.count == 5 && Set(seen).count == 5 && seen == seen.sorted())
            let all = await cloud.get("/v3/domains")
            #expect(try await cloud.statements("/v3/domains") == 1)
            #expect(all.ids("domains").contains("default"))
        }
    }

    // MARK: Who may

    @Test func everyPersonaMayDoWhatKeystoneAllows() async throws {
        try await withCloud { cloud in
            for persona in Persona.callers {
                let denied = Persona.denial(persona)
                let isAdmin = persona?.isAdmin ?? false
                let seesAll = isAdmin || persona?.isSystem ?? false
                // A domain's administrator has no say over domains.
                let mayChange = isAdmin && persona != .domainAdmin && persona != .otherDomainAdmin
                let name = persona?.rawValue ?? "nobody"
                let create = await cloud.post("/v3/domains", ["domain": ["name": .string("by " + name)]], as: persona)
                #expect(create.status == (mayChange ? 201 : denied), "\(name)")

                for domain in [Places.home, Places.away] {
                    let path = "/v3/domains/\(domain)"
                    let maySee = seesAll || persona?.isOf(domain) ?? false
                    #expect(await cloud.get(path, as: persona).status == (maySee ? 200 : denied), "\(name)")
                    let update = await cloud.patch(path, ["domain": ["description": "d"]], as: persona)
                    #expect(update.status == (mayChange ? 200 : denied), "\(name)")
                    #expect(await cloud.delete(path, as: persona).status == denied, "\(name)")
                }
                let missing = await cloud.get("/v3/domains/missing", as: persona)
                #expect(missing.status == (seesAll ? 404 : denied), "\(name)")
                // That a domain to change is not there is told to all.
                let none = await cloud.patch("/v3/domains/missing", ["domain": ["description": "d"]], as: persona)
                #expect(none.status == (persona == nil ? 401 : 404), "\(name)")
            }
        }
    }

    @Test func aDomainsPeopleSeeOnlyTheirDomain() async throws {
        try await withCloud { cloud in
            for persona in [Persona.domainAdmin, .domainManager, .domainMember, .domainReader] {
                let reply = await cloud.get("/v3/domains", as: persona)
                #expect(reply.status == 200)
                #expect(reply.ids("domains") == [Places.home.text])
            }
            #expect(await cloud.get("/v3/domains", as: .projectAdmin).ids("domains").contains(Places.away.text))
            for persona in [Persona.projectManager, .projectMember, .projectReader, .unscoped] {
                #expect(await cloud.get("/v3/domains", as: persona).status == 403)
            }
        }
    }
}
