// SPDX-License-Identifier: Apache-2.0
// SQL of single grants, and of what a removed grant reaches.

import Core
import Database

extension AssignmentStore {
    static func contains(_ assignment: Assignment, _ connection: any Connection) throws -> Bool {
        try connection.row(
            """
            SELECT 1 FROM assignment
            WHERE actor_id = $1 AND target_id = $2 AND role_id = $3 AND inherited = $4
                AND actor_kind = $5 AND target_kind = $6
            """, key(assignment)) != nil
    }

    /// False when there was none.
    static func delete(_ assignment: Assignment, _ connection: any Connection) throws -> Bool {
        try connection.execute(
            """
            DELETE FROM assignment
            WHERE actor_id = $1 AND target_id = $2 AND role_id = $3 AND inherited = $4
                AND actor_kind = $5 AND target_kind = $6
            """, key(assignment)) > 0
    }

    private static func key(_ assignment: Assignment) -> [SQLValue] {
        [
            .text(assignment.actor.id), .text(assignment.target.id), .id(assignment.role),
            .bool(assignment.isInherited),
            .text(assignment.actor.kind), .text(assignment.target.kind),
        ]
    }

    /// Roles granted to an actor itself on a target itself, sorted by id.
    static func granted(
        to actor: AssignmentActor, on target: AssignmentTarget, isInherited: Bool, _ connection: any Connection
    ) throws -> [RoleRecord] {
        try connection.rows(
            """
            SELECT r.id, r.name, r.domain_id, r.description, r.options, r.extra
            FROM assignment a JOIN role r ON r.id = a.role_id
            WHERE a.actor_id = $1 AND a.target_id = $2 AND a.inherited = $3 AND a.actor_kind = $4 AND a.target_kind = $5
            ORDER BY r.id
            """, [.text(actor.id), .text(target.id), .bool(isInherited), .text(actor.kind), .text(target.kind)]
        )
        .map(RoleStore.record)
    }

    /// Members of a group of our own tables; at most `limit`.
    static func members(of group: ID<Group>, limit: Int, _ connection: any Connection) throws -> [ID<User>] {
        try connection.rows(
            "SELECT user_id FROM membership WHERE group_id = $1 LIMIT $2", [.id(group), .int(Int64(limit))]
        ).map { $0.id(0) }
    }

    /// The projects below a project; at most `limit`.
    static func descendants(of project: ID<Project>, limit: Int, _ connection: any Connection) throws -> [ID<Project>] {
        try connection.rows(
            """
            WITH RECURSIVE below(id) AS (
                SELECT id FROM project WHERE parent_id = $1
                UNION SELECT p.id FROM project p JOIN below ON p.parent_id = below.id)
            SELECT id FROM below LIMIT $2
            """, [.id(project), .int(Int64(limit))]
        ).map { $0.id(0) }
    }
}
