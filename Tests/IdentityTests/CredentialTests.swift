// SPDX-License-Identifier: Apache-2.0
// Credentials: whose they are, who may reach them, what may be changed.

import Core
import Crypto
import Database
import HTTP
import JSON
import Testing

@testable import Identity

struct CredentialTests {
    private func make(
        _ cloud: IdentityFixture, for owner: Persona, as caller: Persona, type: String = "cert",
        blob: String = "secret",
        project: ID<Project>? = nil
    ) async throws -> Reply {
        var credential: JSON.Object = [
            "user_id": .string(owner.userID.text), "type": .string(type), "blob": .string(blob), "note": "kept",
        ]
        if let project { credential["project_id"] = .string(project.text) }
        return try await cloud.request(.post, "/v3/credentials", as: caller, ["credential": .object(credential)])
    }

    private func id(_ reply: Reply) throws -> String {
        try #require(reply["credential"]?["id"]?.string, "\(reply.status) \(reply.text)")
    }

    @Test(arguments: TestEngine.available)
    func `a credential is made, shown, changed and deleted by its owner`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            for owner in [Persona.projectReader, .domainReader, .systemReader] {
                let id = try id(try await make(cloud, for: owner, as: owner))
                let shown = try await cloud.request(.get, "/v3/credentials/\(id)", as: owner)
                #expect(shown["credential"]?["blob"] == "secret" && shown["credential"]?["note"] == "kept")
                #expect(shown["credential"]?["project_id"] == .some(.null))
                let changed = try await cloud.request(
                    .patch, "/v3/credentials/\(id)", as: owner, ["credential": ["blob": "new", "type": "cert"]])
                #expect(changed.status == 200 && changed["credential"]?["blob"] == "new")
                #expect(try await cloud.request(.delete, "/v3/credentials/\(id)", as: owner).status == 204)
                #expect(try await cloud.request(.get, "/v3/credentials/\(id)", as: .systemAdmin).status == 404)
            }
        }
    }

    @Test(arguments: TestEngine.available)
    func `blobs are sealed in the database, each for its own row`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let one = try id(try await make(cloud, for: .projectMember, as: .projectMember, blob: "first secret"))
            let two = try id(try await make(cloud, for: .projectMember, as: .projectMember, blob: "second secret"))
            let blobs = try await cloud.environment.database.read("test") { connection in
                try connection.rows("SELECT blob FROM credential").map { $0.blob(0) }
            }
            #expect(blobs.count == 2)
            #expect(blobs.filter { String(decoding: $0, as: UTF8.self).contains("secret") }.isEmpty)
            try await cloud.environment.database.write("test") { connection in
                try connection.execute(
                    "UPDATE credential SET blob = (SELECT blob FROM credential WHERE id = $1) WHERE id = $2",
                    [.text(one), .text(two)])
            }
            #expect(try await cloud.request(.get, "/v3/credentials/\(two)", as: .projectMember).status == 500)
        }
    }

    @Test func `who may reach a credential of another user`() async throws {
        try await withCloud { cloud in
            let id = try id(try await make(cloud, for: .otherMember, as: .otherMember))
            for persona in Persona.allCases where persona != .otherMember {
                let isAdmin = persona.role == "admin"
                let isReader = isAdmin || persona.scope == .system
                let path = "/v3/credentials/\(id)"
                #expect(try await cloud.request(.get, path, as: persona).status == (isReader ? 200 : 403), "\(persona)")
                let missing = try await cloud.request(.get, "/v3/credentials/none", as: persona)
                #expect(missing.status == (isReader ? 404 : 403), "\(persona)")
                let list = try await cloud.request(.get, "/v3/credentials", as: persona)
                #expect(list.status == 200 && list.ids("credentials") == (isReader ? [id] : []), "\(persona)")
                let update = try await cloud.request(.patch, path, as: persona, ["credential": ["blob": "x"]])
                #expect(update.status == (isAdmin ? 200 : 403), "\(persona)")
                let created = try await make(cloud, for: .unscoped, as: persona)
                #expect(created.status == (isAdmin || persona == .unscoped ? 201 : 403), "\(persona)")
                for stray in try await cloud.request(
                    .get, "/v3/credentials?user_id=\(Persona.unscoped.userID)", as: .systemAdmin
                )
                .ids("credentials") {
                    #expect(
                        try await cloud.request(.delete, "/v3/credentials/\(stray)", as: .systemAdmin).status == 204)
                }
            }
        }
    }

    @Test(arguments: TestEngine.available)
    func `lists are filtered by user and type`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let mine = try id(try await make(cloud, for: .projectMember, as: .projectMember, type: "totp"))
            let other = try id(try await make(cloud, for: .otherMember, as: .otherMember))
            func list(_ query: String, as persona: Persona) async throws -> Set<String> {
                Set(try await cloud.request(.get, "/v3/credentials" + query, as: persona).ids("credentials"))
            }
            #expect(try await list("", as: .systemReader) == [mine, other])
            #expect(try await list("?type=totp", as: .systemReader) == [mine])
            #expect(try await list("?user_id=\(Persona.otherMember.userID)", as: .systemReader) == [other])
            #expect(try await list("?user_id=\(Persona.otherMember.userID)", as: .projectMember) == [])
            #expect(try await list("", as: .projectMember) == [mine])
            let (count, _) = try await cloud.statements(.get, "/v3/credentials", as: .systemAdmin)
            #expect(count == 1)
            let secrets = try await cloud.environment.database.read("test") { connection in
                try CredentialStore(cloud.environment.vault).totpSecrets(of: Persona.projectMember.userID, connection)
            }
            #expect(secrets == ["secret"])
        }
    }

    @Test(arguments: TestEngine.available)
    func `only the blob can be changed`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let id = try id(try await make(cloud, for: .projectMember, as: .projectMember, project: Places.web))
            for (name, value) in [
                ("user_id", "another"), ("type", "ec2"), ("project_id", Places.shop.text), ("id", "other"),
            ] {
                let refused = try await cloud.request(
                    .patch, "/v3/credentials/\(id)", as: .systemAdmin,
                    ["credential": .object(JSON.Object([(name, .string(value))]))])
                #expect(refused.status == 400, "\(name)")
            }
            #expect(
                try await cloud.request(
                    .patch, "/v3/credentials/\(id)", as: .systemAdmin, ["credential": [:]]
                ).status == 400)
        }
    }

    // MARK: EC2

    @Test(arguments: TestEngine.available)
    func `an ec2 credential is found by its access key and needs a project`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let blob = #"{"access": "AKEY", "secret": "SKEY"}"#
            let made = try await make(
                cloud, for: .projectMember, as: .projectMember, type: "ec2", blob: blob, project: Places.web)
            #expect(try id(made) == Hex.text(Digest.sha256(Array("AKEY".utf8))))
            #expect(made["credential"]?["blob"] == .string(blob))
            let again = try await make(
                cloud, for: .projectMember, as: .projectMember, type: "ec2", blob: blob, project: Places.web)
            #expect(again.status == 409)
            let found = try await cloud.environment.database.read("test") { connection in
                try CredentialStore(cloud.environment.vault).find(access: "AKEY", connection)
            }
            #expect(found?.user == Persona.projectMember.userID)
            let bare = try await make(cloud, for: .projectMember, as: .projectMember, type: "ec2", blob: blob)
            #expect(bare.status == 400 && bare.message.contains("project_id"))
            for blob in ["text", "[]", "{}", #"{"access": 3}"#, #"{"access": ""}"#, #"{"secret": "x"}"#] {
                let refused = try await make(
                    cloud, for: .projectMember, as: .projectMember, type: "ec2", blob: blob, project: Places.web)
                #expect(refused.status == 400 && refused.message.contains("blob"), "\(blob)")
            }
            // What binds a key stays.
            let bound = try await cloud.request(
                .patch, "/v3/credentials/\(try id(made))", as: .projectMember,
                ["credential": ["blob": #"{"access": "AKEY", "secret": "S", "trust_id": "t"}"#]])
            #expect(bound.status == 400 && bound.message.contains("trust_id"))
        }
    }

    @Test(arguments: TestEngine.available)
    func `a user's ec2 keys are made, listed, shown and deleted`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let all = "/v3/users/\(Persona.projectMember.userID)/credentials/OS-EC2"
            let made = try await cloud.request(.post, all, as: .projectMember, ["tenant_id": .string(Places.web.text)])
            #expect(made.status == 201)
            let key = try #require(made["credential"])
            let access = try #require(key["access"]?.string)
            #expect(key["tenant_id"] == .string(Places.web.text) && key["trust_id"] == .some(.null))
            #expect(key["secret"]?.string?.count == 32)
            #expect(key["links"]?["self"] == .string("http://127.0.0.1:5000/identity\(all)/\(access)"))
            let listed = try await cloud.request(.get, all, as: .projectMember)
            #expect(listed["credentials"]?[0] == key)
            #expect(try await cloud.request(.get, all + "/" + access, as: .systemReader)["credential"] == key)
            #expect(try await cloud.request(.get, all + "/" + access, as: .otherMember).status == 403)
            // Whoever asks hears that a key does not exist: keys cannot be guessed.
            #expect(try await cloud.request(.get, all + "/none", as: .otherMember).status == 404)
            #expect(try await cloud.request(.delete, all + "/" + access, as: .projectReader).status == 403)
            #expect(try await cloud.request(.delete, all + "/" + access, as: .projectMember).status == 204)
            #expect(try await cloud.request(.get, all + "/" + access, as: .projectMember).status == 404)
        }
    }

    @Test func `who may make ec2 keys`() async throws {
        try await withCloud { cloud in
            for persona in Persona.allCases {
                let isAllowedScope = [.system, .web, .shop].contains(persona.scope)
                let own = "/v3/users/\(persona.userID)/credentials/OS-EC2"
                let body: JSON = ["tenant_id": .string(Places.web.text)]
                let mine = try await cloud.request(.post, own, as: persona, body)
                #expect(mine.status == (isAllowedScope && persona.roles.contains("member") ? 201 : 403), "\(persona)")
                let other = "/v3/users/\(Persona.unscoped.userID)/credentials/OS-EC2"
                let theirs = try await cloud.request(.post, other, as: persona, body)
                #expect(theirs.status == (isAllowedScope && persona.role == "admin" ? 201 : 403), "\(persona)")
            }
            let path = "/v3/users/\(Persona.projectMember.userID)/credentials/OS-EC2"
            #expect(try await cloud.request(.post, path, as: .systemAdmin, ["tenant_id": "none"]).status == 404)
            #expect(
                try await cloud.request(.post, path, as: .systemAdmin, ["project": "x"]).message.contains("tenant_id"))
            let missing = "/v3/users/none/credentials/OS-EC2"
            #expect(try await cloud.request(.get, missing, as: .systemAdmin).status == 404)
            #expect(try await cloud.request(.get, missing, as: .projectMember).status == 403)
        }
    }

    // MARK: Delegation

    /// The service, asked by a caller whose token was made from a trust or an application credential.
    private func delegated(_ persona: Persona, trust: String? = nil, application: String? = nil) -> Authority {
        var caller = persona.authority(expires: SystemClock().now.adding(seconds: 60))
        caller.trustID = trust
        caller.applicationCredentialID = application
        return caller
    }

    private func call(_ cloud: IdentityFixture, _ caller: Authority) throws -> Call {
        Call(
            request: .make(.post, "/identity/v3/credentials"), service: cloud.module.description, parameters: [],
            query: QueryParameters([]), caller: caller, policy: try PolicyTable(IdentityModule.policies))
    }

    private func draft(_ persona: Persona, type: String, blob: String, project: ID<Project> = Places.web) throws
        -> NewCredential
    {
        try NewCredential(
            RequestFields(
                [
                    "user_id": .string(persona.userID.text), "type": .string(type), "blob": .string(blob),
                    "project_id": .string(project.text),
                ], path: "credential"))
    }

    private func makeApplicationCredential(_ cloud: IdentityFixture, _ id: String, isUnrestricted: Bool) async throws {
        try await cloud.environment.database.write("test") { connection in
            try connection.execute(
                """
                INSERT INTO application_credential (id, name, user_id, project_id, secret_hash, is_unrestricted)
                VALUES ($1, $1, $2, $3, '', $4)
                """, [.text(id), .id(Persona.projectMember.userID), .id(Places.web), .bool(isUnrestricted)])
        }
    }

    @Test(arguments: TestEngine.available)
    func `a trust's token makes keys bound to the trust and reaches no others`(_ engine: TestEngine) async throws {
        try await withCloud(engine) { cloud in
            let service = CredentialService(environment: cloud.environment)
            let caller = delegated(.projectMember, trust: "trust1")
            let call = try call(cloud, caller)
            let blob = #"{"access": "A", "secret": "S"}"#
            let key = try await service.create(try draft(.projectMember, type: "ec2", blob: blob), by: call)
            #expect(EC2Key(blob: key.blob)?.trust == "trust1")
            try await service.checkReach(caller, key)
            // The user's own credential, and a key of another trust.
            let own = try id(try await make(cloud, for: .projectMember, as: .projectMember))
            let found = try await service.find(ID(own))
            await #expect(throws: CloudError.self) { try await service.checkReach(caller, found) }
            await #expect(throws: CloudError.self) { try await service.delete(found, by: call) }
            await #expect(throws: CloudError.self) {
                try await service.checkReach(delegated(.projectMember, trust: "trust2"), key)
            }
            let page = try PageRequest(call)
            #expect(try await service.list(of: caller.user, type: nil, page, by: caller).map(\.id) == [key.id])
            // A secret for signing in as the trustor, another project or another user is out of its reach.
            let totp = try draft(.projectMember, type: "totp", blob: "GEZDGNBVGY3TQOJQ")
            await #expect(throws: CloudError.self) { try await service.create(totp, by: call) }
            let elsewhere = try draft(.projectMember, type: "ec2", blob: #"{"access": "B"}"#, project: Places.shop)
            await #expect(throws: CloudError.self) { try await service.create(elsewhere, by: call) }
            let another = try draft(.otherMember, type: "ec2", blob: #"{"access": "C"}"#)
            await #expect(throws: CloudError.self) { try await service.create(another, by: call) }
        }
    }

    @Test(arguments: TestEngine.available)
    func `a restricted application credential makes none, an unrestricted one makes bound keys`(_ engine: TestEngine)
        async throws
    {
        try await withCloud(engine) { cloud in
            try await makeApplicationCredential(cloud, "narrow", isUnrestricted: false)
            try await makeApplicationCredential(cloud, "wide", isUnrestricted: true)
            let service = CredentialService(environment: cloud.environment)
            let narrow = try call(cloud, delegated(.projectMember, application: "narrow"))
            let blob = #"{"access": "A", "secret": "S"}"#
            let wanted = try draft(.projectMember, type: "ec2", blob: blob)
            await #expect(throws: CloudError.self) { try await service.create(wanted, by: narrow) }
            await #expect(throws: CloudError.self) {
                try await service.createKey(user: Persona.projectMember.userID, project: Places.web, by: narrow)
            }
            let wide = try call(cloud, delegated(.projectMember, application: "wide"))
            let key = try await service.create(wanted, by: wide)
            #expect(EC2Key(blob: key.blob)?.applicationCredential == "wide")
            let own = try await service.find(ID(try id(try await make(cloud, for: .projectMember, as: .projectMember))))
            try await service.checkReach(try wide.authority(), own)
            await #expect(throws: CloudError.self) { try await service.checkReach(try narrow.authority(), own) }
        }
    }
}
