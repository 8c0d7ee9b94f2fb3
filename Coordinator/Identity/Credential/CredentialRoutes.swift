// SPDX-License-Identifier: Apache-2.0
// /v3/credentials, and a user's EC2 keys under /v3/users/{user_id}/credentials/OS-EC2.

import Core
import HTTP
import JSON

struct CredentialArea: IdentityArea {
    private let credentials: CredentialService
    private let links: IdentityLinks

    init(_ environment: IdentityEnvironment) {
        credentials = CredentialService(environment: environment)
        links = IdentityLinks(environment.settings)
    }

    private static let ownerOrAdmin = "rule:admin_required or user_id:%(target.credential.user_id)s"
    private static let ownerOrReader =
        "rule:admin_required or (role:reader and system_scope:all) or user_id:%(target.credential.user_id)s"

    static let policies = [
        PolicyRule("identity:get_credential", ownerOrReader, scopes: CatalogPolicy.anyScope),
        PolicyRule("identity:list_credentials", ownerOrReader, scopes: CatalogPolicy.anyScope),
        PolicyRule("identity:create_credential", ownerOrAdmin, scopes: CatalogPolicy.anyScope),
        PolicyRule("identity:update_credential", ownerOrAdmin, scopes: CatalogPolicy.anyScope),
        PolicyRule("identity:delete_credential", ownerOrAdmin, scopes: CatalogPolicy.anyScope),
        // EC2 keys belong to projects, so domain tokens have no part in them.
        PolicyRule("identity:ec2_get_credential", ownerOrReader, scopes: CatalogPolicy.writeScopes),
        PolicyRule(
            "identity:ec2_list_credentials", "rule:admin_required or (role:reader and system_scope:all) or rule:owner",
            scopes: CatalogPolicy.writeScopes),
        PolicyRule(
            "identity:ec2_create_credential", "rule:admin_required or (role:member and rule:owner)",
            scopes: CatalogPolicy.writeScopes),
        PolicyRule("identity:ec2_delete_credential", ownerOrAdmin, scopes: CatalogPolicy.writeScopes),
    ]

    var routes: [Route] { credentialRoutes + keyRoutes }

    private var credentialRoutes: [Route] {
        let one = "/v3/credentials/{credential_id}"
        return [
            Route(.get, "/v3/credentials", "identity:list_credentials", target: Self.listTarget, list),
            Route(.post, "/v3/credentials", "identity:create_credential") { call in
                try NewCredential(try await call.fields("credential"))
            } _: { call, draft in
                show(try await credentials.create(draft, by: call), .created)
            },
            Route(.get, one, "identity:get_credential", target: load) { call, credential in
                try await credentials.checkReach(try call.authority(), credential)
                return show(credential)
            },
            Route(.patch, one, "identity:update_credential", target: load) { call, credential in
                let draft = try ChangedCredential(try await call.changedFields("credential"))
                return show(try await credentials.update(credential, draft, by: call))
            },
            Route(.delete, one, "identity:delete_credential", target: load) { call, credential in
                try await credentials.delete(credential, by: call)
                return .noContent
            },
        ]
    }

    private var keyRoutes: [Route] {
        let all = "/v3/users/{user_id}/credentials/OS-EC2"
        let one = all + "/{credential_id}"
        return [
            Route(.get, all, "identity:ec2_list_credentials") { call in
                let user = call.id("user_id", User.self)
                let page = try PageRequest(call)
                let keys = page.cut(try await credentials.keys(of: user, by: try call.authority()), id: \.id.text)
                return .list("credentials", keys, page: page, call: call, links: links, id: \.id.text, writeKey)
            },
            Route(.post, all, "identity:ec2_create_credential") { call in
                let project = try await call.bodyFields().string("tenant_id", 1...255)
                let credential = try await credentials.createKey(
                    user: call.id("user_id"), project: ID(project), by: call)
                return showKey(credential, .created)
            },
            // These two tell an unknown access key from a forbidden one: access keys are random, so that reveals
            // nothing.
            Route(.get, one, "identity:ec2_get_credential", tellsAbsence: true, target: loadKey) { call, credential in
                try await credentials.checkReach(try call.authority(), credential)
                return showKey(credential)
            },
            Route(.delete, one, "identity:ec2_delete_credential", tellsAbsence: true, target: loadKey) {
                call, credential in
                try await credentials.delete(credential, by: call)
                return .noContent
            },
        ]
    }

    @Sendable private func load(_ call: Call) async throws -> CredentialRecord {
        try await credentials.find(call.id("credential_id"))
    }

    @Sendable private func loadKey(_ call: Call) async throws -> CredentialRecord {
        try await credentials.find(access: call.parameter("credential_id"))
    }

    /// Anybody may list: what he sees is his own, unless the rule for one credential allows him all.
    @Sendable private static func listTarget(_ call: Call) async throws -> Attributes {
        ["target.credential.user_id": try call.authority().user.text]
    }

    @Sendable private func list(_ call: Call, _ own: Attributes) async throws -> Response {
        let caller = try call.authority()
        let page = try PageRequest(call)
        var user = call.query["user_id"].map { ID<User>($0) }
        if !call.allows("identity:get_credential", NoTarget()) {
            if let user, user != caller.user { return shown([], page, call) }
            user = caller.user
        }
        return shown(try await credentials.list(of: user, type: call.query["type"], page, by: caller), page, call)
    }

    // MARK: Answers

    private func shown(_ found: [CredentialRecord], _ page: PageRequest, _ call: Call) -> Response {
        .list("credentials", found, page: page, call: call, links: links, id: \.id.text) { $1.write(&$0, links) }
    }

    private func show(_ credential: CredentialRecord, _ status: HTTPStatus = .ok) -> Response {
        .json(status) { w in
            w.object { w in
                w.key("credential"); credential.write(&w, links)
            }
        }
    }

    private func showKey(_ credential: CredentialRecord, _ status: HTTPStatus = .ok) -> Response {
        .json(status) { w in
            w.object { w in
                w.key("credential"); writeKey(&w, credential)
            }
        }
    }

    private func writeKey(_ w: inout JSONWriter, _ credential: CredentialRecord) {
        let key = EC2Key(blob: credential.blob)
        w.object { w in
            w.field("user_id", credential.user.text)
            w.field("tenant_id", orNull: credential.project?.text)
            w.field("access", orNull: key?.access)
            w.field("secret", orNull: key?.secret)
            w.field("trust_id", orNull: key?.trust)
            let access = PercentEncoding.query(key?.access ?? "")
            links.write(&w, "/users/", credential.user.text, "/credentials/OS-EC2/", access)
        }
    }
}
