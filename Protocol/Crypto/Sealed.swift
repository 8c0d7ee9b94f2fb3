// SPDX-License-Identifier: Apache-2.0
// Secrets at rest: AES-256-GCM under a master key that lives outside the database. The sealed form is
//     version (1 byte) · key mark (4) · nonce (12) · cipher text · tag (16)
// and `context` (a table and row, say) is bound into the tag, so a sealed value moved elsewhere does not open. The
// key mark tells which of several keys sealed it, so keys can be replaced one row at a time.

import COpenSSL

package struct SealingKey: Sendable, Equatable {
    package static let byteCount = 32
    package let bytes: [UInt8]
    /// A digest's first bytes: names the key without revealing it.
    package let mark: [UInt8]

    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
        mark = Array(Digest.sha256(Array("martlet sealing key".utf8) + bytes).prefix(4))
    }

    package init?(text: some StringProtocol) {
        guard let bytes = Base64.decodeURL(text) else { return nil }
        self.init(bytes: bytes)
    }

    package static func random(_ entropy: (Int) -> [UInt8] = Random.bytes) -> SealingKey {
        guard let key = SealingKey(bytes: entropy(byteCount)) else { preconditionFailure("the entropy is too short") }
        return key
    }

    package var text: String { Base64.encodeURL(bytes, padded: true) }
}

package enum Sealed {
    private static let version: UInt8 = 1
    private static let headBytes = 17
    private static let tagBytes = 16

    /// Safe to share: a fetched algorithm is immutable and kept for the life of the process.
    private struct Fetched: @unchecked Sendable {
        let handle: OpaquePointer
        init() {
            guard let handle = EVP_CIPHER_fetch(nil, "AES-256-GCM", nil) else {
                preconditionFailure("OpenSSL offers no AES-256-GCM")
            }
            self.handle = handle
        }
    }
    private static let fetched = Fetched()

    package static func seal(_ bytes: [UInt8], key: SealingKey, context: String) -> [UInt8] {
        precondition(bytes.count < Int(Int32.max) / 2, "too long to seal")
        let head = [version] + key.mark + Random.bytes(12)
        guard let cipher = EVP_CIPHER_CTX_new() else { preconditionFailure("out of memory") }
        defer { EVP_CIPHER_CTX_free(cipher) }
        var sealed = head + [UInt8](repeating: 0, count: bytes.count + tagBytes)
        let bound = head + Array(context.utf8)
        var count: Int32 = 0
        let done = sealed.withUnsafeMutableBufferPointer { out in
            guard let text = out.baseAddress.map({ $0 + headBytes }) else { return false }
            return EVP_EncryptInit_ex2(cipher, fetched.handle, key.bytes, Array(head[5...]), nil) == 1
                && EVP_EncryptUpdate(cipher, nil, &count, bound, Int32(bound.count)) == 1
                && (bytes.isEmpty || EVP_EncryptUpdate(cipher, text, &count, bytes, Int32(bytes.count)) == 1)
                && EVP_EncryptFinal_ex(cipher, text + bytes.count, &count) == 1
                && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, Int32(tagBytes), text + bytes.count) == 1
        }
        precondition(done, "OpenSSL cannot encrypt")
        return sealed
    }

    /// The bytes, when one of the keys sealed them for this context and nothing changed since.
    package static func open(_ sealed: [UInt8], keys: [SealingKey], context: String) -> [UInt8]? {
        guard sealed.count >= headBytes + tagBytes, sealed.count < Int(Int32.max) / 2, sealed[0] == version,
            let key = keys.first(where: { $0.mark == Array(sealed[1..<5]) }), let cipher = EVP_CIPHER_CTX_new()
        else { return nil }
        defer { EVP_CIPHER_CTX_free(cipher) }
        let text = Array(sealed[headBytes..<sealed.count - tagBytes])
        var tag = Array(sealed.suffix(tagBytes))
        var bytes = [UInt8](repeating: 0, count: text.count + tagBytes)
        let bound = Array(sealed[..<headBytes]) + Array(context.utf8)
        var count: Int32 = 0
        let done =
            EVP_DecryptInit_ex2(cipher, fetched.handle, key.bytes, Array(sealed[5..<headBytes]), nil) == 1
            && EVP_DecryptUpdate(cipher, nil, &count, bound, Int32(bound.count)) == 1
            && (text.isEmpty || EVP_DecryptUpdate(cipher, &bytes, &count, text, Int32(text.count)) == 1)
            && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, Int32(tagBytes), &tag) == 1
            && bytes.withUnsafeMutableBufferPointer {
                EVP_DecryptFinal_ex(cipher, $0.baseAddress.map { $0 + text.count }, &count)
            } == 1
        return done ? Array(bytes.prefix(text.count)) : nil
    }

    /// Whether another key than this one sealed it: then it is opened and sealed anew in its time.
    package static func needsResealing(_ sealed: [UInt8], key: SealingKey) -> Bool {
        sealed.count < headBytes || Array(sealed[1..<5]) != key.mark
    }
}
