// SPDX-License-Identifier: Apache-2.0
// Regions: SQL only.

import Core
import Database

package enum RegionStore {
    private static func record(_ row: Row) -> RegionRecord {
        RegionRecord(
            id: row.id(0), description: row.text(1), parent: row.optionalID(2), extra: StoredJSON.object(row.text(3)))
    }

    package static func find(_ id: ID<Region>, _ connection: any Connection) throws -> RegionRecord? {
        try connection.row("SELECT id, description, parent_id, extra FROM region WHERE id = $1", [.id(id)]).map(record)
    }

    /// All of them: regions are few.
    package static func all(_ connection: any Connection) throws -> [RegionRecord] {
        try connection.rows("SELECT id, description, parent_id, extra FROM region").map(record)
    }

    package static func insert(_ region: RegionRecord, _ connection: any Connection) throws {
        try connection.execute(
            "INSERT INTO region (id, description, parent_id, extra) VALUES ($1, $2, $3, $4)",
            [
                .id(region.id), .text(region.description), .id(region.parent), .text(StoredJSON.text(region.extra)),
            ])
    }

    static func update(_ region: RegionRecord, _ connection: any Connection) throws {
        try connection.execute(
            "UPDATE region SET description = $2, parent_id = $3, extra = $4 WHERE id = $1",
            [
                .id(region.id), .text(region.description), .id(region.parent), .text(StoredJSON.text(region.extra)),
            ])
    }

    /// Whether an endpoint is in the region or below it.
    static func hasEndpoints(_ id: ID<Region>, _ connection: any Connection) throws -> Bool {
        try connection.row(
            """
            WITH RECURSIVE below(id) AS (
                SELECT id FROM region WHERE id = $1
                UNION SELECT r.id FROM region r JOIN below ON r.parent_id = below.id)
            SELECT id FROM endpoint WHERE region_id IN (SELECT id FROM below) LIMIT 1
            """, [.id(id)]) != nil
    }

    /// Deletes the region and those below it, with what associates policies to them.
    static func deleteTree(_ id: ID<Region>, _ connection: any Connection) throws {
        try connection.execute(
            """
            DELETE FROM policy_association WHERE region_id IN (
                WITH RECURSIVE below(id) AS (
                    SELECT id FROM region WHERE id = $1
                    UNION SELECT r.id FROM region r JOIN below ON r.parent_id = below.id)
                SELECT id FROM below)
            """, [.id(id)])
        try connection.execute(
            """
            DELETE FROM region WHERE id IN (
                WITH RECURSIVE below(id) AS (
                    SELECT id FROM region WHERE id = $1
                    UNION SELECT r.id FROM region r JOIN below ON r.parent_id = below.id)
                SELECT id FROM below)
            """, [.id(id)])
    }
}
