// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Crypto

func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}

func unhex(_ text: String) -> [UInt8] {
    let digits = Array(text)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16) ?? 0 }
}

struct DigestTests {
    @Test func `published digests of abc and of nothing`() {
        #expect(hex(Digest.md5("abc".utf8)) == "900150983cd24fb0d6963f7d28e17f72")
        #expect(hex(Digest.sha1("abc".utf8)) == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(hex(Digest.sha256("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(hex(Digest.sha512("abc".utf8)).hasPrefix("ddaf35a193617abacc417349ae204131"))
        #expect(hex(Digest.sha256([])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test(arguments: DigestAlgorithm.allCases)
    func `pieces give the digest of the whole, twice`(_ algorithm: DigestAlgorithm) {
        let whole = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let digest = StreamingDigest(algorithm)
        for _ in 0..<2 {
            digest.update(whole[..<1])
            digest.update([])
            digest.update(whole[1..<4097])
            whole[4097...].withUnsafeBytes { digest.update($0) }
            #expect(digest.finish() == Digest.of(whole, algorithm))
        }
        #expect(digest.finish() == Digest.of([], algorithm))
    }

    /// RFC 2202 case 2, RFC 4231 cases 2 and 6.
    @Test func `published keyed digests`() {
        let text = "what do ya want for nothing?".utf8
        #expect(hex(HMAC.sha1(key: "Jefe".utf8, text)) == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
        #expect(
            hex(HMAC.sha256(key: "Jefe".utf8, text))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(hex(HMAC.sha512(key: "Jefe".utf8, text)).hasPrefix("164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd6"))
        let long = [UInt8](repeating: 0xaa, count: 131)
        #expect(
            hex(HMAC.sha256(key: long, "Test Using Larger Than Block-Size Key - Hash Key First".utf8))
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
        #expect(
            hex(HMAC.sha256(key: [], [])) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test func `a keyed digest is ready again after each message`() {
        let mac = KeyedHMAC(key: "key".utf8, .sha256)
        let first = mac.code("one".utf8)
        #expect(mac.code("two".utf8) != first)
        #expect(mac.code("one".utf8) == first)
        #expect(mac.code([UInt8]()) == HMAC.sha256(key: "key".utf8, []))
    }

    @Test func `equal means the same bytes and length`() {
        #expect(ConstantTime.equal("secret", "secret"))
        #expect(ConstantTime.equal("", ""))
        #expect(!ConstantTime.equal("secret", "secreT"))
        #expect(!ConstantTime.equal("secret", "secret "))
        #expect(!ConstantTime.equal([1, 2, 3], [1, 2]))
    }

    /// RFC 6238, appendix B.
    @Test(
        arguments: [
            (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"), (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"), (20_000_000_000, "65353130"),
        ] as [(Int64, String)])
    func `one-time passwords of RFC 6238`(_ time: Int64, _ code: String) {
        let secret = Array("12345678901234567890".utf8)
        #expect(TOTP.code(secret: secret, time: time, digits: 8) == code)
        #expect(TOTP.code(secret: secret, time: time) == code.suffix(6))
    }

    @Test func `a code is taken in its own step and the one after`() {
        let secret = Array("12345678901234567890".utf8)
        let code = TOTP.code(secret: secret, time: 600)
        #expect(TOTP.matches(code, secret: secret, time: 600))
        #expect(TOTP.matches(code, secret: secret, time: 659))
        #expect(!TOTP.matches(code, secret: secret, time: 660))
        #expect(!TOTP.matches(code, secret: secret, time: 599))
        #expect(!TOTP.matches(code, secret: secret, time: 659, previous: 0))
        #expect(TOTP.matchedStep(code, secret: secret, time: 659) == 20)
        for wrong in ["", "12345", code + "0", "abcdef"] { #expect(!TOTP.matches(wrong, secret: secret, time: 600)) }
    }
}
