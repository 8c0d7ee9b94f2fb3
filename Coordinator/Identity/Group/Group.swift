// SPDX-License-Identifier: Apache-2.0
// A group of users, from our own tables or from a directory.

import Core
import Database
import HTTP
import JSON

package struct GroupRecord: Sendable, PolicyTarget {
    package var id: ID<Group>
    package var name: String
    package var domain: ID<Domain>
    package var description: String
    package var extra: JSON.Object
    package var isLocal: Bool

    package init(
        id: ID<Group>, name: String, domain: ID<Domain>, description: String = "", extra: JSON.Object = [:], isLocal: Bool = true
    ) {
        self.id = id
        self.name = name
        self.domain = domain
        self.description = description
        self.extra = extra
        self.isLocal = isLocal
    }

    package func policyAttribute(_ name: String) -> String? {
        switch name {
        case "target.group.id": id.text
        case "target.group.domain_id": domain.text
        default: nil
        }
    }
}

package enum GroupStore {
    static func record(_ row: Row) -> GroupRecord {
        GroupRecord(
            id: row.id(0), name: row.text(1), domain: row.id(2), description: row.text(3),
            extra: StoredJSON.object(row.text(4)))
    }

    package static func find(_ id: ID<Group>, _ connection: any Connection) throws -> GroupRecord? {
        try connection.row("SELECT id, name, domain_id, description, extra FROM user_group WHERE id = $1", [.id(id)]).map(record)
    }

    /// Groups of our own tables that a user is in; a directory's are asked of the directory.
    package static func groupIDs(of user: ID<User>, _ connection: any Connection) throws -> [ID<Group>] {
        try connection.rows("SELECT group_id FROM membership WHERE user_id = $1", [.id(user)]).map { $0.id(0) }
    }
}
