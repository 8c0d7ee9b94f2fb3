// SPDX-License-Identifier: Apache-2.0
// /v3/domains/{domain_id}/config and /v3/domains/config/default: options of one domain, whole, by group or one by one.

import Core
import HTTP
import JSON

struct DomainConfigArea: IdentityArea {
    private let service: DomainConfigService

    init(_ environment: IdentityEnvironment) { service = DomainConfigService(environment: environment) }

    var routes: [Route] {
        [
            Route(.put, "/v3/domains/{domain_id}/config", "identity:create_domain_config") { call in
                let place = Self.place(call)
                let change = try DomainConfigChange(try await call.bodyFields(), place)
                let (config, isNew) = try await service.create(change, in: place.domain, by: call)
                return Self.response(config, isNew ? .created : .ok)
            }
        ] + ["", "/{group}", "/{group}/{option}"].flatMap(partRoutes) + passwordRoutes + standardRoutes
    }

    private func partRoutes(_ part: String) -> [Route] {
        let path = "/v3/domains/{domain_id}/config" + part
        return [
            Route(.get, path, "identity:get_domain_config") { call in
                Self.response(try await service.shown(Self.place(call)))
            },
            Route(.patch, path, "identity:update_domain_config") { call in
                let place = Self.place(call)
                let change = try DomainConfigChange(try await call.bodyFields(), place)
                return Self.response(try await service.update(change, at: place, by: call))
            },
            Route(.delete, path, "identity:delete_domain_config") { call in
                try await service.delete(Self.place(call), by: call)
                return .noContent
            },
        ]
    }

    private var passwordRoutes: [Route] {
        ["", "/{option}"].map { part in
            Route(
                .get, "/v3/domains/{domain_id}/config/security_compliance" + part,
                "identity:get_security_compliance_domain_config"
            ) { call in
                Self.response(try service.passwordRules(of: call.id("domain_id"), option: call.optional("option")))
            }
        }
    }

    private var standardRoutes: [Route] {
        ["", "/{group}", "/{group}/{option}"].map { part in
            Route(.get, "/v3/domains/config" + part + "/default", "identity:get_domain_config_default") { call in
                Self.response(
                    try DomainConfigService.standard(group: call.optional("group"), option: call.optional("option")))
            }
        }
    }

    private static func place(_ call: Call) -> DomainConfigPlace {
        DomainConfigPlace(domain: call.id("domain_id"), group: call.optional("group"), option: call.optional("option"))
    }

    private static func response(_ config: JSON, _ status: HTTPStatus = .ok) -> Response {
        .json(status) { w in w.object { w in w.field("config", config) } }
    }

    static var policies: [PolicyRule] {
        // Where a domain's people come from is the cloud's matter: a role on the domain does not reach it.
        let scopes: [PolicyRule.ScopeType] = [.system, .project]
        let read = "rule:admin_required or (role:reader and system_scope:all)"
        return [
            PolicyRule("identity:create_domain_config", "rule:admin_required", scopes: scopes),
            PolicyRule("identity:get_domain_config", read, scopes: scopes),
            PolicyRule("identity:update_domain_config", "rule:admin_required", scopes: scopes),
            PolicyRule("identity:delete_domain_config", "rule:admin_required", scopes: scopes),
            PolicyRule("identity:get_domain_config_default", read, scopes: scopes),
            PolicyRule("identity:get_security_compliance_domain_config", "", scopes: [.system, .domain, .project]),
        ]
    }
}

extension Call {
    /// A path parameter that only some of the patterns have.
    fileprivate func optional(_ name: String) -> String? { parameters.first { $0.name == name }?.value }
}
