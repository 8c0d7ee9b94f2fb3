// SPDX-License-Identifier: Apache-2.0
// Services and endpoints: SQL only.

import Core
import Database

package enum CatalogServiceStore {
    private static func record(_ row: Row) -> CatalogServiceRecord {
        CatalogServiceRecord(
            id: row.id(0), type: row.text(1), name: row.text(2), description: row.optionalText(3),
            isEnabled: row.bool(4),
            extra: StoredJSON.object(row.text(5)))
    }

    package static func find(
        _ id: ID<CatalogService>, _ connection: any Connection
    ) throws -> CatalogServiceRecord? {
        try connection.row("SELECT id, type, name, description, enabled, extra FROM service WHERE id = $1", [.id(id)])
            .map(record)
    }

    /// All of them: services are few.
    package static func all(_ connection: any Connection) throws -> [CatalogServiceRecord] {
        try connection.rows("SELECT id, type, name, description, enabled, extra FROM service").map(record)
    }

    package static func insert(_ service: CatalogServiceRecord, _ connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO service (id, type, name, description, enabled, extra) VALUES ($1, $2, $3, $4, $5, $6)
            """, values(service))
    }

    static func update(_ service: CatalogServiceRecord, _ connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE service SET type = $2, name = $3, description = $4, enabled = $5, extra = $6 WHERE id = $1
            """, values(service))
    }

    private static func values(_ service: CatalogServiceRecord) -> [SQLValue] {
        [
            .id(service.id), .text(service.type), .text(service.name), .optional(service.description),
            .bool(service.isEnabled), .text(StoredJSON.text(service.extra)),
        ]
    }

    /// Deletes the service with its endpoints, and what associates policies to either.
    static func delete(_ id: ID<CatalogService>, _ connection: any Connection) throws {
        try connection.execute(
            """
            DELETE FROM policy_association
            WHERE service_id = $1 OR endpoint_id IN (SELECT id FROM endpoint WHERE service_id = $1)
            """, [.id(id)])
        try connection.execute("DELETE FROM service WHERE id = $1", [.id(id)])
    }
}

package enum EndpointStore {
    private static func record(_ row: Row) -> EndpointRecord {
        EndpointRecord(
            id: row.id(0), service: row.id(1), region: row.optionalID(2),
            interface: EndpointInterface(rawValue: row.text(3)) ?? .public, url: row.text(4), isEnabled: row.bool(5),
            extra: StoredJSON.object(row.text(6)))
    }

    package static func find(_ id: ID<Endpoint>, _ connection: any Connection) throws -> EndpointRecord? {
        try connection.row(
            """
            SELECT id, service_id, region_id, interface, url, enabled, extra FROM endpoint WHERE id = $1
            """, [.id(id)]
        ).map(record)
    }

    /// All of them: endpoints are few.
    package static func all(_ connection: any Connection) throws -> [EndpointRecord] {
        try connection.rows("SELECT id, service_id, region_id, interface, url, enabled, extra FROM endpoint").map(
            record)
    }

    package static func insert(_ endpoint: EndpointRecord, _ connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO endpoint (id, service_id, region_id, interface, url, enabled, extra)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """, values(endpoint))
    }

    static func update(_ endpoint: EndpointRecord, _ connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE endpoint SET service_id = $2, region_id = $3, interface = $4, url = $5, enabled = $6, extra = $7
            WHERE id = $1
            """, values(endpoint))
    }

    private static func values(_ endpoint: EndpointRecord) -> [SQLValue] {
        [
            .id(endpoint.id), .id(endpoint.service), .id(endpoint.region), .text(endpoint.interface.rawValue),
            .text(endpoint.url), .bool(endpoint.isEnabled), .text(StoredJSON.text(endpoint.extra)),
        ]
    }

    static func delete(_ id: ID<Endpoint>, _ connection: any Connection) throws {
        try connection.execute("DELETE FROM policy_association WHERE endpoint_id = $1", [.id(id)])
        try connection.execute("DELETE FROM endpoint WHERE id = $1", [.id(id)])
    }
}
