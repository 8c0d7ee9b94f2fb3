// SPDX-License-Identifier: Apache-2.0
// Makes the beginning of a cloud: the domain Default, the roles and what they imply, the project and the user of its
// first administrator, and identity's own place in the catalog. What is there already stays as it is, so it may run
// any number of times; run with a password it is also the way back in for an operator who lost his: the user is
// enabled, gets that password, and his older tokens end.

import Core
import Database
import HTTP
import JSON

package struct BootstrapOptions: Sendable {
    package var userName = "admin"
    package var projectName = "admin"
    /// nil leaves the user's password alone; a user made without one cannot sign in until one is set.
    package var password: String?
    /// Roles that no request may change or delete, as every service relies on them.
    package var hasImmutableRoles = true

    package init(password: String?) { self.password = password }
}

package struct BootstrapResult: Sendable {
    package let domain: ID<Domain>
    package let project: ID<Project>
    package let user: ID<User>
    /// By name: admin, manager, member, reader, service.
    package let roles: [String: ID<Role>]
    package let region: ID<Region>
    package let service: ID<CatalogService>
    package let endpoints: [EndpointInterface: ID<Endpoint>]
}

package enum IdentityBootstrap {
    package static let defaultDomain = ID<Domain>("default")
    /// Each implies the one after it; the last of them is all that a reader has.
    static let roleLine = ["admin", "manager", "member", "reader"]
    static let serviceRole = "service"

    /// Whether the cloud has its beginning: somebody can administer it.
    package static func isDone(_ environment: IdentityEnvironment) async throws -> Bool {
        try await environment.database.read("bootstrap.find") { connection in
            guard try ProjectStore.findDomain(defaultDomain, connection) != nil,
                let admin = try RoleStore.find(name: roleLine[0], connection)
            else { return false }
            return try BootstrapStore.hasSystemAssignment(admin.id, connection)
        }
    }

    @discardableResult
    package static func run(
        _ options: BootstrapOptions, _ environment: IdentityEnvironment
    ) async throws -> BootstrapResult {
        let hash = try await newHash(options, environment)
        return try await environment.change("bootstrap.run", by: nil) { connection, changes in
            var step = BootstrapStep(environment: environment, connection: connection, changes: Changes())
            let result = try step.run(options, hash: hash)
            changes = step.changes
            changes.touch(.everything)
            return result
        }
    }

    /// A hash of the password, unless it is the user's present one.
    private static func newHash(
        _ options: BootstrapOptions, _ environment: IdentityEnvironment
    ) async throws -> String? {
        guard let password = options.password else { return nil }
        let present = try await environment.database.read("bootstrap.password") { connection in
            try UserStore.find(name: options.userName, in: defaultDomain, connection).flatMap {
                try PasswordStore.list(of: $0.id, limit: 1, connection).first
            }
        }
        if let present, try await environment.passwords.verify(password, present.hash) { return nil }
        return try await PasswordService(environment).hash(password)
    }
}

/// The one write of a bootstrap.
private struct BootstrapStep {
    let environment: IdentityEnvironment
    let connection: any Connection
    var changes: Changes

    mutating func run(_ options: BootstrapOptions, hash: String?) throws -> BootstrapResult {
        let domain = IdentityBootstrap.defaultDomain
        try ensureDomain(domain)
        let project = try ensureProject(options.projectName, in: domain)
        let roles = try ensureRoles(areImmutable: options.hasImmutableRoles)
        let user = try ensureUser(options.userName, in: domain, hash: hash)
        if let admin = roles[IdentityBootstrap.roleLine[0]] {
            try assign(Assignment(.user(user), .project(project), admin))
            try assign(Assignment(.user(user), .system, admin))
        }
        let region = ID<Region>(environment.settings.region)
        let registered = try CatalogRegistration.ensure(
            .identity, publicURL: environment.settings.publicURL, region: region, connection, &changes)
        return BootstrapResult(
            domain: domain, project: project, user: user, roles: roles, region: region, service: registered.service,
            endpoints: registered.endpoints)
    }

    private mutating func ensureDomain(_ id: ID<Domain>) throws {
        guard try ProjectStore.findDomain(id, connection) == nil else { return }
        let domain = ProjectRecord(
            id: ID(id.text), name: "Default", domain: nil, parent: nil, isDomain: true,
            description: "The default domain")
        try ProjectStore.insert(domain, connection)
        changes.record(.created, "domain", id.text, domain: id, touching: [.domain(id)])
    }

    private mutating func ensureProject(_ name: String, in domain: ID<Domain>) throws -> ID<Project> {
        if let found = try ProjectStore.find(name: name, in: domain, connection) { return found.id }
        let project = ProjectRecord(
            id: .random(environment.entropy), name: name, domain: domain, parent: ID(domain.text), isDomain: false,
            description: "Bootstrap project for initializing the cloud.")
        try ProjectStore.insert(project, connection)
        changes.record(.created, "project", project.id.text, project: project.id, domain: domain)
        return project.id
    }

    private mutating func ensureRoles(areImmutable: Bool) throws -> [String: ID<Role>] {
        var roles: [String: ID<Role>] = [:]
        for name in IdentityBootstrap.roleLine + [IdentityBootstrap.serviceRole] {
            roles[name] = try ensureRole(name, isImmutable: areImmutable)
        }
        for (prior, implied) in zip(IdentityBootstrap.roleLine, IdentityBootstrap.roleLine.dropFirst()) {
            guard let prior = roles[prior], let implied = roles[implied] else { continue }
            try BootstrapStore.imply(prior, implied, connection)
        }
        return roles
    }

    private mutating func ensureRole(_ name: String, isImmutable: Bool) throws -> ID<Role> {
        if let found = try RoleStore.find(name: name, connection) { return found.id }
        let role = RoleRecord(
            id: .random(environment.entropy), name: name, options: isImmutable ? ["immutable": true] : [:])
        try RoleStore.insert(role, connection)
        changes.record(.created, "role", role.id.text)
        return role.id
    }

    private mutating func ensureUser(_ name: String, in domain: ID<Domain>, hash: String?) throws -> ID<User> {
        let now = environment.clock.now
        guard var user = try UserStore.find(name: name, in: domain, connection) else {
            let user = UserRecord(id: .random(environment.entropy), name: name, domain: domain, created: now)
            try UserStore.insert(user, connection)
            if let hash { try store(hash, of: user, now: now) }
            changes.record(.created, "user", user.id.text, domain: domain, touching: [.user(user.id)])
            return user.id
        }
        if hash == nil && user.isEnabled { return user.id }
        user.isEnabled = true
        user.failedAttempts = 0
        user.lastFailed = nil
        try UserStore.update(user, connection)
        if let hash {
            try store(hash, of: user, now: now)
            changes.revoke(.user(user.id))
        }
        changes.record(.updated, "user", user.id.text, domain: domain, touching: [.user(user.id)])
        return user.id
    }

    private func store(_ hash: String, of user: UserRecord, now: Instant) throws {
        _ = try PasswordService(environment).store(hash, of: user, isSelfService: false, now: now, connection)
    }

    private mutating func assign(_ assignment: Assignment) throws {
        guard try !BootstrapStore.isAssigned(assignment, connection) else { return }
        try AssignmentStore.insert(assignment, connection)
        changes.record(.created, "role_assignment", assignment.role.text)
    }
}

enum BootstrapStore {
    static func imply(_ prior: ID<Role>, _ implied: ID<Role>, _ connection: any Connection) throws {
        try connection.execute(
            "INSERT INTO implied_role (prior_id, implied_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            [.id(prior), .id(implied)])
    }

    static func isAssigned(_ assignment: Assignment, _ connection: any Connection) throws -> Bool {
        try connection.row(
            """
            SELECT 1 FROM assignment WHERE actor_id = $1 AND target_id = $2 AND role_id = $3 AND inherited = $4
            """,
            [
                .text(assignment.actor.id), .text(assignment.target.id), .id(assignment.role),
                .bool(assignment.isInherited),
            ]) != nil
    }

    static func hasSystemAssignment(_ role: ID<Role>, _ connection: any Connection) throws -> Bool {
        try connection.row(
            "SELECT 1 FROM assignment WHERE target_id = 'system' AND role_id = $1 LIMIT 1", [.id(role)]) != nil
    }
}
