// SPDX-License-Identifier: Apache-2.0
// Finds the users and groups that assignments, trusts and application credentials point at.

import Core
import Database

struct ActorLookup: Sendable {
    let environment: IdentityEnvironment

    func user(_ id: ID<User>) async throws -> UserRecord? {
        try await environment.database.read("user.find") { try UserStore.find(id, $0) }
    }

    func group(_ id: ID<Group>) async throws -> GroupRecord? {
        try await environment.database.read("group.find") { try GroupStore.find(id, $0) }
    }

    /// The groups of a directory's user; none for a user of our own tables, whose groups SQL finds.
    func directoryGroups(of user: ID<User>) async throws -> [ID<Group>] { [] }
}
