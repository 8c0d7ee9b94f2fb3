// SPDX-License-Identifier: Apache-2.0
// SQL of application credentials: one statement with their roles, one with their access rules.

import Core
import Database

package enum ApplicationCredentialStore {
    package static func find(_ id: ID<ApplicationCredential>, _ connection: any Connection) throws
        -> ApplicationCredentialRecord?
    {
        var records = collect(
            try connection.rows(
                """
                SELECT c.id, c.name, c.user_id, c.project_id, c.description, c.secret_hash, c.expires,
                    c.is_unrestricted, r.role_id
                FROM application_credential c
                LEFT JOIN application_credential_role r ON r.application_credential_id = c.id
                WHERE c.id = $1 ORDER BY r.role_id
                """, [.id(id)]))
        try addRules(&records, connection)
        return records.first
    }

    package static func find(
        name: String, user: ID<User>, _ connection: any Connection
    ) throws -> ApplicationCredentialRecord? {
        var records = collect(
            try connection.rows(
                """
                SELECT c.id, c.name, c.user_id, c.project_id, c.description, c.secret_hash, c.expires,
                    c.is_unrestricted, r.role_id
                FROM application_credential c
                LEFT JOIN application_credential_role r ON r.application_credential_id = c.id
                WHERE c.user_id = $1 AND c.name = $2 ORDER BY r.role_id
                """, [.id(user), .text(name)]))
        try addRules(&records, connection)
        return records.first
    }

    /// A page of a user's, in order of id, with one more when there are more.
    static func list(
        of user: ID<User>, _ names: NameFilter, after marker: String?, limit: Int, _ connection: any Connection
    ) throws -> [ApplicationCredentialRecord] {
        var query = Query(
            """
            SELECT c.id, c.name, c.user_id, c.project_id, c.description, c.secret_hash, c.expires, c.is_unrestricted,
                r.role_id
            FROM (SELECT id, name, user_id, project_id, description, secret_hash, expires, is_unrestricted
                FROM application_credential
            """)
        query.filter("user_id = ?", .id(user))
        names.apply(to: &query)
        if let marker { query.filter("id > ?", .text(marker)) }
        query.append("ORDER BY id LIMIT ?", .int(Int64(limit) + 1))
        query.append(
            """
            ) c LEFT JOIN application_credential_role r ON r.application_credential_id = c.id ORDER BY c.id, r.role_id
            """)
        var records = collect(try connection.rows(query))
        try addRules(&records, connection)
        return records
    }

    /// Rows of one credential follow each other, one for each role.
    private static func collect(_ rows: [Row]) -> [ApplicationCredentialRecord] {
        var records: [ApplicationCredentialRecord] = []
        for row in rows {
            if records.last?.id.text != row.text(0) {
                records.append(
                    ApplicationCredentialRecord(
                        id: row.id(0), name: row.text(1), user: row.id(2), project: row.id(3),
                        description: row.optionalText(4),
                        secretHash: row.text(5), expires: row.optionalTime(6), isUnrestricted: row.bool(7), roles: [],
                        rules: []))
            }
            if let role: ID<Role> = row.optionalID(8) { records[records.count - 1].roles.append(role) }
        }
        return records
    }

    private static func addRules(_ records: inout [ApplicationCredentialRecord], _ connection: any Connection) throws {
        guard !records.isEmpty else { return }
        var query = Query(
            """
            SELECT l.application_credential_id, a.id, a.service, a.method, a.path
            FROM application_credential_access_rule l JOIN access_rule a ON a.id = l.access_rule_id
            """)
        query.filter("l.application_credential_id", in: records.map { .id($0.id) })
        query.append("ORDER BY a.id")
        let rules = Dictionary(grouping: try connection.rows(query)) { $0.text(0) }
        for i in records.indices {
            records[i].rules =
                rules[records[i].id.text]?.map {
                    AccessRuleRecord(id: $0.id(1), service: $0.text(2), method: $0.text(3), path: $0.text(4))
                } ?? []
        }
    }

    static func insert(_ record: ApplicationCredentialRecord, _ connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO application_credential
                (id, name, user_id, project_id, description, secret_hash, expires, is_unrestricted)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            """,
            [
                .id(record.id), .text(record.name), .id(record.user), .id(record.project),
                .optional(record.description),
                .text(record.secretHash), .time(record.expires), .bool(record.isUnrestricted),
            ])
        for role in record.roles {
            try connection.execute(
                "INSERT INTO application_credential_role (application_credential_id, role_id) VALUES ($1, $2)",
                [.id(record.id), .id(role)])
        }
        for rule in record.rules {
            try connection.execute(
                """
                INSERT INTO application_credential_access_rule (application_credential_id, access_rule_id)
                VALUES ($1, $2)
                """,
                [.id(record.id), .id(rule.id)])
        }
    }

    static func delete(_ id: ID<ApplicationCredential>, _ connection: any Connection) throws {
        try connection.execute("DELETE FROM application_credential WHERE id = $1", [.id(id)])
    }

    /// What a user's credentials hold, one element for each role of each.
    static func roles(
        of user: ID<User>, _ connection: any Connection
    ) throws -> [(credential: ID<ApplicationCredential>, project: ID<Project>, role: ID<Role>)] {
        try connection.rows(
            """
            SELECT c.id, c.project_id, r.role_id
            FROM application_credential c JOIN application_credential_role r ON r.application_credential_id = c.id
            WHERE c.user_id = $1
            """, [.id(user)]
        ).map { ($0.id(0), $0.id(1), $0.id(2)) }
    }
}

enum AccessRuleStore {
    private static func record(_ row: Row) -> AccessRuleRecord {
        AccessRuleRecord(id: row.id(0), service: row.text(1), method: row.text(2), path: row.text(3))
    }

    static func find(_ id: ID<AccessRule>, of user: ID<User>, _ connection: any Connection) throws -> AccessRuleRecord?
    {
        try connection.row(
            "SELECT id, service, method, path FROM access_rule WHERE id = $1 AND user_id = $2", [.id(id), .id(user)]
        ).map(record)
    }

    /// The user's rule of this content, made when there is none.
    static func obtain(
        _ rule: AccessRuleRecord, of user: ID<User>, _ connection: any Connection
    ) throws -> AccessRuleRecord {
        try connection.execute(
            """
            INSERT INTO access_rule (id, user_id, service, path, method)
            VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING
            """, [.id(rule.id), .id(user), .text(rule.service), .text(rule.path), .text(rule.method)])
        let found = try connection.row(
            """
            SELECT id, service, method, path FROM access_rule
            WHERE user_id = $1 AND service = $2 AND path = $3 AND method = $4
            """, [.id(user), .text(rule.service), .text(rule.path), .text(rule.method)])
        guard let found else { throw CloudError.internalError("an access rule just stored is not there") }
        return record(found)
    }

    static func list(
        of user: ID<User>, service: String?, path: String?, method: String?, after marker: String?, limit: Int,
        _ connection: any Connection
    ) throws -> [AccessRuleRecord] {
        var query = Query("SELECT id, service, method, path FROM access_rule")
        query.filter("user_id = ?", .id(user))
        if let service { query.filter("service = ?", .text(service)) }
        if let path { query.filter("path = ?", .text(path)) }
        if let method { query.filter("method = ?", .text(method)) }
        if let marker { query.filter("id > ?", .text(marker)) }
        query.append("ORDER BY id LIMIT ?", .int(Int64(limit) + 1))
        return try connection.rows(query).map(record)
    }

    static func delete(_ id: ID<AccessRule>, _ connection: any Connection) throws {
        try connection.execute("DELETE FROM access_rule WHERE id = $1", [.id(id)])
    }
}
