// SPDX-License-Identifier: Apache-2.0
// Users and groups of directories by their public ids: the other half of UserService and GroupService. Nothing here
// changes a directory; what would is refused.

import Core
import Database

struct DirectoryService: Sendable {
    let environment: IdentityEnvironment

    func directory(of domain: ID<Domain>) async throws -> DomainDirectory? {
        try await environment.directories.directory(of: domain, environment)
    }

    /// What every change of a directory's user or group is answered with.
    static var readOnly: CloudError {
        .forbidden("LDAP does not support write operations. Change users and groups of this domain in its directory.")
    }

    func requireWritable(_ domain: ID<Domain>) async throws {
        if try await directory(of: domain) != nil { throw Self.readOnly }
    }

    // MARK: By public id

    private func entity(_ publicID: String, _ kind: DirectoryKind) async throws -> DirectoryEntity? {
        guard DirectoryID.isPossible(publicID) else { return nil }
        let found: DirectoryEntity
        if let known = environment.directories.entity(publicID) {
            found = known
        } else {
            let row = try await environment.database.read("directory.find") { try DirectoryStore.find(publicID, $0) }
            guard let row else { return nil }
            environment.directories.keep(row)
            found = row
        }
        return found.kind == kind ? found : nil
    }

    func user(_ id: ID<User>) async throws -> (user: DirectoryUser, directory: DomainDirectory)? {
        guard let entity = try await entity(id.text, .user), let directory = try await directory(of: entity.domain),
            let user = try await directory.user(local: entity.local)
        else { return nil }
        return (user, directory)
    }

    func group(_ id: ID<Group>) async throws -> (group: DirectoryGroup, directory: DomainDirectory)? {
        guard let entity = try await entity(id.text, .group), let directory = try await directory(of: entity.domain),
            let group = try await directory.group(local: entity.local)
        else { return nil }
        return (group, directory)
    }

    // MARK: Finding and listing

    func user(named name: String, in domain: ID<Domain>) async throws -> UserRecord? {
        guard let directory = try await directory(of: domain), let user = try await directory.user(named: name) else {
            return nil
        }
        return try await shown([user], directory).first
    }

    func group(named name: String, in domain: ID<Domain>) async throws -> GroupRecord? {
        guard let directory = try await directory(of: domain),
            let group = try await directory.listGroups(named: name).first
        else { return nil }
        return try await shown([group], directory).first
    }

    /// The users of the one domain that the filter names, when it has a directory.
    func users(_ filter: UserFilter) async throws -> [UserRecord] {
        guard let domain = filter.domains.only, let directory = try await directory(of: domain) else { return [] }
        let found = try await directory.listUsers(named: filter.names.exactName)
        return try await shown(found, directory).filter(filter.matches)
    }

    func groups(_ filter: GroupFilter) async throws -> [GroupRecord] {
        guard let domain = filter.domains.only, let directory = try await directory(of: domain) else { return [] }
        let found = try await directory.listGroups(named: filter.names.exactName)
        return try await shown(found, directory).filter(filter.matches)
    }

    // MARK: Membership

    func groups(of user: UserRecord) async throws -> [GroupRecord] {
        guard let (user, directory) = try await self.user(user.id) else { return [] }
        return try await shown(try await directory.groups(of: user), directory)
    }

    func members(of group: GroupRecord) async throws -> [UserRecord] {
        guard let (group, directory) = try await self.group(group.id) else { return [] }
        return try await shown(try await directory.members(of: group), directory)
    }

    func isMember(_ user: UserRecord, of group: GroupRecord) async throws -> Bool {
        guard let (user, directory) = try await self.user(user.id), let (group, _) = try await self.group(group.id)
        else {
            return false
        }
        return directory.reader.isMember(user, of: group)
    }

    /// Whether the directory lets the user in. The caller has looked at the user's own flags.
    func accepts(_ user: UserRecord, password: String) async throws -> Bool {
        guard let (user, directory) = try await self.user(user.id) else { return false }
        return try await directory.accepts(user, password: password)
    }

    // MARK: Showing

    private func shown(_ users: [DirectoryUser], _ directory: DomainDirectory) async throws -> [UserRecord] {
        try await store(users.map { ($0.record.id.text, $0.local) }, .user, directory)
        return users.map(\.record)
    }

    private func shown(_ groups: [DirectoryGroup], _ directory: DomainDirectory) async throws -> [GroupRecord] {
        try await store(groups.map { ($0.record.id.text, $0.local) }, .group, directory)
        return groups.map(\.record)
    }

    /// Before an id is shown, the way back from it is durable.
    private func store(_ ids: [(publicID: String, local: String)], _ kind: DirectoryKind, _ directory: DomainDirectory)
        async throws
    {
        let new = Set(directory.unstored(ids.map(\.publicID)))
        guard !new.isEmpty else { return }
        let entities = ids.filter { new.contains($0.publicID) }.map {
            DirectoryEntity(publicID: $0.publicID, domain: directory.domain, kind: kind, local: $0.local)
        }
        try await environment.database.write("directory.store") { connection in
            for entity in entities { try DirectoryStore.insert(entity, connection) }
        }
        directory.markStored(Array(new))
    }
}

extension [ID<Domain>] {
    /// The one domain that all of them are.
    fileprivate var only: ID<Domain>? { first.flatMap { first in allSatisfy { $0 == first } ? first : nil } }
}
