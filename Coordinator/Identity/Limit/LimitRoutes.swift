// SPDX-License-Identifier: Apache-2.0
// /v3/registered_limits and /v3/limits. The services ask here what a project may use; only administrators change it.

import Core
import HTTP
import JSON

struct LimitArea: IdentityArea {
    private let environment: IdentityEnvironment
    private let service: LimitService
    private let links: IdentityLinks

    init(_ environment: IdentityEnvironment) {
        self.environment = environment
        service = LimitService(environment: environment)
        links = IdentityLinks(environment.settings)
    }

    var routes: [Route] { registeredRoutes + limitRoutes }

    // MARK: Registered limits

    private var registeredRoutes: [Route] {
        [
            Route(.get, "/v3/registered_limits", "identity:list_registered_limits") { call in
                let page = try PageRequest(call)
                let limits = try await service.registered(LimitFilter(call.query), page)
                return .list("registered_limits", limits, page: page, call: call, links: links, id: \.id.text) {
                    w, limit in
                    LimitWire.write(&w, limit, links)
                }
            },
            Route(.post, "/v3/registered_limits", "identity:create_registered_limits") { call in
                let limits = try await call.limitBodies("registered_limits").map(newRegisteredLimit)
                try await service.register(limits, by: call)
                return .json(.created) { w in
                    w.object { w in
                        w.array("registered_limits") { w in for limit in limits { LimitWire.write(&w, limit, links) } }
                    }
                }
            },
            Route(.get, "/v3/registered_limits/{registered_limit_id}", "identity:get_registered_limit") { call in
                LimitWire.response(try await service.registered(call.id("registered_limit_id")), links)
            },
            Route(.patch, "/v3/registered_limits/{registered_limit_id}", "identity:update_registered_limit") { call in
                let fields = try RegisteredLimitFields(try await call.fields("registered_limit"), isNew: false)
                return LimitWire.response(
                    try await service.update(call.id("registered_limit_id"), fields, by: call), links)
            },
            Route(.delete, "/v3/registered_limits/{registered_limit_id}", "identity:delete_registered_limit") { call in
                try await service.unregister(call.id("registered_limit_id"), by: call)
                return .noContent
            },
        ]
    }

    private func newRegisteredLimit(_ body: RequestFields) throws -> RegisteredLimitRecord {
        let fields = try RegisteredLimitFields(body, isNew: true)
        var limit = RegisteredLimitRecord(
            id: .random(environment.entropy), service: ID(""), region: nil, resource: "", standard: 0)
        fields.apply(to: &limit)
        return limit
    }

    // MARK: Limits

    private var limitRoutes: [Route] {
        [
            Route(.get, "/v3/limits/model", "identity:get_limit_model") { _ in
                let model = environment.settings.limitModel
                return .json { w in
                    w.object { w in
                        w.object("model") { w in
                            w.field("name", model.rawValue)
                            w.field("description", model.description)
                        }
                    }
                }
            },
            Route(.get, "/v3/limits", "identity:list_limits") { call in
                let page = try PageRequest(call)
                let limits = try await service.limits(try Self.visible(call), page)
                return .list("limits", limits, page: page, call: call, links: links, id: \.id.text) { w, limit in
                    LimitWire.write(&w, limit, links: links)
                }
            },
            Route(.post, "/v3/limits", "identity:create_limits") { call in
                let wanted = try await call.limitBodies("limits").map { try NewLimit($0) }
                let limits = try await service.create(wanted, by: call)
                return .json(.created) { w in
                    w.object { w in
                        w.array("limits") { w in for limit in limits { LimitWire.write(&w, limit, links: links) } }
                    }
                }
            },
            Route(.get, "/v3/limits/{limit_id}", "identity:get_limit", target: load) { _, limit in
                LimitWire.response(limit, links)
            },
            Route(.patch, "/v3/limits/{limit_id}", "identity:update_limit", target: load) { call, limit in
                let fields = try LimitFields(try await call.fields("limit"))
                return LimitWire.response(try await service.update(limit.id, fields, by: call), links)
            },
            Route(.delete, "/v3/limits/{limit_id}", "identity:delete_limit", target: load) { call, limit in
                try await service.delete(limit.id, by: call)
                return .noContent
            },
        ]
    }

    private func load(_ call: Call) async throws -> LimitRecord { try await service.limit(call.id("limit_id")) }

    /// Administrators and the system's people see all limits, a domain's those of the domain, a project's those of the
    /// project.
    private static func visible(_ call: Call) throws -> LimitFilter {
        let caller = try call.authority()
        var filter = LimitFilter(call.query)
        if caller.isSystem || caller.has(role: "admin") { return filter }
        if let domain = caller.domainID {
            filter.visibleDomain = domain
        } else {
            filter.visibleProject = caller.projectID ?? ID("")
        }
        return filter
    }

    // MARK: Policy

    static var policies: [PolicyRule] {
        let any: [PolicyRule.ScopeType] = [.system, .domain, .project]
        // What a domain may use is decided above it: a role on the domain does not reach the limits.
        let above: [PolicyRule.ScopeType] = [.system, .project]
        return [
            PolicyRule("identity:get_registered_limit", "", scopes: any),
            PolicyRule("identity:list_registered_limits", "", scopes: any),
            PolicyRule("identity:create_registered_limits", "rule:admin_required", scopes: above),
            PolicyRule("identity:update_registered_limit", "rule:admin_required", scopes: above),
            PolicyRule("identity:delete_registered_limit", "rule:admin_required", scopes: above),
            PolicyRule("identity:get_limit_model", "", scopes: any),
            PolicyRule(
                "identity:get_limit",
                """
                rule:admin_required or (role:reader and system_scope:all) or \
                domain_id:%(target.limit.domain.id)s or domain_id:%(target.limit.project.domain_id)s or \
                project_id:%(target.limit.project_id)s
                """, scopes: any),
            PolicyRule("identity:list_limits", "", scopes: any),
            PolicyRule("identity:create_limits", "rule:admin_required", scopes: above),
            PolicyRule("identity:update_limit", "rule:admin_required", scopes: above),
            PolicyRule("identity:delete_limit", "rule:admin_required", scopes: above),
        ]
    }
}
