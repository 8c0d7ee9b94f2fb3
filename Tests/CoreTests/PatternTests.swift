// SPDX-License-Identifier: Apache-2.0
// What is expected here is what Python's re.match answers.
import Testing

@testable import Core

struct PatternTests {
    private static let answers: [(String, String, Bool)] = [
        ("^(?=.*\\d)(?=.*[a-zA-Z]).{7,}$", "password", false),
        ("^(?=.*\\d)(?=.*[a-zA-Z]).{7,}$", "passw0rd", true),
        ("^(?=.*\\d)(?=.*[a-zA-Z]).{7,}$", "p1", false),
        ("^(?=.*\\d)(?=.*[a-zA-Z]).{7,}$", "1234567", false),
        ("^(?=.*\\d)(?=.*[a-zA-Z]).{7,}$", "ab12345\n", true),
        ("^(?=.*\\d)(?=.*[a-zA-Z]).{7,}$", "é1234567a", true),
        ("[a-z]+", "abc", true),
        ("[a-z]+", "Abc", false),
        ("[a-z]+", "abc1", true),
        ("[a-z]+", "", false),
        ("a{2,3}$", "a", false),
        ("a{2,3}$", "aa", true),
        ("a{2,3}$", "aaa", true),
        ("a{2,3}$", "aaaa", false),
        ("a{2}", "a", false),
        ("a{2}", "aa", true),
        ("a{2}", "aaa", true),
        ("a{,2}$", "", true),
        ("a{,2}$", "aa", true),
        ("a{,2}$", "aaa", false),
        ("a{2,}$", "a", false),
        ("a{2,}$", "aaaa", true),
        ("(ab|a)(bc|c)?$", "abc", true),
        ("(ab|a)(bc|c)?$", "ab", true),
        ("(ab|a)(bc|c)?$", "ac", true),
        ("(ab|a)(bc|c)?$", "abbc", true),
        ("(?:ab)*c", "ababc", true),
        ("(?:ab)*c", "c", true),
        ("(?:ab)*c", "abac", false),
        ("a*?b", "aaab", true),
        ("a*?b", "b", true),
        ("a*?b", "a", false),
        ("a+?$", "aaa", true),
        ("a+?$", "", false),
        (".", "\n", false),
        (".", "x", true),
        (".", "", false),
        ("^$", "", true),
        ("^$", "\n", true),
        ("^$", "x", false),
        ("a$", "a", true),
        ("a$", "a\n", true),
        ("a$", "a\nb", false),
        ("(?!.*admin).*$", "user", true),
        ("(?!.*admin).*$", "my admin", false),
        ("(?!.*admin).*$", "admin", false),
        ("[^0-9]+$", "abc", true),
        ("[^0-9]+$", "a1", false),
        ("[]a]+$", "]a", true),
        ("[]a]+$", "b", false),
        ("[a\\]]+$", "a]", true),
        ("[a\\]]+$", "\\", false),
        ("[a-]+$", "a-", true),
        ("[a-]+$", "b", false),
        ("[-a]+$", "-a", true),
        ("[-a]+$", "b", false),
        ("[\\d.]+$", "1.2", true),
        ("[\\d.]+$", "1a", false),
        ("\\w+\\s\\w+$", "a b", true),
        ("\\w+\\s\\w+$", "a  b", false),
        ("\\w+\\s\\w+$", "a\tb", true),
        ("\\W\\D\\S", "-a-", true),
        ("\\W\\D\\S", "a--", false),
        ("\\W\\D\\S", "-1-", false),
        ("\\.\\*\\(\\)\\[\\]\\{\\}\\\\\\|\\^\\$\\+\\?", ".*()[]{}\\|^$+?", true),
        ("\\.\\*\\(\\)\\[\\]\\{\\}\\\\\\|\\^\\$\\+\\?", "x", false),
        ("x{a}", "x{a}", true),
        ("x{a}", "x", false),
        ("(a|b|)c", "ac", true),
        ("(a|b|)c", "c", true),
        ("(a|b|)c", "bc", true),
        ("(a|b|)c", "d", false),
        ("(a*)*b", "aab", true),
        ("(a*)*b", "b", true),
        ("(a*)*b", "aac", false),
        ("(a|aa)+$", "aaa", true),
        ("(a|aa)+$", "aab", false),
        ("((a)|b)+c", "abac", true),
        ("((a)|b)+c", "c", false),
        ("é+$", "éé", true),
        ("é+$", "e", false),
        ("a|b", "b", true),
        ("a|b", "c", false),
        ("a|", "b", true),
        ("(?=a)ab", "ab", true),
        ("(?=a)ab", "b", false),
        ("(?:a?){3}a{3}$", "aaa", true),
        ("(?:a?){3}a{3}$", "aa", false),
        ("(?:a?){3}a{3}$", "aaaaaa", true),
        ("^(?=.*\\d)(?=.*[a-zA-Z]).{7,}$", "abcdef1", true), ("^(?=.*\\d)(?=.*[a-zA-Z]).{7,}$", "abcdefg", false),
        ("^(?=.*\\d)(?=.*[a-zA-Z]).{7,}$", "abc1", false), ("a|bc", "bcd", true), ("a|bc", "cbc", false),
        ("(ab)+$", "ababab", true), ("(ab)+$", "ababa", false), ("[^a-c]x", "dx", true), ("[^a-c]x", "ax", false),
        ("a{2,3}b", "aaab", true), ("a{2,3}b", "ab", false), ("a{2}b", "aab", true), ("x{", "x{", true),
        ("(?!.*password)", "my-password", false), ("(?!.*password)", "secret", true), ("\\S+$", "with space", false),
        ("[\\w.-]+$", "a.b-c_9", true), ("[]a]+$", "]a", true), ("", "anything", true), ("ab*?$", "abbb", true),
        ("(a|ab)(c|bcd)$", "abcd", true), (".$", "\n", false), ("(a*)*$", "aaaa", true), ("é+$", "éé", true),
    ]

    @Test(arguments: answers)
    func `patterns match as operators know them`(_ pattern: String, _ text: String, _ isMatch: Bool) throws {
        #expect(try Pattern(pattern).matches(text) == isMatch)
    }

    @Test(arguments: [
        "(", ")", "(a", "a)", "[", "[a", "[]", "*", "+a", "?", "a**", "a{2}{3}", "a{3,2}", "a{1001}", "^*", "$+",
        "(?=a)*", "\\",
        "\\b", "\\1", "\\A", "[z-a]", "[\\W]", "(?P<n>a)", "(?<=a)", "(?i)a", "(?<x>a)",
    ])
    func `what is not understood is refused, with its place`(_ pattern: String) {
        #expect {
            try Pattern(pattern)
        } throws: { "\($0)".contains("at character") }
    }

    @Test func `patterns and their matching are bounded`() throws {
        #expect(throws: Pattern.Refusal.self) { try Pattern(String(repeating: "a", count: 1001)) }
        #expect(throws: Pattern.Refusal.self) {
            try Pattern(String(repeating: "(", count: 100) + String(repeating: ")", count: 100))
        }
        let start = ContinuousClock.now
        for pattern in ["(a*)*b", "(a|a)*b", "(a|aa)+$", "(.*)(.*)(.*)(.*)(.*)x", "((a?){30}){30}b"] {
            let text = String(repeating: "a", count: 400) + "c"
            _ = try? Pattern(pattern).matches(text)
        }
        #expect(ContinuousClock.now - start < .seconds(5))
        #expect(throws: Pattern.Refusal.self) {
            try Pattern("(a*)*b").matches(String(repeating: "a", count: 400) + "c")
        }
        #expect(throws: Pattern.Refusal.self) {
            try Pattern("(ab)*c").matches(String(repeating: "ab", count: 5000))
        }
        #expect(try !Pattern("(.*)(.*)x").matches(String(repeating: "a", count: 60)))
        #expect(try Pattern(".{7,}").matches(String(repeating: "x", count: 100_000)))
    }
}
