// SPDX-License-Identifier: Apache-2.0
// SQL of the list of role assignments: one statement a page, whatever the filters, in the order target, actor, role.
//
// Effective lists expand groups and inheritance in SQL:
//     line      the projects and the domain above the project asked for
//     scope     that project and, if asked, those below it
//     reach     (source, id): an inherited grant on source counts on project id
//     base      grants as they count on their targets, before groups
//     expanded  one row per user; via_group and source_id tell how it came about

import Core
import Database

struct AssignmentMarker: Sendable {
    let parts: [String]

    /// Five ids, or four and a flag; refused when it is not what a list gave.
    init?(_ text: String, isEffective: Bool) {
        parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == (isEffective ? 5 : 4) else { return nil }
        if !isEffective, Int64(parts[3]) == nil { return nil }
    }

    static func text(_ parts: String...) -> String { parts.joined(separator: ":") }
}

enum AssignmentListStore {
    /// A page, with one row more when there are more. `groups`: those of the user asked for, when a directory keeps
    /// them. `roles`: only these given roles.
    static func rows(
        _ filter: AssignmentFilter, groups: [ID<Group>], roles: Set<ID<Role>>?, after marker: AssignmentMarker?,
        limit: Int,
        _ connection: any Connection
    ) throws -> [ListedAssignment] {
        var query =
            filter.isEffective
            ? effective(filter, groups: groups, roles: roles, after: marker)
            : direct(filter, after: marker)
        query.append("LIMIT ?", .int(Int64(limit) + 1))
        if filter.includesNames { query.append(namesTail) }
        return try connection.rows(query).map {
            listed($0, hasNames: filter.includesNames, isEffective: filter.isEffective)
        }
    }

    // MARK: As stored

    private static func direct(_ filter: AssignmentFilter, after marker: AssignmentMarker?) -> Query {
        var query = Query("")
        if filter.includesSubtree, let project = filter.project {
            query.append(
                """
                WITH RECURSIVE scope(id) AS (
                    SELECT id FROM project WHERE id = ?
                    UNION SELECT p.id FROM project p JOIN scope ON p.parent_id = scope.id),
                -- Found first, ordered after: PostgreSQL would else walk all grants in order, looking for the few.
                found AS MATERIALIZED (
                    SELECT target_id, target_kind, actor_id, actor_kind, role_id, inherited
                    FROM assignment WHERE target_id IN (SELECT id FROM scope))
                """, .id(project))
        }
        if filter.includesNames { query.append(namesHead) }
        query.append(
            """
            SELECT a.target_id, a.target_kind, a.actor_id, a.actor_kind, a.role_id, a.inherited,
                CAST(NULL AS TEXT) AS via_group,
                CAST(NULL AS TEXT) AS source_id, CAST(NULL AS TEXT) AS source_kind
            """)
        query.append(filter.includesSubtree ? "FROM found a" : "FROM assignment a")
        if let user = filter.user { query.filter("a.actor_id = ? AND a.actor_kind = 'user'", .id(user)) }
        if let group = filter.group { query.filter("a.actor_id = ? AND a.actor_kind = 'group'", .id(group)) }
        if let role = filter.role { query.filter("a.role_id = ?", .id(role)) }
        // Written out, not bound: the index of inherited grants is found by the text.
        if let isInherited = filter.isInherited { query.filter(isInherited ? "a.inherited = 1" : "a.inherited = 0") }
        if let domain = filter.domain { query.filter("a.target_id = ? AND a.target_kind = 'domain'", .id(domain)) }
        if filter.isSystem { query.filter("a.target_id = 'system' AND a.target_kind = 'system'") }
        if let project = filter.project {
            if !filter.includesSubtree { query.filter("a.target_id = ?", .id(project)) }
            query.filter("a.target_kind = 'project'")
        }
        if let domain = filter.within {
            query.filter(
                "a.target_id IN (SELECT id FROM project WHERE domain_id = ? UNION ALL SELECT CAST(? AS TEXT))",
                .id(domain), .id(domain))
        }
        if let parts = marker?.parts {
            query.filter(
                "(a.target_id, a.actor_id, a.role_id, a.inherited) > (?, ?, ?, ?)",
                .text(parts[0]), .text(parts[1]), .text(parts[2]), .int(Int64(parts[3]) ?? 0))
        }
        query.append("ORDER BY a.target_id, a.actor_id, a.role_id, a.inherited")
        return query
    }

    // MARK: As they count

    private static func effective(
        _ filter: AssignmentFilter, groups: [ID<Group>], roles: Set<ID<Role>>?, after marker: AssignmentMarker?
    ) -> Query {
        var query = Query("WITH RECURSIVE")
        let hasReach = addReach(filter, groups, roles, &query)
        query.append("base(target_id, target_kind, actor_id, actor_kind, role_id, source_id, source_kind) AS (")
        if filter.isInherited != true { addDirect(filter, groups, roles, &query) }
        if filter.isInherited == nil, hasReach { query.append("UNION ALL") }
        if filter.isInherited != false, hasReach { addInherited(filter, groups, roles, &query) }
        query.append("), expanded(target_id, target_kind, actor_id, role_id, via_group, source_id, source_kind) AS (")
        query.append(
            """
            SELECT target_id, target_kind, actor_id, role_id, CAST(NULL AS TEXT), source_id, source_kind
            FROM base WHERE actor_kind = 'user' UNION ALL
            """)
        if let user = filter.user {
            query.append(
                """
                SELECT target_id, target_kind, CAST(? AS TEXT), role_id, actor_id, source_id, source_kind
                FROM base WHERE actor_kind = 'group')
                """, .id(user))
        } else {
            query.append(
                """
                SELECT b.target_id, b.target_kind, m.user_id, b.role_id, b.actor_id, b.source_id, b.source_kind
                FROM base b JOIN membership m ON m.group_id = b.actor_id WHERE b.actor_kind = 'group')
                """)
        }
        if filter.includesNames { query.append(namesHead) }
        query.append(
            """
            SELECT e.target_id, e.target_kind, e.actor_id, 'user' AS actor_kind, e.role_id,
                CASE WHEN e.source_id IS NULL THEN 0 ELSE 1 END AS inherited, e.via_group, e.source_id, e.source_kind
            FROM expanded e
            """)
        if let parts = marker?.parts {
            query.append(
                """
                WHERE (e.target_id, e.actor_id, e.role_id, COALESCE(e.via_group, ''), COALESCE(e.source_id, ''))
                    > (?, ?, ?, ?, ?)
                """, .text(parts[0]), .text(parts[1]), .text(parts[2]), .text(parts[3]), .text(parts[4]))
        }
        query.append(
            """
            ORDER BY e.target_id, e.actor_id, e.role_id, COALESCE(e.via_group, ''), COALESCE(e.source_id, '')
            """)
        return query
    }

    /// False when nothing inherited can count: on a domain and on the system only direct grants do.
    private static func addReach(
        _ filter: AssignmentFilter, _ groups: [ID<Group>], _ roles: Set<ID<Role>>?, _ query: inout Query
    ) -> Bool {
        if filter.domain != nil || filter.isSystem { return false }
        guard let project = filter.project else {
            query.append(
                """
                reach(source, id) AS (
                    SELECT s.target_id, p.id FROM (SELECT DISTINCT a.target_id FROM assignment a WHERE a.inherited = 1
                """)
            addActors(filter, groups, roles, &query)
            query.append(
                """
                    ) s JOIN project p ON p.parent_id = s.target_id
                    UNION SELECT reach.source, p.id FROM reach JOIN project p ON p.parent_id = reach.id),
                """)
            return true
        }
        query.append(
            """
            line(id) AS (
                SELECT parent_id FROM project WHERE id = ? AND is_domain = 0
                UNION SELECT p.parent_id FROM project p JOIN line ON p.id = line.id WHERE p.parent_id IS NOT NULL),
            """, .id(project))
        if filter.includesSubtree {
            query.append(
                """
                scope(id) AS (
                    SELECT id FROM project WHERE id = ?
                    UNION SELECT p.id FROM project p JOIN scope ON p.parent_id = scope.id),
                below(source, id) AS (
                    SELECT scope.id, p.id FROM scope JOIN project p ON p.parent_id = scope.id
                    UNION SELECT below.source, p.id FROM below JOIN project p ON p.parent_id = below.id),
                reach(source, id) AS (
                    SELECT line.id, scope.id FROM line CROSS JOIN scope UNION ALL SELECT source, id FROM below),
                """, .id(project))
        } else {
            query.append("reach(source, id) AS (SELECT line.id, CAST(? AS TEXT) FROM line),", .id(project))
        }
        return true
    }

    private static func addDirect(
        _ filter: AssignmentFilter, _ groups: [ID<Group>], _ roles: Set<ID<Role>>?, _ query: inout Query
    ) {
        query.append(
            """
            SELECT a.target_id, a.target_kind, a.actor_id, a.actor_kind, a.role_id,
                CAST(NULL AS TEXT), CAST(NULL AS TEXT)
            FROM assignment a WHERE a.inherited = 0
            """)
        if let project = filter.project {
            if filter.includesSubtree {
                query.append("AND a.target_kind = 'project' AND a.target_id IN (SELECT id FROM scope)")
            } else {
                query.append("AND a.target_kind = 'project' AND a.target_id = ?", .id(project))
            }
        } else if let domain = filter.domain {
            query.append("AND a.target_kind = 'domain' AND a.target_id = ?", .id(domain))
        } else if filter.isSystem {
            query.append("AND a.target_kind = 'system' AND a.target_id = 'system'")
        } else {
            query.append("AND a.target_kind <> 'system'")
        }
        if let domain = filter.within {
            query.append(
                "AND a.target_id IN (SELECT id FROM project WHERE domain_id = ? UNION ALL SELECT CAST(? AS TEXT))",
                .id(domain), .id(domain))
        }
        addActors(filter, groups, roles, &query)
    }

    private static func addInherited(
        _ filter: AssignmentFilter, _ groups: [ID<Group>], _ roles: Set<ID<Role>>?, _ query: inout Query
    ) {
        query.append(
            """
            SELECT reach.id, 'project', a.actor_id, a.actor_kind, a.role_id, a.target_id, a.target_kind
            FROM assignment a JOIN reach ON reach.source = a.target_id WHERE a.inherited = 1
            """)
        if let domain = filter.within {
            query.append("AND reach.id IN (SELECT id FROM project WHERE domain_id = ?)", .id(domain))
        }
        addActors(filter, groups, roles, &query)
    }

    private static func addActors(
        _ filter: AssignmentFilter, _ groups: [ID<Group>], _ roles: Set<ID<Role>>?, _ query: inout Query
    ) {
        if let user = filter.user {
            query.append(
                "AND a.actor_id IN (SELECT group_id FROM membership WHERE user_id = ? UNION ALL SELECT CAST(? AS TEXT)",
                .id(user), .id(user))
            for group in groups { query.append("UNION ALL SELECT CAST(? AS TEXT)", .id(group)) }
            query.append(")")
        }
        if let roles {
            query.append("AND a.role_id IN (''")
            for role in roles.sorted() { query.append(", ?", .id(role)) }
            query.append(")")
        }
    }

    // MARK: Names

    private static let namesHead: StaticString = """
        SELECT x.target_id, x.target_kind, x.actor_id, x.actor_kind, x.role_id, x.inherited, x.via_group, x.source_id,
            x.source_kind, COALESCE(u.name, g.name), COALESCE(u.domain_id, g.domain_id), ad.name, t.name, t.domain_id,
            td.name, rd.name
        FROM (
        """

    private static let namesTail: StaticString = """
        ) x LEFT JOIN user_account u ON x.actor_kind = 'user' AND u.id = x.actor_id
        LEFT JOIN user_group g ON x.actor_kind = 'group' AND g.id = x.actor_id
        LEFT JOIN project ad ON ad.id = COALESCE(u.domain_id, g.domain_id)
        LEFT JOIN project t ON t.id = x.target_id LEFT JOIN project td ON td.id = t.domain_id
        LEFT JOIN role r ON r.id = x.role_id LEFT JOIN project rd ON rd.id = r.domain_id
        ORDER BY x.target_id, x.actor_id, x.role_id, COALESCE(x.via_group, ''), COALESCE(x.source_id, ''), x.inherited
        """

    // MARK: Rows

    private static func listed(_ row: Row, hasNames: Bool, isEffective: Bool) -> ListedAssignment {
        let marker =
            isEffective
            ? AssignmentMarker.text(row.text(0), row.text(2), row.text(4), row.text(6), row.text(7))
            : AssignmentMarker.text(row.text(0), row.text(2), row.text(4), row.bool(5) ? "1" : "0")
        var assignment = ListedAssignment(
            actor: row.text(3) == "group" ? .group(row.id(2)) : .user(row.id(2)),
            target: target(row.text(1), row.text(0)),
            role: row.id(4), isInherited: row.bool(5), group: row.optionalID(6),
            source: row.optionalText(7).map { target(row.text(8), $0) }, prior: nil, given: row.id(4), marker: marker)
        if hasNames {
            assignment.names = .init(
                actor: row.text(9), actorDomain: row.text(10), actorDomainName: row.text(11), target: row.text(12),
                targetDomain: row.text(13), targetDomainName: row.text(14), roleDomainName: row.text(15))
        }
        return assignment
    }

    private static func target(_ kind: String, _ id: String) -> AssignmentTarget {
        switch kind {
        case "project": .project(ID(id))
        case "domain": .domain(ID(id))
        default: .system
        }
    }
}
