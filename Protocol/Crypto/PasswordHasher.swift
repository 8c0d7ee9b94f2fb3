// SPDX-License-Identifier: Apache-2.0
// Password hashes: argon2id (the default, by OWASP's advice 19 MiB and two passes) and bcrypt are made; those and every
// form that a Keystone database may hold are read. The algorithm and its cost stand in the hash, so a stronger setting
// applies at each user's next sign-in (`needsRehash`).
//
// bcrypt reads 72 bytes and stops at a zero byte. Rather than cut a long password silently, such a password is hashed
// in the form "$bcrypt-sha256$", which digests it first, keyed with the salt, and says so in its name. A plain "$2b$"
// hash is therefore only made of passwords it sees whole, and imported ones keep the meaning they had.
//
// These calls take tens of milliseconds on purpose: only PasswordPool's threads make them.

import COpenSSL
import CSodium
import Glibc

package enum PasswordError: Error, Equatable, Sendable {
    /// The memory or the randomness that the algorithm needs is not there.
    case resources
}

package struct PasswordHasher: Sendable {
    package enum Algorithm: Sendable, Equatable {
        case argon2id(memoryKiB: Int = 19 * 1024, passes: Int = 2)
        case bcrypt(cost: Int = 12)
    }

    package let algorithm: Algorithm

    package init(_ algorithm: Algorithm = .argon2id()) {
        self.algorithm =
            switch algorithm {
            case .argon2id(let memory, let passes):
                .argon2id(memoryKiB: min(max(memory, 8), PasswordForm.mostMemoryKiB), passes: min(max(passes, 1), 100))
            case .bcrypt(let cost): .bcrypt(cost: min(max(cost, 4), PasswordForm.mostBcryptCost))
            }
    }

    package func hash(_ password: String) throws(PasswordError) -> String {
        switch algorithm {
        case .argon2id(let memory, let passes): return try Argon2.hash(password, memoryKiB: memory, passes: passes)
        case .bcrypt(let cost): return try Bcrypt.hash(password, cost: cost)
        }
    }

    /// False for a wrong password and for a hash that cannot be read.
    package func verify(_ password: String, _ hash: String) -> Bool {
        switch PasswordForm(hash) {
        case .argon2: Argon2.verify(password, hash)
        case .bcrypt: Bcrypt.verify(password, hash)
        case .bcryptSHA256(let form): Bcrypt.verify(password, form)
        case .sha512Crypt: Bcrypt.verifyCrypt(Array(password.utf8), hash)
        case .scrypt(let form): form.verify(password)
        case .pbkdf2(let form): form.verify(password)
        case nil: false
        }
    }

    /// Takes as long as verifying a hash of the configured strength: for users that do not exist, so that the time of
    /// the answer does not tell them from those that do.
    package func verifyNothing(_ password: String) { _ = try? hash(password) }

    /// Whether the hash is of another algorithm or strength than the configured one.
    package func needsRehash(_ hash: String) -> Bool {
        switch algorithm {
        case .argon2id(let memory, let passes):
            !hash.hasPrefix("$argon2id$")
                || crypto_pwhash_str_needs_rehash(hash, UInt64(passes), memory * 1024) != 0
        case .bcrypt(let cost):
            switch PasswordForm(hash) {
            case .bcrypt(let used): used != cost || !hash.hasPrefix("$2b$")
            case .bcryptSHA256(let form): form.cost != cost || form.version != 2
            default: true
            }
        }
    }
}

enum Argon2 {
    static func hash(_ password: String, memoryKiB: Int, passes: Int) throws(PasswordError) -> String {
        guard Sodium.isReady else { throw .resources }
        var out = [CChar](repeating: 0, count: Int(crypto_pwhash_STRBYTES))
        let text = Array(password.utf8CString)
        let failed = crypto_pwhash_str(&out, text, UInt64(text.count - 1), UInt64(passes), memoryKiB * 1024)
        if failed != 0 { throw .resources }
        return out.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    }

    static func verify(_ password: String, _ hash: String) -> Bool {
        guard Sodium.isReady else { return false }
        let text = Array(password.utf8CString)
        return crypto_pwhash_str_verify(hash, text, UInt64(text.count - 1)) == 0
    }
}

enum Sodium {
    /// The library chooses the processor's fastest code once; any number of threads may ask.
    static let isReady = sodium_init() >= 0
}
