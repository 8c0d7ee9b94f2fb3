// SPDX-License-Identifier: Apache-2.0
// The tree of projects, upwards to the domain and downwards to the leaves, each by one recursive statement.

import Core
import Database

extension ProjectStore {
    /// Everything above a project, its parent first and its domain last.
    static func parents(of id: ID<Project>, _ connection: any Connection) throws -> [ProjectRecord] {
        try connection.rows(
            """
            WITH RECURSIVE line(id, parent_id, level) AS (
                SELECT id, parent_id, 0 FROM project WHERE id = $1
                UNION ALL SELECT p.id, p.parent_id, line.level + 1 FROM project p JOIN line ON p.id = line.parent_id)
            SELECT p.id, p.name, p.domain_id, p.parent_id, p.is_domain, p.enabled, p.description, p.options, p.extra,
                p.tags
            FROM line JOIN project p ON p.id = line.id WHERE line.level > 0 ORDER BY line.level
            """, [.id(id)]
        ).map(record)
    }

    /// Everything below a project, nearest first.
    static func subtree(of id: ID<Project>, _ connection: any Connection) throws -> [ProjectRecord] {
        try connection.rows(
            """
            WITH RECURSIVE below(id, level) AS (
                SELECT id, 1 FROM project WHERE parent_id = $1
                UNION ALL SELECT p.id, below.level + 1 FROM project p JOIN below ON p.parent_id = below.id)
            SELECT p.id, p.name, p.domain_id, p.parent_id, p.is_domain, p.enabled, p.description, p.options, p.extra,
                p.tags
            FROM below JOIN project p ON p.id = below.id ORDER BY below.level, p.id
            """, [.id(id)]
        ).map(record)
    }

    static func hasChildren(_ id: ID<Project>, _ connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM project WHERE parent_id = $1 LIMIT 1", [.id(id)]) != nil
    }

    static func hasEnabledSubtree(_ id: ID<Project>, _ connection: any Connection) throws -> Bool {
        try connection.row(
            """
            WITH RECURSIVE below(id, enabled) AS (
                SELECT id, enabled FROM project WHERE parent_id = $1
                UNION ALL SELECT p.id, p.enabled FROM project p JOIN below ON p.parent_id = below.id)
            SELECT 1 FROM below WHERE enabled = 1 LIMIT 1
            """, [.id(id)]) != nil
    }

    /// An immutable project of a domain, should there be one.
    static func immutableProject(in domain: ID<Domain>, _ connection: any Connection) throws -> ProjectRecord? {
        try connection.rows(
            """
            SELECT id, name, domain_id, parent_id, is_domain, enabled, description, options, extra, tags
            FROM project WHERE domain_id = $1 AND options <> '{}'
            """, [.id(domain)]
        ).lazy.map(record).first { $0.isImmutable }
    }
}
