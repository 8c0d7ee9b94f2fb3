// SPDX-License-Identifier: Apache-2.0
// One domain's directory: finds, lists and signs in its users, and reads its groups. Every failure of the directory
// becomes an answer for this domain alone; other domains do not wait for it.

import Core
import LDAP
import Synchronization

final class DomainDirectory: Sendable {
    let domain: ID<Domain>
    let settings: DirectorySettings
    let reader: DirectoryReader
    private let directory: LDAPDirectory
    private let clock: any Clock
    private let users = DirectoryCache<DirectoryUser>()
    private let groups = DirectoryCache<DirectoryGroup>()
    private let groupsOfUsers = DirectoryCache<[DirectoryGroup]>()
    private let enabledMembers = DirectoryCache<Set<String>>()
    /// Public ids known to be stored, so that showing the same entries again writes nothing.
    private let stored = Mutex<Set<String>>([])

    init(domain: ID<Domain>, settings: DirectorySettings, clock: any Clock) throws(LDAPError) {
        self.domain = domain
        self.settings = settings
        self.clock = clock
        reader = DirectoryReader(domain: domain, settings: settings)
        directory = try LDAPDirectory(settings.connection)
    }

    // MARK: Users

    func user(local: String) async throws -> DirectoryUser? {
        if let known = users.value("i" + local, now: clock.now) { return known }
        return try await findUser(.equal(settings.users.idAttribute, local)) { $0.local == local }
    }

    func user(named name: String) async throws -> DirectoryUser? {
        if let known = users.value("n" + name, now: clock.now) { return known }
        return try await findUser(.equal(settings.users.nameAttribute, name)) { _ in true }
    }

    private func findUser(
        _ condition: LDAPFilter, _ isWanted: (DirectoryUser) -> Bool
    ) async throws -> DirectoryUser? {
        let found = try await searchUsers(reader.filter(settings.users, condition), limit: 10)
        guard let user = found.first(where: isWanted) else { return nil }
        users.keep(user, ["i" + user.local, "n" + user.record.name], now: clock.now)
        return user
    }

    /// All of them, or those with a name.
    func listUsers(named name: String? = nil) async throws -> [DirectoryUser] {
        let condition = name.map { LDAPFilter.equal(settings.users.nameAttribute, $0) }
        return try await searchUsers(reader.filter(settings.users, condition), limit: Limits.directoryEntries)
    }

    private func searchUsers(_ filter: LDAPFilter, limit: Int) async throws -> [DirectoryUser] {
        let entries = try await search(settings.users.base, settings.scope, filter, reader.userAttributes, limit)
        return try await judged(entries.compactMap(reader.user))
    }

    /// Where a group tells who is enabled, its members are.
    private func judged(_ users: [DirectoryUser]) async throws -> [DirectoryUser] {
        guard let group = settings.enabled.group, !users.isEmpty else { return users }
        let members: Set<String>
        if let known = enabledMembers.value("", now: clock.now) {
            members = known
        } else {
            let attribute = settings.enabled.groupMemberAttribute
            let entries = try await search(group, .base, .present("objectClass"), [attribute], 1)
            members = Set(entries.flatMap { $0.strings(attribute) }.map(LDAPName.normalized))
            enabledMembers.keep(members, [""], now: clock.now)
        }
        return users.map { $0.enabled(members.contains(LDAPName.normalized($0.entryName))) }
    }

    /// Whether the directory lets this user in with this password.
    func accepts(_ user: DirectoryUser, password: String) async throws -> Bool {
        do throws(LDAPError) {
            return try await directory.bind(user.entryName, password)
        } catch {
            throw Self.failure(error, domain)
        }
    }

    // MARK: Groups

    func group(local: String) async throws -> DirectoryGroup? {
        if let known = groups.value(local, now: clock.now) { return known }
        let filter = reader.filter(settings.groups, .equal(settings.groups.idAttribute, local))
        guard let group = try await searchGroups(filter, limit: 10).first(where: { $0.local == local }) else {
            return nil
        }
        groups.keep(group, [local], now: clock.now)
        return group
    }

    func listGroups(named name: String? = nil) async throws -> [DirectoryGroup] {
        let condition = name.map { LDAPFilter.equal(settings.groups.nameAttribute, $0) }
        return try await searchGroups(reader.filter(settings.groups, condition), limit: Limits.directoryEntries)
    }

    func groups(of user: DirectoryUser) async throws -> [DirectoryGroup] {
        if let known = groupsOfUsers.value(user.local, now: clock.now) { return known }
        let found = try await searchGroups(reader.filter(groupsOf: user), limit: Limits.directoryEntries)
        groupsOfUsers.keep(found, [user.local], now: clock.now)
        return found
    }

    private func searchGroups(_ filter: LDAPFilter, limit: Int) async throws -> [DirectoryGroup] {
        try await search(settings.groups.base, settings.scope, filter, reader.groupAttributes, limit)
            .compactMap(reader.group)
    }

    /// Few members are looked up one by one; for many it is cheaper to read all users once.
    func members(of group: DirectoryGroup) async throws -> [DirectoryUser] {
        guard group.members.count <= 20 else {
            return try await listUsers().filter { reader.isMember($0, of: group) }
        }
        var found: [DirectoryUser] = []
        for member in group.members {
            if settings.membersAreIDs {
                if let user = try await user(local: member) { found.append(user) }
            } else if LDAPName.parts(member) != nil {
                let filter = reader.filter(settings.users)
                let entries = try await search(member, .base, filter, reader.userAttributes, 1)
                found += try await judged(entries.compactMap(reader.user))
            }
        }
        return found
    }

    // MARK: Stored ids

    /// The public ids among these that may not be stored yet.
    func unstored(_ ids: [String]) -> [String] { stored.withLock { stored in ids.filter { !stored.contains($0) } } }

    func markStored(_ ids: [String]) {
        stored.withLock { stored in
            if stored.count + ids.count > Limits.directoryEntries * 4 { stored.removeAll() }
            stored.formUnion(ids)
        }
    }

    // MARK: Failures

    private func search(
        _ base: String, _ scope: LDAPScope, _ filter: LDAPFilter, _ attributes: [String], _ limit: Int
    ) async throws -> [LDAPEntry] {
        do throws(LDAPError) {
            return try await directory.search(base, filter, scope: scope, attributes: attributes, limit: limit)
        } catch {
            throw Self.failure(error, domain)
        }
    }

    /// The user learns whose directory it is and whom to tell; the reason is for the operator's log.
    static func failure(_ error: LDAPError, _ domain: ID<Domain>) -> CloudError {
        let sentence =
            switch error {
            case .busy:
                "Too many requests wait for the directory of the domain \(domain). Try again in a few seconds."
            case .timeout, .unreachable:
                "The directory of the domain \(domain) does not answer. Try again later, or tell the cloud's operator."
            case .settings, .accountRefused, .badFilter, .noSuchBase, .refused:
                "The directory of the domain \(domain) cannot be used as it is configured. Tell the cloud's operator."
            }
        var failure = CloudError(.unavailable, sentence, detail: "domain \(domain): \(error)")
        failure.headers = [(name: "Retry-After", value: "5")]
        return failure
    }
}
