// SPDX-License-Identifier: Apache-2.0
// Who may do what with projects. Administrators may do all; a domain's managers manage its projects and its readers see
// them; a project's own people see it, and its administrators set its tags.

import Core

extension ProjectArea {
    private static let systemReader = "(role:reader and system_scope:all)"
    private static let domainReader = "(role:reader and domain_id:%(target.project.domain_id)s)"
    private static let domainManager = "(role:manager and domain_id:%(target.project.domain_id)s)"

    private static let see =
        "rule:admin_required or \(systemReader) or \(domainReader) or project_id:%(target.project.id)s"
    private static let manage = "rule:admin_required or \(domainManager)"
    private static let tag = "\(manage) or (role:admin and project_id:%(target.project.id)s)"

    static var policies: [PolicyRule] {
        let any: [PolicyRule.ScopeType] = [.system, .domain, .project]
        return [
            PolicyRule("identity:get_project", see, scopes: any),
            PolicyRule(
                "identity:list_projects",
                "rule:admin_required or \(systemReader) or (role:reader and domain_id:%(target.domain_id)s)",
                scopes: any),
            PolicyRule(
                "identity:list_user_projects",
                """
                rule:admin_required or \(systemReader) or (role:reader and domain_id:%(target.user.domain_id)s) or \
                user_id:%(target.user.id)s
                """, scopes: any),
            PolicyRule("identity:create_project", manage, scopes: any),
            PolicyRule("identity:update_project", manage, scopes: any),
            PolicyRule("identity:delete_project", manage, scopes: any),
            PolicyRule("identity:list_project_tags", see, scopes: any),
            PolicyRule("identity:get_project_tag", see, scopes: any),
            PolicyRule("identity:update_project_tags", tag, scopes: any),
            PolicyRule("identity:create_project_tag", tag, scopes: any),
            PolicyRule("identity:delete_project_tags", tag, scopes: any),
            PolicyRule("identity:delete_project_tag", tag, scopes: any),
        ]
    }
}
