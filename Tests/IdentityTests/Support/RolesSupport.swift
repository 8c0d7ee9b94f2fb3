// SPDX-License-Identifier: Apache-2.0
// Short ways to the things that tests of roles and delegation are about.

import Core
import HTTP
import JSON
import Testing

@testable import Identity

extension IdentityFixture {
    func role(_ name: String) throws -> String { try #require(cloud.roles[name]).text }

    func makeRole(_ name: String, in domain: ID<Domain>? = nil) async throws -> String {
        var role: JSON.Object = ["name": .string(name)]
        if let domain { role["domain_id"] = .string(domain.text) }
        let reply = try await request(.post, "/v3/roles", as: .systemAdmin, ["role": .object(role)])
        return try #require(reply["role"]?["id"]?.string, "\(reply.status) \(reply.text)")
    }

    func makeProject(_ name: String, below parent: String? = nil, in domain: ID<Domain> = Places.home) async throws
        -> String
    {
        let id = Persona.id("project " + name)
        try await environment.database.write("test.project") { connection in
            try ProjectStore.insert(
                ProjectRecord(
                    id: ID(id), name: name, domain: domain, parent: ID(parent ?? domain.text), isDomain: false),
                connection)
        }
        return id
    }

    func makeGroup(_ name: String, _ members: [Persona], in domain: ID<Domain> = Places.home) async throws -> String {
        let id = Persona.id("group " + name)
        try await environment.database.write("test.group") { connection in
            try GroupStore.insert(GroupRecord(id: ID(id), name: name, domain: domain), connection)
            for member in members {
                try connection.execute(
                    "INSERT INTO membership (user_id, group_id) VALUES ($1, $2)", [.id(member.userID), .text(id)])
            }
        }
        environment.stamps.touch(.everything)
        return id
    }

    @discardableResult
    func put(_ path: String, as persona: Persona = .systemAdmin) async throws -> Reply {
        let reply = try await request(.put, path, as: persona)
        #expect(reply.status < 300, "\(path): \(reply.text)")
        return reply
    }

    /// Signs in and gives the token, or nil when it is refused.
    func signIn(_ auth: JSON) async throws -> (token: String?, reply: Reply) {
        let reply = try await request(.post, "/v3/auth/tokens", as: nil, ["auth": auth])
        return (reply.header("X-Subject-Token"), reply)
    }

    func signIn(_ persona: Persona, scope: JSON? = nil) async throws -> (token: String?, reply: Reply) {
        let user: JSON = ["id": .string(persona.userID.text), "password": .string(Persona.password)]
        var auth: JSON.Object = ["identity": ["methods": ["password"], "password": ["user": user]]]
        auth["scope"] = scope
        return try await signIn(.object(auth))
    }

    /// What a token shows when it is looked at; nil when it is refused.
    func roles(ofToken token: String) async throws -> [String]? {
        let reply = try await request(
            .get, "/v3/auth/tokens", token: Persona.systemAdmin.token, headers: [("X-Subject-Token", token)])
        guard reply.status == 200 else { return nil }
        return (reply["token"]?["roles"]?.array ?? []).compactMap { $0["name"]?.string }
    }
}
