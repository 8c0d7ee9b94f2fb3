// SPDX-License-Identifier: Apache-2.0
// One part of identity (users, roles, catalog …): its routes and the policy rules they name. IdentityModule lists the
// parts.

import Core
import HTTP

protocol IdentityArea: Sendable {
    init(_ environment: IdentityEnvironment)
    var routes: [Route] { get }
    static var policies: [PolicyRule] { get }
}

/// Rules that the areas' rules refer to.
enum CommonPolicy {
    static let rules = [
        PolicyRule("admin_required", "role:admin"),
        PolicyRule("service_role", "role:service"),
        PolicyRule("service_or_admin", "rule:admin_required or rule:service_role"),
        PolicyRule("owner", "user_id:%(user_id)s"),
        PolicyRule("admin_or_owner", "rule:admin_required or rule:owner"),
        PolicyRule("token_subject", "user_id:%(target.token.user_id)s"),
        PolicyRule("admin_or_token_subject", "rule:admin_required or rule:token_subject"),
        PolicyRule("service_admin_or_token_subject", "rule:service_or_admin or rule:token_subject"),
        PolicyRule(
            "domain_managed_target_role",
            "'manager':%(target.role.name)s or 'member':%(target.role.name)s or 'reader':%(target.role.name)s"),
    ]
}
