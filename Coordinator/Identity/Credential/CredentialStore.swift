// SPDX-License-Identifier: Apache-2.0
// Credentials: SQL, and the vault that seals their blobs.

import Core
import Database
import JSON

package struct CredentialStore: Sendable {
    private let vault: Vault
    init(_ vault: Vault) { self.vault = vault }

    private static func context(_ id: String) -> String { "credential:" + id }

    private func record(_ row: Row) throws -> CredentialRecord {
        let blob = try vault.open(row.blob(4), context: Self.context(row.text(0)))
        return CredentialRecord(
            id: row.id(0), user: row.id(1), project: row.optionalID(2), type: row.text(3),
            blob: String(decoding: blob, as: UTF8.self), extra: StoredJSON.object(row.text(5)))
    }

    package func find(_ id: ID<Credential>, _ connection: any Connection) throws -> CredentialRecord? {
        try connection.row("SELECT id, user_id, project_id, type, blob, extra FROM credential WHERE id = $1", [.id(id)])
            .map(record)
    }

    /// The EC2 credential of an access key.
    package func find(access: String, _ connection: any Connection) throws -> CredentialRecord? {
        try find(EC2Key.id(access: access), connection).flatMap { $0.isEC2 ? $0 : nil }
    }

    /// The base32 texts of a user's one-time password secrets.
    package func totpSecrets(of user: ID<User>, _ connection: any Connection) throws -> [String] {
        try all(of: user, type: "totp", connection).map(\.blob)
    }

    package func all(
        of user: ID<User>, type: String, _ connection: any Connection
    ) throws -> [CredentialRecord] {
        try connection.rows(
            """
            SELECT id, user_id, project_id, type, blob, extra FROM credential
            WHERE user_id = $1 AND type = $2 ORDER BY id
            """, [.id(user), .text(type)]
        ).map(record)
    }

    func page(
        user: ID<User>?, type: String?, after marker: String?, limit: Int, _ connection: any Connection
    ) throws -> [CredentialRecord] {
        var query = Query("SELECT id, user_id, project_id, type, blob, extra FROM credential")
        if let user { query.filter("user_id = ?", .id(user)) }
        if let type { query.filter("type = ?", .text(type)) }
        if let marker { query.filter("id > ?", .text(marker)) }
        query.append("ORDER BY id LIMIT ?", .int(Int64(limit)))
        return try connection.rows(query).map(record)
    }

    package func insert(_ credential: CredentialRecord, _ connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO credential (id, user_id, project_id, type, blob, extra) VALUES ($1, $2, $3, $4, $5, $6)
            """,
            [
                .id(credential.id), .id(credential.user), .id(credential.project), .text(credential.type),
                sealed(credential), .text(StoredJSON.text(credential.extra)),
            ])
    }

    func update(_ credential: CredentialRecord, _ connection: any Connection) throws {
        try connection.execute(
            "UPDATE credential SET blob = $2, extra = $3 WHERE id = $1",
            [
                .id(credential.id), sealed(credential), .text(StoredJSON.text(credential.extra)),
            ])
    }

    private func sealed(_ credential: CredentialRecord) -> SQLValue {
        .blob(vault.seal(Array(credential.blob.utf8), context: Self.context(credential.id.text)))
    }

    func delete(_ id: ID<Credential>, _ connection: any Connection) throws {
        try connection.execute("DELETE FROM credential WHERE id = $1", [.id(id)])
    }

    // MARK: What credentials refer to

    /// Whether there is such a user, here or in a directory that was asked for him before.
    static func hasUser(_ id: ID<User>, _ connection: any Connection) throws -> Bool {
        try connection.row(
            """
            SELECT id FROM user_account WHERE id = $1
            UNION ALL SELECT public_id FROM directory_entity WHERE public_id = $1 AND kind = 'user'
            """, [.id(id)]) != nil
    }

    static func isUnrestricted(applicationCredential id: String, _ connection: any Connection) throws -> Bool {
        try connection.row("SELECT is_unrestricted FROM application_credential WHERE id = $1", [.text(id)])?.bool(0)
            ?? false
    }
}
