// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import JSON

struct JSONParserTests {
    private func reason(_ text: String) -> String? { reason(Array(text.utf8)) }
    private func reason(_ bytes: [UInt8]) -> String? {
        do { _ = try JSON.parse(bytes) } catch { return error.description }
        return nil
    }

    @Test func `every kind of value is read`() throws {
        let text = #" { "a" : [ 1 , -2.5e3 , true , false , null , "x" , { } , [ ] ] , "b" : { "c" : "" } } "#
        let expected: JSON = [
            "a": [1, .number("-2.5e3"), true, false, nil, "x", [:], []], "b": ["c": ""],
        ]
        #expect(try JSON.parse(text) == expected)
        #expect(try JSON.parse("7") == 7)
        #expect(try JSON.parse("\"x\"") == "x")
        #expect(try JSON.parse("\t\r\n null \n") == nil)
    }

    @Test(arguments: [
        ("0", JSON.int(0)), ("-0", .int(0)), ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
        ("9223372036854775808", .number("9223372036854775808")),
        ("-9223372036854775809", .number("-9223372036854775809")),
        ("18446744073709551616", .number("18446744073709551616")), ("1e400", .number("1e400")), ("1.0", .number("1.0")),
        ("0.1E+2", .number("0.1E+2")), ("123456789012345678901234567890", .number("123456789012345678901234567890")),
    ])
    func `numbers keep what was written`(_ text: String, _ value: JSON) throws {
        #expect(try JSON.parse(text) == value)
        #expect(try JSON.parse("[\(text)]") == [value])
        if case .number = value { #expect(try JSON.parse(text).text == text) }
    }

    @Test(arguments: [
        "01", "-", "+1", "1.", ".5", "1e", "1e+", "-a", "0x10", "1 2", "NaN", "Infinity", "00", "-01", "1.e1",
    ])
    func `what is no number is refused`(_ text: String) {
        #expect(reason(text) != nil)
    }

    @Test(arguments: [
        (#""\u0041\n\t\r\b\f\/\\\"""#, "A\n\t\r\u{8}\u{c}/\\\""), (#""\u00e9""#, "é"), (#""\uD83D\uDE00""#, "😀"),
        (#""\ud83d\ude00x""#, "😀x"), ("\"ünïcödé ✓\"", "ünïcödé ✓"), (#""\u0000""#, "\0"), (#""\uFFFF""#, "\u{FFFF}"),
        (
            #""plain text of more than eight bytes \" and more of it""#,
            "plain text of more than eight bytes \" and more of it"
        ),
        (#""é\u0301é and some more""#, "é\u{301}é and some more"),
    ])
    func `strings are read with their escapes`(_ text: String, _ value: String) throws {
        let read = try #require(try JSON.parse(text).string)
        #expect(Array(read.unicodeScalars) == Array(value.unicodeScalars))
    }

    @Test(arguments: [
        #""\uD800""#, #""\uD800x""#, #""\uD800\n""#, #""\uD800\u0041""#, #""\uDC00""#, #""\uDC00\uD800""#, #""\u12""#,
        #""\u12G4""#, #""\x""#, #""\"#, #"""#, "\"a\nb\"", "\"a\0b\"", "\"\u{1f}\"", "\"12345678\u{1}\"",
        #""\ud83d\ude0""#,
    ])
    func `strings that are not well formed are refused`(_ text: String) {
        #expect(reason(text) != nil)
    }

    @Test(
        arguments: [
            [0xff], [0xc3], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc0, 0x80], [0xe2, 0x82],
            [0x80],
        ] as [[UInt8]])
    func `bytes that are not UTF-8 are refused, wherever they stand`(_ bytes: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        #expect(reason([quote] + bytes + [quote]) == "a string is not UTF-8 at byte 1")
        #expect(reason([quote] + Array("0123456789".utf8) + bytes + [quote]) != nil)
        #expect(reason([quote] + Array("\\n".utf8) + bytes + [quote]) != nil)
        #expect(reason(Array("{\"".utf8) + bytes + Array("\":1}".utf8)) != nil)
        #expect(reason(bytes) != nil)
    }

    @Test(arguments: [
        "", " ", "{", "[", "{]", "[}", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{1:2}", "{'a':1}",
        "[1 2]",
        "{\"a\" 1}", "tru", "trux", "nul", "falsee", "// x\n1", "1 //", "[1]]", "{}{}", "\u{feff}{}", "\u{a0}1",
    ])
    func `documents that are not well formed are refused`(_ text: String) {
        #expect(reason(text) != nil)
    }

    @Test func `the place of the trouble is told`() {
        #expect(reason("[1, x]") == "unexpected character at byte 4")
        #expect(reason("") == "unexpected end at byte 0")
        #expect(reason("{} x") == "unexpected data after the document at byte 3")
    }

    @Test func `a repeated name is refused in small and large objects`() {
        #expect(reason(#"{"a":1,"b":2,"a":3}"#)?.hasPrefix("repeated member name") == true)
        #expect(reason(#"{"a":1,"\u0061":3}"#)?.hasPrefix("repeated member name") == true)
        for count in [15, 16, 17, 40] {
            let members = (0..<count).map { "\"name\($0)\":\($0)" }
            #expect(reason("{\(members.joined(separator: ","))}") == nil)
            for again in [0, count - 1] {
                let more = members + ["\"name\(again)\":0"]
                #expect(reason("{\(more.joined(separator: ","))}")?.hasPrefix("repeated member name") == true)
            }
        }
        #expect(reason(#"[{"a":1},{"a":1,"b":{"a":1}}]"#) == nil)
    }

    @Test func `nesting is bounded`() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(reason(nested(JSON.maximumDepth)) == nil)
        #expect(reason(nested(JSON.maximumDepth + 1))?.hasPrefix("nested deeper") == true)
        #expect(reason(String(repeating: "[", count: 1_000_000)) != nil)
        #expect(reason(String(repeating: "{\"a\":", count: 1_000_000)) != nil)
        #expect(reason("[" + (0..<100).map { _ in "[[]]" }.joined(separator: ",") + "]") == nil)
    }

    @Test func `every truncation of a document is refused`() throws {
        let whole = Array(
            #"{"a":[1.5e3,"x\u00e9\ud83d\ude00é",true,null,{"b":false}],"longer name":"ünïcödé text"}"#.utf8)
        _ = try JSON.parse(whole)
        for count in whole.indices { #expect(reason(Array(whole[..<count])) != nil, "\(count) bytes") }
    }

    @Test func `any single changed byte gives a tree or an error, and a tree writes itself back`() throws {
        let whole = Array(#"{"a":[1.5e3,"x\u00e9\ud83d",true],"b":"é"}"#.utf8)
        for at in whole.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = whole
                changed[at] = byte
                guard let tree = try? JSON.parse(changed) else { continue }
                #expect(try JSON.parse(tree.bytes) == tree)
            }
        }
    }

    @Test func `a large document is read`() throws {
        let elements = (0..<20_000).map { "{\"id\":\($0),\"name\":\"element number \($0)\"}" }
        let tree = try JSON.parse("[\(elements.joined(separator: ","))]")
        #expect(tree.array?.count == 20_000)
        #expect(tree[19_999]?["name"] == "element number 19999")
        let long = String(repeating: "x", count: 1_000_000)
        #expect(try JSON.parse("\"\(long)\"").string?.utf8.count == 1_000_000)
    }
}
