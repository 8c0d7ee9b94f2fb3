// SPDX-License-Identifier: Apache-2.0
// A grant with all that a policy may want to know of it: the role, who gets it, where.

import Core
import Database
import HTTP

struct GrantTarget: Sendable, PolicyTarget {
    let actor: AssignmentActor
    let target: AssignmentTarget
    let isInherited: Bool
    var role: RoleRecord?
    var user: UserRecord?
    var group: GroupRecord?
    /// The project, or the domain as a project.
    var place: ProjectRecord?

    init(_ actor: AssignmentActor, _ target: AssignmentTarget, isInherited: Bool) {
        self.actor = actor
        self.target = target
        self.isInherited = isInherited
    }

    func policyAttribute(_ name: String) -> String? {
        switch name {
        // Rules ask for a global role by comparing with the word None.
        case "target.role.domain_id": role.map { $0.domain?.text ?? "None" }
        case let name where name.hasPrefix("target.role."): role?.policyAttribute(name)
        case let name where name.hasPrefix("target.user."): user?.policyAttribute(name)
        case let name where name.hasPrefix("target.group."): group?.policyAttribute(name)
        case "target.project.domain_id": place.flatMap { $0.isDomain ? nil : $0.owner.text }
        default: place?.policyAttribute(name)
        }
    }

    func assignment(_ role: ID<Role>) -> Assignment { Assignment(actor, target, role, isInherited: isInherited) }

    /// Reads the place and, if one is named, the role; throws not-found for either.
    mutating func readPlace(role id: ID<Role>?, _ connection: any Connection) throws {
        if let id {
            guard let found = try RoleStore.find(id, connection) else { throw RoleService.absent(id) }
            role = found
        }
        switch target {
        case .project(let id):
            guard let found = try ProjectStore.find(id, connection), !found.isDomain else {
                throw CloudError.notFound("project", id.text)
            }
            place = found
        case .domain(let id):
            guard let found = try ProjectStore.findDomain(id, connection) else {
                throw CloudError.notFound("domain", id.text)
            }
            place = found
        case .system: break
        }
    }
}
