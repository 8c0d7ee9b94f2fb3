// SPDX-License-Identifier: Apache-2.0
// Application credentials and access rules as clients see them, and signing in with them.

import Core
import Crypto
import HTTP
import JSON
import Testing

@testable import Identity

struct ApplicationCredentialTests {
    private let user = Persona.projectMember.userID.text
    private var path: String { "/v3/users/\(user)/application_credentials" }
    private let absent = String(repeating: "0", count: 32)

    private func make(_ cloud: IdentityFixture, _ credential: JSON.Object, as persona: Persona = .projectMember)
        async throws -> Reply
    {
        let path = "/v3/users/\(persona.userID)/application_credentials"
        return try await cloud.request(.post, path, as: persona, ["application_credential": .object(credential)])
    }

    private func signIn(_ cloud: IdentityFixture, _ made: Reply, secret: String? = nil) async throws -> (
        token: String?, reply: Reply
    ) {
        let credential = try #require(made["application_credential"])
        let given = secret ?? credential["secret"]?.string ?? ""
        return try await cloud.signIn([
            "identity": [
                "methods": ["application_credential"],
                "application_credential": ["id": credential["id"] ?? .null, "secret": .string(given)],
            ]
        ])
    }

    @Test(arguments: TestEngine.available)
    func `a credential is made, shown without its secret, listed and deleted`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let made = try await make(
                cloud,
                [
                    "name": "robot", "description": "Builds", "expires_at": "2035-01-31T12:00:00.123456",
                    "roles": [["name": "reader"]],
                ])
            #expect(made.status == 201, "\(made.text)")
            let credential = try #require(made["application_credential"]?.object)
            let id = try #require(credential["id"]?.string)
            #expect(credential["secret"]?.string?.count == 86)
            #expect(credential["expires_at"] == "2035-01-31T12:00:00.123456")
            #expect(credential["project_id"]?.string == Places.web.text)
            #expect(credential["unrestricted"] == false)
            #expect(credential["roles"]?[0]?["name"] == "reader")
            #expect(credential["access_rules"] == nil)
            #expect(credential["links"]?["self"]?.string?.hasSuffix("\(path)/\(id)") ?? false)
            let shown = try await cloud.request(.get, "\(path)/\(id)", as: .projectMember)
            var withoutSecret = credential
            withoutSecret["secret"] = nil
            #expect(shown["application_credential"] == .object(withoutSecret))
            #expect(try await cloud.request(.get, path, as: .projectMember).ids("application_credentials") == [id])
            #expect(
                try await cloud.request(.get, path + "?name=robot", as: .projectMember).ids("application_credentials")
                    == [id])
            #expect(
                try await cloud.request(.get, path + "?name=other", as: .projectMember).ids("application_credentials")
                    == [])
            #expect(try await make(cloud, ["name": "robot"]).status == 409)
            #expect(try await cloud.request(.delete, "\(path)/\(id)", as: .projectMember).status == 204)
            #expect(try await cloud.request(.get, "\(path)/\(id)", as: .projectMember).status == 404)
        }
    }

    @Test(arguments: TestEngine.available)
    func `signing in with a credential gives its roles on its project`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let made = try await make(cloud, ["name": "robot"])
            let token = try #require(try await signIn(cloud, made).token)
            #expect(try await cloud.roles(ofToken: token)?.sorted() == ["member", "reader"])
            #expect(try await signIn(cloud, made, secret: "wrong").token == nil)
            let byName = try await cloud.signIn([
                "identity": [
                    "methods": ["application_credential"],
                    "application_credential": [
                        "name": "robot", "user": ["id": .string(user)],
                        "secret": made["application_credential"]?["secret"] ?? .null,
                    ],
                ]
            ])
            #expect(byName.token != nil)
            cloud.clock.advance(seconds: 1)
            let id = made["application_credential"]?["id"]?.string ?? ""
            #expect(try await cloud.request(.delete, "\(path)/\(id)", as: .systemAdmin).status == 204)
            #expect(try await cloud.roles(ofToken: token) == nil)
            #expect(try await signIn(cloud, made).token == nil)
        }
    }

    @Test func `a secret of the user's own works, short or long`() async throws {
        try await withCloud { cloud in
            let long = String(repeating: "Zx9-", count: 12)
            for (name, secret, isFast) in [("short", "hunter2", false), ("long", long, true)] {
                let made = try await make(cloud, ["name": .string(name), "secret": .string(secret)])
                #expect(made["application_credential"]?["secret"]?.string == secret)
                #expect(try await signIn(cloud, made).token != nil)
                #expect(try await signIn(cloud, made, secret: secret + "x").token == nil)
                let id = ID<ApplicationCredential>(made["application_credential"]?["id"]?.string ?? "")
                let stored = try await cloud.environment.database.read("test.find") {
                    try ApplicationCredentialStore.find(id, $0)
                }
                #expect(stored?.secretHash.hasPrefix("hmac-sha256$") == isFast)
                #expect(stored?.secretHash.contains(secret) == false)
            }
        }
    }

    @Test func `an expired credential is refused`() async throws {
        try await withCloud { cloud in
            let made = try await make(
                cloud, ["name": "robot", "expires_at": .string(cloud.clock.now.adding(seconds: 60).text)])
            #expect(try await signIn(cloud, made).token != nil)
            cloud.clock.advance(seconds: 61)
            #expect(try await signIn(cloud, made).token == nil)
        }
    }

    @Test func `only an unrestricted credential manages its kind and trusts`() async throws {
        try await withCloud { cloud in
            let trust: JSON = [
                "trust": [
                    "trustor_user_id": .string(user), "trustee_user_id": .string(Persona.otherMember.userID.text),
                    "project_id": .string(Places.web.text), "impersonation": true, "roles": [["name": "member"]],
                ]
            ]
            for (name, isUnrestricted) in [("bound", false), ("free", true)] {
                let made = try await make(cloud, ["name": .string(name), "unrestricted": .bool(isUnrestricted)])
                let token = try #require(try await signIn(cloud, made).token)
                let body: JSON = ["application_credential": ["name": .string("child of \(name)")]]
                let child = try await cloud.request(.post, path, token: token, body: body.bytes)
                #expect(child.status == (isUnrestricted ? 201 : 403), "\(child.text)")
                let trusted = try await cloud.request(.post, "/v3/OS-TRUST/trusts", token: token, body: trust.bytes)
                #expect(trusted.status == (isUnrestricted ? 201 : 403), "\(trusted.text)")
                let id = made["application_credential"]?["id"]?.string ?? ""
                let deleted = try await cloud.request(.delete, "\(path)/\(id)", token: token)
                #expect(deleted.status == (isUnrestricted ? 204 : 403), "\(deleted.text)")
            }
        }
    }

    @Test func `a trust's token makes no credential`() async throws {
        try await withCloud { cloud in
            let trust: JSON = [
                "trust": [
                    "trustor_user_id": .string(user), "trustee_user_id": .string(Persona.otherMember.userID.text),
                    "project_id": .string(Places.web.text), "impersonation": true, "roles": [["name": "member"]],
                ]
            ]
            let made = try await cloud.request(.post, "/v3/OS-TRUST/trusts", as: .projectMember, trust)
            let id = made["trust"]?["id"] ?? .null
            let token = try #require(try await cloud.signIn(.otherMember, scope: ["OS-TRUST:trust": ["id": id]]).token)
            let body: JSON = ["application_credential": ["name": "sly"]]
            #expect(try await cloud.request(.post, path, token: token, body: body.bytes).status == 403)
        }
    }

    @Test func `each persona may do with credentials what its scope allows`() async throws {
        try await withCloud { cloud in
            let made = try await make(cloud, ["name": "robot"])
            let one = path + "/" + (made["application_credential"]?["id"]?.string ?? "")
            let readers: Set<Persona> = [.systemAdmin, .systemMember, .systemReader, .projectAdmin, .projectMember]
            let body: JSON = ["application_credential": ["name": "other"]]
            for persona in Persona.allCases where persona != .unscoped {
                let expected = readers.contains(persona) ? 200 : 403
                #expect(try await cloud.request(.get, one, as: persona).status == expected, "\(persona)")
                #expect(try await cloud.request(.get, path, as: persona).status == expected, "\(persona)")
                let missing = try await cloud.request(.get, path + "/" + absent, as: persona).status
                #expect(missing == (readers.contains(persona) ? 404 : 403), "\(persona)")
                if persona != .projectMember {
                    #expect(try await cloud.request(.post, path, as: persona, body).status == 403, "\(persona)")
                    // Another's credential does not become one's own by one's own path.
                    let crafted = "/v3/users/\(persona.userID)" + one.dropFirst("/v3/users/\(user)".count)
                    if !readers.contains(persona) {
                        #expect(try await cloud.request(.get, crafted, as: persona).status == 403, "\(persona)")
                        #expect(try await cloud.request(.delete, crafted, as: persona).status == 403, "\(persona)")
                    }
                }
                if ![.systemAdmin, .projectAdmin, .projectMember].contains(persona) {
                    #expect(try await cloud.request(.delete, one, as: persona).status == 403, "\(persona)")
                }
            }
            #expect(try await cloud.request(.get, one, as: nil).status == 401)
        }
    }

    @Test func `bad bodies are refused with the field's name`() async throws {
        try await withCloud { cloud in
            for (credential, field): (JSON.Object, String) in [
                ([:], "name"), (["name": ""], "name"), (["name": 1], "name"), (["name": "x", "secret": 5], "secret"),
                (["name": "x", "expires_at": "soon"], "expires_at"),
                (["name": "x", "expires_at": "2001-01-01T00:00:00"], "expires_at"),
                (["name": "x", "unrestricted": "true"], "unrestricted"), (["name": "x", "roles": "reader"], "roles"),
                (["name": "x", "roles": [["id": "a", "name": "b"]]], "roles[0]"),
                (["name": "x", "roles": [5]], "roles[0]"),
                (["name": "x", "roles": [["name": "admin"]]], "unassigned role"),
                (["name": "x", "roles": [["id": .string(absent)]]], "unassigned role"),
                (["name": "x", "access_rules": [["service": "compute", "method": "GET"]]], "path"),
                (["name": "x", "access_rules": [["service": "compute", "method": "GET", "path": "v2"]]], "path"),
                (["name": "x", "access_rules": [["service": "compute", "method": "FETCH", "path": "/"]]], "method"),
                (["name": "x", "access_rules": [["service": "a b", "method": "GET", "path": "/"]]], "service"),
                (["name": "x", "access_rules": [["other": "compute"]]], "other"),
                (["name": "x", "access_rules": 3], "access_rules"),
            ] {
                let reply = try await make(cloud, credential)
                #expect(reply.status == 400, "\(field) \(reply.text)")
                #expect(reply.message.contains(field), "\(reply.message)")
            }
            #expect(try await make(cloud, ["name": "x", "roles": [["name": "nothing"]]]).status == 404)
            #expect(try await make(cloud, ["name": "x", "access_rules": [["id": .string(absent)]]]).status == 404)
        }
    }

    // MARK: Access rules

    @Test(arguments: TestEngine.available)
    func `access rules are shared by content, outlive a credential and can be deleted when unused`(_ engine: TestEngine)
        async throws
    {
        try await withCloud(engine) { cloud in
            let rule: JSON = ["service": "compute", "method": "GET", "path": "/v2.1/servers/*"]
            let first = try await make(cloud, ["name": "one", "access_rules": [rule, rule]])
            #expect(first["application_credential"]?["access_rules"]?.array?.count == 1, "\(first.text)")
            let id = try #require(first["application_credential"]?["access_rules"]?[0]?["id"]?.string)
            let second = try await make(cloud, ["name": "two", "access_rules": [["id": .string(id)]]])
            #expect(
                second["application_credential"]?["access_rules"] == first["application_credential"]?["access_rules"])
            let rules = "/v3/users/\(user)/access_rules"
            #expect(try await cloud.request(.get, rules, as: .projectMember).ids("access_rules") == [id])
            #expect(
                try await cloud.request(.get, rules + "?service=image", as: .projectMember).ids("access_rules") == [])
            let shown = try await cloud.request(.get, rules + "/" + id, as: .systemReader)
            #expect(shown["access_rule"]?["path"] == "/v2.1/servers/*")
            #expect(shown["access_rule"]?["links"]?["self"]?.string?.hasSuffix(rules + "/" + id) ?? false)
            #expect(try await cloud.request(.delete, rules + "/" + id, as: .projectMember).status == 403)
            for made in [first, second] {
                let one = path + "/" + (made["application_credential"]?["id"]?.string ?? "")
                #expect(try await cloud.request(.delete, one, as: .projectMember).status == 204)
            }
            for persona: Persona in [.projectAdmin, .domainAdmin, .domainReader, .otherMember, .projectReader] {
                #expect(try await cloud.request(.get, rules, as: persona).status == 403)
                #expect(try await cloud.request(.get, rules + "/" + id, as: persona).status == 403)
                #expect(try await cloud.request(.delete, rules + "/" + id, as: persona).status == 403)
                #expect(try await cloud.request(.get, rules + "/" + absent, as: persona).status == 403)
                // Nor through one's own path.
                let own = "/v3/users/\(persona.userID)/access_rules/\(id)"
                #expect([403, 404].contains(try await cloud.request(.get, own, as: persona).status))
            }
            #expect(try await cloud.request(.delete, rules + "/" + id, as: .systemReader).status == 403)
            #expect(try await cloud.request(.delete, rules + "/" + id, as: .projectMember).status == 204)
            #expect(try await cloud.request(.get, rules + "/" + id, as: .projectMember).status == 404)
            #expect(try await cloud.request(.get, rules, as: nil).status == 401)
        }
    }

    @Test func `a credential with access rules is good for nothing else`() async throws {
        try await withCloud { cloud in
            let made = try await make(
                cloud,
                [
                    "name": "narrow",
                    "access_rules": [
                        ["service": "identity", "method": "GET", "path": "/v3/users/{user_id}/application_credentials"]
                    ],
                ])
            let token = try #require(try await signIn(cloud, made).token)
            #expect(try await cloud.request(.get, path, token: token).status == 200)
            #expect(try await cloud.request(.get, "/v3/users/\(user)/access_rules", token: token).status == 403)
        }
    }
}
