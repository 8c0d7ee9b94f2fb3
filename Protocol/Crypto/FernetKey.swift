// SPDX-License-Identifier: Apache-2.0
// A key of the Fernet specification: 16 bytes to sign, 16 to encrypt, written as URL-safe base 64.

package struct FernetKey: Sendable, Equatable {
    package static let byteCount = 32
    package let bytes: [UInt8]

    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    package init?(text: some StringProtocol) {
        guard let bytes = Base64.decodeURL(text) else { return nil }
        self.init(bytes: bytes)
    }

    /// A new key from the kernel's randomness, or another source of as many bytes as it is asked for.
    package static func random(_ entropy: (Int) -> [UInt8] = Random.bytes) -> FernetKey {
        guard let key = FernetKey(bytes: entropy(byteCount)) else { preconditionFailure("the entropy is too short") }
        return key
    }

    package var text: String { Base64.encodeURL(bytes, padded: true) }
    var signing: ArraySlice<UInt8> { bytes[..<16] }
    var encrypting: ArraySlice<UInt8> { bytes[16...] }
}
