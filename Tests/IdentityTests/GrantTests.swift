// SPDX-License-Identifier: Apache-2.0
// Giving and taking roles, on every family of paths.

import Core
import HTTP
import JSON
import Testing

@testable import Identity

struct GrantTests {
    private let absent = String(repeating: "0", count: 32)

    @Test(arguments: TestEngine.available)
    func `every family of grants is given, checked, listed and taken`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let role = try await cloud.makeRole("worker")
            let group = try await cloud.makeGroup("crew", [])
            for family in GrantFamily.all {
                func fill(_ pattern: String) -> String {
                    [
                        ("{project_id}", Places.web.text), ("{domain_id}", Places.home.text), ("{group_id}", group),
                        ("{user_id}", Persona.unscoped.userID.text), ("{role_id}", role),
                    ]
                    .reduce(pattern) { text, pair in text.replacing(pair.0, with: pair.1) }
                }
                let one = fill(family.one)
                #expect(try await cloud.request(.head, one, as: .systemAdmin).status == 404, "\(one)")
                #expect(try await cloud.request(.delete, one, as: .systemAdmin).status == 404, "\(one)")
                #expect(try await cloud.request(.put, one, as: .systemAdmin).status == 204, "\(one)")
                // Giving it again changes nothing.
                #expect(try await cloud.request(.put, one, as: .systemAdmin).status == 204, "\(one)")
                #expect(try await cloud.request(.head, one, as: .systemReader).status == 204, "\(one)")
                #expect(try await cloud.request(.get, one, as: .systemReader).status == 204, "\(one)")
                if let all = family.all.map(fill) {
                    let listed = try await cloud.request(.get, all, as: .systemReader)
                    #expect(listed.ids("roles") == [role], "\(all)")
                    #expect(listed["links"]?["self"]?.string?.hasSuffix(all) ?? false)
                }
                #expect(try await cloud.request(.delete, one, as: .systemAdmin).status == 204, "\(one)")
                #expect(try await cloud.request(.head, one, as: .systemAdmin).status == 404, "\(one)")
            }
        }
    }

    @Test func `what a grant names must exist`() async throws {
        try await withCloud { cloud in
            let (role, user) = (try cloud.role("member"), Persona.unscoped.userID.text)
            for path in [
                "/v3/projects/\(absent)/users/\(user)/roles/\(role)",
                "/v3/projects/\(Places.web)/users/\(absent)/roles/\(role)",
                "/v3/projects/\(Places.web)/users/\(user)/roles/\(absent)",
                "/v3/domains/\(absent)/users/\(user)/roles/\(role)",
                "/v3/projects/\(Places.web)/groups/\(absent)/roles/\(role)", "/v3/system/users/\(absent)/roles/\(role)",
                "/v3/system/users/\(user)/roles/\(absent)", "/v3/projects/\(Places.home)/users/\(user)/roles/\(role)",
                "/v3/OS-INHERIT/domains/\(absent)/users/\(user)/roles/\(role)/inherited_to_projects",
            ] {
                let reply = try await cloud.request(.put, path, as: .systemAdmin)
                #expect(reply.status == 404, "\(path)")
                #expect(reply.message.hasPrefix("Could not find"))
                // Whoever may not change grants does not learn what exists.
                #expect(try await cloud.request(.put, path, as: .projectMember).status == 403)
            }
            #expect(
                try await cloud.request(.get, "/v3/projects/\(absent)/users/\(user)/roles", as: .systemAdmin).status
                    == 404)
            #expect(try await cloud.request(.get, "/v3/system/groups/\(absent)/roles", as: .systemAdmin).status == 404)
        }
    }

    @Test func `a role can be taken from a user who is gone`() async throws {
        try await withCloud { cloud in
            let role = try cloud.role("member")
            let ghost: ID<User> = ID(absent)
            try await cloud.environment.database.write("test.ghost") { connection in
                try AssignmentStore.insert(Assignment(.user(ghost), .project(Places.web), ID(role)), connection)
            }
            let path = "/v3/projects/\(Places.web)/users/\(ghost)/roles/\(role)"
            #expect(try await cloud.request(.head, path, as: .systemAdmin).status == 404)
            #expect(try await cloud.request(.delete, path, as: .systemAdmin).status == 204)
        }
    }

    @Test func `a domain's role stays in its domain`() async throws {
        try await withCloud { cloud in
            let (home, user) = (try await cloud.makeRole("helper", in: Places.home), Persona.unscoped.userID)
            let elsewhere = try await cloud.request(
                .put, "/v3/projects/\(Places.shop)/users/\(user)/roles/\(home)", as: .systemAdmin)
            #expect(elsewhere.status == 403)
            #expect(elsewhere.message.contains("same domain"))
            #expect(
                try await cloud.request(
                    .put, "/v3/projects/\(Places.web)/users/\(user)/roles/\(home)", as: .systemAdmin
                ).status == 204)
            let system = try await cloud.request(.put, "/v3/system/users/\(user)/roles/\(home)", as: .systemAdmin)
            #expect(system.status == 400)
            #expect(system.message.contains("domain-specific role"))
        }
    }

    @Test func `a domain's manager gives only the roles a domain manages, and only within it`() async throws {
        try await withCloud { cloud in
            let (ours, theirs) = (Persona.projectReader.userID, Persona.otherMember.userID)
            let (member, admin) = (try cloud.role("member"), try cloud.role("admin"))
            func give(_ role: String, _ user: ID<User>, _ place: String, as persona: Persona) async throws -> Int {
                let path = "/v3/\(place)/users/\(user)/roles/\(role)"
                let status = try await cloud.request(.put, path, as: persona).status
                let taken = try await cloud.request(.delete, path, as: persona).status
                #expect((taken == 403) == (status == 403), "\(path)")
                return status
            }
            let (web, shop, home) = ("projects/\(Places.web)", "projects/\(Places.shop)", "domains/\(Places.home)")
            #expect(try await give(member, ours, web, as: .domainManager) == 204)
            #expect(try await give(member, ours, home, as: .domainManager) == 204)
            #expect(try await give(admin, ours, web, as: .domainManager) == 403)
            #expect(try await give(member, theirs, web, as: .domainManager) == 403)
            #expect(try await give(member, ours, shop, as: .domainManager) == 403)
            for persona: Persona in [
                .domainMember, .domainReader, .projectManager, .projectMember, .systemReader, .systemMember,
            ] {
                #expect(try await give(member, ours, web, as: persona) == 403, "\(persona)")
            }
            #expect(try await give(admin, ours, web, as: .domainAdmin) == 204)
            #expect(try await cloud.request(.put, "/v3/\(web)/users/\(ours)/roles/\(member)", as: nil).status == 401)
        }
    }

    @Test func `a domain's reader sees the grants of its domain`() async throws {
        try await withCloud { cloud in
            let ours = Persona.projectReader.userID
            let reader = try cloud.role("reader")
            let theirs = Persona.otherReader.userID
            for persona: Persona in [.domainManager, .domainMember, .domainReader] {
                let list = "/v3/projects/\(Places.web)/users/\(ours)/roles"
                #expect(try await cloud.request(.get, list, as: persona).ids("roles") == [reader])
                #expect(try await cloud.request(.head, "\(list)/\(reader)", as: persona).status == 204)
                let other = "/v3/projects/\(Places.shop)/users/\(theirs)/roles"
                #expect(try await cloud.request(.get, other, as: persona).status == 403)
                #expect(try await cloud.request(.head, "\(other)/\(reader)", as: persona).status == 403)
                #expect(try await cloud.request(.get, "/v3/system/users/\(ours)/roles", as: persona).status == 403)
            }
        }
    }

    // MARK: What ends with a grant

    @Test(arguments: TestEngine.available)
    func `taking a role ends the tokens and application credentials that rest on it`(_ engine: TestEngine) async throws
    {
        try await withCloud(engine) { cloud in
            let user = Persona.projectMember.userID
            let member = try cloud.role("member")
            let token = try await cloud.token(of: .projectMember)
            let made = try await cloud.request(
                .post, "/v3/users/\(user)/application_credentials", token: token,
                body: (["application_credential": ["name": "robot"]] as JSON).bytes)
            #expect(made.status == 201, "\(made.text)")
            let path =
                "/v3/users/\(user)/application_credentials/" + (made["application_credential"]?["id"]?.string ?? "")
            cloud.clock.advance(seconds: 1)
            // Losing another role leaves both.
            let other = try await cloud.makeRole("other")
            try await cloud.put("/v3/projects/\(Places.web)/users/\(user)/roles/\(other)")
            let taken = try await cloud.request(
                .delete, "/v3/projects/\(Places.web)/users/\(user)/roles/\(other)", as: .systemAdmin)
            #expect(taken.status == 204)
            #expect(try await cloud.request(.get, path, as: .systemAdmin).status == 200)
            cloud.clock.advance(seconds: 1)
            let again = try await cloud.token(of: .projectMember)
            #expect(try await cloud.roles(ofToken: again) != nil)
            cloud.clock.advance(seconds: 1)
            let last = try await cloud.request(
                .delete, "/v3/projects/\(Places.web)/users/\(user)/roles/\(member)", as: .systemAdmin)
            #expect(last.status == 204)
            #expect(try await cloud.roles(ofToken: again) == nil)
            #expect(try await cloud.request(.get, path, as: .systemAdmin).status == 404)
        }
    }

    @Test(arguments: TestEngine.available)
    func `a group's grant counts for its members at once, and no longer than it lasts`(_ engine: TestEngine)
        async throws
    {
        try await withCloud(engine) { cloud in
            let group = try await cloud.makeGroup("crew", [.unscoped])
            let member = try cloud.role("member")
            let scope: JSON = ["project": ["id": .string(Places.web.text)]]
            for path in [
                "/v3/projects/\(Places.web)/groups/\(group)/roles/\(member)",
                "/v3/OS-INHERIT/domains/\(Places.home)/groups/\(group)/roles/\(member)/inherited_to_projects",
            ] {
                #expect(try await cloud.signIn(.unscoped, scope: scope).token == nil)
                try await cloud.put(path)
                let token = try #require(try await cloud.signIn(.unscoped, scope: scope).token)
                #expect(try await cloud.roles(ofToken: token)?.sorted() == ["member", "reader"])
                cloud.clock.advance(seconds: 1)
                #expect(try await cloud.request(.delete, path, as: .systemAdmin).status == 204)
                #expect(try await cloud.roles(ofToken: token) == nil)
                cloud.clock.advance(seconds: 1)
            }
        }
    }

    @Test func `an inherited role counts below its project, not on it`() async throws {
        try await withCloud { cloud in
            let below = try await cloud.makeProject("below", below: Places.web.text)
            let member = try cloud.role("member")
            let user = Persona.unscoped.userID
            let path = "/v3/OS-INHERIT/projects/\(Places.web)/users/\(user)/roles/\(member)/inherited_to_projects"
            try await cloud.put(path)
            #expect(
                try await cloud.signIn(.unscoped, scope: ["project": ["id": .string(Places.web.text)]]).token == nil)
            let token = try #require(
                try await cloud.signIn(.unscoped, scope: ["project": ["id": .string(below)]]).token)
            cloud.clock.advance(seconds: 1)
            #expect(try await cloud.request(.delete, path, as: .systemAdmin).status == 204)
            #expect(try await cloud.roles(ofToken: token) == nil)
        }
    }

    @Test func `an implied role is in the token`() async throws {
        try await withCloud { cloud in
            let (prior, implied) = (try await cloud.makeRole("prior"), try await cloud.makeRole("implied"))
            let helper = try await cloud.makeRole("helper", in: Places.home)
            try await cloud.put("/v3/roles/\(prior)/implies/\(implied)")
            try await cloud.put("/v3/roles/\(helper)/implies/\(prior)")
            try await cloud.put("/v3/projects/\(Places.web)/users/\(Persona.unscoped.userID)/roles/\(helper)")
            let token = try #require(
                try await cloud.signIn(.unscoped, scope: ["project": ["id": .string(Places.web.text)]]).token)
            #expect(try await cloud.roles(ofToken: token)?.sorted() == ["implied", "prior"])
            #expect(
                try await cloud.request(.delete, "/v3/roles/\(prior)/implies/\(implied)", as: .systemAdmin).status
                    == 204)
            #expect(try await cloud.roles(ofToken: token) == ["prior"])
        }
    }

    @Test func `deleting a role takes its grants`() async throws {
        try await withCloud { cloud in
            let role = try await cloud.makeRole("worker")
            try await cloud.put("/v3/projects/\(Places.web)/users/\(Persona.unscoped.userID)/roles/\(role)")
            let scope: JSON = ["project": ["id": .string(Places.web.text)]]
            let token = try #require(try await cloud.signIn(.unscoped, scope: scope).token)
            cloud.clock.advance(seconds: 1)
            #expect(try await cloud.request(.delete, "/v3/roles/\(role)", as: .systemAdmin).status == 204)
            #expect(try await cloud.roles(ofToken: token) == nil)
            #expect(try await cloud.signIn(.unscoped, scope: scope).token == nil)
        }
    }
}
