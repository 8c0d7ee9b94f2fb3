// SPDX-License-Identifier: Apache-2.0
// One policy table for all services: a rule's name -> an expression in the language OpenStack's operators know
// ("role:admin or (role:reader and domain_id:%(target.user.domain_id)s)"), parsed once, evaluated without allocation
// where it can be. Modules register their defaults; a file of the operator's may override single rules.

/// What a rule may look at besides the caller: attributes of the thing acted on, by OpenStack's names.
package protocol PolicyTarget: Sendable {
    /// The value of, for example, "target.user.domain_id"; nil when there is none.
    func policyAttribute(_ name: String) -> String?
}

/// A target that has nothing to look at.
package struct NoTarget: PolicyTarget {
    package init() {}
    package func policyAttribute(_ name: String) -> String? { nil }
}

/// Attributes gathered by hand.
package struct Attributes: PolicyTarget, ExpressibleByDictionaryLiteral {
    package var values: [String: String]
    package init(_ values: [String: String] = [:]) { self.values = values }
    package init(dictionaryLiteral elements: (String, String)...) {
        values = Dictionary(elements, uniquingKeysWith: { _, last in last })
    }
    package func policyAttribute(_ name: String) -> String? { values[name] }
}

package struct PolicyRule: Sendable {
    package enum ScopeType: String, Sendable { case system, domain, project }
    package let name: String
    package let expression: String
    /// Token scopes the rule is meant for; checked when enforce_scope is on. Empty: any.
    package let scopes: [ScopeType]
    package init(_ name: String, _ expression: String, scopes: [ScopeType] = []) {
        self.name = name
        self.expression = expression
        self.scopes = scopes
    }
}

package struct PolicyTable: Sendable {
    private let rules: [String: (check: PolicyCheck, scopes: [PolicyRule.ScopeType])]
    private let enforcesScope: Bool

    /// Parses every rule; an override may only name a rule that exists (the nearest name is suggested).
    package init(_ defaults: [PolicyRule], overrides: [String: String] = [:], enforcesScope: Bool = true) throws {
        var parsed: [String: (check: PolicyCheck, scopes: [PolicyRule.ScopeType])] = [:]
        for rule in defaults {
            let text = overrides[rule.name] ?? rule.expression
            parsed[rule.name] = (try PolicyCheck.parse(text, rule: rule.name), rule.scopes)
        }
        for name in overrides.keys where parsed[name] == nil {
            let nearest = Words.nearest(to: name, in: parsed.keys.sorted())
            throw CloudError.badRequest(
                "The policy file names a rule that does not exist: \(name)."
                    + (nearest.map { " Did you mean \($0)?" } ?? ""))
        }
        for (name, rule) in parsed {
            for other in rule.check.references where parsed[other] == nil {
                throw CloudError.badRequest("The policy rule \(name) refers to rule:\(other), which does not exist.")
            }
        }
        try Self.refuseCircles(parsed.mapValues(\.check.references))
        rules = parsed
        self.enforcesScope = enforcesScope
    }

    /// Rules may refer to rules, but never back to themselves: evaluation follows references and must end. A circle
    /// has no meaning, and under a "not" no safe one.
    private static func refuseCircles(_ references: [String: [String]]) throws {
        var depths: [String: Int] = [:]
        func depth(of name: String, _ path: [String]) throws -> Int {
            if let known = depths[name] { return known }
            if let start = path.firstIndex(of: name) {
                let circle = (path[start...] + [name]).joined(separator: " -> ")
                throw CloudError.badRequest("The policy rule \(name) refers back to itself: \(circle).")
            }
            var deepest = 0
            // A chain that is too long is followed no further than that.
            for other in references[name] ?? [] where path.count <= longestChain {
                deepest = max(deepest, try depth(of: other, path + [name]))
            }
            guard deepest < longestChain, path.count <= longestChain else {
                throw CloudError.badRequest("The policy rule \(name) refers to others more than \(longestChain) deep.")
            }
            depths[name] = deepest + 1
            return deepest + 1
        }
        for name in references.keys.sorted() { _ = try depth(of: name, []) }
    }

    /// Rules referring to rules this deep are a mistake; OpenStack's own need three.
    private static let longestChain = 32

    package var names: [String] { rules.keys.sorted() }
    package func contains(_ name: String) -> Bool { rules[name] != nil }

    package func allows(_ name: String, _ authority: Authority, _ target: some PolicyTarget) -> Bool {
        guard let rule = rules[name] else { return false }
        if enforcesScope, !rule.scopes.isEmpty, !Self.matches(authority.scope, rule.scopes) { return false }
        return evaluate(rule.check, authority, target)
    }

    private static func matches(_ scope: Authority.Scope, _ allowed: [PolicyRule.ScopeType]) -> Bool {
        switch scope {
        case .system: allowed.contains(.system)
        case .domain: allowed.contains(.domain)
        case .project: allowed.contains(.project)
        case .none: true
        }
    }

    private func evaluate(_ check: PolicyCheck, _ authority: Authority, _ target: some PolicyTarget) -> Bool {
        switch check {
        case .always: return true
        case .never: return false
        case .not(let inner): return !evaluate(inner, authority, target)
        case .all(let parts): return parts.allSatisfy { evaluate($0, authority, target) }
        case .any(let parts): return parts.contains { evaluate($0, authority, target) }
        case .rule(let name):
            guard let rule = rules[name] else { return false }
            return evaluate(rule.check, authority, target)
        case .role(let name): return authority.has(role: name)
        case .compare(let left, let right):
            guard let expected = Self.value(right, authority, target) else { return false }
            return Self.callerValue(left, authority) == expected
        }
    }

    private static func value(_ side: PolicyCheck.Side, _ authority: Authority, _ target: some PolicyTarget) -> String?
    {
        switch side {
        case .literal(let text): text
        case .target(let name): target.policyAttribute(name)
        }
    }

    /// Attributes of the caller, by OpenStack's names; anything else on the left is a literal to compare with.
    private static func callerValue(_ name: String, _ authority: Authority) -> String? {
        switch name {
        case "user_id": authority.user.text
        case "user_domain_id": authority.userDomain.text
        case "project_id", "tenant_id": authority.projectID?.text
        case "project_domain_id":
            if case .project(_, _, let domain, _) = authority.scope { domain.text } else { nil }
        case "domain_id": authority.domainID?.text
        case "system_scope": authority.isSystem ? "all" : nil
        case "trust_id": authority.trustID
        case "is_admin": "False"
        default: name
        }
    }
}

/// A parsed expression.
package indirect enum PolicyCheck: Sendable, Equatable {
    package enum Side: Sendable, Equatable { case literal(String), target(String) }
    case always, never
    case not(PolicyCheck)
    case all([PolicyCheck])
    case any([PolicyCheck])
    case rule(String)
    case role(String)
    case compare(String, Side)

    var references: [String] {
        switch self {
        case .rule(let name): [name]
        case .not(let inner): inner.references
        case .all(let parts), .any(let parts): parts.flatMap(\.references)
        default: []
        }
    }

    package static func parse(_ text: String, rule: String) throws -> PolicyCheck {
        var parser = PolicyParser(text, rule: rule)
        return try parser.whole()
    }
}

/// or-expressions of and-expressions of checks, with "not" and parentheses.
private struct PolicyParser {
    private var words: [String]
    private let rule: String
    private let text: String

    init(_ text: String, rule: String) {
        self.rule = rule
        self.text = text
        words = Self.split(text).reversed()
    }

    /// Parentheses stand alone, except the ones of "%(name)s".
    private static func split(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        var isInTarget = false
        func flush() {
            if !word.isEmpty { words.append(word) }
            word = ""
        }
        for character in text {
            switch character {
            case " ", "\n", "\t": flush()
            case "(" where word.hasSuffix("%"):
                word.append(character)
                isInTarget = true
            case ")" where isInTarget:
                word.append(character)
                isInTarget = false
            case "(", ")":
                flush()
                words.append(String(character))
            default: word.append(character)
            }
        }
        flush()
        return words
    }

    mutating func whole() throws -> PolicyCheck {
        if words.isEmpty { return .always }
        let check = try alternatives(depth: 0)
        guard words.isEmpty else { throw fail("'\(words.last ?? "")' is unexpected") }
        return check
    }

    private func fail(_ reason: String) -> CloudError {
        .badRequest("The policy rule \(rule) cannot be read: \(reason) in \"\(text)\".")
    }

    private mutating func alternatives(depth: Int) throws -> PolicyCheck {
        var parts = [try conjunction(depth: depth)]
        while words.last?.lowercased() == "or" {
            words.removeLast()
            parts.append(try conjunction(depth: depth))
        }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func conjunction(depth: Int) throws -> PolicyCheck {
        var parts = [try single(depth: depth)]
        while words.last?.lowercased() == "and" {
            words.removeLast()
            parts.append(try single(depth: depth))
        }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func single(depth: Int) throws -> PolicyCheck {
        guard depth < 32 else { throw fail("it is nested too deeply") }
        guard let word = words.popLast() else { throw fail("a check is missing") }
        switch word.lowercased() {
        case "not": return .not(try single(depth: depth + 1))
        case "(":
            let inner = try alternatives(depth: depth + 1)
            guard words.popLast() == ")" else { throw fail("a ')' is missing") }
            return inner
        case "@": return .always
        case "!": return .never
        default: return try check(word)
        }
    }

    /// "kind:value", the kind before the first colon as oslo.policy has it; a literal in quotes may hold colons.
    private func check(_ word: String) throws -> PolicyCheck {
        guard let (left, right) = Self.sides(word), !right.isEmpty else { throw fail("'\(word)' is not kind:value") }
        switch left {
        case "rule": return .rule(right)
        case "role": return .role(right.lowercased())
        case "http", "https": throw fail("checks by a remote service are not supported")
        default: break
        }
        guard right.hasPrefix("%(") else { return .compare(left, .literal(right)) }
        guard right.hasSuffix(")s"), right.utf8.count > 4 else { throw fail("'\(right)' is not %(name)s") }
        return .compare(left, .target(String(right.dropFirst(2).dropLast(2))))
    }

    private static func sides(_ word: String) -> (left: String, right: String)? {
        if let quote = word.first, quote == "'" || quote == "\"" {
            let inner = word.dropFirst()
            guard let close = inner.firstIndex(of: quote) else { return nil }
            let rest = inner[inner.index(after: close)...]
            return rest.first == ":" ? (String(inner[..<close]), String(rest.dropFirst())) : nil
        }
        guard let colon = word.firstIndex(of: ":"), colon != word.startIndex else { return nil }
        return (String(word[..<colon]), String(word[word.index(after: colon)...]))
    }
}
