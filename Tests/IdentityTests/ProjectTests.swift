// SPDX-License-Identifier: Apache-2.0

import Core
import Database
import HTTP
import JSON
import Testing

@testable import Identity

@Suite struct ProjectTests {
    /// A line of projects under one another; returns their ids, highest first.
    private func line(_ count: Int, _ cloud: IdentityFixture) async throws -> [String] {
        var ids: [String] = []
        for i in 0..<count {
            let parent = ids.last ?? Places.home.text
            ids.append(
                try await cloud.make(
                    "project", "/v3/projects",
                    [
                        "name": .string("level \(i)"), "domain_id": .string(Places.home.text),
                        "parent_id": .string(parent),
                    ]
                ).id)
        }
        return ids
    }

    @Test(arguments: TestEngine.available)
    func aProjectIsShownAsItWasMade(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let made = try await cloud.make(
                "project", "/v3/projects",
                [
                    "name": " site ", "domain_id": .string(Places.home.text), "tags": ["b", "a"], "cost_center": 7,
                    "description": .null,
                ])
            #expect(made["name"] == "site")
            #expect(made["domain_id"] == .string(Places.home.text))
            #expect(made["parent_id"] == .string(Places.home.text))
            #expect(made["is_domain"] == false)
            #expect(made["enabled"] == true)
            #expect(made["description"] == "")
            #expect(made["tags"] == ["a", "b"])
            #expect(made["cost_center"] == 7)
            #expect(made["links"]?["self"] == .string("http://127.0.0.1:5000/identity/v3/projects/\(made.id)"))
            let shown = await cloud.get("/v3/projects/\(made.id)")
            #expect(shown.json["project"] == made)
            #expect(try await cloud.statements("/v3/projects/\(made.id)") == 1)
            let listed = await cloud.get("/v3/projects?name=site")
            #expect(listed.json["projects"]?[0] == made)
            #expect(try await cloud.statements("/v3/projects") == 1)
        }
    }

    @Test func withoutADomainTheCallersScopeTells() async throws {
        try await withCloud(.sqlite) { cloud in
            let scoped = try await cloud.make("project", "/v3/projects", ["name": "a"], as: .domainManager)
            #expect(scoped["domain_id"] == .string(Places.home.text))
            let system = try await cloud.make("project", "/v3/projects", ["name": "a"], as: .systemAdmin)
            #expect(system["domain_id"] == "default")
            let project = try await cloud.make("project", "/v3/projects", ["name": "b"], as: .projectAdmin)
            #expect(project["domain_id"] == "default")
        }
    }

    @Test(arguments: TestEngine.available)
    func twoProjectsOfADomainCannotShareAName(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let body: JSON = ["project": ["name": "web", "domain_id": .string(Places.home.text)]]
            let reply = await cloud.post("/v3/projects", body)
            #expect(reply.status == 409)
            #expect(reply.message.contains("same name in the same domain : web"))
            let made = try await cloud.make(
                "project", "/v3/projects", ["name": "q", "domain_id": .string(Places.home.text)])
            #expect(await cloud.patch("/v3/projects/\(made.id)", ["project": ["name": "web"]]).status == 409)
            #expect(await cloud.patch("/v3/projects/\(made.id)", ["project": ["name": "q"]]).status == 200)
        }
    }

    @Test(arguments: TestEngine.available)
    func aProjectsPlaceMustExistAndBeEnabled(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            func status(_ fields: JSON) async -> Reply { await cloud.post("/v3/projects", ["project": fields]) }
            let home = JSON.string(Places.home.text)
            let cases: [(JSON, String)] = [
                (["name": "x", "domain_id": "missing"], "domain: missing"),
                (["name": "x", "domain_id": home, "parent_id": "missing"], "project: missing"),
                (["name": "x", "domain_id": home, "parent_id": .string(Places.shop.text)], "different domain"),
                (["name": "x", "domain_id": home, "parent_id": .string(Places.away.text)], "acting as a domain"),
                (["name": "x", "is_domain": true, "domain_id": home], "root projects"),
                (["name": "x", "is_domain": true, "parent_id": home], "root projects"),
                (["name": "x", "is_domain": .null], "is_domain"), (["name": "x", "domain_id": 3], "domain_id"),
                (["name": "x", "parent_id": ""], "parent_id"),
            ]
            for (fields, reason) in cases {
                let reply = await status(fields)
                #expect(reply.status == 400, "\(fields)")
                #expect(reply.message.contains(reason), "\(reply.message)")
            }
            _ = await cloud.patch("/v3/projects/\(Places.web)", ["project": ["enabled": false]])
            let below = await status(["name": "x", "domain_id": home, "parent_id": .string(Places.web.text)])
            #expect(below.status == 400)
            #expect(below.message.contains("disabled project: \(Places.web)"))
        }
    }

    @Test func aTreeGrowsNoDeeperThanTheSettingsAllow() async throws {
        try await withCloud(.sqlite, { $0.projectDepth = 3 }) { cloud in
            let ids = try await line(3, cloud)
            let reply = await cloud.post(
                "/v3/projects",
                [
                    "project": [
                        "name": "too deep", "domain_id": .string(Places.home.text), "parent_id": .string(ids[2]),
                    ]
                ])
            #expect(reply.status == 403)
            #expect(reply.message.contains("Max hierarchy depth reached for \(ids[2]) branch."))
        }
        try await withCloud(.sqlite, { $0.limitModel = .strictTwoLevel }) { cloud in
            let ids = try await line(2, cloud)
            let reply = await cloud.post(
                "/v3/projects",
                [
                    "project": [
                        "name": "too deep", "domain_id": .string(Places.home.text), "parent_id": .string(ids[1]),
                    ]
                ])
            #expect(reply.status == 403)
        }
    }

    @Test(arguments: TestEngine.available)
    func theFamilyOfAProjectIsShownOnRequest(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let ids = try await line(3, cloud)
            let leaf = try await cloud.make(
                "project", "/v3/projects",
                [
                    "name": "leaf", "domain_id": .string(Places.home.text), "parent_id": .string(ids[0]), "tags": ["t"],
                ]
            ).id
            func project(_ id: String, _ query: String) async -> JSON? {
                await cloud.get("/v3/projects/\(id)?\(query)").json["project"]
            }
            let up = await project(ids[2], "parents_as_ids")
            #expect(up?["parents"]?[ids[1]]?[ids[0]]?[Places.home.text] == .null)
            let down = await project(ids[0], "subtree_as_ids=1")
            #expect(down?["subtree"]?[ids[1]]?[ids[2]] == .null)
            #expect(down?["subtree"]?[leaf] == .null)
            #expect(await project(leaf, "subtree_as_ids")?["subtree"] == .null)
            #expect(await project(leaf, "subtree_as_ids=0")?["subtree"] == nil)
            // As lists only what the caller has a role on is shown.
            #expect(await project(ids[0], "subtree_as_list")?["subtree"] == [])
            let admin = try #require(cloud.cloud.roles["reader"])
            try await cloud.grant(
                Assignment(.user(Persona.systemAdmin.userID), .project(ID(ids[0])), admin, isInherited: true))
            let tree = await project(ids[0], "subtree_as_list&parents_as_list")
            let below = tree?["subtree"]?.array ?? []
            #expect(Set(below.compactMap { $0["project"]?.id }) == [ids[1], ids[2], leaf])
            #expect(below.first { $0["project"]?.id == leaf }?["project"]?["tags"] == ["t"])
            #expect(tree?["parents"] == [])
            let limits = await project(ids[1], "parents_as_list&subtree_as_list&include_limits")
            #expect(limits?["subtree"]?[0]?["project"]?["limits"] == [])
            for both in ["parents_as_list&parents_as_ids", "subtree_as_list&subtree_as_ids"] {
                #expect(await cloud.get("/v3/projects/\(ids[0])?\(both)").status == 400)
            }
        }
    }

    @Test(arguments: TestEngine.available)
    func listsAreFiltered(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let home = JSON.string(Places.home.text)
            func make(_ name: String, _ tags: JSON, _ more: [String: JSON] = [:]) async throws -> String {
                let fields: JSON = ["name": .string(name), "domain_id": home, "tags": tags]
                return try await cloud.make("project", "/v3/projects", fields.with(more)).id
            }
            let red = try await make("red", ["a", "b"])
            let blue = try await make("blue", ["b"], ["enabled": false])
            let none = try await make("none", [], ["parent_id": .string(red)])
            #expect(try await cloud.statements("/v3/projects?tags=a&not-tags-any=c&name__icontains=R&enabled") == 1)
            func ids(_ query: String) async -> Set<String> {
                let reply = await cloud.get("/v3/projects?domain_id=\(Places.home)&\(query)")
                return Set(reply.ids("projects")).subtracting([Places.web.text])
            }
            #expect(await ids("") == [red, blue, none])
            #expect(await ids("tags=b") == [red, blue])
            #expect(await ids("tags=a,b") == [red])
            #expect(await ids("tags-any=a,c") == [red])
            #expect(await ids("not-tags=a,b") == [blue, none])
            #expect(await ids("not-tags-any=b,c") == [none])
            #expect(await ids("tags=b&not-tags-any=a") == [blue])
            #expect(await ids("tags=%27%20OR%201=1") == [])
            #expect(await ids("enabled=false") == [blue])
            #expect(await ids("parent_id=\(red)") == [none])
            #expect(await ids("name__contains=e") == [red, blue, none])
            #expect(await ids("is_domain=true") == [])
            #expect(await ids("is_domain=0") == [red, blue, none])
            let domains = await cloud.get("/v3/projects?is_domain=true").ids("projects")
            #expect(domains.contains(Places.home.text) && !domains.contains(red))
            let many = (0..<81).map { "t\($0)" }.joined(separator: ",")
            #expect(await cloud.get("/v3/projects?tags=\(many)").status == 400)
            #expect(await cloud.get("/v3/projects?limit=0").status == 400)
            #expect(await cloud.get("/v3/projects?limit=x").status == 400)
            // A tag is found whole, not as a part of another.
            _ = try await make("long", ["aab", "b c"])
            #expect(await ids("tags=a") == [red])
            #expect(await ids("tags=b") == [red, blue])
            #expect(await ids("tags-any=c,aab").count == 1)
        }
    }

    @Test(arguments: TestEngine.available)
    func aProjectIsChangedWhereItStands(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let path = "/v3/projects/\(Places.web)"
            let changed = await cloud.patch(
                path,
                [
                    "project": [
                        "name": "new", "description": "d", "tags": ["x"], "note": [1, 2],
                        "domain_id": .string(Places.home.text),
                    ]
                ])
            #expect(changed.status == 200)
            #expect(changed.json["project"]?["name"] == "new")
            #expect(changed.json["project"]?["note"] == [1, 2])
            #expect(await cloud.get(path).json["project"] == changed.json["project"])
            #expect(await cloud.patch(path, ["project": [:]]).status == 200)
            let refusals: [(JSON, Int)] = [
                (["parent_id": .string(Places.shop.text)], 403), (["domain_id": .string(Places.away.text)], 400),
                (["is_domain": true], 400), (["id": "x"], 400), (["name": " "], 400), (["tags": ["a", "a"]], 400),
                (["tags": .array((0..<81).map { .string("\($0)") })], 400), (["tags": ["a/b"]], 400),
                (["tags": [""]], 400),
                (["tags": [.string(String(repeating: "t", count: 256))]], 400), (["options": .null], 400),
                (["options": []], 400),
            ]
            for (fields, status) in refusals {
                #expect(await cloud.patch(path, ["project": fields]).status == status, "\(fields)")
            }
        }
    }

    @Test(arguments: TestEngine.available)
    func aBranchIsDisabledFromBelowAndEnabledFromAbove(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let ids = try await line(2, cloud)
            func set(_ id: String, _ isEnabled: Bool) async -> Int {
                await cloud.patch("/v3/projects/\(id)", ["project": ["enabled": .bool(isEnabled)]]).status
            }
            #expect(await set(ids[0], false) == 403)
            #expect(await set(ids[1], false) == 200)
            #expect(await set(ids[0], false) == 200)
            #expect(cloud.revoked { $0.project?.text == ids[0] })
            #expect(await set(ids[1], true) == 403)
            #expect(await set(ids[0], true) == 200)
            #expect(await set(ids[1], true) == 200)
        }
    }

    @Test(arguments: TestEngine.available)
    func onlyALeafIsDeleted(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let ids = try await line(2, cloud)
            let upper = await cloud.delete("/v3/projects/\(ids[0])")
            #expect(upper.status == 403)
            #expect(upper.message.contains("not a leaf"))
            let reader = try #require(cloud.cloud.roles["reader"])
            try await cloud.grant(Assignment(.user(Persona.projectReader.userID), .project(ID(ids[1])), reader))
            #expect(await cloud.delete("/v3/projects/\(ids[1])").status == 204)
            #expect(cloud.revoked { $0.project?.text == ids[1] })
            let left = try await cloud.environment.database.read("test.left") { connection in
                try connection.rows("SELECT 1 FROM assignment WHERE target_id = $1", [.text(ids[1])]).count
            }
            #expect(left == 0)
            #expect(await cloud.delete("/v3/projects/\(ids[0])").status == 204)
            #expect(await cloud.delete("/v3/projects/\(ids[0])").status == 404)
        }
    }

    @Test func anImmutableProjectStays() async throws {
        try await withCloud(.sqlite) { cloud in
            let path = "/v3/projects/\(Places.web)"
            #expect(await cloud.patch(path, ["project": ["options": ["immutable": true]]]).status == 200)
            #expect(await cloud.patch(path, ["project": ["name": "x"]]).status == 403)
            #expect(await cloud.send(.put, path + "/tags/x").status == 403)
            #expect(await cloud.send(.put, path + "/tags", ["tags": ["x"]]).status == 403)
            #expect(await cloud.delete(path).status == 403)
            #expect(await cloud.patch(path, ["project": ["options": ["immutable": false]]]).status == 200)
            #expect(await cloud.delete(path).status == 204)
        }
    }

    @Test(arguments: TestEngine.available)
    func aDomainIsReachedAsAProject(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let made = try await cloud.make(
                "project", "/v3/projects", ["name": "acme", "is_domain": true, "domain_id": .null])
            #expect(made["parent_id"] == .null)
            #expect(await cloud.get("/v3/domains/\(made.id)").json["domain"]?["name"] == "acme")
            #expect(await cloud.delete("/v3/projects/\(made.id)").status == 403)
            #expect(await cloud.patch("/v3/projects/\(made.id)", ["project": ["enabled": false]]).status == 200)
            #expect(await cloud.delete("/v3/projects/\(made.id)").status == 204)
            #expect(await cloud.get("/v3/domains/\(made.id)").status == 404)
            // A domain's manager rules its projects, not the domain itself.
            let own = await cloud.patch(
                "/v3/projects/\(Places.home)", ["project": ["enabled": false]], as: .domainManager)
            #expect(own.status == 403)
        }
    }

    @Test(arguments: TestEngine.available)
    func tagsComeAndGoOneByOne(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let path = "/v3/projects/\(Places.web)/tags"
            let added = await cloud.send(.put, path + "/two%20words")
            #expect(added.status == 201)
            #expect(added.body.isEmpty)
            #expect(added.header("Location")?.hasSuffix("/tags/two%20words") == true)
            #expect(await cloud.send(.put, path + "/two%20words").status == 400)
            #expect(await cloud.get(path + "/two%20words").status == 204)
            #expect(await cloud.get(path + "/three").status == 404)
            #expect(await cloud.send(.put, path + "/a%2Fb").status == 400)
            #expect(await cloud.send(.put, path + "/a,b").status == 400)
            #expect(await cloud.send(.put, path + "/" + String(repeating: "x", count: 256)).status == 400)
            let set = await cloud.send(.put, path, ["tags": ["z", "y"]])
            #expect(set.status == 200)
            #expect(set.json["tags"] == ["y", "z"])
            #expect(await cloud.get(path).json["tags"] == ["y", "z"])
            #expect(await cloud.delete(path + "/y").status == 204)
            #expect(await cloud.delete(path + "/y").status == 404)
            #expect(await cloud.delete(path).status == 204)
            #expect(await cloud.get(path).json["tags"] == [])
            #expect(await cloud.send(.put, path, ["tags": "x"]).status == 400)
            #expect(await cloud.send(.put, path, [:]).status == 400)
            #expect(await cloud.send(.put, path, ["tags": .array((0..<80).map { .string("t\($0)") })]).status == 200)
            #expect(await cloud.send(.put, path + "/one-more").status == 400)
        }
    }

    // MARK: Who may

    @Test func everyPersonaMayDoWhatKeystoneAllows() async throws {
        try await withCloud { cloud in
            for persona in Persona.callers {
                let denied = Persona.denial(persona)
                let name = persona?.rawValue ?? "nobody"
                let isAdmin = persona?.isAdmin ?? false
                let seesAll = isAdmin || persona?.isSystem ?? false
                for (project, domain) in [(Places.web, Places.home), (Places.shop, Places.away)] {
                    let isOwn = persona?.isOf(domain) ?? false
                    let mayManage = isAdmin || persona == .domainManager && isOwn
                    let maySee = seesAll || isOwn
                    let made = await cloud.post(
                        "/v3/projects", ["project": ["name": .string(name), "domain_id": .string(domain.text)]],
                        as: persona)
                    #expect(made.status == (mayManage ? 201 : denied), "\(name)")
                    let path = "/v3/projects/\(project)"
                    #expect(await cloud.get(path, as: persona).status == (maySee ? 200 : denied), "\(name)")
                    let update = await cloud.patch(path, ["project": ["description": "d"]], as: persona)
                    #expect(update.status == (mayManage ? 200 : denied), "\(name)")
                    #expect(await cloud.get(path + "/tags", as: persona).status == (maySee ? 200 : denied), "\(name)")
                    let tagged = await cloud.send(.put, path + "/tags/\(name)", as: persona)
                    #expect(tagged.status == (mayManage ? 201 : denied), "\(name)")
                    let set = await cloud.send(.put, path + "/tags", ["tags": ["seen"]], as: persona)
                    #expect(set.status == (mayManage ? 200 : denied), "\(name)")
                    let seen = await cloud.get(path + "/tags/seen", as: persona)
                    #expect(seen.status == (maySee ? 204 : denied), "\(name)")
                    if !mayManage {
                        #expect(await cloud.delete(path, as: persona).status == denied, "\(name)")
                        #expect(await cloud.delete(path + "/tags", as: persona).status == denied, "\(name)")
                        #expect(await cloud.delete(path + "/tags/seen", as: persona).status == denied, "\(name)")
                    }
                }
                let missing = await cloud.get("/v3/projects/missing", as: persona)
                #expect(missing.status == (seesAll ? 404 : denied), "\(name)")
                let list = await cloud.get("/v3/projects", as: persona)
                let isConfined = persona?.isScopedToDomain ?? false
                let mayList = seesAll || isConfined
                #expect(list.status == (mayList ? 200 : denied), "\(name)")
                guard mayList, let persona else { continue }
                for (project, domain) in [(Places.web, Places.home), (Places.shop, Places.away)] {
                    let shows = !isConfined || persona.isOf(domain)
                    #expect(list.ids("projects").contains(project.text) == shows, "\(name)")
                }
            }
        }
    }

    @Test(arguments: TestEngine.available)
    func aUsersProjectsAreThoseItHasARoleOn(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let ids = try await line(3, cloud)
            let reader = try #require(cloud.cloud.roles["reader"])
            let user = Persona.unscoped.userID
            let group = ID<Group>("group-one")
            let home = Places.home
            let (web, shop) = (Places.web, Places.shop)
            func projects() async -> Set<String> {
                let reply = await cloud.get("/v3/users/\(user)/projects")
                #expect(reply.status == 200)
                return Set(reply.ids("projects"))
            }
            #expect(await projects() == [])
            try await cloud.grant(Assignment(.user(user), .project(ID(ids[0])), reader))
            #expect(await projects() == [ids[0]])
            try await cloud.grant(Assignment(.user(user), .project(ID(ids[0])), reader, isInherited: true))
            #expect(await projects() == Set(ids))
            try await cloud.environment.database.write("test.group") { connection in
                try connection.execute(
                    "INSERT INTO user_group (id, name, domain_id, description, extra) VALUES ($1, 'g', $2, '', '{}')",
                    [.id(group), .id(home)])
                try connection.execute(
                    "INSERT INTO membership (user_id, group_id) VALUES ($1, $2)", [.id(user), .id(group)])
            }
            try await cloud.grant(Assignment(.group(group), .project(shop), reader))
            #expect(await projects() == Set(ids + [shop.text]))
            #expect(Set(await cloud.get("/v3/users/\(user)/projects?name=level%201").ids("projects")) == [ids[1]])
            // A role inherited from the domain reaches every project of it, and not the domain.
            try await cloud.grant(Assignment(.user(user), .domain(home), reader, isInherited: true))
            #expect(await projects() == Set(ids + [shop.text, web.text]))
            func domains() async throws -> [String] {
                try await cloud.environment.database.read("test.domains") { connection in
                    try ProjectStore.domains(of: user, PageRequest.whole, connection).map(\.id.text)
                }
            }
            #expect(try await domains() == [])
            try await cloud.grant(Assignment(.user(user), .domain(home), reader))
            #expect(try await domains() == [home.text])
            // Groups of a directory are named by the caller; disabled projects are left out on request.
            _ = await cloud.patch("/v3/projects/\(ids[2])", ["project": ["enabled": false]])
            let found = try await cloud.environment.database.read("test.groups") { connection in
                try ProjectStore.projects(
                    of: ID("someone"), groups: [group], enabledOnly: true, PageRequest.whole, connection
                ).map(\.id)
            }
            #expect(found == [shop])
            let enabled = try await cloud.environment.database.read("test.enabled") { connection in
                try ProjectStore.projects(of: user, enabledOnly: true, PageRequest.whole, connection).map(\.id.text)
            }
            #expect(!enabled.contains(ids[2]) && enabled.contains(ids[1]))
            // Who may ask.
            #expect(await cloud.get("/v3/users/\(user)/projects", as: .unscoped).status == 200)
            #expect(await cloud.get("/v3/users/\(user)/projects", as: .domainReader).status == 200)
            #expect(await cloud.get("/v3/users/\(user)/projects", as: .projectMember).status == 403)
            #expect(await cloud.get("/v3/users/\(user)/projects", as: .otherDomainReader).status == 403)
            #expect(await cloud.get("/v3/users/\(user)/projects", as: nil).status == 401)
            #expect(await cloud.get("/v3/users/missing/projects", as: .projectMember).status == 403)
            #expect(await cloud.get("/v3/users/missing/projects").status == 404)
        }
    }
}
