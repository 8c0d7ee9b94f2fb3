// SPDX-License-Identifier: Apache-2.0
// SQL of groups and memberships of our own tables.

import Core
import Database
import JSON

package enum GroupStore {
    static func record(_ row: Row) -> GroupRecord {
        GroupRecord(
            id: row.id(0), name: row.text(1), domain: row.id(2), description: row.text(3),
            extra: StoredJSON.object(row.text(4)))
    }

    package static func find(_ id: ID<Group>, _ connection: any Connection) throws -> GroupRecord? {
        try connection.row("SELECT id, name, domain_id, description, extra FROM user_group WHERE id = $1", [.id(id)])
            .map(record)
    }

    package static func find(name: String, in domain: ID<Domain>, _ connection: any Connection) throws -> GroupRecord? {
        try connection.row(
            """
            SELECT id, name, domain_id, description, extra FROM user_group WHERE domain_id = $1 AND name = $2
            """, [.id(domain), .text(name)]
        ).map(record)
    }

    /// One row more than asked for, when there are more. `user` narrows to the groups it is in.
    static func list(
        _ filter: GroupFilter, of user: ID<User>? = nil, after marker: String?, limit: Int, _ connection: any Connection
    ) throws -> [GroupRecord] {
        var query = Query("SELECT id, name, domain_id, description, extra FROM user_group")
        if let user { query.filter("id IN (SELECT group_id FROM membership WHERE user_id = ?)", .id(user)) }
        filter.apply(to: &query)
        if let marker { query.filter("id > ?", .text(marker)) }
        query.append("ORDER BY id LIMIT ?", .int(Int64(limit) + 1))
        return try connection.rows(query).map(record)
    }

    /// Groups of our own tables that a user is in; a directory's are asked of the directory.
    package static func groupIDs(of user: ID<User>, _ connection: any Connection) throws -> [ID<Group>] {
        try connection.rows("SELECT group_id FROM membership WHERE user_id = $1", [.id(user)]).map { $0.id(0) }
    }

    package static func insert(_ group: GroupRecord, _ connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO user_group (id, name, domain_id, description, extra) VALUES ($1, $2, $3, $4, $5)
            """,
            [
                .id(group.id), .text(group.name), .id(group.domain), .text(group.description),
                .text(StoredJSON.text(group.extra)),
            ])
    }

    static func update(_ group: GroupRecord, _ connection: any Connection) throws {
        try connection.execute(
            "UPDATE user_group SET name = $2, description = $3, extra = $4 WHERE id = $1",
            [.id(group.id), .text(group.name), .text(group.description), .text(StoredJSON.text(group.extra))])
    }

    static func delete(_ id: ID<Group>, _ connection: any Connection) throws {
        try connection.execute("DELETE FROM user_group WHERE id = $1", [.id(id)])
    }

    /// Whether the group holds a role anywhere, so that its members' tokens rest on it.
    static func hasAssignments(_ id: ID<Group>, _ connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM assignment WHERE actor_id = $1 LIMIT 1", [.id(id)]) != nil
    }

    // MARK: Memberships

    static func isMember(_ user: ID<User>, of group: ID<Group>, _ connection: any Connection) throws -> Bool {
        try connection.row(
            "SELECT 1 FROM membership WHERE user_id = $1 AND group_id = $2", [.id(user), .id(group)]) != nil
    }

    /// Adding a member twice changes nothing; returns whether it was new.
    static func add(_ user: ID<User>, to group: ID<Group>, _ connection: any Connection) throws -> Bool {
        try connection.execute(
            "INSERT INTO membership (user_id, group_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            [.id(user), .id(group)]) > 0
    }

    /// Whether the user was a member.
    static func remove(_ user: ID<User>, from group: ID<Group>, _ connection: any Connection) throws -> Bool {
        try connection.execute(
            "DELETE FROM membership WHERE user_id = $1 AND group_id = $2", [.id(user), .id(group)]) > 0
    }
}
