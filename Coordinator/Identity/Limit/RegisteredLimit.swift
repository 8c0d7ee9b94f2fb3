// SPDX-License-Identifier: Apache-2.0
// What everyone may use of a resource of a service: the standard that limits of single projects and domains override.

import Core
import Database
import HTTP

struct RegisteredLimitRecord: Sendable, Equatable {
    let id: ID<RegisteredLimit>
    var service: ID<CatalogService>
    var region: ID<Region>?
    var resource: String
    /// -1: no limit.
    var standard: Int
    var description: String?
}

/// What both lists of limits may be narrowed by.
struct LimitFilter: Sendable {
    var service: String?
    var region: String?
    var resource: String?
    var project: String?
    var domain: String?
    /// Only limits of this project.
    var visibleProject: ID<Project>?
    /// Only limits of this domain and of its projects.
    var visibleDomain: ID<Domain>?

    init(_ query: QueryParameters) {
        service = query["service_id"]
        region = query["region_id"]
        resource = query["resource_name"]
        project = query["project_id"]
        domain = query["domain_id"]
    }
}

enum RegisteredLimitStore {
    static func record(_ row: Row) -> RegisteredLimitRecord {
        RegisteredLimitRecord(
            id: row.id(0), service: row.id(1), region: row.optionalID(2), resource: row.text(3),
            standard: Int(row.int(4)),
            description: row.optionalText(5))
    }

    static func find(_ id: ID<RegisteredLimit>, _ connection: any Connection) throws -> RegisteredLimitRecord? {
        try connection.row(
            """
            SELECT id, service_id, region_id, resource_name, default_limit, description
            FROM registered_limit WHERE id = $1
            """, [.id(id)]
        ).map(record)
    }

    /// The one that limits of this resource rest on.
    static func find(
        service: ID<CatalogService>, region: ID<Region>?, resource: String, _ connection: any Connection
    ) throws -> RegisteredLimitRecord? {
        try connection.row(
            """
            SELECT id, service_id, region_id, resource_name, default_limit, description FROM registered_limit
            WHERE service_id = $1 AND COALESCE(region_id, '') = $2 AND resource_name = $3
            """, [.id(service), .text(region?.text ?? ""), .text(resource)]
        ).map(record)
    }

    static func list(_ filter: LimitFilter, _ page: PageRequest, _ connection: any Connection) throws
        -> [RegisteredLimitRecord]
    {
        var query = Query(
            "SELECT id, service_id, region_id, resource_name, default_limit, description FROM registered_limit")
        if let service = filter.service { query.filter("service_id = ?", .text(service)) }
        if let region = filter.region { query.filter("region_id = ?", .text(region)) }
        if let resource = filter.resource { query.filter("resource_name = ?", .text(resource)) }
        if let marker = page.marker { query.filter("id > ?", .text(marker)) }
        query.append("ORDER BY id LIMIT ?", .int(Int64(page.limit) + 1))
        return try connection.rows(query).map(record)
    }

    static func insert(_ limit: RegisteredLimitRecord, _ connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO registered_limit (id, service_id, region_id, resource_name, default_limit, description)
            VALUES ($1, $2, $3, $4, $5, $6)
            """, values(limit))
    }

    static func update(_ limit: RegisteredLimitRecord, _ connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE registered_limit
            SET service_id = $2, region_id = $3, resource_name = $4, default_limit = $5, description = $6 WHERE id = $1
            """, values(limit))
    }

    private static func values(_ limit: RegisteredLimitRecord) -> [SQLValue] {
        [
            .id(limit.id), .id(limit.service), .id(limit.region), .text(limit.resource), .int(Int64(limit.standard)),
            .optional(limit.description),
        ]
    }

    static func delete(_ id: ID<RegisteredLimit>, _ connection: any Connection) throws {
        try connection.execute("DELETE FROM registered_limit WHERE id = $1", [.id(id)])
    }

    /// Whether limits of projects or domains rest on it.
    static func isReferenced(_ id: ID<RegisteredLimit>, _ connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM project_limit WHERE registered_limit_id = $1 LIMIT 1", [.id(id)]) != nil
    }

    static func serviceExists(_ id: ID<CatalogService>, _ connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM service WHERE id = $1", [.id(id)]) != nil
    }

    static func regionExists(_ id: ID<Region>, _ connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM region WHERE id = $1", [.id(id)]) != nil
    }
}
