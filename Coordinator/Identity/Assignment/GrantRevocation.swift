// SPDX-License-Identifier: Apache-2.0
// Which tokens and application credentials end when a grant is taken away. Exact where few users or projects are
// touched; past Limits.revocationsOfOneGrant the whole target's tokens end, so that one removal always costs a
// bounded number of rows.

import Core
import Database

struct GrantRevocation: Sendable {
    let assignment: Assignment
    /// The groups of a directory's user, when that is the actor.
    let directoryGroups: [ID<Group>]

    /// Called in the removal's write, after its row is gone.
    func apply(_ changes: inout Changes, _ connection: any Connection) throws {
        switch assignment.actor {
        case .user(let user):
            for revocation in try revocations(of: user, connection) { changes.revoke(revocation) }
            try deleteApplicationCredentials(of: user, &changes, connection)
        case .group(let group):
            for revocation in try revocations(of: group, connection) { changes.revoke(revocation) }
        }
    }

    // MARK: Tokens

    private func revocations(of user: ID<User>, _ connection: any Connection) throws -> [Revocation] {
        switch assignment.target {
        case .system: return [.systemGrant(user)]
        // A domain's revocation also ends tokens for the domain's projects, which an inherited grant reaches.
        case .domain(let domain): return [.grant(user, domain: domain)]
        case .project(let project):
            guard assignment.isInherited else { return [.grant(user, project: project)] }
            let limit = Limits.revocationsOfOneGrant
            let below = try AssignmentStore.descendants(of: project, limit: limit + 1, connection)
            return below.count > limit ? [.user(user)] : below.map { .grant(user, project: $0) }
        }
    }

    private func revocations(of group: ID<Group>, _ connection: any Connection) throws -> [Revocation] {
        let limit = Limits.revocationsOfOneGrant
        let members = try AssignmentStore.members(of: group, limit: limit + 1, connection)
        // A directory's group has no members in our tables: they are not known here.
        let areKnown = try GroupStore.find(group, connection) != nil && members.count <= limit
        switch assignment.target {
        case .system: return areKnown ? members.map { .systemGrant($0) } : [Self.allOfSystem]
        case .domain(let domain): return areKnown ? members.map { .grant($0, domain: domain) } : [.domain(domain)]
        case .project(let project):
            guard assignment.isInherited else {
                return areKnown ? members.map { .grant($0, project: project) } : [.project(project)]
            }
            let below = try AssignmentStore.descendants(of: project, limit: limit + 1, connection)
            if below.count <= limit { return below.map { .project($0) } }
            return try ProjectStore.find(project, connection).map { [.domain($0.owner)] } ?? []
        }
    }

    private static var allOfSystem: Revocation {
        var revocation = Revocation()
        revocation.isSystem = true
        return revocation
    }

    // MARK: Application credentials

    /// Those that hold a role their owner has no more.
    private func deleteApplicationCredentials(
        of user: ID<User>, _ changes: inout Changes, _ connection: any Connection
    ) throws {
        let held = try ApplicationCredentialStore.roles(of: user, connection).filter { isReached($0.project) }
        guard !held.isEmpty else { return }
        let graph = try RoleStore.graph(connection)
        for (project, credentials) in Dictionary(grouping: held, by: \.project) {
            let left = graph.closure(
                try AssignmentStore.roles(
                    of: user, groups: directoryGroups, on: .project(project), connection))
            for id in Set(credentials.filter { !left.contains($0.role) }.map(\.credential)).sorted() {
                try ApplicationCredentialStore.delete(id, connection)
                changes.record(.deleted, "application_credential", id.text, project: project)
                changes.revoke(.applicationCredential(id))
            }
        }
    }

    /// Whether the grant could have counted on a project; an inherited one may reach any.
    private func isReached(_ project: ID<Project>) -> Bool {
        assignment.isInherited || assignment.target == .project(project)
    }
}
