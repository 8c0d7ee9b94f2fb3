// SPDX-License-Identifier: Apache-2.0
// Fernet tokens, as their specification has it: version 0x80, time, IV, AES-128-CBC, HMAC-SHA256, URL-safe base 64.
// Made without padding, as Keystone does; read with or without. The signature is checked before anything is
// decrypted.
//
// Keyed contexts cost more to make than a token takes, so each key keeps a few and lends them, one caller at a time.

import COpenSSL
import Synchronization

package final class Fernet: Sendable {
    /// Longer texts are refused unread; ours have some 250 letters.
    package static let largestTokenBytes = 64 * 1024
    private static let headBytes = 25
    private static let signatureBytes = 32

    private let pools: [FernetContextPool]

    /// The first key encrypts, every one decrypts. There is at least one.
    package init(keys: [FernetKey]) {
        precondition(!keys.isEmpty, "Fernet needs a key")
        pools = keys.map(FernetContextPool.init)
    }

    /// The letters of a new token. `time` is seconds since 1970.
    package func encrypt(_ bytes: [UInt8], time: Int64, padded: Bool = false) -> [UInt8] {
        pools[0].lend { context in
            context.token(bytes, time, context.freshVector(), padded)
        }
    }

    package func encryptText(_ bytes: [UInt8], time: Int64, padded: Bool = false) -> String {
        String(decoding: encrypt(bytes, time: time, padded: padded), as: UTF8.self)
    }

    /// The token with a given initialization vector, to compare with the specification's examples.
    func encrypt(_ bytes: [UInt8], time: Int64, vector: [UInt8]) -> [UInt8] {
        precondition(vector.count == FernetContext.vectorBytes)
        return pools[0].lend { context in
            vector.withUnsafeBufferPointer { context.token(bytes, time, $0, true) }
        }
    }

    package func decrypt(_ token: some StringProtocol) -> (payload: [UInt8], issuedSeconds: Int64)? {
        token.utf8.withBytes(decrypt)
    }

    /// What was encrypted and when; nil unless one of the keys made the token and no bit of it changed.
    package func decrypt(_ token: UnsafeBufferPointer<UInt8>) -> (payload: [UInt8], issuedSeconds: Int64)? {
        guard token.count <= Self.largestTokenBytes else { return nil }
        let room = token.count / 4 * 3 + 3
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: room) { scratch in
            guard let count = Base64.decode(token, into: scratch, .url) else { return nil }
            return open(UnsafeBufferPointer(rebasing: scratch[..<count]))
        }
    }

    private func open(_ bytes: UnsafeBufferPointer<UInt8>) -> (payload: [UInt8], issuedSeconds: Int64)? {
        let cipherBytes = bytes.count - Self.headBytes - Self.signatureBytes
        guard cipherBytes > 0, cipherBytes.isMultiple(of: 16), bytes[0] == 0x80 else { return nil }
        var time: UInt64 = 0
        for byte in bytes[1..<9] { time = time << 8 | UInt64(byte) }
        for pool in pools {
            guard let payload = pool.lend({ $0.payload(bytes, cipherBytes) }) else { continue }
            return (payload, Int64(bitPattern: time))
        }
        return nil
    }
}

/// The contexts of one key that nobody is using.
private final class FernetContextPool: Sendable {
    private let key: FernetKey
    private let idle = Mutex<[FernetContext]>([])

    init(_ key: FernetKey) { self.key = key }

    /// Callers at once are as many as there are threads: the stock stays that small.
    @inline(__always)
    func lend<Result>(_ body: (FernetContext) -> Result) -> Result {
        let context = idle.withLock { $0.popLast() } ?? FernetContext(key)
        defer { idle.withLock { $0.append(context) } }
        return body(context)
    }
}
