// SPDX-License-Identifier: Apache-2.0
// The rules of credentials. A token made from a trust or from a restricted application credential may use what its user
// may, but must not turn that into a lasting secret of the user: it reaches only EC2 keys that are bound to itself.

import Core
import Database
import HTTP
import JSON

struct CredentialService: Sendable {
    let environment: IdentityEnvironment
    private var store: CredentialStore { CredentialStore(environment.vault) }

    func find(_ id: ID<Credential>) async throws -> CredentialRecord {
        let store = store
        return try await environment.database.read("credential.find") { connection in
            guard let credential = try store.find(id, connection) else {
                throw CloudError.notFound("credential", id.text)
            }
            return credential
        }
    }

    /// `user` nil: everybody's.
    func list(
        of user: ID<User>?, type: String?, _ page: PageRequest, by caller: Authority
    ) async throws -> [CredentialRecord] {
        let store = store
        return try await environment.database.read("credential.list") { connection in
            let limits = try Self.limits(of: caller, connection)
            let found = try store.page(user: user, type: type, after: page.marker, limit: page.limit + 1, connection)
            return limits.map { limits in found.filter(limits.binds) } ?? found
        }
    }

    func create(_ draft: NewCredential, by call: Call) async throws -> CredentialRecord {
        let caller = try call.authority()
        let credential = try made(draft, Delegation(caller))
        try await insert(credential, by: call, caller)
        return credential
    }

    private func made(_ draft: NewCredential, _ delegation: Delegation) throws -> CredentialRecord {
        guard draft.isEC2, var object = try JSON.parse(draft.blob).object, let access = object["access"]?.string else {
            return CredentialRecord(
                id: .random(environment.entropy), user: draft.user, project: draft.project, type: draft.type,
                blob: draft.blob, extra: draft.extra)
        }
        if let id = delegation.trustID { object["trust_id"] = .string(id) }
        if let id = delegation.applicationCredentialID { object["app_cred_id"] = .string(id) }
        return CredentialRecord(
            id: EC2Key.id(access: access), user: draft.user, project: draft.project, type: draft.type,
            blob: delegation.isNone ? draft.blob : JSON.object(object).text, extra: draft.extra)
    }

    private func insert(_ credential: CredentialRecord, by call: Call, _ caller: Authority) async throws {
        let store = store
        try await environment.change("credential.create", by: call) { connection, changes in
            try Self.check(caller, mayMake: credential, connection)
            do {
                try store.insert(credential, connection)
            } catch let error as DatabaseError where error.kind == .unique {
                throw CloudError.conflict(
                    "Conflict occurred attempting to store credential - Duplicate entry found with this access key.")
            }
            changes.record(
                .created, "credential", credential.id.text, project: credential.project,
                payload: ["user_id": .string(credential.user.text), "type": .string(credential.type)])
        }
    }

    func update(_ credential: CredentialRecord, _ draft: ChangedCredential, by call: Call) async throws
        -> CredentialRecord
    {
        let caller = try call.authority()
        let store = store
        return try await environment.change("credential.update", by: call) { connection, changes in
            guard let present = try store.find(credential.id, connection) else {
                throw CloudError.notFound("credential", credential.id.text)
            }
            try Self.check(caller, mayReach: present, connection)
            let changed = try draft.applied(to: present)
            try store.update(changed, connection)
            changes.record(.updated, "credential", changed.id.text, project: changed.project)
            return changed
        }
    }

    func delete(_ credential: CredentialRecord, by call: Call) async throws {
        let caller = try call.authority()
        let store = store
        try await environment.change("credential.delete", by: call) { connection, changes in
            try Self.check(caller, mayReach: credential, connection)
            try store.delete(credential.id, connection)
            changes.record(.deleted, "credential", credential.id.text, project: credential.project)
        }
    }

    func checkReach(_ caller: Authority, _ credential: CredentialRecord) async throws {
        if Delegation(caller).isNone { return }
        try await environment.database.read("credential.delegation") {
            try Self.check(caller, mayReach: credential, $0)
        }
    }

    // MARK: EC2 keys

    /// The credential of an access key; the store's own id never leaves it.
    func find(access: String) async throws -> CredentialRecord {
        let store = store
        return try await environment.database.read("credential.find_access") { connection in
            guard let credential = try store.find(access: access, connection) else {
                throw CloudError.notFound("credential", access)
            }
            return credential
        }
    }

    func keys(of user: ID<User>, by caller: Authority) async throws -> [CredentialRecord] {
        let store = store
        return try await environment.database.read("credential.list_keys") { connection in
            guard try CredentialStore.hasUser(user, connection) else { throw CloudError.notFound("user", user.text) }
            let found = try store.all(of: user, type: EC2Key.type, connection)
            return try Self.limits(of: caller, connection).map { limits in found.filter(limits.binds) } ?? found
        }
    }

    func createKey(user: ID<User>, project: ID<Project>, by call: Call) async throws -> CredentialRecord {
        let caller = try call.authority()
        try await environment.database.read("credential.subjects") { connection in
            guard try CredentialStore.hasUser(user, connection) else { throw CloudError.notFound("user", user.text) }
            guard let found = try ProjectStore.find(project, connection), !found.isDomain else {
                throw CloudError.notFound("project", project.text)
            }
        }
        let key = EC2Key(
            access: Hex.text(environment.entropy.bytes(16)), secret: Hex.text(environment.entropy.bytes(16)),
            Delegation(caller))
        let credential = CredentialRecord(
            id: EC2Key.id(access: key.access), user: user, project: project, type: EC2Key.type, blob: key.blob)
        try await insert(credential, by: call, caller)
        return credential
    }

    // MARK: Delegated tokens

    /// What limits a caller's reach; nil when nothing does. An unrestricted application credential acts as its user.
    private static func limits(of caller: Authority, _ connection: any Connection) throws -> Delegation? {
        let delegation = Delegation(caller)
        if delegation.isNone { return nil }
        if delegation.trustID == nil, let id = delegation.applicationCredentialID,
            try CredentialStore.isUnrestricted(applicationCredential: id, connection)
        {
            return nil
        }
        return delegation
    }

    private static func check(
        _ caller: Authority, mayReach credential: CredentialRecord, _ connection: any Connection
    ) throws {
        guard let limits = try limits(of: caller, connection), !limits.binds(credential) else { return }
        throw CloudError.forbidden(
            "A token of a trust or of a restricted application credential can only use credentials made with it.")
    }

    private static func check(
        _ caller: Authority, mayMake credential: CredentialRecord, _ connection: any Connection
    ) throws {
        let delegation = Delegation(caller)
        if delegation.isNone { return }
        if delegation.applicationCredentialID != nil, try limits(of: caller, connection) != nil {
            throw CloudError.forbidden("A restricted application credential cannot create credentials.")
        }
        guard credential.isEC2 || delegation.trustID == nil else {
            throw CloudError.forbidden("A token of a trust can only create ec2 credentials.")
        }
        guard !credential.isEC2 || credential.project == caller.projectID, credential.user == caller.user else {
            throw CloudError.forbidden(
                "A token of a trust or application credential can create credentials of its own user and project only."
            )
        }
    }
}
