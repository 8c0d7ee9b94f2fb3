// SPDX-License-Identifier: Apache-2.0
// Role assignments in JSON. Each tells by its links how it came about: the grant, the membership, the implication.

import Core
import HTTP
import JSON

struct AssignmentWire: Sendable {
    let links: IdentityLinks

    func list(_ page: AssignmentListService.Page, _ request: PageRequest, _ call: Call) -> Response {
        .json(capacity: 256 + page.assignments.count * 400) { w in
            w.object { w in
                w.array("role_assignments") { w in
                    for assignment in page.assignments { write(&w, assignment, page.graph) }
                }
                envelope(&w, page, request, call)
            }
        }
    }

    private func envelope(
        _ w: inout JSONWriter, _ page: AssignmentListService.Page, _ request: PageRequest, _ call: Call
    ) {
        let url = links.base + "/role_assignments"
        w.object("links") { w in
            w.field("next", orNull: page.next.map { IdentityLinks.next(url, call.query, marker: $0, request.limit) })
            w.field("self", call.query.items.isEmpty ? url : url + "?" + call.request.head.queryText)
            w.field("previous", orNull: String?.none)
        }
        if page.next != nil { w.field("truncated", true) }
    }

    func write(_ w: inout JSONWriter, _ assignment: ListedAssignment, _ graph: RoleGraph) {
        w.object { w in
            scope(&w, assignment)
            actor(&w, assignment)
            role(&w, assignment, graph)
            w.object("links") { w in
                w.field("assignment", links.base + grantPath(assignment))
                if let group = assignment.group {
                    w.field("membership", links.base + "/groups/\(group)/users/\(assignment.actor.id)")
                }
                if let prior = assignment.prior {
                    w.field("prior_role", links.base + "/prior_role/\(prior)/implies/\(assignment.role)")
                }
            }
        }
    }

    private func scope(_ w: inout JSONWriter, _ assignment: ListedAssignment) {
        let names = assignment.names
        w.object("scope") { w in
            switch assignment.target {
            case .project(let id):
                w.object("project") { w in
                    named(&w, id.text, names?.target, names.map { ($0.targetDomain, $0.targetDomainName) })
                }
            case .domain(let id):
                w.object("domain") { w in named(&w, id.text, names?.target, nil) }
            case .system:
                w.object("system") { w in w.field("all", true) }
            }
            if assignment.isInherited { w.field("OS-INHERIT:inherited_to", "projects") }
        }
    }

    private func actor(_ w: inout JSONWriter, _ assignment: ListedAssignment) {
        let names = assignment.names
        let domain = names.map { ($0.actorDomain, $0.actorDomainName) }
        switch assignment.actor {
        case .user(let id): w.object("user") { w in named(&w, id.text, names?.actor, domain) }
        case .group(let id): w.object("group") { w in named(&w, id.text, names?.actor, domain) }
        }
    }

    private func role(_ w: inout JSONWriter, _ assignment: ListedAssignment, _ graph: RoleGraph) {
        w.object("role") { w in
            guard let names = assignment.names, let role = graph.roles[assignment.role] else {
                w.field("id", assignment.role.text)
                return
            }
            named(&w, role.id.text, role.name, role.domain.map { ($0.text, names.roleDomainName) })
        }
    }

    private func named(_ w: inout JSONWriter, _ id: String, _ name: String?, _ domain: (id: String, name: String)?) {
        w.field("id", id)
        if let name { w.field("name", name) }
        if let domain {
            w.object("domain") { w in
                w.field("id", domain.id)
                w.field("name", domain.name)
            }
        }
    }

    /// The path of the grant that the assignment comes from.
    func grantPath(_ assignment: ListedAssignment) -> String {
        let place =
            switch assignment.source ?? assignment.target {
            case .project(let id): "/projects/\(id)"
            case .domain(let id): "/domains/\(id)"
            case .system: "/system"
            }
        let actor =
            switch (assignment.group, assignment.actor) {
            case (.some(let group), _): "/groups/\(group)"
            case (nil, .user(let id)): "/users/\(id)"
            case (nil, .group(let id)): "/groups/\(id)"
            }
        let path = "\(place)\(actor)/roles/\(assignment.given)"
        return assignment.isInherited ? "/OS-INHERIT\(path)/inherited_to_projects" : path
    }
}
