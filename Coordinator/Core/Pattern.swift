// SPDX-License-Identifier: Apache-2.0
// Patterns for new passwords (the key password_regex), in the part of the regular-expression language that operators
// write there: . [a-z] [^…] \d \w \s (…) (?:…) (?=…) (?!…) | * + ? {2,5} ^ $. A match must begin at the start of the
// text and may end before its end, as Python's re.match has it.
//
// Invariant: matching is bounded. It backtracks, so each match has a budget of steps; a pattern that needs more is
// refused for that text with an error, and can never hold up a request.

package struct Pattern: Sendable, Equatable {
    package struct Refusal: Error, CustomStringConvertible {
        package let description: String
    }

    /// Enough for any sane rule on a text of a few hundred characters; about 5 ms at worst.
    static let steps = 200_000
    static let longestPattern = 1000

    package let text: String
    private let root: Node

    package init(_ text: String) throws(Refusal) {
        guard text.utf8.count <= Self.longestPattern else {
            throw Refusal(description: "it is longer than \(Self.longestPattern) characters")
        }
        var parser = PatternParser(text)
        root = try parser.whole()
        self.text = text
    }

    package static func == (a: Pattern, b: Pattern) -> Bool { a.text == b.text }

    /// Whether some beginning of the text matches.
    package func matches(_ text: String) throws(Refusal) -> Bool {
        var matcher = PatternMatcher(Array(text.unicodeScalars), budget: Self.steps)
        let isMatch = matcher.match(root, at: 0) { _, _ in true }
        guard !matcher.isExhausted else {
            throw Refusal(description: "the pattern needs too many steps for this text")
        }
        return isMatch
    }

    struct Set: Sendable {
        var ranges: [ClosedRange<UInt32>] = []
        var isNegated = false
        func contains(_ scalar: Unicode.Scalar) -> Bool {
            ranges.contains { $0.contains(scalar.value) } != isNegated
        }
    }

    indirect enum Node: Sendable {
        case set(Set)
        case start, end
        case sequence([Node])
        case either([Node])
        case repeated(Node, least: Int, most: Int, isLazy: Bool)
        case ahead(Node, isWanted: Bool)
    }
}

/// Continuation-passing backtracking; `depth` bounds the stack, `budget` the time.
private struct PatternMatcher {
    typealias Next = (inout PatternMatcher, Int) -> Bool
    static let deepest = 1500

    let text: [Unicode.Scalar]
    var budget: Int
    var depth = 0
    var isExhausted = false

    init(_ text: [Unicode.Scalar], budget: Int) {
        self.text = text
        self.budget = budget
    }

    mutating func match(_ node: Pattern.Node, at: Int, _ next: Next) -> Bool {
        budget -= 1
        depth += 1
        defer { depth -= 1 }
        guard budget > 0, depth < Self.deepest else {
            isExhausted = true
            return false
        }
        switch node {
        case .set(let set): return at < text.count && set.contains(text[at]) && next(&self, at + 1)
        case .start: return at == 0 && next(&self, at)
        case .end: return (at == text.count || at == text.count - 1 && text[at] == "\n") && next(&self, at)
        case .sequence(let nodes): return sequence(nodes[...], at: at, next)
        case .either(let nodes):
            for node in nodes where match(node, at: at, next) { return true }
            return false
        case .repeated(let inner, let least, let most, let isLazy):
            return repeated(inner, least, most, isLazy, at: at, next)
        case .ahead(let inner, let isWanted):
            return match(inner, at: at) { _, _ in true } == isWanted && !isExhausted && next(&self, at)
        }
    }

    private mutating func sequence(_ nodes: ArraySlice<Pattern.Node>, at: Int, _ next: Next) -> Bool {
        guard let first = nodes.first else { return next(&self, at) }
        return match(first, at: at) { matcher, after in matcher.sequence(nodes.dropFirst(), at: after, next) }
    }

    private mutating func repeated(
        _ inner: Pattern.Node, _ least: Int, _ most: Int, _ isLazy: Bool, at: Int, _ next: Next
    ) -> Bool {
        // A single character needs no recursion: walk as far as it goes, then give back one at a time.
        if case .set(let set) = inner { return run(of: set, least, most, isLazy, at: at, next) }
        if isLazy && least == 0 && next(&self, at) { return true }
        let goesOn =
            most > 0
            && match(inner, at: at) { matcher, after in
                // A turn that consumed nothing would go on for ever.
                if after == at { return least > 0 && next(&matcher, after) }
                return matcher.repeated(inner, max(least - 1, 0), most - 1, isLazy, at: after, next)
            }
        if goesOn { return true }
        return !isLazy && least == 0 && !isExhausted && next(&self, at)
    }

    private mutating func run(
        of set: Pattern.Set, _ least: Int, _ most: Int, _ isLazy: Bool, at: Int, _ next: Next
    ) -> Bool {
        var count = 0
        while count < most, at + count < text.count, set.contains(text[at + count]) { count += 1 }
        budget -= count
        guard count >= least else { return false }
        let lengths = isLazy ? Array(least...count) : Array((least...count).reversed())
        for length in lengths {
            if isExhausted { return false }
            budget -= 1
            if next(&self, at + length) { return true }
        }
        return false
    }
}

private struct PatternParser {
    private let text: [Unicode.Scalar]
    private var at = 0
    private var depth = 0

    init(_ text: String) { self.text = Array(text.unicodeScalars) }

    private var peek: Unicode.Scalar? { at < text.count ? text[at] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        at += 1
        return true
    }

    private mutating func take(_ word: String) -> Bool {
        let scalars = Array(word.unicodeScalars)
        guard text[at...].starts(with: scalars) else { return false }
        at += scalars.count
        return true
    }

    private func refuse(_ reason: String) -> Pattern.Refusal {
        Pattern.Refusal(description: "\(reason) (at character \(at + 1))")
    }

    mutating func whole() throws(Pattern.Refusal) -> Pattern.Node {
        let node = try either()
        guard peek == nil else { throw refuse("a ')' has no '('") }
        return node
    }

    private mutating func either() throws(Pattern.Refusal) -> Pattern.Node {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 30 else { throw refuse("it is nested too deeply") }
        var ways = [try sequence()]
        while take("|") { ways.append(try sequence()) }
        return ways.count == 1 ? ways[0] : .either(ways)
    }

    private mutating func sequence() throws(Pattern.Refusal) -> Pattern.Node {
        var nodes: [Pattern.Node] = []
        while let scalar = peek, scalar != "|", scalar != ")" { nodes.append(try repeated()) }
        return nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    private mutating func repeated() throws(Pattern.Refusal) -> Pattern.Node {
        let node = try single()
        guard let (least, most) = try count() else { return node }
        switch node {
        case .start, .end, .ahead: throw refuse("what stands before a repetition can only be a character or a group")
        default: break
        }
        let isLazy = take("?")
        if try count() != nil { throw refuse("one repetition follows another") }
        return .repeated(node, least: least, most: most, isLazy: isLazy)
    }

    private mutating func count() throws(Pattern.Refusal) -> (Int, Int)? {
        if take("*") { return (0, Int.max) }
        if take("+") { return (1, Int.max) }
        if take("?") { return (0, 1) }
        let start = at
        guard take("{") else { return nil }
        let least = number()
        let hasComma = take(",")
        let most = number()
        guard take("}"), least != nil || most != nil else {
            // A brace that is no count is a brace.
            at = start
            return nil
        }
        let low = least ?? 0
        let high = hasComma ? most ?? Int.max : low
        guard low <= 1000, low <= high else { throw refuse("the counts in { } are out of order or above 1000") }
        return (low, high)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let scalar = peek, ("0"..."9").contains(scalar), (value ?? 0) < 100_000 {
            value = (value ?? 0) * 10 + Int(scalar.value - 0x30)
            at += 1
        }
        return value
    }

    private mutating func single() throws(Pattern.Refusal) -> Pattern.Node {
        if take("^") { return .start }
        if take("$") { return .end }
        if take(".") { return .set(.init(ranges: [0x0a...0x0a], isNegated: true)) }
        if take("[") { return .set(try characterClass()) }
        if take("(") { return try group() }
        if take("\\") { return .set(try escape()) }
        guard let scalar = peek else { throw refuse("it ends too early") }
        if ["*", "+", "?"].contains(scalar) { throw refuse("'\(scalar)' has nothing to repeat") }
        at += 1
        return .set(.init(ranges: [scalar.value...scalar.value]))
    }

    private mutating func group() throws(Pattern.Refusal) -> Pattern.Node {
        let isWanted = take("?=")
        let isUnwanted = !isWanted && take("?!")
        if !isWanted && !isUnwanted && !take("?:") && peek == "?" {
            throw refuse("of groups, only (…), (?:…), (?=…) and (?!…) are known")
        }
        let inner = try either()
        guard take(")") else { throw refuse("a ')' is missing") }
        return isWanted || isUnwanted ? .ahead(inner, isWanted: isWanted) : inner
    }

    private static let digits: [ClosedRange<UInt32>] = [0x30...0x39]
    private static let letters: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5a, 0x5f...0x5f, 0x61...0x7a]
    private static let spaces: [ClosedRange<UInt32>] = [0x09...0x0d, 0x20...0x20]

    /// After a backslash.
    private mutating func escape() throws(Pattern.Refusal) -> Pattern.Set {
        guard let scalar = peek else { throw refuse("it ends with a backslash") }
        at += 1
        switch scalar {
        case "d": return .init(ranges: Self.digits)
        case "D": return .init(ranges: Self.digits, isNegated: true)
        case "w": return .init(ranges: Self.letters)
        case "W": return .init(ranges: Self.letters, isNegated: true)
        case "s": return .init(ranges: Self.spaces)
        case "S": return .init(ranges: Self.spaces, isNegated: true)
        case "t": return .init(ranges: [9...9])
        case "n": return .init(ranges: [10...10])
        default:
            guard !scalar.properties.isAlphabetic, !("0"..."9").contains(scalar) else {
                at -= 1
                throw refuse("'\\\(scalar)' is not known")
            }
            return .init(ranges: [scalar.value...scalar.value])
        }
    }

    /// After a '['.
    private mutating func characterClass() throws(Pattern.Refusal) -> Pattern.Set {
        var set = Pattern.Set(isNegated: take("^"))
        var isFirst = true
        while true {
            guard let scalar = peek else { throw refuse("a ']' is missing") }
            if scalar == "]" && !isFirst {
                at += 1
                return set
            }
            isFirst = false
            let low = try member()
            guard low.count == 1, let from = low.first, from.count == 1, peek == "-",
                at + 1 < text.count, text[at + 1] != "]"
            else {
                set.ranges += low
                continue
            }
            at += 1
            let high = try member()
            guard high.count == 1, let to = high.first, to.count == 1, from.lowerBound <= to.lowerBound else {
                throw refuse("a range in [ ] is out of order")
            }
            set.ranges.append(from.lowerBound...to.lowerBound)
        }
    }

    private mutating func member() throws(Pattern.Refusal) -> [ClosedRange<UInt32>] {
        guard take("\\") else {
            guard let scalar = peek else { throw refuse("a ']' is missing") }
            at += 1
            return [scalar.value...scalar.value]
        }
        let set = try escape()
        guard !set.isNegated else { throw refuse("\\D, \\W and \\S cannot stand inside [ ]") }
        return set.ranges
    }
}
