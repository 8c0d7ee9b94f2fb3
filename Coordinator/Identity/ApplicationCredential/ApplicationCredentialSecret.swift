// SPDX-License-Identifier: Apache-2.0
// Making, storing and checking the secrets of application credentials.
//
// The rule: a secret of at least 43 characters, which is how long 256 random bits are in base64, is stored as a
// salted HMAC-SHA256. Nobody can guess such a secret, so a slow hash would protect nothing and cost a hundred times
// the sign-in. The secrets made here have 512 random bits. A shorter one was thought up by somebody and is stored
// like a password. The stored text tells which: "hmac-sha256$salt$code", or whatever the password hash writes.
//
// We would know the rule to be wrong if people chose long secrets that are easy to guess; the API's documentation
// asks them to leave the choice to the service.

import Core
import Crypto

struct ApplicationCredentialSecret: Sendable {
    let passwords: PasswordPool
    let entropy: any Entropy

    static let strongLength = 43
    private static let fast = "hmac-sha256$"

    func make() -> String { Base64.encodeURL(entropy.bytes(64)) }

    func hash(_ secret: String) async throws -> String {
        guard secret.unicodeScalars.count >= Self.strongLength else {
            return try await whenFree { try await passwords.hash(secret) }
        }
        let salt = entropy.bytes(16)
        return Self.fast + Hex.text(salt) + "$" + Hex.text(HMAC.sha256(key: salt, secret.utf8))
    }

    func verify(_ secret: String, _ stored: String) async throws -> Bool {
        guard stored.hasPrefix(Self.fast) else {
            return try await whenFree { try await passwords.verify(secret, stored) }
        }
        let parts = stored.dropFirst(Self.fast.count).split(separator: "$")
        guard parts.count == 2, let salt = Hex.bytes(parts[0]), let code = Hex.bytes(parts[1]) else { return false }
        return ConstantTime.equal(HMAC.sha256(key: salt, secret.utf8), code)
    }

    private func whenFree<T: Sendable>(_ work: () async throws -> T) async throws -> T {
        do {
            return try await work()
        } catch PasswordPoolError.busy {
            var error = CloudError(.unavailable, "Too many sign-ins wait at this moment. Try again in a few seconds.")
            error.headers = [(name: "Retry-After", value: "2")]
            throw error
        } catch is PasswordError {
            throw CloudError(
                .unavailable, "The secret cannot be checked for lack of memory. Try again in a few seconds.",
                detail: "the password hash got no memory or randomness")
        }
    }
}
