// SPDX-License-Identifier: Apache-2.0
// What every part of identity works with: the database, time, settings and the caches' stamps. A value, passed down;
// parts reach each other through their stores and the few services named here, never through globals.

import Core
import Crypto
import Database
import Events
import HTTP
import JSON

package struct IdentityEnvironment: Sendable {
    /// How long after its end a service may still ask what a token was (allow_expired), for long-running work.
    static let expiredWindowSeconds: Int64 = 48 * 3600

    package let database: Database
    package let clock: any Clock
    package let entropy: any Entropy
    package let settings: IdentitySettings
    package let stamps: Stamps
    package let passwords: PasswordPool
    package let log: Log
    let vault: Vault
    let recorder: EventRecorder
    let revocations = RevocationIndex()
    /// One for all copies of this value: the graph of roles is read by every sign-in.
    let roleGraphs = StampedCache<RoleGraph>()
    private let catalogs = StampedCache<CatalogSnapshot>()
    let directories = Directories()

    package init(
        database: Database, settings: IdentitySettings, vault: Vault, passwords: PasswordPool, recorder: EventRecorder,
        log: Log, clock: any Clock = SystemClock(), entropy: any Entropy = SystemEntropy()
    ) {
        self.database = database
        self.settings = settings
        self.vault = vault
        self.passwords = passwords
        self.recorder = recorder
        self.log = log
        self.clock = clock
        self.entropy = entropy
        stamps = Stamps()
    }

    /// One write: the rows, their events and revocations commit together; then the caches are touched.
    func change<T: Sendable>(
        _ name: StaticString, by call: Call?, _ body: @escaping @Sendable (any Connection, inout Changes) throws -> T
    ) async throws -> T {
        let (result, changes, stored) = try await database.write(name) { connection in
            var changes = Changes()
            let result = try body(connection, &changes)
            return (result, changes, try store(changes, by: call, connection))
        }
        revocations.insert(stored)
        for key in changes.touched { stamps.touch(key) }
        recorder.announce()
        return result
    }

    private func store(_ changes: Changes, by call: Call?, _ connection: any Connection) throws -> [StoredRevocation] {
        let now = clock.now
        let stored = changes.revocations.map { revocation in
            StoredRevocation(
                id: ID<Revocation>.random(entropy).text, revocation: revocation,
                issuedBefore: revocation.issuedBefore ?? now, revoked: now,
                expires: now.adding(seconds: settings.tokenLifetimeSeconds + Self.expiredWindowSeconds))
        }
        for revocation in stored { try RevocationStore.insert(revocation, connection) }
        let touches = changes.touched.map(\.text).sorted()
        let initiator = Self.initiator(call)
        for (i, entry) in changes.entries.enumerated() {
            let resource = Event.Resource(entry.type, entry.id, project: entry.project, domain: entry.domain)
            // All touches travel with the first event: they belong to the write, not to one of its things.
            try recorder.append(
                Event(
                    "identity", Event.Action(entry.action.rawValue), resource, by: initiator, payload: entry.payload,
                    touches: i == 0 ? touches : []), connection)
        }
        if changes.entries.isEmpty { try recorder.append(touches: touches, connection) }
        return stored
    }

    private static func initiator(_ call: Call?) -> Event.Initiator {
        guard let call else { return .cloud }
        let agent = call.request.head.value("user-agent").map { String($0.prefix(256)) }
        guard let caller = call.caller else {
            return Event.Initiator(address: call.request.peer, agent: agent, requestID: call.request.id)
        }
        return Event.Initiator(caller, address: call.request.peer, agent: agent, requestID: call.request.id)
    }

    /// What another coordinator, or the command line, changed in the database we share.
    package func applyForeign(touches: [String]) async throws {
        let now = clock.now
        revocations.insert(
            try await database.read("revocation.live") { connection in
                try RevocationStore.live(at: now, connection)
            })
        for touch in touches { stamps.touch(text: touch) }
    }

    /// The catalog as of now, from memory when nothing changed.
    package func catalogSnapshot() async throws -> CatalogSnapshot {
        try await catalogs.value(stamps, keys: [.catalog]) {
            try await database.read("catalog.load", CatalogSnapshot.load)
        }
    }
}
