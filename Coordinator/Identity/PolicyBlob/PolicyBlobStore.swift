// SPDX-License-Identifier: Apache-2.0
// Policies and their associations: SQL only.

import Core
import Database

enum PolicyBlobStore {
    private static func record(_ row: Row) -> PolicyBlobRecord {
        PolicyBlobRecord(id: row.id(0), type: row.text(1), blob: row.text(2), extra: StoredJSON.object(row.text(3)))
    }

    static func find(_ id: ID<PolicyBlob>, _ connection: any Connection) throws -> PolicyBlobRecord? {
        try connection.row("SELECT id, type, blob, extra FROM policy WHERE id = $1", [.id(id)]).map(record)
    }

    static func page(
        type: String?, after marker: String?, limit: Int, _ connection: any Connection
    ) throws -> [PolicyBlobRecord] {
        var query = Query("SELECT id, type, blob, extra FROM policy")
        if let type { query.filter("type = ?", .text(type)) }
        if let marker { query.filter("id > ?", .text(marker)) }
        query.append("ORDER BY id LIMIT ?", .int(Int64(limit)))
        return try connection.rows(query).map(record)
    }

    static func insert(_ policy: PolicyBlobRecord, _ connection: any Connection) throws {
        try connection.execute(
            "INSERT INTO policy (id, type, blob, extra) VALUES ($1, $2, $3, $4)",
            [
                .id(policy.id), .text(policy.type), .text(policy.blob), .text(StoredJSON.text(policy.extra)),
            ])
    }

    static func update(_ policy: PolicyBlobRecord, _ connection: any Connection) throws {
        try connection.execute(
            "UPDATE policy SET type = $2, blob = $3, extra = $4 WHERE id = $1",
            [
                .id(policy.id), .text(policy.type), .text(policy.blob), .text(StoredJSON.text(policy.extra)),
            ])
    }

    static func delete(_ id: ID<PolicyBlob>, _ connection: any Connection) throws {
        try connection.execute("DELETE FROM policy WHERE id = $1", [.id(id)])
    }

    // MARK: Associations

    private static func association(_ row: Row) -> PolicyAssociation {
        let endpoint = row.text(1), service = row.text(2), region = row.text(3)
        let subject: PolicySubject =
            !endpoint.isEmpty
            ? .endpoint(ID(endpoint))
            : region.isEmpty ? .service(ID(service)) : .serviceInRegion(ID(service), ID(region))
        return PolicyAssociation(policy: row.id(0), subject: subject)
    }

    /// Those that may concern an endpoint: its own, and all of its service.
    static func associations(
        around endpoint: EndpointRecord, _ connection: any Connection
    ) throws -> [PolicyAssociation] {
        try connection.rows(
            """
            SELECT policy_id, endpoint_id, service_id, region_id FROM policy_association
            WHERE endpoint_id = $1 OR service_id = $2
            """, [.id(endpoint.id), .id(endpoint.service)]
        ).map(association)
    }

    static func associations(of policy: ID<PolicyBlob>, _ connection: any Connection) throws -> [PolicyAssociation] {
        try connection.rows(
            """
            SELECT policy_id, endpoint_id, service_id, region_id FROM policy_association WHERE policy_id = $1
            """, [.id(policy)]
        ).map(association)
    }

    /// A subject has one policy: the last one associated.
    static func associate(_ association: PolicyAssociation, _ connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO policy_association (policy_id, endpoint_id, service_id, region_id) VALUES ($1, $2, $3, $4)
            ON CONFLICT (endpoint_id, service_id, region_id) DO UPDATE SET policy_id = excluded.policy_id
            """, values(association))
    }

    static func isAssociated(_ association: PolicyAssociation, _ connection: any Connection) throws -> Bool {
        try connection.row(
            """
            SELECT 1 FROM policy_association
            WHERE policy_id = $1 AND endpoint_id = $2 AND service_id = $3 AND region_id = $4
            """, values(association)) != nil
    }

    static func dissociate(_ association: PolicyAssociation, _ connection: any Connection) throws {
        try connection.execute(
            """
            DELETE FROM policy_association
            WHERE policy_id = $1 AND endpoint_id = $2 AND service_id = $3 AND region_id = $4
            """, values(association))
    }

    private static func values(_ association: PolicyAssociation) -> [SQLValue] {
        [
            .id(association.policy), .text(association.subject.endpointID), .text(association.subject.serviceID),
            .text(association.subject.regionID),
        ]
    }
}
