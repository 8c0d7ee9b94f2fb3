// SPDX-License-Identifier: Apache-2.0
// The way back from a public id to the entry of a directory. A row is written when an entry is first shown, so an id
// that a client holds can always be looked up.

import Core
import Database

struct DirectoryEntity: Sendable, Equatable {
    let publicID: String
    let domain: ID<Domain>
    let kind: DirectoryKind
    let local: String
}

enum DirectoryStore {
    static func find(_ publicID: String, _ connection: any Connection) throws -> DirectoryEntity? {
        let row = try connection.row(
            "SELECT public_id, domain_id, kind, local_id FROM directory_entity WHERE public_id = $1", [.text(publicID)])
        guard let row, let kind = DirectoryKind(rawValue: row.text(2)) else { return nil }
        return DirectoryEntity(publicID: row.text(0), domain: row.id(1), kind: kind, local: row.text(3))
    }

    static func insert(_ entity: DirectoryEntity, _ connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO directory_entity (public_id, domain_id, kind, local_id) VALUES ($1, $2, $3, $4)
            ON CONFLICT DO NOTHING
            """, [.text(entity.publicID), .id(entity.domain), .text(entity.kind.rawValue), .text(entity.local)])
    }
}
