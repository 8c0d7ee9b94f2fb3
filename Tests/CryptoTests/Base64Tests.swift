// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Crypto

struct Base64Tests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `the examples of RFC 4648 read and write`(_ plain: String, _ text: String) {
        #expect(Base64.encode(plain.utf8) == text)
        #expect(Base64.decode(text) == Array(plain.utf8))
        let bare = String(text.prefix { $0 != "=" })
        #expect(Base64.encodeURL(plain.utf8) == bare)
        #expect(Base64.encodeURL(plain.utf8, padded: true) == text)
        #expect(Base64.decodeURL(bare) == Array(plain.utf8))
        #expect(Base64.decodeURL(text) == Array(plain.utf8))
    }

    @Test func `every length and every byte survive`() {
        for count in 0...70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(Base64.decodeURL(Base64.encodeURL(bytes)) == bytes)
        }
        let all = (0...255).map { UInt8($0) }
        #expect(Base64.decode(Base64.encode(all)) == all)
        #expect(Base64.encode(all).contains("+") && Base64.encode(all).contains("/"))
        #expect(Base64.encodeURL(all).contains("-") && Base64.encodeURL(all).contains("_"))
    }

    @Test(arguments: [
        "Z", "Zg", "Zg=", "Zm8", "Zg==\n", " Zg==", "Zm9vZ===", "====", "=", "Zg==Zg==", "Zm9v!A==", "Zm9-", "Zm9_",
        "Zh==",
        "Zm9=", "Zmé=",
    ])
    func `what is not canonical is refused`(_ text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test(arguments: ["Z", "Zm9vZ", "Zg=", "Zm9+", "Zm9/", "Zh", "Zg===", "Zm9v\0"])
    func `the URL form has its own letters and lengths`(_ text: String) {
        #expect(Base64.decodeURL(text) == nil)
    }

    @Test(arguments: [
        ("", ""), ("f", "MY======"), ("fo", "MZXQ===="), ("foo", "MZXW6==="), ("foob", "MZXW6YQ="),
        ("fooba", "MZXW6YTB"),
        ("foobar", "MZXW6YTBOI======"),
    ])
    func `base 32 reads and writes the examples`(_ plain: String, _ text: String) {
        #expect(Base32.encode(plain.utf8) == text)
        #expect(Base32.decode(text) == Array(plain.utf8))
        #expect(Base32.decode(text.lowercased()) == Array(plain.utf8))
        #expect(Base32.decode(text.prefix { $0 != "=" }) == Array(plain.utf8))
    }

    @Test(arguments: ["M", "MZX", "MZXW6Y", "MZXW6YT1", "MZ XQ", "MY=======", "M=Y="])
    func `base 32 refuses foreign letters and impossible lengths`(_ text: String) {
        #expect(Base32.decode(text) == nil)
    }

    @Test func `base 32 survives every length`() {
        for count in 0...40 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 91 &+ count) }
            #expect(Base32.decode(Base32.encode(bytes)) == bytes)
        }
    }
}
