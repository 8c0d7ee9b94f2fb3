// SPDX-License-Identifier: Apache-2.0
// What every part of identity works with: the database, time, settings and the caches' stamps. A value, passed down; parts
// reach each other through their stores and the few services named here, never through globals.

import Core
import Crypto
import Database
import Events
import HTTP
import JSON

package struct IdentityEnvironment: Sendable {
    package let database: Database
    package let clock: any Clock
    package let entropy: any Entropy
    package let settings: IdentitySettings
    package let stamps: Stamps
    package let passwords: PasswordPool
    package let log: Log
    let revocations: RevocationIndex
    let vault: Vault
    let recorder: EventRecorder

    /// One write: the rows, their events and revocations commit together; then the caches are touched.
    func change<T: Sendable>(
        _ name: StaticString, by call: Call?, _ body: @escaping @Sendable (any Connection, inout Changes) throws -> T
    ) async throws -> T {
        let (result, changes, stored) = try await database.write(name) { connection in
            var changes = Changes()
            let result = try body(connection, &changes)
            let stored = try store(changes, by: call, connection)
            return (result, changes, stored)
        }
        revocations.insert(stored)
        for key in changes.touched { stamps.touch(key) }
        return result
    }
}
