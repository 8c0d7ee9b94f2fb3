// SPDX-License-Identifier: Apache-2.0
// /v3/roles, /v3/roles/{id}/implies and /v3/role_inferences. A role that does not exist is 404 to every caller, as
// OpenStack has it.

import Core
import HTTP

struct RoleArea: IdentityArea {
    private let service: RoleService
    private let wire: RoleWire

    init(_ environment: IdentityEnvironment) {
        service = RoleService(environment: environment)
        wire = RoleWire(links: IdentityLinks(environment.settings))
    }

    private static let see = "rule:admin_required or (role:reader and system_scope:all)"

    static let policies =
        [
            PolicyRule(
                "identity:get_role",
                "(\(see)) or (role:manager and rule:domain_managed_target_role)",
                scopes: [.system, .domain, .project]),
            PolicyRule(
                "identity:list_roles",
                "(\(see)) or (role:manager and domain_id:%(target.domain_id)s)",
                scopes: [.system, .domain, .project]),
            PolicyRule("identity:create_role", "rule:admin_required", scopes: [.system, .project]),
            PolicyRule("identity:update_role", "rule:admin_required", scopes: [.system, .project]),
            PolicyRule("identity:delete_role", "rule:admin_required", scopes: [.system, .project]),
            PolicyRule(
                "identity:get_domain_role", see,
                scopes: [.system, .project]),
            PolicyRule(
                "identity:list_domain_roles", see,
                scopes: [.system, .project]),
            PolicyRule("identity:create_domain_role", "rule:admin_required", scopes: [.system, .project]),
            PolicyRule("identity:update_domain_role", "rule:admin_required", scopes: [.system, .project]),
            PolicyRule("identity:delete_domain_role", "rule:admin_required", scopes: [.system, .project]),
        ]
        + ["get_implied_role", "list_implied_roles", "list_role_inference_rules", "check_implied_role"].map {
            PolicyRule(
                "identity:\($0)", see,
                scopes: [.system, .project])
        }
        + ["create_implied_role", "delete_implied_role"].map {
            PolicyRule("identity:\($0)", "rule:admin_required", scopes: [.system, .project])
        }

    var routes: [Route] { roleRoutes + implicationRoutes }

    private var roleRoutes: [Route] {
        [
            Route(.get, "/v3/roles", asking: "identity:list_roles", list),
            Route(.post, "/v3/roles", asking: "identity:create_role") { call in
                let change = try RoleChange(try await call.fields("role"), isNew: true)
                try call.require(
                    change.domain.value == nil ? "identity:create_role" : "identity:create_domain_role", NoTarget())
                return wire.response(try await service.create(change, by: call), status: .created)
            },
            Route(.get, "/v3/roles/{role_id}", asking: "identity:get_role") { call in
                wire.response(try await permitted(call, "identity:get_role", "identity:get_domain_role"))
            },
            Route(.patch, "/v3/roles/{role_id}", asking: "identity:update_role") { call in
                let role = try await permitted(call, "identity:update_role", "identity:update_domain_role")
                let fields = try await call.fields("role")
                if let id = fields.object["id"], id.string != role.id.text {
                    throw CloudError.badRequest(
                        "Invalid input for field 'role.id': it must be the id in the path, \(role.id).")
                }
                return wire.response(try await service.update(role.id, RoleChange(fields, isNew: false), by: call))
            },
            Route(.delete, "/v3/roles/{role_id}", asking: "identity:delete_role") { call in
                let role = try await permitted(call, "identity:delete_role", "identity:delete_domain_role")
                try await service.delete(role.id, by: call)
                return .noContent
            },
        ]
    }

    /// The role in the path, after its rule was asked.
    private func permitted(_ call: Call, _ rule: String, _ domainRule: String) async throws -> RoleRecord {
        let role = try await service.find(call.id("role_id"))
        try call.require(role.domain == nil ? rule : domainRule, role)
        return role
    }

    private func list(_ call: Call) async throws -> Response {
        let isOfDomain = !(call.query["domain_id"] ?? "").isEmpty
        let own = Attributes(call.caller?.domainID.map { ["target.domain_id": $0.text] } ?? [:])
        try call.require(isOfDomain ? "identity:list_domain_roles" : "identity:list_roles", own)
        let page = try PageRequest(call)
        let roles = RoleFilter(call.query).page(try await service.list(), page)
        return .list("roles", roles, page: page, call: call, links: wire.links, id: \.id.text) { w, role in
            wire.write(&w, role)
        }
    }

    private var implicationRoutes: [Route] {
        let one = "/v3/roles/{prior_role_id}/implies/{implied_role_id}"
        return [
            Route(.get, "/v3/role_inferences", "identity:list_role_inference_rules") { _ in
                wire.inferences(try await service.graph())
            },
            Route(.get, "/v3/roles/{prior_role_id}/implies", "identity:list_implied_roles") { call in
                let graph = try await service.graph()
                guard let prior = graph.roles[call.id("prior_role_id")] else {
                    throw RoleService.absent(call.id("prior_role_id"))
                }
                return wire.inference(prior, implies: (graph.implied[prior.id] ?? []).compactMap { graph.roles[$0] })
            },
            Route(.get, one, "identity:get_implied_role") { call in
                let (prior, implied) = try await implied(call)
                return wire.inference(.ok, prior, implies: implied)
            },
            Route(.head, one, "identity:check_implied_role") { call in
                _ = try await implied(call)
                return .noContent
            },
            Route(.put, one, "identity:create_implied_role") { call in
                let (prior, implied) = try await service.imply(implication(call), by: call)
                return wire.inference(.created, prior, implies: implied)
            },
            Route(.delete, one, "identity:delete_implied_role") { call in
                try await service.stopImplying(implication(call), by: call)
                return .noContent
            },
        ]
    }

    private func implication(_ call: Call) -> RoleImplication {
        RoleImplication(call.id("prior_role_id"), call.id("implied_role_id"))
    }

    private func implied(_ call: Call) async throws -> (prior: RoleRecord, implied: RoleRecord) {
        let implication = implication(call)
        let graph = try await service.graph()
        let ends = try RoleService.ends(of: implication, graph)
        guard graph.implied[ends.prior.id]?.contains(ends.implied.id) ?? false else {
            throw RoleService.notImplied(implication)
        }
        return ends
    }
}
