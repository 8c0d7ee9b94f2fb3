// SPDX-License-Identifier: Apache-2.0
// The projects and domains a user has a role on: granted directly, through a group, or inherited from a domain or a
// project above. One statement each.

import Core
import Database
import HTTP

extension ProjectStore {
    /// Projects a user may scope to. Groups of our own tables are found here; `groups` are those of a directory.
    package static func projects(
        of user: ID<User>, groups: [ID<Group>] = [], enabledOnly: Bool = false, name: String? = nil,
        _ page: PageRequest, _ connection: any Connection
    ) throws -> [ProjectRecord] {
        var query = Query(
            "WITH RECURSIVE held(target_id, inherited) AS (SELECT target_id, inherited FROM assignment WHERE")
        appendActors(user, groups, to: &query)
        query.append(
            """
            ), below(id) AS (
                SELECT p.id FROM project p JOIN held ON held.target_id = p.parent_id AND held.inherited = 1
                UNION SELECT p.id FROM project p JOIN below ON p.parent_id = below.id)
            SELECT id, name, domain_id, parent_id, is_domain, enabled, description, options, extra, tags FROM project
            """)
        query.filter("is_domain = 0")
        query.filter("id IN (SELECT target_id FROM held WHERE inherited = 0 UNION SELECT id FROM below)")
        if enabledOnly {
            query.filter("enabled = 1")
            query.filter("domain_id IN (SELECT d.id FROM project d WHERE d.is_domain = 1 AND d.enabled = 1)")
        }
        if let name { query.filter("name = ?", .text(name)) }
        return try finish(&query, page, connection)
    }

    /// Domains a user may scope to: only roles on the domain itself count.
    package static func domains(
        of user: ID<User>, groups: [ID<Group>] = [], enabledOnly: Bool = false, _ page: PageRequest,
        _ connection: any Connection
    ) throws -> [ProjectRecord] {
        var query = Query(
            """
            SELECT id, name, domain_id, parent_id, is_domain, enabled, description, options, extra, tags FROM project
            """)
        query.filter("is_domain = 1")
        query.filter("id IN (SELECT target_id FROM assignment WHERE target_kind = 'domain' AND inherited = 0 AND")
        appendActors(user, groups, to: &query)
        query.append(")")
        if enabledOnly { query.filter("enabled = 1") }
        return try finish(&query, page, connection)
    }

    /// Ids of the projects a user has a role on; what a view of a tree is filtered by.
    static func projectIDs(of user: ID<User>, groups: [ID<Group>], _ connection: any Connection) throws -> Set<
        ID<Project>
    > {
        var query = Query(
            "WITH RECURSIVE held(target_id, inherited) AS (SELECT target_id, inherited FROM assignment WHERE")
        appendActors(user, groups, to: &query)
        query.append(
            """
            ), below(id) AS (
                SELECT p.id FROM project p JOIN held ON held.target_id = p.parent_id AND held.inherited = 1
                UNION SELECT p.id FROM project p JOIN below ON p.parent_id = below.id)
            SELECT target_id FROM held WHERE inherited = 0 UNION SELECT id FROM below
            """)
        return Set(try connection.rows(query).map { $0.id(0) })
    }

    private static func appendActors(_ user: ID<User>, _ groups: [ID<Group>], to query: inout Query) {
        query.append(
            """
            actor_id IN (SELECT group_id FROM membership WHERE user_id = ? UNION ALL SELECT CAST(? AS TEXT)
            """, .id(user), .id(user))
        for group in groups { query.append("UNION ALL SELECT CAST(? AS TEXT)", .id(group)) }
        query.append(")")
    }
}
