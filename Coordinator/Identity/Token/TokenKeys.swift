// SPDX-License-Identifier: Apache-2.0
// The keys that sign tokens and receipts. They live in the database, sealed; the newest signs, all of them verify. A
// loop adds a key when the newest is old and drops one when the last token it can have signed is long expired, so
// rotation never ends a session and nothing is ever copied between machines. A token of a key we do not know yet
// (another coordinator has just made it) makes us look once into the database, at most once a second.

import Core
import Crypto
import Database
import Synchronization

final class TokenKeys: Sendable {
    private static let rotationSeconds: Int64 = 24 * 3600
    private static let reloadSeconds: Int64 = 1

    private struct State {
        var fernet: Fernet?
        var count = 0
        var loaded = Instant(microseconds: 0)
    }
    private let state = Mutex(State())
    private let environment: IdentityEnvironment

    init(_ environment: IdentityEnvironment) { self.environment = environment }

    /// How long a key may be needed after it signed its last token.
    private var graceSeconds: Int64 {
        environment.settings.tokenLifetimeSeconds + IdentityEnvironment.expiredWindowSeconds + 3600
    }

    func encrypt(_ payload: [UInt8], time: Instant) async throws -> String {
        if let fernet = state.withLock({ $0.fernet }) { return fernet.encryptText(payload, time: time.seconds) }
        try await rotate()
        guard let fernet = state.withLock({ $0.fernet }) else {
            throw CloudError.internalError("there is no token key")
        }
        return fernet.encryptText(payload, time: time.seconds)
    }

    func decrypt(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        state.withLock({ $0.fernet })?.decrypt(text)?.payload
    }

    /// True when the keys were read again, so that trying once more makes sense.
    func reloadIfDue() async throws -> Bool {
        let now = environment.clock.now
        let isDue = state.withLock { state in
            guard now >= state.loaded.adding(seconds: Self.reloadSeconds) || now < state.loaded else { return false }
            state.loaded = now
            return true
        }
        guard isDue else { return false }
        let before = state.withLock { $0.count }
        try await load()
        return state.withLock { $0.count } != before || before == 0
    }

    /// The loop's work: constant, whatever the number of tokens.
    func rotate() async throws {
        let now = environment.clock.now
        let secret = environment.entropy.bytes(32)
        let sealed = environment.vault.seal(secret, context: "token_key")
        let id = ID<TokenKeys>.random(environment.entropy).text
        try await environment.database.write("token_key.rotate") { [graceSeconds] connection in
            let newest = try connection.row("SELECT MAX(created) FROM token_key")?.optionalTime(0)
            if newest.map({ now >= $0.adding(seconds: Self.rotationSeconds) }) ?? true {
                try connection.execute(
                    "INSERT INTO token_key (id, key, created) VALUES ($1, $2, $3)",
                    [.text(id), .blob(sealed), .time(now)])
            }
            // A key stops signing when the next one is made; it may go when that one is older than any live token.
            try connection.execute(
                """
                DELETE FROM token_key WHERE created < (
                    SELECT MAX(created) FROM token_key WHERE created < $1)
                """, [.time(now.adding(seconds: -graceSeconds))])
        }
        try await load()
    }

    private func load() async throws {
        let sealed = try await environment.database.read("token_key.list") { connection in
            try connection.rows("SELECT key FROM token_key ORDER BY created DESC").map { $0.blob(0) }
        }
        let keys = try sealed.compactMap { FernetKey(bytes: try environment.vault.open($0, context: "token_key")) }
        guard !keys.isEmpty else { return }
        let fernet = Fernet(keys: keys)
        state.withLock { state in
            state.fernet = fernet
            state.count = keys.count
            state.loaded = environment.clock.now
        }
    }
}
