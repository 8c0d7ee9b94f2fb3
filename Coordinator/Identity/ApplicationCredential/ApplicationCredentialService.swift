// SPDX-License-Identifier: Apache-2.0
// The rules of application credentials: made by the user alone, with a token for the project, with roles the token
// has; never by a token that itself stands for less than the user (a trust, a restricted application credential),
// which could otherwise outlive its bounds.

import Core
import Database
import HTTP

struct ApplicationCredentialService: Sendable {
    let environment: IdentityEnvironment
    let secrets: ApplicationCredentialSecret

    init(_ environment: IdentityEnvironment) {
        self.environment = environment
        secrets = ApplicationCredentialSecret(passwords: environment.passwords, entropy: environment.entropy)
    }

    func find(_ id: ID<ApplicationCredential>) async throws -> ApplicationCredentialRecord {
        let found = try await environment.database.read("application_credential.find") {
            try ApplicationCredentialStore.find(id, $0)
        }
        guard let found else { throw Self.absent(id) }
        return found
    }

    func list(of user: ID<User>, _ names: NameFilter, _ page: PageRequest) async throws -> [ApplicationCredentialRecord]
    {
        let (marker, limit) = (page.marker, page.limit)
        return try await environment.database.read("application_credential.list") {
            try ApplicationCredentialStore.list(of: user, names, after: marker, limit: limit, $0)
        }
    }

    /// The credential and its secret, which is shown this once.
    func create(
        _ request: ApplicationCredentialRequest, for user: ID<User>, by call: Call
    ) async throws -> (record: ApplicationCredentialRecord, secret: String) {
        let caller = try call.authority()
        try await requireUnrestricted(caller, "managing additional application credentials")
        guard caller.user == user else {
            throw CloudError.forbidden("Cannot create an application credential for another user.")
        }
        guard let project = caller.projectID else {
            throw CloudError.badRequest(
                "An application credential is made with a token for a project; this one is for none.")
        }
        let graph = try await environment.roleGraph()
        let roles = try Self.roles(request.roles, caller, graph)
        let secret = request.secret ?? secrets.make()
        let draft = ApplicationCredentialRecord(
            id: .random(environment.entropy), name: request.name, user: user, project: project,
            description: request.description, secretHash: try await secrets.hash(secret), expires: request.expires,
            isUnrestricted: request.isUnrestricted, roles: roles, rules: [])
        let ids = request.rules.map { _ in ID<AccessRule>.random(environment.entropy) }
        let record = try await environment.change("application_credential.create", by: call) { connection, changes in
            var record = draft
            record.rules = try Self.rules(request.rules, fresh: ids, of: user, connection)
            try Self.storing(record) { try ApplicationCredentialStore.insert(record, connection) }
            changes.record(
                .created, "application_credential", record.id.text, project: project, domain: caller.userDomain)
            return record
        }
        return (record, secret)
    }

    func delete(_ record: ApplicationCredentialRecord, by call: Call) async throws {
        try await requireUnrestricted(try call.authority(), "managing additional application credentials")
        try await environment.change("application_credential.delete", by: call) { connection, changes in
            try ApplicationCredentialStore.delete(record.id, connection)
            changes.record(.deleted, "application_credential", record.id.text, project: record.project)
            changes.revoke(.applicationCredential(record.id))
        }
    }

    // MARK: Access rules

    func rule(_ id: ID<AccessRule>, of user: ID<User>) async throws -> AccessRuleRecord {
        let found = try await environment.database.read("access_rule.find") {
            try AccessRuleStore.find(id, of: user, $0)
        }
        guard let found else { throw Self.absent(id) }
        return found
    }

    func rules(of user: ID<User>, _ query: QueryParameters, _ page: PageRequest) async throws -> [AccessRuleRecord] {
        let (marker, limit) = (page.marker, page.limit)
        return try await environment.database.read("access_rule.list") {
            try AccessRuleStore.list(
                of: user, service: query["service"], path: query["path"], method: query["method"], after: marker,
                limit: limit, $0)
        }
    }

    func deleteRule(_ id: ID<AccessRule>, of user: ID<User>, by call: Call) async throws {
        try await environment.change("access_rule.delete", by: call) { connection, changes in
            guard try AccessRuleStore.find(id, of: user, connection) != nil else { throw Self.absent(id) }
            do {
                try AccessRuleStore.delete(id, connection)
            } catch let error as DatabaseError where error.kind == .foreignKey {
                throw CloudError.forbidden(
                    "May not delete access rule in use: \(id). Delete the application credentials that have it first.")
            }
            changes.record(.deleted, "access_rule", id.text)
        }
    }

    // MARK: Parts

    /// Refuses a token that stands for less than its user.
    func requireUnrestricted(_ caller: Authority, _ purpose: String) async throws {
        if caller.trustID != nil { throw Self.refused("trust", purpose) }
        guard let id = caller.applicationCredentialID else { return }
        guard try await find(ID(id)).isUnrestricted else { throw Self.refused("application_credential", purpose) }
    }

    private static func refused(_ method: String, _ purpose: String) -> CloudError {
        .forbidden("Using method '\(method)' is not allowed for \(purpose).")
    }

    /// The roles asked for, all of which the token must have; or all of the token's.
    static func roles(_ wanted: [RoleReference], _ caller: Authority, _ graph: RoleGraph) throws -> [ID<Role>] {
        let held = Set(
            graph.roles.values.filter { $0.domain == nil && caller.has(role: $0.name.lowercased()) }.map(\.id))
        guard !wanted.isEmpty else { return held.sorted() }
        let roles = Set(try wanted.map { try $0.resolve(graph) })
        if let missing = roles.subtracting(held).min() {
            throw CloudError.badRequest(
                """
                Invalid application credential: Cannot create an application credential with unassigned role \
                \(missing); \
                the token does not have it.
                """)
        }
        return roles.sorted()
    }

    private static func rules(
        _ wanted: [AccessRuleRequest], fresh: [ID<AccessRule>], of user: ID<User>, _ connection: any Connection
    ) throws -> [AccessRuleRecord] {
        var rules: [AccessRuleRecord] = []
        for (rule, id) in zip(wanted, fresh) {
            let found = try Self.rule(rule, fresh: id, of: user, connection)
            if !rules.contains(found) { rules.append(found) }
        }
        return rules
    }

    /// An existing rule by its id, or by its content; otherwise a new one.
    private static func rule(
        _ rule: AccessRuleRequest, fresh: ID<AccessRule>, of user: ID<User>, _ connection: any Connection
    ) throws -> AccessRuleRecord {
        if let id = rule.id, let found = try AccessRuleStore.find(id, of: user, connection) { return found }
        guard let content = rule.content else {
            throw CloudError(
                .notFound, "Could not find Access Rule: \(rule.id?.text ?? "") (field '\(rule.fieldPath).id').")
        }
        let record = AccessRuleRecord(id: fresh, service: content.service, method: content.method, path: content.path)
        return try AccessRuleStore.obtain(record, of: user, connection)
    }

    private static func storing(_ record: ApplicationCredentialRecord, _ store: () throws -> Void) throws {
        do {
            try store()
        } catch let error as DatabaseError where error.kind == .unique {
            throw CloudError.conflict(
                """
                Conflict occurred attempting to store application_credential - \
                Duplicate entry found with name \(record.name) for user \(record.user).
                """)
        }
    }

    static func absent(_ id: ID<ApplicationCredential>) -> CloudError {
        CloudError(.notFound, "Could not find Application Credential: \(id).")
    }

    static func absent(_ id: ID<AccessRule>) -> CloudError {
        CloudError(.notFound, "Could not find Access Rule: \(id).")
    }
}
