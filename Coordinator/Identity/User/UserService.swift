// SPDX-License-Identifier: Apache-2.0
// The one face over users, wherever they live: in our own tables or in a domain's directory. Whoever needs a user, its
// groups or its sign-in asks here. A user found is as sign-in judges it: one that was inactive for too long is not
// enabled.

import Core
import Database
import HTTP
import JSON

package struct UserService: Sendable {
    let environment: IdentityEnvironment
    let passwords: PasswordService
    private var directories: DirectoryService { DirectoryService(environment: environment) }

    package init(_ environment: IdentityEnvironment) {
        self.environment = environment
        passwords = PasswordService(environment)
    }

    // MARK: Finding

    package func find(_ id: ID<User>) async throws -> UserRecord? {
        if let (found, _) = try await directories.user(id) { return found.record }
        return try await environment.database.read("user.find") { try UserStore.find(id, $0) }.map(judged)
    }

    /// Our own users come first, also in a domain that has a directory: an operator's account works when the directory
    /// does not.
    package func find(name: String, in domain: ID<Domain>) async throws -> UserRecord? {
        let own = try await environment.database.read("user.find_name") {
            try UserStore.find(name: name, in: domain, $0)
        }
        if let own { return judged(own) }
        return try await directories.user(named: name, in: domain)
    }

    /// One more than the page holds, when there are more. Without a domain, the users of directories are not asked for.
    func list(_ filter: UserFilter, in group: GroupRecord? = nil, _ page: PageRequest) async throws -> [UserRecord] {
        if let group, !group.isLocal {
            return page.cut(try await directories.members(of: group).filter(filter.matches), \.id.text)
        }
        let (marker, limit) = (page.marker, page.limit)
        let own = try await environment.database.read("user.list") {
            try UserStore.list(filter, in: group?.id, after: marker, limit: limit, $0)
        }.map(judged)
        guard group == nil else { return own }
        let others = try await directories.users(filter)
        return others.isEmpty ? own : page.cut(own + others, \.id.text)
    }

    private func judged(_ user: UserRecord) -> UserRecord {
        user.judged(environment.settings, now: environment.clock.now)
    }

    /// The groups of a directory that a directory's user is in. Those of our own tables are looked up where they are
    /// used, in SQL, and are not among them.
    package func groupIDs(of user: UserRecord) async throws -> [ID<Group>] {
        if user.isLocal { return [] }
        return try await directories.groups(of: user).map(\.id)
    }

    // MARK: Sign-in

    /// Returns when the password is right and the user may sign in; throws 401 otherwise. nil stands for a user that
    /// does not exist, which takes as long to refuse as a wrong password.
    package func signIn(_ user: UserRecord?, password: String, by call: Call? = nil) async throws {
        guard let user else { try await passwords.refuse(password) }
        if user.isLocal { return try await passwords.signIn(user, password) }
        let domain = try await environment.database.read("domain.find") { try ProjectStore.findDomain(user.domain, $0) }
        guard let domain, domain.isEnabled, user.isEnabled, try await directories.accepts(user, password: password)
        else {
            throw PasswordService.refused
        }
    }

    /// Takes as long as signing in does: for whoever finds out otherwise that there is nobody to sign in.
    package func pretendToVerify(_ password: String) async throws { try await passwords.pretendToVerify(password) }

    func changePassword(of id: ID<User>, _ change: PasswordChange, by call: Call) async throws {
        guard let user = try await find(id) else { try await passwords.refuse(change.original) }
        guard user.isLocal else { throw DirectoryService.readOnly }
        try await passwords.change(of: user, change, by: call)
    }

    // MARK: Changes

    func create(_ creation: UserCreation, in domain: ID<Domain>, by call: Call) async throws -> UserRecord {
        try await directories.requireWritable(domain)
        var hash: String?
        if let password = creation.password { hash = try await passwords.hash(password) }
        let now = environment.clock.now
        var user = UserRecord(
            id: .random(environment.entropy), name: creation.name, domain: domain, isEnabled: creation.isEnabled,
            description: creation.description, defaultProject: creation.defaultProject, options: creation.options,
            extra: creation.extra, created: now)
        if environment.settings.inactiveDays > 0 { user.lastActiveDay = now.day }
        let new = user
        return try await change("user.create", new, by: call) { [hash] connection, changes in
            guard try ProjectStore.findDomain(domain, connection) != nil else {
                throw CloudError.notFound("domain", domain.text)
            }
            try Self.checkDefaultProject(new.defaultProject, connection)
            try UserStore.insert(new, connection)
            var stored = new
            if let hash {
                stored.passwordExpires = try passwords.store(hash, of: new, isSelfService: false, now: now, connection)
                    .expires
            }
            changes.record(.created, "user", new.id.text, domain: domain)
            return stored
        }
    }

    func update(_ user: UserRecord, _ update: UserUpdate, by call: Call) async throws -> UserRecord {
        guard user.isLocal else { throw DirectoryService.readOnly }
        var hash: String?
        if let password = update.password.value { hash = try await passwords.hash(password) }
        let now = environment.clock.now
        let settings = environment.settings
        let changed = try await change("user.update", update.applied(to: user), by: call) {
            [hash] connection, changes in
            guard let old = try UserStore.find(user.id, connection) else {
                throw CloudError.notFound("user", user.id.text)
            }
            var new = update.applied(to: old)
            if new.defaultProject != old.defaultProject { try Self.checkDefaultProject(new.defaultProject, connection) }
            if update.isEnabled == true { new.welcomeBack(settings, now: now) }
            try UserStore.update(new, connection)
            if let hash {
                new.passwordExpires = try passwords.store(hash, of: new, isSelfService: false, now: now, connection)
                    .expires
            } else if case .null = update.password {
                try PasswordStore.deleteAll(of: user.id, connection)
                new.passwordExpires = nil
            }
            changes.record(.updated, "user", user.id.text, domain: user.domain, touching: [.user(user.id)])
            let isDisabled = update.isEnabled == false && old.isEnabled
            if case .absent = update.password, !isDisabled { return new }
            changes.revoke(.user(user.id))
            return new
        }
        return judged(changed)
    }

    func delete(_ user: UserRecord, by call: Call) async throws {
        guard user.isLocal else { throw DirectoryService.readOnly }
        try await environment.change("user.delete", by: call) { connection, changes in
            try Removal.user(user.id, connection)
            try UserStore.delete(user.id, connection)
            changes.record(.deleted, "user", user.id.text, domain: user.domain, touching: [.user(user.id)])
            changes.revoke(.user(user.id))
        }
    }

    /// Ends every token of a user.
    func revokeTokens(of user: UserRecord, by call: Call) async throws {
        try await environment.change("user.revoke", by: call) { _, changes in
            changes.record(.updated, "user", user.id.text, domain: user.domain)
            changes.revoke(.user(user.id))
        }
    }

    private func change<T: Sendable>(
        _ name: StaticString, _ user: UserRecord, by call: Call,
        _ body: @escaping @Sendable (any Connection, inout Changes) throws -> T
    ) async throws -> T {
        do {
            return try await environment.change(name, by: call, body)
        } catch let error as DatabaseError where error.kind == .unique {
            throw CloudError.conflict(
                "Conflict occurred attempting to store user - Duplicate entry found with name \(user.name) at domain "
                    + "ID \(user.domain).")
        }
    }

    private static func checkDefaultProject(_ id: ID<Project>?, _ connection: any Connection) throws {
        // A project that does not exist may be named: nobody is given anything by it.
        guard let id, let project = try ProjectStore.find(id, connection), project.isDomain else { return }
        throw CloudError.badRequest(
            "Invalid input for field 'user.default_project_id': User's default project ID cannot be a domain ID: \(id)")
    }
}

extension UserRecord {
    /// Enabling a user ends a lock-out and counts as activity.
    fileprivate mutating func welcomeBack(_ settings: IdentitySettings, now: Instant) {
        failedAttempts = 0
        lastFailed = nil
        if settings.inactiveDays > 0 { lastActiveDay = now.day }
    }
}
