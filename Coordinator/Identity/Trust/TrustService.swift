// SPDX-License-Identifier: Apache-2.0
// The rules of trusts: made by the trustor alone, of roles the trustor has on the project at that moment; one made
// with a trust's token hangs on that trust (Redelegation). Who signs in with a trust is checked against the trustor's
// roles again.

import Core
import Database
import HTTP

struct TrustService: Sendable {
    let environment: IdentityEnvironment
    private let actors: ActorLookup
    private let credentials: ApplicationCredentialService

    init(_ environment: IdentityEnvironment) {
        self.environment = environment
        actors = ActorLookup(environment: environment)
        credentials = ApplicationCredentialService(environment)
    }

    /// One that can still be used; an expired or used-up trust is as good as gone.
    func find(_ id: ID<Trust>) async throws -> TrustRecord {
        let found = try await environment.database.read("trust.find") { try TrustStore.find(id, $0) }
        guard let found, found.isUsable(environment.clock.now) else { throw Self.absent(id) }
        return found
    }

    func list(trustor: ID<User>?, trustee: ID<User>?, _ page: PageRequest) async throws -> [TrustRecord] {
        let (marker, limit) = (page.marker, page.limit)
        return try await environment.database.read("trust.list") {
            try TrustStore.list(trustor: trustor, trustee: trustee, after: marker, limit: limit, $0)
        }
    }

    func create(_ request: TrustRequest, by call: Call) async throws -> TrustRecord {
        let caller = try call.authority()
        try await requireMayManage(caller)
        if request.project != nil, request.roles.isEmpty {
            throw CloudError.forbidden("At least one role should be specified.")
        }
        guard caller.user == request.trustor else {
            throw CloudError.forbidden("The authenticated user should match the trustor.")
        }
        guard try await actors.user(request.trustee) != nil else {
            throw CloudError.notFound("user", request.trustee.text)
        }
        let graph = try await environment.roleGraph()
        let roles = Set(try request.roles.map { try $0.resolve(graph) }).sorted()
        let line = try await line(of: caller)
        let trustor = line.last?.trustor ?? request.trustor
        let groups = try await actors.directoryGroups(of: trustor)
        let (count, expires) = try Redelegation.passOn(request, roles: roles, line: line)
        let trust = TrustRecord(
            id: .random(environment.entropy), trustor: request.trustor, trustee: request.trustee,
            project: request.project,
            isImpersonation: request.isImpersonation, expires: expires, remainingUses: request.remainingUses,
            source: line.first?.id, redelegationCount: count, roles: roles, extra: request.extra)
        return try await environment.change("trust.create", by: call) { connection, changes in
            try Self.checkRoles(of: trustor, groups, trust, connection)
            try TrustStore.insert(trust, connection)
            changes.record(.created, "OS-TRUST:trust", trust.id.text, project: trust.project, domain: caller.userDomain)
            return trust
        }
    }

    /// Ends the trust, those made from it, and their tokens.
    func delete(_ trust: TrustRecord, by call: Call) async throws {
        let caller = try call.authority()
        if caller.applicationCredentialID != nil { try await requireMayManage(caller) }
        try await environment.change("trust.delete", by: call) { connection, changes in
            for id in try TrustStore.descendants(of: trust.id, connection) {
                changes.record(.deleted, "OS-TRUST:trust", id.text, project: trust.project)
                changes.revoke(.trust(id))
            }
            try TrustStore.delete(trust.id, connection)
        }
    }

    // MARK: Parts

    /// A restricted application credential may not make others act for its user.
    private func requireMayManage(_ caller: Authority) async throws {
        guard caller.trustID == nil else { return }
        try await credentials.requireUnrestricted(caller, "managing trusts")
    }

    /// The trust that the caller's token comes from, and those before it; none for a token of the user's own.
    private func line(of caller: Authority) async throws -> [TrustRecord] {
        guard let text = caller.trustID else { return [] }
        let id = ID<Trust>(text)
        let line = try await environment.database.read("trust.line") { try TrustStore.line(from: id, $0) }
        let now = environment.clock.now
        guard let first = line.first, first.isUsable(now) else { throw Self.absent(id) }
        return line
    }

    /// Every role must be the trustor's on the project, given or implied; a domain's roles count too.
    private static func checkRoles(
        of trustor: ID<User>, _ groups: [ID<Group>], _ trust: TrustRecord, _ connection: any Connection
    ) throws {
        guard let project = trust.project else {
            guard let role = trust.roles.first else { return }
            throw RoleService.absent(role)
        }
        guard let found = try ProjectStore.find(project, connection), !found.isDomain else {
            throw CloudError.notFound("project", project.text)
        }
        let held = try RoleStore.graph(connection).closure(
            try AssignmentStore.roles(of: trustor, groups: groups, on: .project(project), connection))
        if let missing = trust.roles.first(where: { !held.contains($0) }) { throw RoleService.absent(missing) }
    }

    static func absent(_ id: ID<Trust>) -> CloudError { .notFound("trust", id.text) }
}
