// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Core

struct WordsTests {
    @Test(arguments: [
        ("", "", 0), ("a", "", 1), ("", "abc", 3), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("same", "same", 0),
        ("listen", "silent", 4),
    ])
    func `distances are those of the textbook, either way`(_ a: String, _ b: String, _ distance: Int) {
        #expect(Words.distance(a, b) == distance)
        #expect(Words.distance(b, a) == distance)
    }

    @Test func `the nearest word is found, unless all are far`() {
        let words = ["listen", "listen_tls", "data", "workers"]
        #expect(Words.nearest(to: "lisen", in: words) == "listen")
        #expect(Words.nearest(to: "date", in: words) == "data")
        #expect(Words.nearest(to: "worker", in: words) == "workers")
        #expect(Words.nearest(to: "database_url", in: words) == nil)
        #expect(Words.nearest(to: "x", in: []) == nil)
        #expect(Words.nearest(to: String(repeating: "x", count: 100_000), in: words) == nil)
    }

    @Test func `hexadecimal reads what it writes`() {
        let all = (0...255).map { UInt8($0) }
        #expect(Hex.bytes(Hex.text(all)) == all)
        #expect(Hex.text([0, 0x0f, 0xf0, 0xff]) == "000ff0ff")
        #expect(Hex.bytes("DEADbeef") == [0xde, 0xad, 0xbe, 0xef])
        #expect(Hex.bytes("") == [])
        for wrong in ["0", "0g", "g0", " 00", "00 ", "é", "0x00", "::", "@@", "``"] {
            #expect(Hex.bytes(wrong) == nil, "\(wrong)")
        }
    }

    @Test func `ids are random, distinct and of 32 digits`() {
        let ids = Set((0..<1000).map { _ in ID<User>.random(SystemEntropy()) })
        #expect(ids.count == 1000)
        #expect(ids.allSatisfy { $0.text.utf8.count == 32 && Hex.bytes($0.text) != nil })
        #expect(ID<User>("a") < ID<User>("b"))
        #expect("\(ID<User>("a"))" == "a")
    }
}
