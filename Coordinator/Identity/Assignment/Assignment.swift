// SPDX-License-Identifier: Apache-2.0
// Who has which role where. The actor is a user or a group, the target a project, a domain or the system; an inherited
// assignment counts on the projects below its target, not on the target itself.

import Core
import Database

package enum AssignmentActor: Hashable, Sendable {
    case user(ID<User>)
    case group(ID<Group>)

    var id: String {
        switch self {
        case .user(let id): id.text
        case .group(let id): id.text
        }
    }
    var kind: String {
        switch self {
        case .user: "user"
        case .group: "group"
        }
    }
}

package enum AssignmentTarget: Hashable, Sendable {
    case project(ID<Project>)
    case domain(ID<Domain>)
    case system

    var id: String {
        switch self {
        case .project(let id): id.text
        case .domain(let id): id.text
        case .system: "system"
        }
    }
    var kind: String {
        switch self {
        case .project: "project"
        case .domain: "domain"
        case .system: "system"
        }
    }
}

package struct Assignment: Hashable, Sendable {
    package var actor: AssignmentActor
    package var target: AssignmentTarget
    package var role: ID<Role>
    package var isInherited: Bool

    package init(_ actor: AssignmentActor, _ target: AssignmentTarget, _ role: ID<Role>, isInherited: Bool = false) {
        self.actor = actor
        self.target = target
        self.role = role
        self.isInherited = isInherited
    }
}

package enum AssignmentStore {
    /// Adds it; adding what is there changes nothing.
    package static func insert(_ assignment: Assignment, _ connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO assignment (actor_id, target_id, role_id, inherited, actor_kind, target_kind)
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
            """,
            [
                .text(assignment.actor.id), .text(assignment.target.id), .id(assignment.role),
                .bool(assignment.isInherited), .text(assignment.actor.kind), .text(assignment.target.kind),
            ])
    }

    /// Roles that a user, and the groups given, hold on a target, directly or by inheritance, before implications.
    /// Groups of our own tables are found here; `groups` are those of a directory.
    package static func roles(
        of user: ID<User>, groups: [ID<Group>], on target: AssignmentTarget, _ connection: any Connection
    ) throws -> Set<ID<Role>> {
        var query = Query(
            """
            WITH RECURSIVE actor(id) AS (
                SELECT group_id FROM membership WHERE user_id = ? UNION ALL SELECT CAST(? AS TEXT)
            """, .id(user), .id(user))
        for group in groups { query.append("UNION ALL SELECT CAST(? AS TEXT)", .id(group)) }
        if case .project(let project) = target {
            query.append(
                """
                ), line(id) AS (
                    SELECT parent_id FROM project WHERE id = ? AND is_domain = 0
                    UNION SELECT p.parent_id FROM project p JOIN line ON p.id = line.id WHERE p.parent_id IS NOT NULL)
                SELECT role_id FROM assignment WHERE actor_id IN (SELECT id FROM actor) AND inherited = 1
                    AND target_id IN (SELECT id FROM line)
                UNION
                """, .id(project))
        } else {
            query.append(")")
        }
        // Both halves go by actor and target together: someone with roles on a hundred thousand projects costs no more.
        query.append(
            """
            SELECT role_id FROM assignment WHERE actor_id IN (SELECT id FROM actor) AND inherited = 0 AND target_id = ?
            """, .text(target.id))
        return Set(try connection.rows(query).map { $0.id(0) })
    }
}
