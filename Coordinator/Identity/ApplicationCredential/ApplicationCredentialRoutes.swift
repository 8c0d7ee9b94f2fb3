// SPDX-License-Identifier: Apache-2.0
// /v3/users/{user_id}/application_credentials and /v3/users/{user_id}/access_rules.

import Core
import HTTP

struct ApplicationCredentialArea: IdentityArea {
    private let environment: IdentityEnvironment
    private let service: ApplicationCredentialService
    private let wire: ApplicationCredentialWire

    init(_ environment: IdentityEnvironment) {
        self.environment = environment
        service = ApplicationCredentialService(environment)
        wire = ApplicationCredentialWire(environment.settings)
    }

    static let policies = [
        PolicyRule(
            "identity:get_application_credential",
            "(rule:admin_required) or (role:reader and system_scope:all) or rule:owner", scopes: [.system, .project]),
        PolicyRule(
            "identity:list_application_credentials",
            "(rule:admin_required) or (role:reader and system_scope:all) or rule:owner", scopes: [.system, .project]),
        PolicyRule("identity:create_application_credential", "user_id:%(user_id)s", scopes: [.project]),
        PolicyRule("identity:delete_application_credential", "rule:admin_or_owner", scopes: [.system, .project]),
        PolicyRule(
            "identity:get_access_rule", "(role:reader and system_scope:all) or user_id:%(target.user.id)s",
            scopes: [.system, .project]),
        PolicyRule(
            "identity:list_access_rules", "(role:reader and system_scope:all) or user_id:%(target.user.id)s",
            scopes: [.system, .project]),
        PolicyRule(
            "identity:delete_access_rule", "(role:admin and system_scope:all) or user_id:%(target.user.id)s",
            scopes: [.system, .project]),
    ]

    var routes: [Route] { credentialRoutes + ruleRoutes }

    private var credentialRoutes: [Route] {
        let all = "/v3/users/{user_id}/application_credentials"
        let one = all + "/{application_credential_id}"
        return [
            Route(.get, all, "identity:list_application_credentials", list),
            Route(.post, all, "identity:create_application_credential", create),
            Route(.get, one, "identity:get_application_credential", target: find) { _, record in
                wire.response(record, try await environment.roleGraph())
            },
            Route(.delete, one, "identity:delete_application_credential", target: find) { call, record in
                try await service.delete(record, by: call)
                return .noContent
            },
        ]
    }

    /// The owner that counts is the credential's, whatever user the path names.
    @Sendable private func find(_ call: Call) async throws -> ApplicationCredentialRecord {
        try await service.find(call.id("application_credential_id"))
    }

    @Sendable private func list(_ call: Call) async throws -> Response {
        let page = try PageRequest(call)
        let records = try await service.list(of: call.id("user_id"), NameFilter(call.query), page)
        let graph = try await environment.roleGraph()
        return .list(
            "application_credentials", records, page: page, call: call, links: wire.links, id: \.id.text
        ) { w, record in wire.write(&w, record, graph) }
    }

    @Sendable private func create(_ call: Call) async throws -> Response {
        let fields = try await call.fields("application_credential")
        let request = try ApplicationCredentialRequest(fields, now: environment.clock.now)
        let (record, secret) = try await service.create(request, for: call.id("user_id"), by: call)
        return wire.response(record, secret: secret, try await environment.roleGraph(), status: .created)
    }

    // MARK: Access rules

    private var ruleRoutes: [Route] {
        let all = "/v3/users/{user_id}/access_rules"
        let one = all + "/{access_rule_id}"
        return [
            Route(.get, all, "identity:list_access_rules", target: owner) { call, owner in
                let page = try PageRequest(call)
                let rules = try await service.rules(of: owner.user, call.query, page)
                return .list("access_rules", rules, page: page, call: call, links: wire.links, id: \.id.text) {
                    w, rule in
                    wire.write(&w, rule, of: owner.user)
                }
            },
            Route(.get, one, "identity:get_access_rule", target: owner) { call, owner in
                wire.response(try await service.rule(call.id("access_rule_id"), of: owner.user), of: owner.user)
            },
            Route(.delete, one, "identity:delete_access_rule", target: owner) { call, owner in
                try await service.deleteRule(call.id("access_rule_id"), of: owner.user, by: call)
                return .noContent
            },
        ]
    }

    @Sendable private func owner(_ call: Call) -> AccessRuleOwner { AccessRuleOwner(user: call.id("user_id")) }
}

/// Whose access rules the path names: who asks for another's learns nothing, not even which exist.
private struct AccessRuleOwner: PolicyTarget {
    let user: ID<User>
    func policyAttribute(_ name: String) -> String? { name == "target.user.id" ? user.text : nil }
}
