// SPDX-License-Identifier: Apache-2.0
// The list of role assignments: filters, what counts effectively, names, pages, and who sees what.

import Core
import HTTP
import JSON
import Testing

@testable import Identity

/// An assignment in a word: "user@project:role", "+" for an inherited one, "(via group|source<prior)" for how it came
/// about.
private func words(_ reply: Reply) -> [String] {
    (reply["role_assignments"]?.array ?? []).map { line in
        let actor = (line["user"] ?? line["group"])?["id"]?.string ?? "?"
        let scope = line["scope"]
        let place =
            (scope?["project"] ?? scope?["domain"])?["id"]?.string
            ?? (scope?["system"]?["all"] == true ? "system" : "?")
        let mark = scope?["OS-INHERIT:inherited_to"] == "projects" ? "+" : ""
        return "\(actor)@\(place):\(line["role"]?["id"]?.string ?? "?")\(mark)"
    }
}

private func links(_ reply: Reply, _ name: String) -> [String] {
    (reply["role_assignments"]?.array ?? []).compactMap { line in
        line["links"]?[name]?.string.map { String($0.dropFirst("http://127.0.0.1:5000/identity/v3".count)) }
    }
}

struct AssignmentListTests {
    private let someone = Persona.unscoped.userID

    @Test(arguments: TestEngine.available)
    func `direct grants are found by each filter and by their combinations`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let (role, group) = (try await cloud.makeRole("worker"), try await cloud.makeGroup("crew", []))
            for path in [
                "/v3/projects/\(Places.web)/users/\(someone)/roles/\(role)",
                "/v3/domains/\(Places.home)/users/\(someone)/roles/\(role)",
                "/v3/system/users/\(someone)/roles/\(role)", "/v3/projects/\(Places.web)/groups/\(group)/roles/\(role)",
                "/v3/OS-INHERIT/domains/\(Places.home)/users/\(someone)/roles/\(role)/inherited_to_projects",
            ] { try await cloud.put(path) }
            let onWeb = "\(someone)@\(Places.web):\(role)", onHome = "\(someone)@\(Places.home):\(role)"
            let onSystem = "\(someone)@system:\(role)", ofGroup = "\(group)@\(Places.web):\(role)"
            let cases: [(String, Set<String>)] = [
                ("role.id=\(role)", [onWeb, onHome, onSystem, ofGroup, onHome + "+"]),
                ("user.id=\(someone)", [onWeb, onHome, onSystem, onHome + "+"]),
                ("group.id=\(group)", [ofGroup]),
                ("role.id=\(role)&scope.project.id=\(Places.web)", [onWeb, ofGroup]),
                ("role.id=\(role)&scope.domain.id=\(Places.home)", [onHome, onHome + "+"]),
                ("role.id=\(role)&scope.system=all", [onSystem]),
                ("role.id=\(role)&scope.OS-INHERIT:inherited_to=projects", [onHome + "+"]),
                ("user.id=\(someone)&scope.project.id=\(Places.web)", [onWeb]),
                ("user.id=\(someone)&role.id=\(try cloud.role("admin"))", []),
                ("scope.project.id=nowhere", []),
            ]
            for (query, expected) in cases {
                let reply = try await cloud.request(.get, "/v3/role_assignments?\(query)", as: .systemReader)
                #expect(reply.status == 200)
                #expect(Set(words(reply)) == expected, "\(query)")
                #expect(words(reply).count == expected.count)
            }
        }
    }

    @Test(arguments: TestEngine.available)
    func `links lead to the grants`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let role = try await cloud.makeRole("worker")
            let paths = [
                "/OS-INHERIT/domains/\(Places.home)/users/\(someone)/roles/\(role)/inherited_to_projects",
                "/projects/\(Places.web)/users/\(someone)/roles/\(role)", "/system/users/\(someone)/roles/\(role)",
            ]
            for path in paths { try await cloud.put("/v3" + path) }
            let reply = try await cloud.request(.get, "/v3/role_assignments?role.id=\(role)", as: .systemReader)
            #expect(Set(links(reply, "assignment")) == Set(paths))
        }
    }

    @Test(arguments: TestEngine.available)
    func `an effective list expands groups, inheritance and implied roles`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let (prior, implied) = (try await cloud.makeRole("prior"), try await cloud.makeRole("implied"))
            try await cloud.put("/v3/roles/\(prior)/implies/\(implied)")
            let group = try await cloud.makeGroup("crew", [.unscoped, .projectReader])
            let below = try await cloud.makeProject("below", below: Places.web.text)
            try await cloud.put(
                "/v3/OS-INHERIT/domains/\(Places.home)/groups/\(group)/roles/\(prior)/inherited_to_projects")
            let other = Persona.projectReader.userID
            let path = "/v3/role_assignments?effective&scope.project.id=\(below)"
            let reply = try await cloud.request(.get, path, as: .systemReader)
            #expect(
                Set(words(reply)) == [
                    "\(someone)@\(below):\(prior)+", "\(someone)@\(below):\(implied)+", "\(other)@\(below):\(prior)+",
                    "\(other)@\(below):\(implied)+",
                ])
            let grant = "/OS-INHERIT/domains/\(Places.home)/groups/\(group)/roles/\(prior)/inherited_to_projects"
            #expect(Set(links(reply, "assignment")) == [grant])
            #expect(
                Set(links(reply, "membership")) == [
                    "/groups/\(group)/users/\(someone)", "/groups/\(group)/users/\(other)",
                ])
            #expect(Set(links(reply, "prior_role")) == ["/prior_role/\(prior)/implies/\(implied)"])
            // The same by user, over all projects, and by the role that is only implied.
            let byUser = try await cloud.request(
                .get, "/v3/role_assignments?effective=true&user.id=\(someone)&role.id=\(implied)", as: .systemReader)
            #expect(Set(words(byUser)) == ["\(someone)@\(Places.web):\(implied)+", "\(someone)@\(below):\(implied)+"])
            let direct = try await cloud.request(.get, "/v3/role_assignments?role.id=\(implied)", as: .systemReader)
            #expect(words(direct).isEmpty)
            let notInherited = try await cloud.request(
                .get, path + "&scope.OS-INHERIT:inherited_to=no", as: .systemReader)
            #expect(words(notInherited).isEmpty)
        }
    }

    @Test(arguments: TestEngine.available)
    func `an effective list of all shows what each user has where`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let role = try await cloud.makeRole("worker")
            let helper = try await cloud.makeRole("helper", in: Places.home)
            try await cloud.put("/v3/roles/\(helper)/implies/\(role)")
            let below = try await cloud.makeProject("below", below: Places.web.text)
            try await cloud.put("/v3/projects/\(Places.web)/users/\(someone)/roles/\(helper)")
            try await cloud.put(
                "/v3/OS-INHERIT/projects/\(Places.web)/users/\(someone)/roles/\(role)/inherited_to_projects")
            try await cloud.put("/v3/domains/\(Places.home)/users/\(someone)/roles/\(role)")
            try await cloud.put("/v3/system/users/\(someone)/roles/\(role)")
            let expected: Set<String> = [
                // A domain's role gives only what it implies; the inherited one counts below.
                "\(someone)@\(Places.web):\(role)", "\(someone)@\(below):\(role)+", "\(someone)@\(Places.home):\(role)",
            ]
            let reply = try await cloud.request(
                .get, "/v3/role_assignments?effective&role.id=\(role)", as: .systemReader)
            #expect(Set(words(reply)) == expected)
            let byUser = try await cloud.request(
                .get, "/v3/role_assignments?effective&user.id=\(someone)", as: .systemReader)
            #expect(Set(words(byUser)) == expected)
            let ofDomain = try await cloud.request(
                .get, "/v3/role_assignments?effective&role.id=\(role)&scope.domain.id=\(Places.home)", as: .systemReader
            )
            #expect(words(ofDomain) == ["\(someone)@\(Places.home):\(role)"])
            let ofSystem = try await cloud.request(
                .get, "/v3/role_assignments?effective&role.id=\(role)&scope.system=all", as: .systemReader)
            #expect(words(ofSystem) == ["\(someone)@system:\(role)"])
        }
    }

    @Test(arguments: TestEngine.available)
    func `a tree's list covers the projects below`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let role = try await cloud.makeRole("worker")
            let below = try await cloud.makeProject("below", below: Places.web.text)
            let deeper = try await cloud.makeProject("deeper", below: below)
            try await cloud.put("/v3/projects/\(deeper)/users/\(someone)/roles/\(role)")
            try await cloud.put("/v3/OS-INHERIT/projects/\(below)/users/\(someone)/roles/\(role)/inherited_to_projects")
            let tree = "/v3/role_assignments?include_subtree=true&role.id=\(role)&scope.project.id="
            let direct = try await cloud.request(.get, tree + Places.web.text, as: .domainReader)
            #expect(Set(words(direct)) == ["\(someone)@\(deeper):\(role)", "\(someone)@\(below):\(role)+"])
            let effective = try await cloud.request(.get, tree + Places.web.text + "&effective", as: .domainReader)
            #expect(words(effective).sorted() == ["\(someone)@\(deeper):\(role)", "\(someone)@\(deeper):\(role)+"])
            #expect(try await cloud.request(.get, tree + Places.shop.text, as: .domainReader).status == 403)
            #expect(try await cloud.request(.get, tree + Places.shop.text, as: .domainAdmin).status == 200)
            #expect(try await cloud.request(.get, tree + Places.web.text, as: .projectManager).status == 403)
            #expect(try await cloud.request(.get, tree, as: .systemAdmin).status == 400)
            #expect(try await cloud.request(.get, tree, as: .projectReader).status == 403)
            #expect(try await cloud.request(.get, tree + "nowhere", as: .systemAdmin).status == 404)
        }
    }

    @Test(arguments: TestEngine.available)
    func `names come with the ids when asked for`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let helper = try await cloud.makeRole("helper", in: Places.home)
            let group = try await cloud.makeGroup("crew", [.unscoped])
            try await cloud.put("/v3/projects/\(Places.web)/groups/\(group)/roles/\(helper)")
            let home: JSON = ["id": .string(Places.home.text), "name": "home"]
            let reply = try await cloud.request(
                .get, "/v3/role_assignments?include_names&role.id=\(helper)", as: .systemReader)
            let line = try #require(reply["role_assignments"]?[0])
            #expect(line["group"] == ["id": .string(group), "name": "crew", "domain": home])
            #expect(line["scope"]?["project"] == ["id": .string(Places.web.text), "name": "web", "domain": home])
            #expect(line["role"] == ["id": .string(helper), "name": "helper", "domain": home])
            try await cloud.put("/v3/roles/\(helper)/implies/\(try cloud.role("member"))")
            let effective = try await cloud.request(
                .get, "/v3/role_assignments?include_names&effective&user.id=\(someone)", as: .systemReader)
            #expect(
                Set((effective["role_assignments"]?.array ?? []).compactMap { $0["role"]?["name"]?.string }) == [
                    "member", "reader",
                ])
            #expect(effective["role_assignments"]?[0]?["user"]?["name"] == "unscoped")
        }
    }

    @Test(arguments: TestEngine.available)
    func `pages together are the whole list`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let member = try cloud.role("member")
            let inherited =
                "/v3/OS-INHERIT/domains/\(Places.home)/users/\(someone)/roles/\(member)/inherited_to_projects"
            try await cloud.put(inherited)
            for flags in ["", "&effective", "&include_names", "&effective&include_names"] {
                let all = words(try await cloud.request(.get, "/v3/role_assignments?x" + flags, as: .systemReader))
                var seen: [String] = []
                var path: String? = "/v3/role_assignments?limit=3" + flags
                while let next = path, seen.count <= all.count {
                    let page = try await cloud.request(.get, next, as: .systemReader)
                    #expect(page.status == 200)
                    seen += words(page)
                    path = page["links"]?["next"]?.string.map { "/v3/role_assignments" + String($0.drop { $0 != "?" }) }
                }
                #expect(seen == all, "\(flags)")
                #expect(Set(all).count == all.count)
            }
        }
    }

    @Test(arguments: TestEngine.available)
    func `a caller of a domain sees only what is in it`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            for persona: Persona in [.domainAdmin, .domainManager, .domainMember, .domainReader] {
                for flags in ["", "?effective", "?scope.project.id=\(Places.shop)", "?scope.domain.id=\(Places.away)"] {
                    let seen = words(try await cloud.request(.get, "/v3/role_assignments" + flags, as: persona))
                    #expect(
                        seen.allSatisfy { $0.contains("@\(Places.web):") || $0.contains("@\(Places.home):") },
                        "\(flags)")
                    #expect(seen.isEmpty == flags.contains("scope"), "\(persona) \(flags)")
                }
            }
            for persona: Persona in [.projectManager, .projectMember, .projectReader, .unscoped] {
                #expect(try await cloud.request(.get, "/v3/role_assignments", as: persona).status == 403)
            }
            #expect(try await cloud.request(.get, "/v3/role_assignments", as: .projectAdmin).status == 200)
            #expect(try await cloud.request(.get, "/v3/role_assignments", as: nil).status == 401)
        }
    }

    @Test func `filters that exclude each other are refused`() async throws {
        try await withCloud { cloud in
            for query in [
                "user.id=1&group.id=2", "scope.project.id=1&scope.domain.id=2", "scope.system=all&scope.domain.id=2",
                "scope.system=all&scope.project.id=1", "effective&group.id=1",
                "effective&scope.domain.id=1&scope.OS-INHERIT:inherited_to=projects", "marker=nonsense", "limit=0",
                "effective&marker=a:b:c:d", "marker=a:b:c:x",
            ] {
                let reply = try await cloud.request(.get, "/v3/role_assignments?" + query, as: .systemReader)
                #expect(reply.status == 400, "\(query)")
                #expect(!reply.message.isEmpty)
            }
        }
    }

    @Test func `a page takes one statement, whatever it expands`() async throws {
        try await withCloud { cloud in
            _ = try await cloud.environment.roleGraph()
            for query in [
                "", "?include_names", "?effective", "?effective&include_names&scope.project.id=\(Places.web)",
            ] {
                let (count, reply) = try await cloud.statements(.get, "/v3/role_assignments" + query, as: .systemReader)
                #expect(reply.status == 200)
                #expect(count == 1, "\(query)")
            }
        }
    }
}
