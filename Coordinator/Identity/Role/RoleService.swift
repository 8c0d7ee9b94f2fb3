// SPDX-License-Identifier: Apache-2.0
// The rules of roles: names are unique among global roles and within a domain; a global role cannot imply a domain's,
// nobody can imply `admin`, and implications may not run in a circle; an immutable role changes only by being made
// mutable first.
//
// Every change touches `everything`: any token may show the role.

import Core
import Database
import HTTP
import JSON

struct RoleService: Sendable {
    let environment: IdentityEnvironment

    /// Roles that must be given by hand: implying them would hide who holds them.
    private static let neverImplied: Set<String> = ["admin"]

    func find(_ id: ID<Role>) async throws -> RoleRecord {
        guard let role = try await environment.database.read("role.find", { try RoleStore.find(id, $0) }) else {
            throw Self.absent(id)
        }
        return role
    }

    func list() async throws -> [RoleRecord] { try await environment.database.read("role.list", RoleStore.all) }

    func create(_ change: RoleChange, by call: Call) async throws -> RoleRecord {
        let role = RoleRecord(
            id: .random(environment.entropy), name: change.name ?? "", domain: change.domain.value,
            description: change.description.value, options: ImmutableOption.merged([:], with: change.options ?? [:]),
            extra: change.extra)
        return try await environment.change("role.create", by: call) { connection, changes in
            if let domain = role.domain, try ProjectStore.findDomain(domain, connection) == nil {
                throw CloudError.notFound("domain", domain.text)
            }
            try Self.storing(role) { try RoleStore.insert(role, connection) }
            changes.record(.created, "role", role.id.text, domain: role.domain, touching: [.everything])
            return role
        }
    }

    func update(_ id: ID<Role>, _ change: RoleChange, by call: Call) async throws -> RoleRecord {
        try await environment.change("role.update", by: call) { connection, changes in
            guard var role = try RoleStore.find(id, connection) else { throw Self.absent(id) }
            try ImmutableOption.checkUpdate(isImmutable: role.isImmutable, body: change.body, "role", id.text)
            if change.domain.applied(to: role.domain) != role.domain {
                throw CloudError.badRequest(
                    "Invalid input for field 'role.domain_id': a role cannot be moved to another domain.")
            }
            if let name = change.name { role.name = name }
            role.description = change.description.applied(to: role.description)
            role.options = ImmutableOption.merged(role.options, with: change.options ?? [:])
            for (name, value) in change.extra.members { role.extra[name] = value }
            let updated = role
            try Self.storing(updated) { try RoleStore.update(updated, connection) }
            changes.record(.updated, "role", id.text, domain: role.domain, touching: [.everything])
            return updated
        }
    }

    /// Application credentials that hold the role cannot be what their owner made them to be, and go with it.
    func delete(_ id: ID<Role>, by call: Call) async throws {
        try await environment.change("role.delete", by: call) { connection, changes in
            guard let role = try RoleStore.find(id, connection) else { throw Self.absent(id) }
            try ImmutableOption.checkDelete(isImmutable: role.isImmutable, "role", id.text)
            try connection.execute(
                """
                DELETE FROM application_credential WHERE id IN (
                    SELECT application_credential_id FROM application_credential_role WHERE role_id = $1)
                """, [.id(id)])
            try RoleStore.delete(id, connection)
            changes.record(.deleted, "role", id.text, domain: role.domain, touching: [.everything])
            var revocation = Revocation()
            revocation.role = id
            changes.revoke(revocation)
        }
    }

    // MARK: Implications

    /// The graph as the database has it at this moment, for those who must see their own last write.
    func graph() async throws -> RoleGraph { try await environment.database.read("role.graph", RoleStore.graph) }

    func imply(_ implication: RoleImplication, by call: Call) async throws -> (prior: RoleRecord, implied: RoleRecord) {
        try await environment.change("role.imply", by: call) { connection, changes in
            let graph = try RoleStore.graph(connection)
            let (prior, implied) = try Self.ends(of: implication, graph)
            try Self.check(implication, prior, implied, graph)
            try RoleStore.insert(implication, connection)
            changes.record(
                .updated, "role", prior.id.text, domain: prior.domain,
                payload: ["implies": .string(implied.id.text)], touching: [.everything])
            return (prior, implied)
        }
    }

    func stopImplying(_ implication: RoleImplication, by call: Call) async throws {
        try await environment.change("role.stop_implying", by: call) { connection, changes in
            guard try RoleStore.delete(implication, connection) else { throw Self.notImplied(implication) }
            changes.record(
                .updated, "role", implication.prior.text,
                payload: ["no_longer_implies": .string(implication.implied.text)],
                touching: [.everything])
        }
    }

    static func ends(of implication: RoleImplication, _ graph: RoleGraph) throws -> (
        prior: RoleRecord, implied: RoleRecord
    ) {
        guard let prior = graph.roles[implication.prior] else { throw absent(implication.prior) }
        guard let implied = graph.roles[implication.implied] else { throw absent(implication.implied) }
        return (prior, implied)
    }

    private static func check(
        _ implication: RoleImplication, _ prior: RoleRecord, _ implied: RoleRecord, _ graph: RoleGraph
    ) throws {
        if neverImplied.contains(implied.name) {
            throw CloudError.forbidden(
                "\(implied.id) cannot be an implied roles: the role \(implied.name) may only be assigned.")
        }
        if prior.domain == nil, implied.domain != nil {
            throw CloudError.forbidden("Global role cannot imply a domain-specific role: \(implied.id).")
        }
        if graph.implied[prior.id]?.contains(implied.id) ?? false {
            throw CloudError.conflict("Conflict occurred attempting to store implied_role - Duplicate entry.")
        }
        if graph.reaches(prior.id, from: implied.id) {
            throw CloudError.forbidden(
                "\(implied.id) cannot be implied by \(prior.id), which it implies: that would be a circle."
            )
        }
    }

    // MARK: Faults

    static func absent(_ id: ID<Role>) -> CloudError { .notFound("role", id.text) }

    static func notImplied(_ implication: RoleImplication) -> CloudError {
        CloudError(.notFound, "\(implication.prior) does not imply \(implication.implied).")
    }

    private static func storing(_ role: RoleRecord, _ store: () throws -> Void) throws {
        do {
            try store()
        } catch let error as DatabaseError where error.kind == .unique {
            let place = role.domain.map { " at domain ID \($0)" } ?? ""
            throw CloudError.conflict(
                "Conflict occurred attempting to store role - Duplicate entry found with name \(role.name)\(place).")
        }
    }
}
