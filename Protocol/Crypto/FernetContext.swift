// SPDX-License-Identifier: Apache-2.0
// The keyed state behind Fernet: a cipher for each direction, a MAC, and a stock of random initialization vectors drawn
// from the kernel together, since one system call costs as much as one token.

import COpenSSL

/// Safe to hand between threads: it is lent by a pool to one caller at a time and never shared.
final class FernetContext: @unchecked Sendable {
    static let vectorBytes = 16
    private static let stockBytes = 64 * vectorBytes

    /// Safe to share: a fetched algorithm is immutable and kept for the life of the process.
    private struct Fetched: @unchecked Sendable {
        let handle: OpaquePointer
        init() {
            guard let handle = EVP_CIPHER_fetch(nil, "AES-128-CBC", nil) else {
                preconditionFailure("OpenSSL offers no AES-128-CBC")
            }
            self.handle = handle
        }
    }
    private static let fetched = Fetched()

    private let encryption: OpaquePointer
    private let decryption: OpaquePointer
    private let mac: KeyedHMAC
    private let stock: UnsafeMutableBufferPointer<UInt8>
    private var used = stockBytes

    init(_ key: FernetKey) {
        guard let encryption = EVP_CIPHER_CTX_new(), let decryption = EVP_CIPHER_CTX_new() else {
            preconditionFailure("out of memory")
        }
        self.encryption = encryption
        self.decryption = decryption
        mac = KeyedHMAC(key: key.signing, .sha256)
        stock = .allocate(capacity: Self.stockBytes)
        let secret = Array(key.encrypting)
        let done =
            EVP_EncryptInit_ex2(encryption, Self.fetched.handle, secret, nil, nil) == 1
            && EVP_DecryptInit_ex2(decryption, Self.fetched.handle, secret, nil, nil) == 1
        precondition(done, "OpenSSL cannot key a cipher")
    }

    deinit {
        EVP_CIPHER_CTX_free(encryption)
        EVP_CIPHER_CTX_free(decryption)
        stock.deallocate()
    }

    /// Random bytes that no other token has; valid until the next call.
    func freshVector() -> UnsafeBufferPointer<UInt8> {
        if used == Self.stockBytes {
            Random.fill(stock)
            used = 0
        }
        defer { used += Self.vectorBytes }
        return UnsafeBufferPointer(rebasing: stock[used..<used + Self.vectorBytes])
    }

    func token(_ payload: [UInt8], _ time: Int64, _ vector: UnsafeBufferPointer<UInt8>, _ padded: Bool) -> [UInt8] {
        let cipherBytes = (payload.count / 16 + 1) * 16
        let signed = 25 + cipherBytes
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: signed + 32) { raw in
            raw[0] = 0x80
            for i in 0..<8 { raw[1 + i] = UInt8(truncatingIfNeeded: time >> Int64(56 - 8 * i)) }
            for i in 0..<16 { raw[9 + i] = vector[i] }
            encrypt(payload, vector, into: UnsafeMutableBufferPointer(rebasing: raw[25..<signed]))
            mac.write(
                of: UnsafeBufferPointer(rebasing: raw[..<signed]),
                to: UnsafeMutableBufferPointer(rebasing: raw[signed...]))
            return [UInt8](unsafeUninitializedCapacity: Base64.encodedCount(raw.count)) { out, count in
                count = Base64.encode(UnsafeBufferPointer(raw), into: out, .url, padded: padded)
            }
        }
    }

    private func encrypt(
        _ payload: [UInt8], _ vector: UnsafeBufferPointer<UInt8>, into out: UnsafeMutableBufferPointer<UInt8>
    ) {
        var first: Int32 = 0
        var last: Int32 = 0
        let done =
            EVP_EncryptInit_ex2(encryption, nil, nil, vector.baseAddress, nil) == 1
            && EVP_EncryptUpdate(encryption, out.baseAddress, &first, payload, Int32(payload.count)) == 1
            && EVP_EncryptFinal_ex(encryption, out.baseAddress.map { $0 + Int(first) }, &last) == 1
        precondition(done && Int(first) + Int(last) == out.count, "OpenSSL cannot encrypt")
    }

    /// Nil when the signature is not this key's. `bytes` is head, `cipherBytes` of cipher text, signature.
    func payload(_ bytes: UnsafeBufferPointer<UInt8>, _ cipherBytes: Int) -> [UInt8]? {
        let signed = 25 + cipherBytes
        let isGenuine = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { code in
            mac.write(of: UnsafeBufferPointer(rebasing: bytes[..<signed]), to: code)
            return bytes.baseAddress.map { CRYPTO_memcmp($0 + signed, code.baseAddress, 32) == 0 } ?? false
        }
        guard isGenuine, let head = bytes.baseAddress else { return nil }
        var isWhole = false
        let payload = [UInt8](unsafeUninitializedCapacity: cipherBytes + 16) { out, initialized in
            var first: Int32 = 0
            var last: Int32 = 0
            isWhole =
                EVP_DecryptInit_ex2(decryption, nil, nil, head + 9, nil) == 1
                && EVP_DecryptUpdate(decryption, out.baseAddress, &first, head + 25, Int32(cipherBytes)) == 1
                && EVP_DecryptFinal_ex(decryption, out.baseAddress.map { $0 + Int(first) }, &last) == 1
            initialized = isWhole ? Int(first) + Int(last) : 0
        }
        return isWhole ? payload : nil
    }
}
