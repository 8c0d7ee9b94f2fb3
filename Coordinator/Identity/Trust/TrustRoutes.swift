// SPDX-License-Identifier: Apache-2.0
// /v3/OS-TRUST/trusts. A trust that does not exist, is expired or used up is 404 to every caller, as OpenStack has it.

import Core
import HTTP

struct TrustArea: IdentityArea {
    private let environment: IdentityEnvironment
    private let service: TrustService
    private let wire: TrustWire

    init(_ environment: IdentityEnvironment) {
        self.environment = environment
        service = TrustService(environment)
        wire = TrustWire(environment.settings)
    }

    private static let trustor = "user_id:%(target.trust.trustor_user_id)s"
    private static let trustee = "user_id:%(target.trust.trustee_user_id)s"
    private static let reader = "(rule:admin_required) or (role:reader and system_scope:all)"

    static let policies = [
        PolicyRule("identity:create_trust", trustor, scopes: [.project]),
        PolicyRule("identity:list_trusts", reader, scopes: [.system, .project]),
        PolicyRule("identity:list_trusts_for_trustor", "\(reader) or \(trustor)", scopes: [.system, .project]),
        PolicyRule("identity:list_trusts_for_trustee", "\(reader) or \(trustee)", scopes: [.system, .project]),
        PolicyRule(
            "identity:list_roles_for_trust", "\(reader) or \(trustor) or \(trustee)", scopes: [.system, .project]),
        PolicyRule(
            "identity:get_role_for_trust", "\(reader) or \(trustor) or \(trustee)", scopes: [.system, .project]),
        PolicyRule("identity:get_trust", "\(reader) or \(trustor) or \(trustee)", scopes: [.system, .project]),
        PolicyRule("identity:delete_trust", "rule:admin_required or \(trustor)", scopes: [.system, .project]),
    ]

    var routes: [Route] {
        let all = "/v3/OS-TRUST/trusts"
        let one = all + "/{trust_id}"
        return [
            Route(.get, all, asking: "identity:list_trusts", list),
            Route(
                .post, all, "identity:create_trust", target: { TrustCreation(fields: try await $0.fields("trust")) },
                create),
            Route(.get, one, "identity:get_trust", tellsAbsence: true, target: find) { _, trust in
                wire.response(trust, try await environment.roleGraph())
            },
            Route(.delete, one, "identity:delete_trust", tellsAbsence: true, target: find) { call, trust in
                try await service.delete(trust, by: call)
                return .noContent
            },
            Route(.get, one + "/roles", "identity:list_roles_for_trust", tellsAbsence: true, target: find) { _, trust in
                wire.roleList(trust, try await environment.roleGraph())
            },
            Route(
                .get, one + "/roles/{role_id}", "identity:get_role_for_trust", tellsAbsence: true, target: find
            ) { call, trust in
                let id = call.id("role_id", Role.self)
                let graph = try await environment.roleGraph()
                guard let role = TrustWire.roles(of: trust, graph).first(where: { $0.id == id }) else {
                    throw RoleService.absent(id)
                }
                return wire.roles.response(role)
            },
        ]
    }

    @Sendable private func find(_ call: Call) async throws -> TrustRecord {
        try await service.find(call.id("trust_id"))
    }

    @Sendable private func create(_ call: Call, _ creation: TrustCreation) async throws -> Response {
        let request = try TrustRequest(creation.fields, now: environment.clock.now)
        let trust = try await service.create(request, by: call)
        return wire.response(trust, try await environment.roleGraph(), status: .created)
    }

    @Sendable private func list(_ call: Call) async throws -> Response {
        let trustor = call.query["trustor_user_id"].flatMap { $0.isEmpty ? nil : $0 }
        let trustee = call.query["trustee_user_id"].flatMap { $0.isEmpty ? nil : $0 }
        if let trustor {
            try call.require(
                "identity:list_trusts_for_trustor", Attributes(["target.trust.trustor_user_id": trustor]))
        } else if let trustee {
            try call.require(
                "identity:list_trusts_for_trustee", Attributes(["target.trust.trustee_user_id": trustee]))
        } else {
            try call.require("identity:list_trusts", NoTarget())
        }
        let page = try PageRequest(call)
        let trusts = try await service.list(trustor: trustor.map { ID($0) }, trustee: trustee.map { ID($0) }, page)
        return .list("trusts", trusts, page: page, call: call, links: wire.links, id: \.id.text) { w, trust in
            wire.write(&w, trust)
        }
    }
}
