// SPDX-License-Identifier: Apache-2.0
// Time-based one-time codes: any of the user's totp credentials may match, in the present step or the one before. The
// step taken is stored, so no code is good twice.

import Core
import Crypto
import Database

struct OneTimeCodes: Sendable {
    private static let earlierSteps = 1
    let environment: IdentityEnvironment

    func use(_ passcode: String, _ user: UserRecord) async throws {
        guard user.isEnabled else { throw TokenResolver.refused("the user is disabled") }
        let store = CredentialStore(environment.vault)
        let secrets = try await environment.database.read("credential.totp") { connection in
            try store.totpSecrets(of: user.id, connection)
        }
        let now = environment.clock.now.seconds
        var matched: Int64?
        for secret in secrets.compactMap(Base32.decode) {
            if let step = TOTP.matchedStep(passcode, secret: secret, time: now, previous: Self.earlierSteps) {
                matched = step
            }
        }
        guard let matched else { throw TokenResolver.refused("the one-time code is wrong") }
        let isFirstUse = try await environment.database.write("user.use_totp") { connection in
            try connection.execute(
                """
                INSERT INTO totp_use (user_id, step) VALUES ($1, $2)
                ON CONFLICT (user_id) DO UPDATE SET step = excluded.step WHERE totp_use.step < excluded.step
                """, [.id(user.id), .int(matched)]) == 1
        }
        guard isFirstUse else { throw TokenResolver.refused("the one-time code was used before") }
    }
}
