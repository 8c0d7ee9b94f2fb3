// SPDX-License-Identifier: Apache-2.0
// Who may see and change grants: admins all; readers of the system see all; within one domain its readers see, and
// its managers change, grants of the roles a domain manages itself.

import Core

extension GrantArea {
    static let policies =
        [
            PolicyRule(
                "identity:check_grant",
                "(\(see)) or (\(within("reader"))) and (\(roleFits))",
                scopes: [.system, .domain, .project]),
            PolicyRule(
                "identity:list_grants",
                "(rule:admin_required) or ((role:reader and system_scope:all) or \(within("reader")))",
                scopes: [.system, .domain, .project]),
            PolicyRule("identity:create_grant", change, scopes: [.system, .domain, .project]),
            PolicyRule("identity:revoke_grant", change, scopes: [.system, .domain, .project]),
        ]
        + ["user", "group"].flatMap { actor in
            [
                PolicyRule("identity:list_system_grants_for_\(actor)", see, scopes: [.system, .project]),
                PolicyRule("identity:check_system_grant_for_\(actor)", see, scopes: [.system, .project]),
                PolicyRule(
                    "identity:create_system_grant_for_\(actor)", "rule:admin_required", scopes: [.system, .project]),
                PolicyRule(
                    "identity:revoke_system_grant_for_\(actor)", "rule:admin_required", scopes: [.system, .project]),
            ]
        }

    private static let see = "rule:admin_required or (role:reader and system_scope:all)"

    private static let change = """
        (rule:admin_required) or (\(within("admin"))) and (\(roleFits)) \
        or (\(within("manager"))) and rule:domain_managed_target_role
        """

    private static let roleFits = "domain_id:%(target.role.domain_id)s or None:%(target.role.domain_id)s"

    /// Both the actor and the place belong to the domain the caller is scoped to.
    private static func within(_ role: String) -> String {
        ["user", "group"].flatMap { actor in
            ["target.project.domain_id", "target.domain.id"].map { place in
                "(role:\(role) and domain_id:%(target.\(actor).domain_id)s and domain_id:%(\(place))s)"
            }
        }.joined(separator: " or ")
    }
}
