// SPDX-License-Identifier: Apache-2.0
// The one face over groups, wherever they live, and over who is in them. Whoever leaves a group loses the tokens that
// may rest on it; whoever enters one sees the new roles at the next look.

import Core
import Database
import HTTP

package struct GroupService: Sendable {
    let environment: IdentityEnvironment

    private var directories: DirectoryService { DirectoryService(environment: environment) }

    package init(_ environment: IdentityEnvironment) { self.environment = environment }

    // MARK: Finding

    package func find(_ id: ID<Group>) async throws -> GroupRecord? {
        if let (found, _) = try await directories.group(id) { return found.record }
        return try await environment.database.read("group.find") { try GroupStore.find(id, $0) }
    }

    package func find(name: String, in domain: ID<Domain>) async throws -> GroupRecord? {
        let own = try await environment.database.read("group.find_name") {
            try GroupStore.find(name: name, in: domain, $0)
        }
        if let own { return own }
        return try await directories.group(named: name, in: domain)
    }

    /// One more than the page holds, when there are more. Without a domain, the groups of directories are not asked
    /// for.
    func list(_ filter: GroupFilter, of user: UserRecord? = nil, _ page: PageRequest) async throws -> [GroupRecord] {
        if let user, !user.isLocal {
            return page.cut(try await directories.groups(of: user).filter(filter.matches), \.id.text)
        }
        let (marker, limit) = (page.marker, page.limit)
        let own = try await environment.database.read("group.list") {
            try GroupStore.list(filter, of: user?.id, after: marker, limit: limit, $0)
        }
        guard user == nil else { return own }
        let others = try await directories.groups(filter)
        return others.isEmpty ? own : page.cut(own + others, \.id.text)
    }

    // MARK: Changes

    func create(_ creation: GroupCreation, in domain: ID<Domain>, by call: Call) async throws -> GroupRecord {
        try await directories.requireWritable(domain)
        let group = GroupRecord(
            id: .random(environment.entropy), name: creation.name, domain: domain, description: creation.description,
            extra: creation.extra)
        return try await change("group.create", group, by: call) { connection, changes in
            guard try ProjectStore.findDomain(domain, connection) != nil else {
                throw CloudError.notFound("domain", domain.text)
            }
            try GroupStore.insert(group, connection)
            changes.record(.created, "group", group.id.text, domain: domain)
            return group
        }
    }

    func update(_ group: GroupRecord, _ update: GroupUpdate, by call: Call) async throws -> GroupRecord {
        guard group.isLocal else { throw DirectoryService.readOnly }
        return try await change("group.update", update.applied(to: group), by: call) { connection, changes in
            guard let old = try GroupStore.find(group.id, connection) else {
                throw CloudError.notFound("group", group.id.text)
            }
            let new = update.applied(to: old)
            try GroupStore.update(new, connection)
            changes.record(.updated, "group", group.id.text, domain: group.domain)
            return new
        }
    }

    func delete(_ group: GroupRecord, by call: Call) async throws {
        guard group.isLocal else { throw DirectoryService.readOnly }
        try await environment.change("group.delete", by: call) { connection, changes in
            let members = try UserStore.memberIDs(of: group.id, connection)
            let holdsRoles = try GroupStore.hasAssignments(group.id, connection)
            try Removal.group(group.id, connection)
            try GroupStore.delete(group.id, connection)
            changes.record(.deleted, "group", group.id.text, domain: group.domain, touching: members.map { .user($0) })
            if holdsRoles { for member in members { changes.revoke(.user(member)) } }
        }
    }

    // MARK: Members

    func isMember(_ user: UserRecord, of group: GroupRecord) async throws -> Bool {
        try requireSameBackend(user, group)
        if !group.isLocal { return try await directories.isMember(user, of: group) }
        return try await environment.database.read("group.check_member") {
            try GroupStore.isMember(user.id, of: group.id, $0)
        }
    }

    func add(_ user: UserRecord, to group: GroupRecord, by call: Call) async throws {
        try requireOwn(user, group)
        try await environment.change("group.add_member", by: call) { connection, changes in
            guard try GroupStore.add(user.id, to: group.id, connection) else { return }
            changes.record(
                .updated, "group", group.id.text, domain: group.domain,
                payload: ["operation": "added", "user_id": .string(user.id.text)], touching: [.user(user.id)])
        }
    }

    func remove(_ user: UserRecord, from group: GroupRecord, by call: Call) async throws {
        try requireOwn(user, group)
        try await environment.change("group.remove_member", by: call) { connection, changes in
            guard try GroupStore.remove(user.id, from: group.id, connection) else { throw Self.notMember(user, group) }
            changes.record(
                .updated, "group", group.id.text, domain: group.domain,
                payload: ["operation": "removed", "user_id": .string(user.id.text)], touching: [.user(user.id)])
            changes.revoke(.user(user.id))
        }
    }

    /// A directory's group has members of that directory, ours have ours.
    private func requireSameBackend(_ user: UserRecord, _ group: GroupRecord) throws {
        guard user.isLocal == group.isLocal, user.isLocal || user.domain == group.domain else {
            throw CloudError.forbidden(
                "Group membership across backend boundaries is not allowed. Group in question is \(group.id), user is "
                    + "\(user.id).")
        }
    }

    private func requireOwn(_ user: UserRecord, _ group: GroupRecord) throws {
        try requireSameBackend(user, group)
        guard group.isLocal else { throw DirectoryService.readOnly }
    }

    static func notMember(_ user: UserRecord, _ group: GroupRecord) -> CloudError {
        CloudError(.notFound, "User '\(user.id)' not found in group '\(group.id)'.")
    }

    private func change<T: Sendable>(
        _ name: StaticString, _ group: GroupRecord, by call: Call,
        _ body: @escaping @Sendable (any Connection, inout Changes) throws -> T
    ) async throws -> T {
        do {
            return try await environment.change(name, by: call, body)
        } catch let error as DatabaseError where error.kind == .unique {
            throw CloudError.conflict(
                "Conflict occurred attempting to store group - Duplicate entry found with name \(group.name) at domain "
                    + "ID \(group.domain).")
        }
    }
}
