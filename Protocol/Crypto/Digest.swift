// SPDX-License-Identifier: Apache-2.0
// Digests by OpenSSL. Algorithms are looked up once: OpenSSL 3's convenience names search its providers on every use,
// which costs more than hashing a short text.

import COpenSSL

package enum DigestAlgorithm: String, Sendable, CaseIterable {
    case md5, sha1, sha256, sha512

    package var byteCount: Int {
        switch self {
        case .md5: 16
        case .sha1: 20
        case .sha256: 32
        case .sha512: 64
        }
    }

    /// OpenSSL's name, also understood by its HMAC.
    var name: String { rawValue.uppercased() }

    var handle: OpaquePointer {
        switch self {
        case .md5: Self.fetchedMD5.handle
        case .sha1: Self.fetchedSHA1.handle
        case .sha256: Self.fetchedSHA256.handle
        case .sha512: Self.fetchedSHA512.handle
        }
    }

    /// Safe to share: a fetched algorithm is immutable, kept for the life of the process and reference-counted
    /// atomically.
    private struct Fetched: @unchecked Sendable {
        let handle: OpaquePointer
        init(_ name: String) {
            guard let handle = EVP_MD_fetch(nil, name, nil) else { preconditionFailure("OpenSSL offers no \(name)") }
            self.handle = handle
        }
    }
    private static let fetchedMD5 = Fetched("MD5")
    private static let fetchedSHA1 = Fetched("SHA1")
    private static let fetchedSHA256 = Fetched("SHA256")
    private static let fetchedSHA512 = Fetched("SHA512")
}

package enum Digest {
    package static func md5(_ bytes: some Collection<UInt8>) -> [UInt8] { of(bytes, .md5) }
    package static func sha1(_ bytes: some Collection<UInt8>) -> [UInt8] { of(bytes, .sha1) }
    package static func sha256(_ bytes: some Collection<UInt8>) -> [UInt8] { of(bytes, .sha256) }
    package static func sha512(_ bytes: some Collection<UInt8>) -> [UInt8] { of(bytes, .sha512) }

    package static func of(_ bytes: some Collection<UInt8>, _ algorithm: DigestAlgorithm) -> [UInt8] {
        bytes.withBytes { bytes in
            [UInt8](unsafeUninitializedCapacity: algorithm.byteCount) { out, initialized in
                let done = EVP_Digest(bytes.baseAddress, bytes.count, out.baseAddress, nil, algorithm.handle, nil)
                precondition(done == 1, "OpenSSL cannot compute a digest")
                initialized = algorithm.byteCount
            }
        }
    }
}

/// A digest of what arrives in pieces. Belongs to one task at a time.
package final class StreamingDigest {
    package let algorithm: DigestAlgorithm
    private let context: OpaquePointer

    package init(_ algorithm: DigestAlgorithm) {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("out of memory") }
        self.algorithm = algorithm
        self.context = context
        start()
    }

    deinit { EVP_MD_CTX_free(context) }

    private func start() {
        precondition(EVP_DigestInit_ex2(context, algorithm.handle, nil) == 1, "OpenSSL cannot start a digest")
    }

    package func update(_ bytes: UnsafeRawBufferPointer) {
        precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1, "OpenSSL cannot compute a digest")
    }

    package func update(_ bytes: some Collection<UInt8>) { bytes.withBytes { update(UnsafeRawBufferPointer($0)) } }

    /// The digest of all so far; the next update starts a new one.
    package func finish() -> [UInt8] {
        let digest = [UInt8](unsafeUninitializedCapacity: algorithm.byteCount) { out, initialized in
            precondition(EVP_DigestFinal_ex(context, out.baseAddress, nil) == 1, "OpenSSL cannot compute a digest")
            initialized = algorithm.byteCount
        }
        start()
        return digest
    }
}
