// SPDX-License-Identifier: Apache-2.0
// From a payload to a Token: who the user is, whether everything the token stands on still stands, and which roles it
// has. Used when a token is made and when one is seen that is not in the cache. Each refusal has its own sentence;
// whether the client sees it is decided by the caller (validation says only "could not find token").

import Core
import Database

struct TokenResolver: Sendable {
    /// How late a change is noticed that nobody tells us of.
    private static let unseenChangeSeconds: Int64 = 30

    let environment: IdentityEnvironment
    let users: UserService
    let known: KnownThings

    /// What was read of the database in one go.
    private struct Facts: Sendable {
        var userDomain: ProjectRecord?
        var scope = Token.Scope.none
        var scopeDomain: ProjectRecord?
        var roles: Set<ID<Role>> = []
        var trust: TrustRecord?
        var applicationCredential: ApplicationCredentialRecord?
    }

    func resolve(_ payload: TokenPayload) async throws -> Token {
        let standing = try await standing(payload)
        return Token(
            payload: payload, user: standing.value.user, scope: standing.value.scope, roles: standing.value.roles,
            trust: standing.value.trust, applicationCredential: standing.value.applicationCredential,
            goodUntil: standing.value.goodUntil, snapshot: standing.snapshot)
    }

    /// The standing, and the stamps a token made from it depends on. Stamps are taken before what they guard is read:
    /// first for what the payload names, then, once a trust has told of its trustor, for that one too. A change in
    /// between leaves the token usable now and never served from a cache.
    private func standing(_ payload: TokenPayload) async throws -> (value: Standing, snapshot: Stamps.Snapshot) {
        let stamps = environment.stamps
        let audits: [CacheKey] = [.token(payload.auditID), .token(payload.auditChainID)]
        let key = Standing.Key(
            user: payload.user, scope: payload.scope, trust: payload.trust,
            applicationCredential: payload.applicationCredential)
        if let known = known.standings.find(key), known.isGood(at: environment.clock.now) {
            let snapshot = stamps.snapshot(known.keys + audits)
            // Found once more after the stamps were taken: it stood still in between.
            if self.known.standings.find(key) != nil { return (known, snapshot) }
        }
        let early = stamps.snapshot(Self.keys(payload))
        let trust = try await trust(of: payload)
        let trustor = try await trustor(of: trust)
        let keys = Self.keys(payload) + (trustor.map { [.user($0)] } ?? [])
        let kept = stamps.snapshot(keys)
        let snapshot = stamps.snapshot(keys + audits)
        let standing = try await load(payload, trust, trustor, keys)
        guard stamps.isCurrent(early) else { return (standing, early) }
        known.standings.insert(key, standing, kept)
        return (standing, snapshot)
    }

    private func load(
        _ payload: TokenPayload, _ trust: TrustRecord?, _ trustor: ID<User>?, _ keys: [CacheKey]
    ) async throws -> Standing {
        guard let bearer = try await users.find(payload.user) else { throw Self.refused("the user does not exist") }
        if let trust, trust.trustee != bearer.id { throw Self.refused("the trust is not for this user") }
        let roleHolder = try await roleHolder(bearer, trustor)
        let facts = try await facts(payload, bearer: bearer, roleHolder: roleHolder, trust: trust)
        try requireEnabled(bearer, facts)
        if roleHolder.id != bearer.id, !roleHolder.isEnabled { throw Self.refused("the trustor is disabled") }
        let roles = try await roles(payload, facts)
        let shown = trust?.isImpersonation ?? false ? roleHolder : bearer
        let user = Token.User(
            id: shown.id, name: shown.name, domain: shown.domain, domainName: facts.userDomain?.name ?? "",
            passwordExpires: shown.passwordExpires)
        return Standing(
            user: user, scope: facts.scope, roles: roles, trust: trust,
            applicationCredential: facts.applicationCredential,
            keys: keys, goodUntil: goodUntil(bearer, roleHolder))
    }

    private func goodUntil(_ bearer: UserRecord, _ roleHolder: UserRecord) -> Instant? {
        let changesUnseen = !bearer.isLocal || !roleHolder.isLocal || environment.settings.inactiveDays > 0
        return changesUnseen ? environment.clock.now.adding(seconds: Self.unseenChangeSeconds) : nil
    }

    static func refused(_ reason: String) -> CloudError {
        var error = CloudError.unauthorized("The request you have made requires authentication.")
        error.detail = reason
        return error
    }

    private static func keys(_ payload: TokenPayload) -> [CacheKey] {
        var keys: [CacheKey] = [.user(payload.user)]
        if case .project(let id) = payload.scope { keys.append(.project(id)) }
        if let trust = payload.trust { keys.append(.trust(trust)) }
        if let credential = payload.applicationCredential { keys.append(.applicationCredential(credential)) }
        return keys
    }

    private func trust(of payload: TokenPayload) async throws -> TrustRecord? {
        guard let id = payload.trust else { return nil }
        let found = try await environment.database.read("trust.find") { connection in
            try TrustStore.find(id, connection)
        }
        guard let found, found.expires.map({ $0 > environment.clock.now }) ?? true else {
            throw Self.refused("the trust does not exist or has expired")
        }
        return found
    }

    /// Who delegates: the trustor, of the first trust where one was passed on.
    private func trustor(of trust: TrustRecord?) async throws -> ID<User>? {
        guard let trust, trust.source != nil else { return trust?.trustor }
        return try await environment.database.read("trust.line") { try TrustStore.line(from: trust.id, $0) }.last?
            .trustor
    }

    /// Whose roles count: the trustor's under a trust, else the bearer's.
    private func roleHolder(_ bearer: UserRecord, _ trustor: ID<User>?) async throws -> UserRecord {
        guard let trustor else { return bearer }
        guard let found = try await users.find(trustor) else { throw Self.refused("the trustor does not exist") }
        return found
    }

    private func facts(
        _ payload: TokenPayload, bearer: UserRecord, roleHolder: UserRecord, trust: TrustRecord?
    ) async throws -> Facts {
        let groups = try await users.groupIDs(of: roleHolder)
        let shownDomain = (trust?.isImpersonation ?? false ? roleHolder : bearer).domain
        return try await environment.database.read("token.resolve") { connection in
            var facts = Facts()
            facts.trust = trust
            facts.userDomain = try ProjectStore.findDomain(shownDomain, connection)
            switch payload.scope {
            case .none: break
            case .project(let id):
                guard let project = try ProjectStore.find(id, connection) else {
                    throw Self.refused("the project does not exist")
                }
                facts.scopeDomain =
                    project.owner == shownDomain
                    ? facts.userDomain : try ProjectStore.findDomain(project.owner, connection)
                facts.scope = .project(project, domainName: facts.scopeDomain?.name ?? "")
                facts.roles = try AssignmentStore.roles(of: roleHolder.id, groups: groups, on: .project(id), connection)
            case .domain(let id):
                guard let domain = try ProjectStore.findDomain(id, connection) else {
                    throw Self.refused("the domain does not exist")
                }
                facts.scopeDomain = domain
                facts.scope = .domain(domain)
                facts.roles = try AssignmentStore.roles(of: roleHolder.id, groups: groups, on: .domain(id), connection)
            case .system:
                facts.scope = .system
                facts.roles = try AssignmentStore.roles(of: roleHolder.id, groups: groups, on: .system, connection)
            }
            if let id = payload.applicationCredential {
                facts.applicationCredential = try ApplicationCredentialStore.find(id, connection)
            }
            return facts
        }
    }

    private func requireEnabled(_ bearer: UserRecord, _ facts: Facts) throws {
        guard bearer.isEnabled else { throw Self.refused("the user is disabled") }
        guard facts.userDomain?.isEnabled ?? false else { throw Self.refused("the user's domain is disabled") }
        switch facts.scope {
        case .project(let project, _):
            guard project.isEnabled else { throw Self.refused("the project is disabled") }
            guard facts.scopeDomain?.isEnabled ?? false else { throw Self.refused("the project's domain is disabled") }
        case .domain(let domain):
            guard domain.isEnabled else { throw Self.refused("the domain is disabled") }
        case .none, .system: break
        }
    }

    /// The token's roles: all that its holder has on the scope, or what a trust or an application credential leaves
    /// of them.
    private func roles(_ payload: TokenPayload, _ facts: Facts) async throws -> [RoleRecord] {
        if case .none = payload.scope { return [] }
        let graph = try await environment.roleGraph()
        let held = graph.expanded(facts.roles)
        let roles: [RoleRecord]
        if let trust = facts.trust {
            let delegated = graph.expanded(Set(trust.roles))
            let lost = delegated.contains { role in !held.contains { $0.id == role.id } }
            if lost { throw CloudError.forbidden("The trustor no longer has a role that the trust delegates.") }
            roles = delegated
        } else if payload.applicationCredential != nil {
            guard let credential = facts.applicationCredential,
                credential.expires.map({ $0 > environment.clock.now }) ?? true
            else { throw Self.refused("the application credential does not exist or has expired") }
            let delegated = graph.expanded(Set(credential.roles))
            roles = delegated.filter { role in held.contains { $0.id == role.id } }
        } else {
            roles = held
        }
        guard !roles.isEmpty else { throw Self.refused("the user has no role on the scope") }
        return roles
    }
}
