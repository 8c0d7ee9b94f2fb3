// SPDX-License-Identifier: Apache-2.0
// Hashes that are read but not made: scrypt and PBKDF2 with SHA-512, in the forms passlib and Keystone write. Both
// key an HMAC with the password, which fills it up with zero bytes: one that ends in such a byte would pass for the
// one without.

import COpenSSL
import CSodium

/// "$scrypt$ln=16,r=8,p=1$<salt>$<digest>"
struct Scrypt {
    /// Scrypt's memory is 128 · N · r bytes.
    private let logN: Int
    private let r: Int
    private let p: Int
    private let salt: [UInt8]
    private let digest: [UInt8]

    init?(_ parts: [String]) {
        guard let costs = PasswordForm.numbers(parts[2], ["ln", "r", "p"]), let salt = PasswordForm.bytes(parts[3]),
            let digest = PasswordForm.bytes(parts[4]), (1...20).contains(costs[0]), (1...32).contains(costs[1]),
            (1...16).contains(costs[2]), (16...64).contains(digest.count),
            (costs[1] << costs[0]) * 128 <= PasswordForm.mostMemoryKiB * 1024
        else { return nil }
        (logN, r, p) = (costs[0], costs[1], costs[2])
        self.salt = salt
        self.digest = digest
    }

    func verify(_ password: String) -> Bool {
        if password.utf8.last == 0 { return false }
        var key = [UInt8](repeating: 0, count: digest.count)
        let phrase = password.utf8CString
        let memory = UInt64(PasswordForm.mostMemoryKiB) * 1024 * 2
        let done = phrase.withUnsafeBufferPointer { phrase in
            EVP_PBE_scrypt(
                phrase.baseAddress, phrase.count - 1, salt, salt.count, 1 << UInt64(logN), UInt64(r), UInt64(p), memory,
                &key, key.count)
        }
        // Its memory came from malloc, which would keep what is under its own threshold.
        malloc_trim(0)
        return done == 1 && ConstantTime.equal(key, digest)
    }
}

/// "$pbkdf2-sha512$25000$<salt>$<digest>"
struct PBKDF2 {
    private let rounds: Int
    private let salt: [UInt8]
    private let digest: [UInt8]

    init?(_ parts: [String], _ rounds: Int) {
        guard let salt = PasswordForm.bytes(parts[3]), let digest = PasswordForm.bytes(parts[4]),
            (16...64).contains(digest.count), salt.count <= 1024
        else { return nil }
        self.rounds = rounds
        self.salt = salt
        self.digest = digest
    }

    func verify(_ password: String) -> Bool {
        if password.utf8.last == 0 { return false }
        var key = [UInt8](repeating: 0, count: digest.count)
        let done = password.utf8CString.withUnsafeBufferPointer { phrase in
            PKCS5_PBKDF2_HMAC(
                phrase.baseAddress, Int32(phrase.count - 1), salt, Int32(salt.count), Int32(rounds),
                DigestAlgorithm.sha512.handle, Int32(key.count), &key)
        }
        return done == 1 && ConstantTime.equal(key, digest)
    }
}
