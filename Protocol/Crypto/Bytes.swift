// SPDX-License-Identifier: Apache-2.0
// What the module's files share: bytes as one contiguous run, random bytes of the kernel, and a comparison that takes
// as long for a wrong secret as for the right one.

import COpenSSL
import CSystem

extension Collection<UInt8> {
    /// The bytes as one run of memory; only a collection that is not one already is copied.
    @inline(__always)
    func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        withContiguousStorageIfAvailable(body) ?? Array(self).withUnsafeBufferPointer(body)
    }
}

package enum Random {
    package static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { out, initialized in
            fill(UnsafeMutableBufferPointer(rebasing: out[..<count]))
            initialized = count
        }
    }

    static func fill(_ out: UnsafeMutableBufferPointer<UInt8>) {
        if out.isEmpty { return }
        let failed = csystem_random(out.baseAddress, out.count) != 0
        precondition(!failed, "the kernel gives no random bytes")
    }
}

package enum ConstantTime {
    /// Whether both are the same; the time taken tells nothing about where they differ, only whether the lengths do.
    package static func equal(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> Bool {
        a.withBytes { a in
            b.withBytes { b in
                guard a.count == b.count else { return false }
                guard let left = a.baseAddress, let right = b.baseAddress else { return true }
                return CRYPTO_memcmp(left, right, a.count) == 0
            }
        }
    }

    package static func equal(_ a: String, _ b: String) -> Bool { equal(a.utf8, b.utf8) }
}
