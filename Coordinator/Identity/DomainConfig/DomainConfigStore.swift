// SPDX-License-Identifier: Apache-2.0
// Rows of the domains' own options. A value is JSON text, sealed when the option is sensitive.

import Core
import Database
import JSON

struct StoredOption: Sendable {
    let domain: ID<Domain>
    let group: String
    let name: String
    let value: [UInt8]
    let isSensitive: Bool
}

enum DomainConfigStore {
    static func options(of domain: ID<Domain>, _ connection: any Connection) throws -> [StoredOption] {
        try connection.rows(
            """
            SELECT domain_id, group_name, option_name, value, is_sensitive
            FROM domain_config WHERE domain_id = $1 ORDER BY group_name, option_name
            """, [.id(domain)]
        ).map { row in
            StoredOption(
                domain: row.id(0), group: row.text(1), name: row.text(2), value: row.blob(3), isSensitive: row.bool(4))
        }
    }

    /// Adds the option or replaces its value.
    static func put(_ option: StoredOption, _ connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO domain_config (domain_id, group_name, option_name, value, is_sensitive)
            VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (domain_id, group_name, option_name)
                DO UPDATE SET value = excluded.value, is_sensitive = excluded.is_sensitive
            """,
            [
                .id(option.domain), .text(option.group), .text(option.name), .blob(option.value),
                .bool(option.isSensitive),
            ])
    }

    static func delete(
        of domain: ID<Domain>, group: String? = nil, option: String? = nil, _ connection: any Connection
    ) throws {
        var query = Query("DELETE FROM domain_config")
        query.filter("domain_id = ?", .id(domain))
        if let group { query.filter("group_name = ?", .text(group)) }
        if let option { query.filter("option_name = ?", .text(option)) }
        try connection.execute(query)
    }
}
