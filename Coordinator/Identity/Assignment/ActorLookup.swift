// SPDX-License-Identifier: Apache-2.0
// Finds the users and groups that assignments, trusts and application credentials point at.

import Core

struct ActorLookup: Sendable {
    private let users: UserService
    private let groups: GroupService

    init(environment: IdentityEnvironment) {
        users = UserService(environment)
        groups = GroupService(environment)
    }

    func user(_ id: ID<User>) async throws -> UserRecord? { try await users.find(id) }

    func group(_ id: ID<Group>) async throws -> GroupRecord? { try await groups.find(id) }

    /// The groups of a directory's user; none for a user of our own tables, whose groups SQL finds.
    func directoryGroups(of id: ID<User>) async throws -> [ID<Group>] {
        guard let user = try await users.find(id), !user.isLocal else { return [] }
        return try await users.groupIDs(of: user)
    }
}
