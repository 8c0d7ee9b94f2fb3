// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import JSON

struct JSONWriterTests {
    private func text(_ write: (inout JSONWriter) -> Void) -> String {
        String(decoding: JSONWriter.bytes(write), as: UTF8.self)
    }

    @Test func `structure and commas are right`() {
        let written = text { w in
            w.object { w in
                w.field("name", "x")
                w.field("count", -3)
                w.field("isUp", true)
                w.field("none", orNull: nil as String?)
                w.field("noNumber", orNull: nil as Int?)
                w.field("noClaim", orNull: nil as Bool?)
                w.field("some", orNull: "y")
                w.field("words", ["a", "b"])
                w.object("empty") { _ in }
                w.array("list") { w in
                    w.int(1)
                    w.object { w in w.field("deep", 2) }
                    w.array { _ in }
                    w.null()
                    w.rendered(Array("{\"made\":1}".utf8))
                }
                w.key("free \"name\"")
                w.bool(false)
                w.members(["last": [1, nil]])
            }
        }
        #expect(
            written
                == #"{"name":"x","count":-3,"isUp":true,"none":null,"noNumber":null,"noClaim":null,"some":"y","words":["a","b"],"#
                + #""empty":{},"list":[1,{"deep":2},[],null,{"made":1}],"free \"name\"":false,"last":[1,null]}"#)
    }

    @Test(arguments: [
        ("", #""""#), ("plain", #""plain""#), ("a\"b\\c", #""a\"b\\c""#), ("\n\r\t", #""\n\r\t""#),
        ("\0\u{1f}\u{8}", #""\u0000\u001f\u0008""#),
        ("é✓😀", "\"é✓😀\""), ("/", "\"/\""), ("\u{7f}\u{80}", "\"\u{7f}\u{80}\""), ("\u{2028}", "\"\u{2028}\""),
    ])
    func `strings are escaped where they must be`(_ value: String, _ written: String) throws {
        #expect(text { $0.string(value) } == written)
        #expect(try JSON.parse(written) == .string(value))
    }

    @Test func `an escape at every place of a string is found`() throws {
        for count in 0..<40 {
            for at in 0..<max(count, 1) where count > 0 {
                for odd in ["\"", "\\", "\u{1f}", "\0", "é", " ", "!", "#", "[", "]", "\u{7f}"] {
                    var letters = [String](repeating: "x", count: count)
                    letters[at] = odd
                    let value = letters.joined()
                    let written = text { $0.string(value) }
                    let back = try JSON.parse(written).string
                    #expect(
                        back.map { Array($0.utf8) } == Array(value.utf8), "\(odd.debugDescription) at \(at) of \(count)"
                    )
                }
            }
        }
    }

    @Test(arguments: [0, 1, -1, 9, 10, -10, 1_234_567_890, Int.max, Int.min])
    func `integers are written whole`(_ value: Int) {
        #expect(text { $0.int(value) } == "\(value)")
    }

    @Test func `any tree reads back the same`() throws {
        var seed: UInt64 = 42
        func random(_ below: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % below
        }
        func word() -> String {
            String(
                String.UnicodeScalarView(
                    (0..<random(30)).map { _ in
                        Unicode.Scalar(UInt32(random(4) == 0 ? random(0xd7ff) : random(128))) ?? "x"
                    }))
        }
        func tree(_ depth: Int) -> JSON {
            switch random(depth > 5 ? 5 : 7) {
            case 0: return nil
            case 1: return .bool(random(2) == 0)
            case 2: return .int(random(2) == 0 ? random(1000) : -random(1 << 30))
            case 3: return .number("\(random(1000)).\(random(1000))")
            case 4: return .string(word())
            case 5: return .array((0..<random(5)).map { _ in tree(depth + 1) })
            default:
                var object = JSON.Object()
                for _ in 0..<random(20) { object[word()] = tree(depth + 1) }
                return .object(object)
            }
        }
        for _ in 0..<500 {
            let value = tree(0)
            #expect(try JSON.parse(value.bytes) == value)
        }
    }

    @Test func `a buffer grows past any first size`() throws {
        var writer = JSONWriter(capacity: 1)
        writer.array { w in for i in 0..<10_000 { w.int(i) } }
        #expect(writer.count > 40_000)
        #expect(try JSON.parse(writer.take()).array?.count == 10_000)
    }
}

struct JSONValueTests {
    @Test func `members are found, set and removed in order`() {
        var object: JSON.Object = ["a": 1, "b": 2]
        object["c"] = 3
        object["a"] = "x"
        object["b"] = nil
        object["missing"] = nil
        #expect(object.names == ["a", "c"])
        #expect(JSON.object(object).text == #"{"a":"x","c":3}"#)
        #expect(object == ["c": 3, "a": "x"] as JSON.Object)
        #expect(object != ["c": 3, "a": "y"] as JSON.Object)
        #expect(object != ["c": 3] as JSON.Object)
    }

    @Test func `values are reached by path and told by kind`() {
        let value: JSON = ["list": [1, ["deep": true]], "n": .number("1.5"), "none": nil]
        #expect(value["list"]?[1]?["deep"]?.bool == true)
        #expect(value["list"]?[2] == nil)
        #expect(value["list"]?[-1] == nil)
        #expect(value["list"]?["x"] == nil)
        #expect(value["n"]?.double == 1.5)
        #expect(value["list"]?[0]?.double == 1)
        #expect(value["none"]?.isNull == true)
        #expect(value["absent"] == nil)
        #expect(value["n"]?.int == nil)
        let kinds: [JSON] = [nil, true, 1, .number("1.5"), "x", [], [:]]
        #expect(
            kinds.map(\.kindName) == [
                "null", "a boolean", "an integer", "a number", "a string", "an array", "an object",
            ])
    }
}
