// SPDX-License-Identifier: Apache-2.0
// Keyed digests (RFC 2104). KeyedHMAC keeps a key's prepared state for many messages; HMAC is for single ones.

import COpenSSL

package enum HMAC {
    package static func sha1(key: some Collection<UInt8>, _ data: some Collection<UInt8>) -> [UInt8] {
        KeyedHMAC(key: key, .sha1).code(data)
    }

    package static func sha256(key: some Collection<UInt8>, _ data: some Collection<UInt8>) -> [UInt8] {
        KeyedHMAC(key: key, .sha256).code(data)
    }

    package static func sha512(key: some Collection<UInt8>, _ data: some Collection<UInt8>) -> [UInt8] {
        KeyedHMAC(key: key, .sha512).code(data)
    }
}

/// One key, one message at a time.
final class KeyedHMAC {
    /// Safe to share: a fetched algorithm is immutable and kept for the life of the process.
    private struct Fetched: @unchecked Sendable {
        let handle: OpaquePointer
        init() {
            guard let handle = EVP_MAC_fetch(nil, "HMAC", nil) else { preconditionFailure("OpenSSL offers no HMAC") }
            self.handle = handle
        }
    }
    private static let fetched = Fetched()

    private let context: OpaquePointer
    let byteCount: Int

    init(key: some Collection<UInt8>, _ algorithm: DigestAlgorithm) {
        guard let context = EVP_MAC_CTX_new(Self.fetched.handle) else { preconditionFailure("out of memory") }
        self.context = context
        byteCount = algorithm.byteCount
        // A null key would mean "the key of before": an empty one needs an address, too.
        let keyBytes = Array(key) + [0]
        // A parameter keeps the addresses of its name and its value: both must outlive the call that reads them.
        var value = Array(algorithm.name.utf8CString)
        let done = OSSL_MAC_PARAM_DIGEST.withCString { name in
            value.withUnsafeMutableBufferPointer { value in
                var parameters = [
                    OSSL_PARAM_construct_utf8_string(name, value.baseAddress, 0), OSSL_PARAM_construct_end(),
                ]
                return EVP_MAC_init(context, keyBytes, keyBytes.count - 1, &parameters)
            }
        }
        precondition(done == 1, "OpenSSL cannot key an HMAC")
    }

    deinit { EVP_MAC_CTX_free(context) }

    func code(_ data: some Collection<UInt8>) -> [UInt8] {
        data.withBytes { data in
            [UInt8](unsafeUninitializedCapacity: byteCount) { out, initialized in
                write(of: data, to: out)
                initialized = byteCount
            }
        }
    }

    /// Writes `byteCount` bytes and makes ready for the next message.
    @inline(__always)
    func write(of data: UnsafeBufferPointer<UInt8>, to out: UnsafeMutableBufferPointer<UInt8>) {
        var count = 0
        let done =
            EVP_MAC_init(context, nil, 0, nil) == 1
            && (data.isEmpty || EVP_MAC_update(context, data.baseAddress, data.count) == 1)
            && EVP_MAC_final(context, out.baseAddress, &count, out.count) == 1
        precondition(done && count == byteCount, "OpenSSL cannot compute an HMAC")
    }
}
