// SPDX-License-Identifier: Apache-2.0
// The tokens written out here were made by another implementation of the specification.
import Testing

@testable import Crypto

struct FernetTests {
    private static let keyText = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    private let key = FernetKey(text: keyText) ?? .random()

    /// time, payload in hexadecimal, token
    private static let foreign: [(Int64, String, String)] = [
        (
            1_767_225_600, "",
            "gAAAAABpVbkAqc0NxShhwMEjpYlSjwF-hbxkX8Kie311TjzJIxp6ALsP3Dy5D_41sDwMyakUtaqcpWV51I5QcAbGDC1IrYwDgQ=="
        ),
        (
            1_767_225_601, "6d6172746c6574",
            "gAAAAABpVbkBtVNS-bxjNeFUw_ER2KQXWdJtFRb3r-3fH-UCWNRQHxt1xo0UsIyPzR8OKZtOuzBe1_vnyaTpELBGooNurCXn5A=="
        ),
        (
            1_767_225_602, "000102030405060708090a0b0c0d0e0f",
            "gAAAAABpVbkCRyPouDgkrFOSJ_gvNTmn8RkMfAFo8WULrQoGb60zUYnSoENYcScx5FgXJcRC-PewTUbPxFP0E8MXz_kYQSRcHc4g1O"
                + "JjLNBwBy5xIFec_t8="
        ),
    ]

    @Test(arguments: foreign)
    func `tokens of others are read, with padding and without`(_ time: Int64, _ payload: String, _ token: String) throws
    {
        let fernet = Fernet(keys: [key])
        for text in [token, String(token.prefix { $0 != "=" })] {
            let read = try #require(fernet.decrypt(text))
            #expect(hex(read.payload) == payload)
            #expect(read.issuedSeconds == time)
        }
    }

    @Test(arguments: foreign)
    func `with the same vector the token is the same`(_ time: Int64, _ payload: String, _ token: String) throws {
        let vector = Array(try #require(Base64.decodeURL(token))[9..<25])
        #expect(
            String(decoding: Fernet(keys: [key]).encrypt(unhex(payload), time: time, vector: vector), as: UTF8.self)
                == token)
    }

    /// The example of the specification itself.
    @Test func `the specification's token`() throws {
        let key = try #require(FernetKey(text: "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="))
        let token =
            "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="
        let vector = (0..<16).map { UInt8($0) }
        let made = Fernet(keys: [key]).encrypt(Array("hello".utf8), time: 499_162_800, vector: vector)
        #expect(String(decoding: made, as: UTF8.self) == token)
        #expect(Fernet(keys: [key]).decrypt(token)?.payload == Array("hello".utf8))
    }

    @Test func `every length survives and no token is like another`() {
        let fernet = Fernet(keys: [.random()])
        var seen: Set<String> = []
        for count in 0...200 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
            let token = fernet.encryptText(bytes, time: Int64(count))
            #expect(!token.contains("="))
            #expect(seen.insert(token).inserted)
            let read = fernet.decrypt(token)
            #expect(read?.payload == bytes)
            #expect(read?.issuedSeconds == Int64(count))
        }
        #expect(fernet.encrypt([1], time: 0, padded: true).count.isMultiple(of: 4))
        #expect(fernet.decrypt(fernet.encryptText([7], time: -5))?.issuedSeconds == -5)
    }

    @Test func `the first key encrypts and every key decrypts`() {
        let old = FernetKey.random(), new = FernetKey.random()
        let token = Fernet(keys: [old]).encryptText([1, 2, 3], time: 1)
        #expect(Fernet(keys: [new, old]).decrypt(token)?.payload == [1, 2, 3])
        #expect(Fernet(keys: [new]).decrypt(token) == nil)
        #expect(Fernet(keys: [new]).decrypt(Fernet(keys: [new, old]).encryptText([4], time: 1))?.payload == [4])
    }

    @Test func `one changed letter, one cut letter or one added letter is refused`() {
        let fernet = Fernet(keys: [key])
        let token = Array(Self.foreign[1].2.prefix { $0 != "=" }.utf8)
        for at in token.indices {
            var changed = token
            changed[at] = changed[at] == 0x41 ? 0x42 : 0x41
            #expect(fernet.decrypt(String(decoding: changed, as: UTF8.self)) == nil)
            #expect(fernet.decrypt(String(decoding: token[..<at], as: UTF8.self)) == nil)
        }
        for more in ["A", "AA", "AAA", "AAAA", "=", " "] {
            #expect(fernet.decrypt(String(decoding: token, as: UTF8.self) + more) == nil)
        }
    }

    @Test func `what is no token is refused`() {
        let fernet = Fernet(keys: [key])
        for text in ["", "=", "gAAA", "é", "gAAAAA" + String(repeating: "A", count: 100_000)] {
            #expect(fernet.decrypt(text) == nil)
        }
        // Another version, rightly signed.
        var raw = [UInt8](repeating: 0, count: 41)
        raw[0] = 0x81
        raw += HMAC.sha256(key: key.signing, raw)
        #expect(fernet.decrypt(Base64.encodeURL(raw)) == nil)
        // No cipher text, rightly signed; and cipher text whose padding is wrong.
        let head: [UInt8] = [0x80] + [UInt8](repeating: 0, count: 24)
        #expect(fernet.decrypt(Base64.encodeURL(head + HMAC.sha256(key: key.signing, head))) == nil)
        let body = head + [UInt8](repeating: 3, count: 16)
        #expect(fernet.decrypt(Base64.encodeURL(body + HMAC.sha256(key: key.signing, body))) == nil)
    }

    @Test func `keys read and write their text`() {
        #expect(key.text == Self.keyText)
        #expect(key.bytes == (0..<32).map { UInt8($0) })
        #expect(FernetKey(text: "AAEC") == nil)
        #expect(FernetKey(text: "not a key") == nil)
        #expect(FernetKey.random { [UInt8](repeating: 9, count: $0) }.bytes == [UInt8](repeating: 9, count: 32))
    }

    @Test func `many callers at once share one instance`() async {
        let fernet = Fernet(keys: [.random(), .random()])
        await withTaskGroup(of: Bool.self) { group in
            for number in 0..<8 {
                group.addTask {
                    (0..<500).allSatisfy { round in
                        let bytes = Array("\(number) \(round)".utf8)
                        return fernet.decrypt(fernet.encryptText(bytes, time: 1))?.payload == bytes
                    }
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }
}
