// SPDX-License-Identifier: Apache-2.0
// bcrypt by libcrypt, plain ("$2b$") and with a digest before it ("$bcrypt-sha256$", as passlib writes it).

import CSodium
import Glibc

/// "$bcrypt-sha256$v=2,t=2b,r=12$<22 letters of salt>$<31 letters>", or version 1's "$bcrypt-sha256$2b,12$…$…".
struct BcryptSHA256 {
    let version: Int
    let variant: String
    let cost: Int
    let salt: String
    let checksum: String

    init?(_ parts: [String]) {
        let settings = parts[2].split(separator: ",").map(String.init)
        let cost: Int?
        if settings.count == 3, settings[0] == "v=2", settings[1].hasPrefix("t="), settings[2].hasPrefix("r=") {
            version = 2
            variant = String(settings[1].dropFirst(2))
            cost = PasswordForm.number(String(settings[2].dropFirst(2)), 4...PasswordForm.mostBcryptCost)
        } else if settings.count == 2 {
            version = 1
            variant = settings[0]
            cost = PasswordForm.number(settings[1], 4...PasswordForm.mostBcryptCost)
        } else {
            return nil
        }
        guard let cost, ["2a", "2b", "2y"].contains(variant), parts[3].utf8.count == 22, parts[4].utf8.count == 31
        else { return nil }
        self.cost = cost
        salt = parts[3]
        checksum = parts[4]
    }

    /// The bcrypt hash of the digested password.
    var inner: String { "$\(variant)$\(cost < 10 ? "0" : "")\(cost)$\(salt)\(checksum)" }
}

enum Bcrypt {
    /// With the zero byte that ends it, a password must fit 72 bytes to count whole.
    private static let longestPassword = 71

    static func hash(_ password: String, cost: Int) throws(PasswordError) -> String {
        let bytes = Array(password.utf8)
        var setting = [CChar](repeating: 0, count: Int(CRYPT_GENSALT_OUTPUT_SIZE))
        guard crypt_gensalt_rn("$2b$", UInt(cost), nil, 0, &setting, Int32(setting.count)) != nil else {
            throw .resources
        }
        let text = setting.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
        if bytes.count <= longestPassword, !bytes.contains(0) {
            guard let hash = crypt(bytes, text) else { throw .resources }
            return hash
        }
        let salt = String(text.suffix(22))
        guard let hash = crypt(digested(bytes, version: 2, salt: salt), text) else { throw .resources }
        // libcrypt may mend unused bits of the salt: the digest was keyed with the salt as it was given.
        return "$bcrypt-sha256$v=2,t=2b,r=\(cost)$\(salt)$\(hash.suffix(31))"
    }

    static func verify(_ password: String, _ hash: String) -> Bool { verifyCrypt(Array(password.utf8), hash) }

    static func verify(_ password: String, _ form: BcryptSHA256) -> Bool {
        let key = digested(Array(password.utf8), version: form.version, salt: form.salt)
        guard let hash = crypt(key, form.inner) else { return false }
        return ConstantTime.equal(hash.utf8.suffix(31), form.checksum.utf8)
    }

    /// Any form libcrypt knows, the hash itself being the setting.
    static func verifyCrypt(_ password: [UInt8], _ hash: String) -> Bool {
        // A zero byte would end the password early and let a part of it pass for the whole.
        if password.contains(0) { return false }
        guard let computed = crypt(password, hash) else { return false }
        return ConstantTime.equal(computed, hash)
    }

    private static func digested(_ password: [UInt8], version: Int, salt: String) -> [UInt8] {
        let digest = version == 1 ? Digest.sha256(password) : HMAC.sha256(key: salt.utf8, password)
        return Array(Base64.encode(digest).utf8)
    }

    /// Nil when libcrypt refuses the setting.
    private static func crypt(_ password: [UInt8], _ setting: String) -> String? {
        let size = MemoryLayout<crypt_data>.size
        let scratch = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        scratch.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        defer {
            sodium_memzero(scratch, size)
            scratch.deallocate()
        }
        let phrase = password.map { CChar(bitPattern: $0) } + [0]
        return crypt_rn(phrase, setting, scratch, Int32(size)).map { String(cString: $0) }
    }
}
