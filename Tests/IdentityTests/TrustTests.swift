// SPDX-License-Identifier: Apache-2.0
// Trusts as clients see them, and what can be done with them.

import Core
import HTTP
import JSON
import Testing

@testable import Identity

struct TrustTests {
    private let trustor = Persona.projectManager.userID.text
    private let trustee = Persona.otherMember.userID.text
    private let absent = String(repeating: "0", count: 32)

    private func body(_ more: JSON.Object = [:]) -> JSON {
        var trust: JSON.Object = [
            "trustor_user_id": .string(trustor), "trustee_user_id": .string(trustee),
            "project_id": .string(Places.web.text),
            "impersonation": true, "roles": [["name": "member"]],
        ]
        for (name, value) in more.members { trust[name] = value }
        return ["trust": .object(trust)]
    }

    private func make(_ cloud: IdentityFixture, _ more: JSON.Object = [:]) async throws -> String {
        let reply = try await cloud.request(.post, "/v3/OS-TRUST/trusts", as: .projectManager, body(more))
        return try #require(reply["trust"]?["id"]?.string, "\(reply.status) \(reply.text)")
    }

    /// The trustee signs in with the trust.
    private func use(_ cloud: IdentityFixture, _ trust: String, as persona: Persona = .otherMember) async throws
        -> String?
    {
        try await cloud.signIn(persona, scope: ["OS-TRUST:trust": ["id": .string(trust)]]).token
    }

    @Test(arguments: TestEngine.available)
    func `a trust is made, shown, listed and deleted`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let made = try await cloud.request(
                .post, "/v3/OS-TRUST/trusts", as: .projectManager,
                body(["expires_at": "2035-01-01T00:00:00.000000Z", "note": "n"]))
            #expect(made.status == 201, "\(made.text)")
            let trust = try #require(made["trust"])
            let id = try #require(trust["id"]?.string)
            #expect(trust["expires_at"] == "2035-01-01T00:00:00.000000Z")
            #expect(trust["remaining_uses"] == .some(.null))
            #expect(trust["deleted_at"] == .some(.null))
            #expect(trust["redelegation_count"] == 0)
            #expect(trust["note"] == "n")
            #expect(trust["roles"]?[0]?["name"] == "member")
            #expect(trust["roles"]?[0]?["links"]?["self"]?.string?.contains("/v3/roles/") ?? false)
            #expect(trust["links"]?["self"]?.string?.hasSuffix("/v3/OS-TRUST/trusts/\(id)") ?? false)
            let path = "/v3/OS-TRUST/trusts/\(id)"
            #expect(try await cloud.request(.get, path, as: .otherMember)["trust"] == trust)
            let listed = try await cloud.request(
                .get, "/v3/OS-TRUST/trusts?trustor_user_id=\(trustor)", as: .projectManager)
            #expect(listed.ids("trusts") == [id])
            #expect(listed["trusts"]?[0]?["roles"] == nil)
            let member = try cloud.role("member")
            #expect(try await cloud.request(.get, path + "/roles", as: .otherMember).ids("roles") == [member])
            #expect(
                try await cloud.request(.get, path + "/roles/\(member)", as: .otherMember)["role"]?["name"] == "member")
            #expect(try await cloud.request(.head, path + "/roles/\(member)", as: .otherMember).status == 200)
            #expect(
                try await cloud.request(.get, path + "/roles/\(try cloud.role("admin"))", as: .otherMember).status
                    == 404)
            #expect(try await cloud.request(.delete, path, as: .otherMember).status == 403)
            #expect(try await cloud.request(.delete, path, as: .projectManager).status == 204)
            #expect(try await cloud.request(.get, path, as: .projectManager).status == 404)
        }
    }

    @Test func `who may see trusts`() async throws {
        try await withCloud { cloud in
            let id = try await make(cloud)
            let readers: Set<Persona> = [.systemAdmin, .systemMember, .systemReader, .projectAdmin]
            let (all, one) = ("/v3/OS-TRUST/trusts", "/v3/OS-TRUST/trusts/\(id)")
            for persona in Persona.allCases {
                let isReader = readers.contains(persona)
                let isTrustor = persona == .projectManager, isTrustee = persona == .otherMember
                for (path, allowed) in [
                    (all, isReader), (all + "?trustor_user_id=\(trustor)", isReader || isTrustor),
                    (all + "?trustee_user_id=\(trustee)", isReader || isTrustee),
                    (one, isReader || isTrustor || isTrustee),
                    (one + "/roles", isReader || isTrustor || isTrustee),
                    (one + "/roles/\(try cloud.role("member"))", isReader || isTrustor || isTrustee),
                ] where persona != .unscoped {
                    let status = try await cloud.request(.get, path, as: persona).status
                    #expect(status == (allowed ? 200 : 403), "\(persona) \(path)")
                }
                #expect(try await cloud.request(.get, all + "/" + absent, as: persona).status == 404)
            }
            #expect(try await cloud.request(.get, one, as: nil).status == 401)
            #expect(try await cloud.request(.delete, one, as: .systemReader).status == 403)
            #expect(try await cloud.request(.delete, one, as: .systemAdmin).status == 204)
        }
    }

    @Test func `a trust is made by its trustor, of the trustor's roles`() async throws {
        try await withCloud { cloud in
            func status(_ more: JSON.Object, as persona: Persona = .projectManager) async throws -> (Int, String) {
                let reply = try await cloud.request(.post, "/v3/OS-TRUST/trusts", as: persona, body(more))
                return (reply.status, reply.message)
            }
            for persona: Persona in [.systemAdmin, .projectAdmin, .projectMember, .domainAdmin, .otherMember] {
                #expect(try await status([:], as: persona).0 == 403, "\(persona)")
            }
            #expect(try await status(["roles": [["name": "admin"]]]).0 == 404)
            #expect(try await status(["roles": [["name": "nothing"]]]).0 == 404)
            #expect(try await status(["roles": [["id": .string(absent)]]]).0 == 404)
            #expect(try await status(["roles": []]).0 == 403)
            #expect(try await status(["trustee_user_id": .string(absent)]).0 == 404)
            #expect(try await status(["project_id": .string(Places.shop.text)]).0 == 404)
            #expect(try await status(["project_id": .string(absent)]).0 == 404)
            for (more, field): (JSON.Object, String) in [
                (["impersonation": "yes"], "impersonation"), (["impersonation": nil], "impersonation"),
                (["expires_at": "bad.123Z"], "expires_at"), (["expires_at": "2001-01-01T00:00:00Z"], "expires_at"),
                (["remaining_uses": 0], "remaining_uses"), (["remaining_uses": "1"], "remaining_uses"),
                (["redelegation_count": -1], "redelegation_count"),
                (["roles": [["id": "a", "name": "b"]]], "roles[0]"),
                (["roles": [[:]]], "roles[0]"), (["roles": "member"], "roles"), (["roles": [["other": "x"]]], "other"),
                (["allow_redelegation": true, "remaining_uses": 1], "remaining_uses"),
                (["project_id": 5], "project_id"),
            ] {
                let (status, message) = try await status(more)
                #expect(status == 400, "\(field)")
                #expect(message.contains(field), "\(message)")
            }
            #expect(try await cloud.request(.post, "/v3/OS-TRUST/trusts", as: nil, body()).status == 401)
        }
    }

    @Test(arguments: TestEngine.available)
    func `the trustee signs in with the trust and has its roles alone`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let id = try await make(cloud)
            let token = try #require(try await use(cloud, id))
            let shown = try await cloud.request(
                .get, "/v3/auth/tokens", token: Persona.systemAdmin.token, headers: [("X-Subject-Token", token)])
            #expect(shown["token"]?["user"]?["id"]?.string == trustor)
            #expect(shown["token"]?["OS-TRUST:trust"]?["id"]?.string == id)
            #expect(try await cloud.roles(ofToken: token)?.sorted() == ["member", "reader"])
            #expect(try await use(cloud, id, as: .otherReader) == nil)
            cloud.clock.advance(seconds: 1)
            #expect(try await cloud.request(.delete, "/v3/OS-TRUST/trusts/\(id)", as: .projectManager).status == 204)
            #expect(try await cloud.roles(ofToken: token) == nil)
            #expect(try await use(cloud, id) == nil)
        }
    }

    @Test(arguments: TestEngine.available)
    func `a trust ends when its uses or its time are up`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let counted = try await make(cloud, ["remaining_uses": 2])
            #expect(try await use(cloud, counted) != nil)
            let shown = try await cloud.request(.get, "/v3/OS-TRUST/trusts/\(counted)", as: .projectManager)
            #expect(shown["trust"]?["remaining_uses"] == 1)
            #expect(try await use(cloud, counted) != nil)
            #expect(try await use(cloud, counted) == nil)
            #expect(try await cloud.request(.get, "/v3/OS-TRUST/trusts/\(counted)", as: .projectManager).status == 404)
            let end = cloud.clock.now.adding(seconds: 60).text
            let timed = try await make(cloud, ["expires_at": .string(end)])
            #expect(try await use(cloud, timed) != nil)
            cloud.clock.advance(seconds: 61)
            #expect(try await use(cloud, timed) == nil)
            #expect(try await cloud.request(.get, "/v3/OS-TRUST/trusts/\(timed)", as: .projectManager).status == 404)
        }
    }

    @Test(arguments: TestEngine.available)
    func `uses taken side by side never exceed the limit`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let id = ID<Trust>(try await make(cloud, ["remaining_uses": 3]))
            let database = cloud.environment.database
            let taken = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        (try? await database.write("test.consume") { try TrustStore.consume(id, $0) }) != nil
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(taken == 3)
        }
    }

    @Test(arguments: TestEngine.available)
    func `a trust is passed on, and goes with the one it came from`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let first = try await make(
                cloud,
                [
                    "allow_redelegation": true, "redelegation_count": 2,
                    "roles": [["name": "member"], ["name": "reader"]],
                    "impersonation": false,
                ])
            let token = try #require(try await use(cloud, first))
            func passOn(_ more: JSON.Object) async throws -> Reply {
                var trust: JSON.Object = [
                    "trustor_user_id": .string(trustee), "trustee_user_id": .string(Persona.otherReader.userID.text),
                    "project_id": .string(Places.web.text), "impersonation": false, "roles": [["name": "member"]],
                    "allow_redelegation": true,
                ]
                for (name, value) in more.members { trust[name] = value }
                let body: JSON = ["trust": .object(trust)]
                return try await cloud.request(.post, "/v3/OS-TRUST/trusts", token: token, body: body.bytes)
            }
            #expect(try await passOn(["roles": [["name": "manager"]]]).status == 403)
            #expect(try await passOn(["impersonation": true]).status == 403)
            #expect(try await passOn(["redelegation_count": 3]).status == 403)
            let second = try await passOn([:])
            #expect(second.status == 201, "\(second.text)")
            #expect(second["trust"]?["redelegated_trust_id"]?.string == first)
            #expect(second["trust"]?["redelegation_count"] == 1)
            let id = try #require(second["trust"]?["id"]?.string)
            // The roles that count are those of the one who trusted first.
            let last = try #require(try await use(cloud, id, as: .otherReader))
            #expect(try await cloud.roles(ofToken: last)?.sorted() == ["member", "reader"])
            cloud.clock.advance(seconds: 1)
            #expect(try await cloud.request(.delete, "/v3/OS-TRUST/trusts/\(first)", as: .projectManager).status == 204)
            #expect(try await cloud.request(.get, "/v3/OS-TRUST/trusts/\(id)", as: .systemAdmin).status == 404)
            #expect(try await cloud.roles(ofToken: last) == nil)
        }
    }

    @Test func `a trust is worth what the trustor still has`() async throws {
        try await withCloud { cloud in
            let id = try await make(cloud)
            #expect(try await use(cloud, id) != nil)
            let path = "/v3/projects/\(Places.web)/users/\(trustor)/roles/\(try cloud.role("manager"))"
            #expect(try await cloud.request(.delete, path, as: .systemAdmin).status == 204)
            #expect(try await use(cloud, id) == nil)
        }
    }
}
