// SPDX-License-Identifier: Apache-2.0
// Whether access rules allow a call. In a rule's path "*" and "{name}" stand for one segment, "**" for anything, also
// for nothing; all else is itself. The walk keeps every place of the pattern that the path may have reached, so its
// time is at most length times length, whatever the pattern.

package enum AccessRules {
    /// `service` is the catalog's type ("compute"), `path` the path below the service's mount ("/v2.1/servers").
    package static func allows(_ rules: [AccessRuleRecord], service: String, method: String, path: String) -> Bool {
        rules.contains { rule in
            rule.service == service && rule.method == method && matches(rule.path, path)
        }
    }

    package static func matches(_ pattern: String, _ path: String) -> Bool {
        PathPattern(pattern).matches(path)
    }
}

private struct PathPattern {
    private enum Token { case byte(UInt8), segment, anything }
    private let tokens: [Token]

    init(_ text: String) {
        let bytes = Array(text.utf8)
        var tokens: [Token] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "*") {
                let isDouble = at + 1 < bytes.count && bytes[at + 1] == UInt8(ascii: "*")
                tokens.append(isDouble ? .anything : .segment)
                at += isDouble ? 2 : 1
            } else if bytes[at] == UInt8(ascii: "{"), let end = bytes[at...].firstIndex(of: UInt8(ascii: "}")) {
                tokens.append(.segment)
                at = end + 1
            } else {
                tokens.append(.byte(bytes[at]))
                at += 1
            }
        }
        self.tokens = tokens
    }

    func matches(_ path: String) -> Bool {
        // reached[i]: the path so far may end before token i; inside[i]: it may end within the segment of token i.
        var reached = [Bool](repeating: false, count: tokens.count + 1)
        var inside = [Bool](repeating: false, count: tokens.count + 1)
        reached[0] = true
        skipAnything(&reached)
        for byte in path.utf8 {
            var nextReached = [Bool](repeating: false, count: tokens.count + 1)
            var nextInside = nextReached
            for (i, token) in tokens.enumerated() where reached[i] || inside[i] {
                switch token {
                case .byte(let wanted): if reached[i], byte == wanted { nextReached[i + 1] = true }
                case .anything: nextReached[i] = true
                case .segment:
                    guard byte != UInt8(ascii: "/") else { continue }
                    nextInside[i] = true
                    nextReached[i + 1] = true
                }
            }
            skipAnything(&nextReached)
            (reached, inside) = (nextReached, nextInside)
        }
        return reached[tokens.count]
    }

    /// "**" may stand for nothing.
    private func skipAnything(_ reached: inout [Bool]) {
        for (i, token) in tokens.enumerated() where reached[i] {
            if case .anything = token { reached[i + 1] = true }
        }
    }
}
