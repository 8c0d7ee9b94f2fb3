// SPDX-License-Identifier: Apache-2.0
// Giving and taking roles. A role of a domain may only be given on that domain's projects, and never on the system.
// Taking one ends the tokens it could have made (GrantRevocation).

import Core
import Database
import HTTP
import JSON

struct GrantService: Sendable {
    let environment: IdentityEnvironment
    private let actors: ActorLookup

    init(environment: IdentityEnvironment) {
        self.environment = environment
        actors = ActorLookup(environment: environment)
    }

    /// Everything the grant names. `mayLackActor`: a role can be taken from a user or group that is gone.
    func load(_ grant: GrantTarget, role: ID<Role>?, mayLackActor: Bool = false) async throws -> GrantTarget {
        let empty = grant
        var grant = try await environment.database.read("grant.place") { connection in
            var grant = empty
            try grant.readPlace(role: role, connection)
            return grant
        }
        switch grant.actor {
        case .user(let id):
            grant.user = try await actors.user(id)
            if grant.user == nil, !mayLackActor { throw CloudError.notFound("user", id.text) }
        case .group(let id):
            grant.group = try await actors.group(id)
            if grant.group == nil, !mayLackActor { throw CloudError.notFound("group", id.text) }
        }
        return grant
    }

    func list(_ grant: GrantTarget) async throws -> [RoleRecord] {
        try await environment.database.read("grant.list") { connection in
            try AssignmentStore.granted(to: grant.actor, on: grant.target, isInherited: grant.isInherited, connection)
        }
    }

    func check(_ assignment: Assignment) async throws {
        let exists = try await environment.database.read("grant.check") { try AssignmentStore.contains(assignment, $0) }
        guard exists else { throw Self.absent(assignment) }
    }

    func create(_ grant: GrantTarget, _ role: RoleRecord, by call: Call) async throws {
        if let domain = role.domain { try Self.check(role, of: domain, on: grant) }
        let assignment = grant.assignment(role.id)
        try await environment.change("grant.create", by: call) { connection, changes in
            // Between the look-up and this transaction the place or the role may have gone.
            var grant = grant
            try grant.readPlace(role: role.id, connection)
            try AssignmentStore.insert(assignment, connection)
            Self.record(.created, assignment, place: grant.place, in: &changes)
        }
    }

    func delete(_ assignment: Assignment, place: ProjectRecord?, by call: Call) async throws {
        var groups: [ID<Group>] = []
        if case .user(let user) = assignment.actor { groups = try await actors.directoryGroups(of: user) }
        let revocation = GrantRevocation(assignment: assignment, directoryGroups: groups)
        try await environment.change("grant.delete", by: call) { connection, changes in
            guard try AssignmentStore.delete(assignment, connection) else { throw Self.absent(assignment) }
            Self.record(.deleted, assignment, place: place, in: &changes)
            try revocation.apply(&changes, connection)
        }
    }

    private static func check(_ role: RoleRecord, of domain: ID<Domain>, on grant: GrantTarget) throws {
        switch grant.target {
        case .project(let project):
            guard grant.place?.owner == domain else {
                throw CloudError.forbidden(
                    "Project \(project) must be in the same domain as the role \(role.id) being assigned.")
            }
        case .domain: break
        case .system:
            throw CloudError.badRequest(
                "Role \(role.id) is a domain-specific role. Unable to use a domain-specific role on the system."
            )
        }
    }

    private static func record(
        _ action: ChangeAction, _ assignment: Assignment, place: ProjectRecord?, in changes: inout Changes
    ) {
        let payload: JSON = [
            assignment.actor.kind: .string(assignment.actor.id), assignment.target.kind: .string(assignment.target.id),
            "role": .string(assignment.role.text), "inherited_to_projects": .bool(assignment.isInherited),
        ]
        var project: ID<Project>?
        if case .project(let id) = assignment.target { project = id }
        changes.record(
            action, "role_assignment", assignment.role.text, project: project, domain: place?.owner, payload: payload,
            touching: [touched(by: assignment)])
    }

    /// What cached tokens must look again for.
    private static func touched(by assignment: Assignment) -> CacheKey {
        switch (assignment.actor, assignment.target) {
        case (.user(let user), _): .user(user)
        case (.group, .project(let project)) where !assignment.isInherited: .project(project)
        case (.group, _): .everything
        }
    }

    private static func absent(_ assignment: Assignment) -> CloudError {
        CloudError(
            .notFound,
            """
            Could not find role assignment with role: \(assignment.role), user or group: \(assignment.actor.id), \
            project, domain, or system: \(assignment.target.id).
            """)
    }
}
