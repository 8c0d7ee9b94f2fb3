// SPDX-License-Identifier: Apache-2.0
// The part of identity that knows where services are: regions, services, endpoints.

import Core
import HTTP

struct CatalogArea: IdentityArea {
    private let environment: IdentityEnvironment
    init(_ environment: IdentityEnvironment) { self.environment = environment }

    var routes: [Route] {
        RegionRoutes(environment).routes + CatalogServiceRoutes(environment).routes + EndpointRoutes(environment).routes
    }

    static var policies: [PolicyRule] {
        RegionRoutes.policies + CatalogServiceRoutes.policies + EndpointRoutes.policies
    }
}

/// The catalog belongs to the cloud, not to a project or a domain: its admins write it, from a system or a project
/// token, and only the system's readers read it whole. Domain tokens have no part in it.
enum CatalogPolicy {
    static let admin = "rule:admin_required"
    static let reader = "rule:admin_required or (role:reader and system_scope:all)"
    static let writeScopes: [PolicyRule.ScopeType] = [.system, .project]
    static let anyScope: [PolicyRule.ScopeType] = [.system, .domain, .project]

    static func read(_ name: String) -> PolicyRule { PolicyRule("identity:" + name, reader, scopes: writeScopes) }
    static func write(_ name: String) -> PolicyRule { PolicyRule("identity:" + name, admin, scopes: writeScopes) }
}
