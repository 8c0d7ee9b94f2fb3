// SPDX-License-Identifier: Apache-2.0
// GET /v3/role_assignments, with its two rules: the whole list, and the list of a tree of projects.

import Core
import HTTP

struct AssignmentArea: IdentityArea {
    private let service: AssignmentListService
    private let wire: AssignmentWire

    init(_ environment: IdentityEnvironment) {
        service = AssignmentListService(environment: environment)
        wire = AssignmentWire(links: IdentityLinks(environment.settings))
    }

    private static let see = """
        (rule:admin_required) or (role:reader and system_scope:all) or (role:reader and domain_id:%(target.domain_id)s)
        """

    static let policies = [
        PolicyRule("identity:list_role_assignments", see, scopes: [.system, .domain, .project]),
        PolicyRule("identity:list_role_assignments_for_tree", see, scopes: [.system, .domain, .project]),
    ]

    var routes: [Route] {
        [Route(.get, "/v3/role_assignments", asking: "identity:list_role_assignments", list)]
    }

    private func list(_ call: Call) async throws -> Response {
        let filter = call.query.flag("include_subtree") ? try await tree(call) : try all(call)
        let request = try PageRequest(call)
        return wire.list(try await service.page(filter, request), request, call)
    }

    private func all(_ call: Call) throws -> AssignmentFilter {
        let domain = call.caller?.domainID
        try call.require(
            "identity:list_role_assignments", Attributes(domain.map { ["target.domain_id": $0.text] } ?? [:]))
        var filter = try AssignmentFilter(call.query)
        filter.within = domain
        return filter
    }

    private func tree(_ call: Call) async throws -> AssignmentFilter {
        let rule = "identity:list_role_assignments_for_tree"
        guard let id = call.query["scope.project.id"], !id.isEmpty else {
            try call.require(rule, NoTarget())
            throw CloudError.badRequest("scope.project.id must be specified if include_subtree is also specified.")
        }
        let project = try await service.project(ID(id))
        try call.require(rule, project)
        return try AssignmentFilter(call.query)
    }
}
