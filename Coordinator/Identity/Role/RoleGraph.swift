// SPDX-License-Identifier: Apache-2.0
// All roles and which implies which, as a value. Roles are few (tens, seldom thousands) and are asked at every
// sign-in, so the whole graph is read in two statements and kept until `everything` is touched.
//
// Invariant: implications have no circle (RoleService refuses one); a walk guards against circles all the same.

import Core
import Database

package struct RoleGraph: Sendable {
    package let roles: [ID<Role>: RoleRecord]
    /// Direct implications, each list sorted.
    package let implied: [ID<Role>: [ID<Role>]]

    package init(_ roles: [RoleRecord], implications: [RoleImplication]) {
        self.roles = Dictionary(roles.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        implied = Dictionary(grouping: implications, by: \.prior).mapValues { $0.map(\.implied).sorted() }
    }

    /// The roles given and all that they imply, near and far; unknown ids fall out.
    package func closure(_ ids: Set<ID<Role>>) -> Set<ID<Role>> {
        var reached = ids.filter { roles[$0] != nil }
        var waiting = Array(reached)
        while let next = waiting.popLast() {
            for id in implied[next] ?? [] where reached.insert(id).inserted { waiting.append(id) }
        }
        return reached
    }

    /// The roles that a token shows for these assignments: with implications, without those of domains, sorted by id.
    package func expanded(_ ids: Set<ID<Role>>) -> [RoleRecord] {
        closure(ids).compactMap { roles[$0] }.filter { $0.domain == nil }.sorted { $0.id < $1.id }
    }

    package func reaches(_ target: ID<Role>, from source: ID<Role>) -> Bool { closure([source]).contains(target) }

    /// Every role that implies this one, near or far, and itself.
    package func sources(of target: ID<Role>) -> Set<ID<Role>> { Set(roles.keys.filter { reaches(target, from: $0) }) }

    /// What an assignment of a role amounts to: the role itself with no prior, then each implied role with the role
    /// that implies it. A role implied by two others comes twice, as the API shows it.
    package func steps(from role: ID<Role>) -> [(role: ID<Role>, prior: ID<Role>?)] {
        var steps: [(role: ID<Role>, prior: ID<Role>?)] = [(role, nil)]
        var at = 0
        while at < steps.count {
            let prior = steps[at].role
            at += 1
            // Each role's implications are walked once: the first time it is reached.
            guard steps[..<(at - 1)].allSatisfy({ $0.role != prior }) else { continue }
            for id in implied[prior] ?? [] where id != role { steps.append((id, prior)) }
        }
        return steps
    }
}

/// `prior` implies `implied`.
package struct RoleImplication: Hashable, Sendable {
    package let prior: ID<Role>
    package let implied: ID<Role>
    package init(_ prior: ID<Role>, _ implied: ID<Role>) {
        self.prior = prior
        self.implied = implied
    }
}

extension IdentityEnvironment {
    /// The graph as of now, from memory when nothing changed.
    package func roleGraph() async throws -> RoleGraph {
        try await roleGraphs.value(stamps) { try await database.read("role.graph", RoleStore.graph) }
    }
}
