// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Crypto

struct SealedTests {
    private let key = SealingKey.random()

    @Test func `what is sealed opens again`() {
        for count in [0, 1, 15, 16, 17, 1000, 100_000] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
            let sealed = Sealed.seal(bytes, key: key, context: "credential/1")
            #expect(sealed.count == count + 33)
            #expect(Sealed.open(sealed, keys: [key], context: "credential/1") == bytes)
        }
        #expect(Sealed.seal([1], key: key, context: "") != Sealed.seal([1], key: key, context: ""))
    }

    @Test func `a sealed value does not open elsewhere, changed, or cut`() {
        let sealed = Sealed.seal(Array("secret".utf8), key: key, context: "credential/1")
        #expect(Sealed.open(sealed, keys: [key], context: "credential/2") == nil)
        #expect(Sealed.open(sealed, keys: [.random()], context: "credential/1") == nil)
        for at in sealed.indices {
            var changed = sealed
            changed[at] ^= 1
            #expect(Sealed.open(changed, keys: [key], context: "credential/1") == nil)
            #expect(Sealed.open(Array(sealed[..<at]), keys: [key], context: "credential/1") == nil)
        }
    }

    @Test func `several keys are told apart by their mark`() {
        let old = SealingKey.random()
        let sealed = Sealed.seal([7], key: old, context: "c")
        #expect(Sealed.open(sealed, keys: [key, old], context: "c") == [7])
        #expect(Sealed.needsResealing(sealed, key: key))
        #expect(!Sealed.needsResealing(sealed, key: old))
        #expect(Sealed.needsResealing([], key: old))
    }

    /// Computed by another implementation of AES-GCM from the fields of the sealed form.
    @Test func `the form is the documented one`() throws {
        let key = try #require(SealingKey(bytes: (0..<32).map { UInt8($0) }))
        let sealed = unhex(SealedTests.golden)
        #expect(Sealed.open(sealed, keys: [key], context: "credential/1") == Array("secret".utf8))
        #expect(SealingKey(text: key.text) == key)
        #expect(SealingKey(text: "AAEC") == nil)
    }

    private static let golden = "01a6a91a0a6465666768696a6b6c6d6e6f3b7ebd141c9de574ac9a2d0c7b4da380e2f180fe53bb"
}
