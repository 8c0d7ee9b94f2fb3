// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Core

struct PolicyTests {
    private func caller(_ roles: [String], _ scope: Authority.Scope = .system, user: String = "u1") -> Authority {
        Authority(
            user: ID(user), userName: "name", userDomain: ID("d1"), userDomainName: "domain", scope: scope,
            roles: roles,
            auditID: "a", expires: Instant(seconds: 0))
    }
    private let project = Authority.Scope.project(ID("p1"), name: "p", domain: ID("d2"), domainName: "d")
    private let domain = Authority.Scope.domain(ID("d1"), name: "d")

    private func allows(_ expression: String, _ authority: Authority, _ target: Attributes = [:]) throws -> Bool {
        try PolicyTable([PolicyRule("x", expression)]).allows("x", authority, target)
    }

    @Test(arguments: [
        ("", true), ("@", true), ("!", false), ("role:admin", true), ("role:ADMIN", true), ("role:reader", false),
        ("not role:reader", true), ("not not role:admin", true), ("role:admin and role:reader", false),
        ("role:reader or role:admin", true), ("role:reader or role:admin and role:none", false),
        ("(role:admin or role:reader) and not role:none", true), ("role:admin AND NOT role:none", true),
        ("( ( role:admin ) )", true), ("not (role:admin or role:reader)", false), ("system_scope:all", true),
        ("user_id:u1", true), ("user_id:u2", false), ("project_id:p1", false), ("is_admin:True", false),
        ("user_id:%(target.user.id)s", true), ("user_id:%(user.name)s", false), ("user_id:%(absent)s", false),
        ("not user_id:%(absent)s", true), ("'fixed':%(kind)s", true), ("\"fixed\":%(kind)s", true),
        ("other:%(kind)s", false),
        ("'a:b':%(colons)s", true), ("None:%(empty)s", true), ("user_domain_id:d1", true),
        ("role:admin\n  and user_id:u1", true),
    ])
    func `expressions mean what operators expect`(_ expression: String, _ isAllowed: Bool) throws {
        let target: Attributes = [
            "target.user.id": "u1", "user.name": "n", "kind": "fixed", "colons": "a:b", "empty": "None",
        ]
        #expect(try allows(expression, caller(["admin"]), target) == isAllowed, "\(expression)")
    }

    @Test func `attributes of the caller follow its scope`() throws {
        #expect(try allows("project_id:p1", caller([], project)))
        #expect(try allows("tenant_id:p1", caller([], project)))
        #expect(try allows("project_domain_id:d2", caller([], project)))
        #expect(try !allows("domain_id:d1", caller([], project)))
        #expect(try allows("domain_id:d1", caller([], domain)))
        #expect(try !allows("system_scope:all", caller([], domain)))
        #expect(try !allows("project_id:%(p)s", caller([], domain), ["p": "p1"]))
        var trusted = caller([], project)
        trusted.trustID = "t"
        #expect(try allows("trust_id:t", trusted))
    }

    @Test(arguments: [
        "role", "role:", ":x", "role:admin role:reader", "and", "role:admin and", "or role:admin", "(role:admin",
        "role:admin)",
        "()", "not", "user_id:%(x)", "user_id:%(x", "user_id:%()s", "'open:%(x)s", "'x'y:%(z)s", "http://host/check",
        "https:x",
    ])
    func `what cannot be read is refused by name`(_ expression: String) {
        #expect {
            try PolicyTable([PolicyRule("identity:get_user", expression)])
        } throws: { error in
            guard let error = error as? CloudError else { return false }
            return error.kind == .badRequest && error.message.contains("identity:get_user")
                && error.message.contains(expression)
        }
    }

    @Test func `nesting is bounded`() {
        let deep = String(repeating: "(", count: 10_000) + "role:a" + String(repeating: ")", count: 10_000)
        #expect(throws: CloudError.self) { try PolicyTable([PolicyRule("x", deep)]) }
        #expect(throws: CloudError.self) {
            try PolicyTable([PolicyRule("x", String(repeating: "not ", count: 10_000) + "role:a")])
        }
    }

    @Test func `rules refer to rules`() throws {
        let table = try PolicyTable([
            PolicyRule("admin", "role:admin"), PolicyRule("owner", "user_id:%(id)s"),
            PolicyRule("admin_or_owner", "rule:admin or rule:owner"),
            PolicyRule("identity:get", "not rule:admin_or_owner"),
        ])
        #expect(table.allows("admin_or_owner", caller([]), ["id": "u1"] as Attributes))
        #expect(!table.allows("admin_or_owner", caller([]), ["id": "u2"] as Attributes))
        #expect(table.allows("identity:get", caller([]), ["id": "u2"] as Attributes))
        #expect(!table.allows("unknown", caller(["admin"]), NoTarget()))
        #expect(table.names == ["admin", "admin_or_owner", "identity:get", "owner"])
        #expect(table.contains("owner") && !table.contains("identity"))
    }

    @Test(arguments: [
        ["a": "rule:a"], ["a": "rule:b", "b": "not rule:a"],
        ["a": "rule:b", "b": "rule:c or rule:b2", "c": "rule:a", "b2": "@"],
    ])
    func `rules that refer back to themselves are refused`(_ rules: [String: String]) {
        #expect {
            try PolicyTable(rules.map { PolicyRule($0.key, $0.value) })
        } throws: { ("\($0)").contains("refers back to itself: a ->") }
    }

    @Test func `a long chain of references is refused in any order, a short one is not`() throws {
        func chain(_ count: Int, _ name: (Int) -> String) -> [PolicyRule] {
            (0..<count).map { PolicyRule(name($0), $0 + 1 == count ? "role:admin" : "rule:\(name($0 + 1))") }
        }
        for name in [{ "r\(1000 + $0)" }, { "r\(9000 - $0)" }] as [(Int) -> String] {
            #expect(throws: CloudError.self) { try PolicyTable(chain(300, name)) }
            #expect(try PolicyTable(chain(20, name)).allows(name(0), caller(["admin"]), NoTarget()))
        }
    }

    @Test func `a reference to no rule is refused`() {
        #expect {
            try PolicyTable([PolicyRule("a", "rule:b")])
        } throws: { "\($0)".contains("rule:b") }
    }

    @Test func `an override replaces one rule and must name one`() throws {
        let rules = [
            PolicyRule("identity:list_users", "role:admin", scopes: [.system]), PolicyRule("identity:get_user", "!"),
        ]
        let table = try PolicyTable(rules, overrides: ["identity:list_users": "role:auditor"])
        #expect(table.allows("identity:list_users", caller(["auditor"]), NoTarget()))
        #expect(!table.allows("identity:list_users", caller(["admin"]), NoTarget()))
        #expect(!table.allows("identity:list_users", caller(["auditor"], project), NoTarget()), "the scopes stay")
        #expect {
            try PolicyTable(rules, overrides: ["identity:list_user": "@"])
        } throws: { "\($0)".contains("Did you mean identity:list_users?") }
        #expect(throws: CloudError.self) { try PolicyTable(rules, overrides: ["identity:get_user": "role"]) }
    }

    @Test func `scopes count only when they are enforced`() throws {
        let rules = [PolicyRule("x", "@", scopes: [.system, .domain])]
        let strict = try PolicyTable(rules), loose = try PolicyTable(rules, enforcesScope: false)
        for (scope, isAllowed) in [(Authority.Scope.system, true), (domain, true), (project, false), (.none, true)] {
            #expect(strict.allows("x", caller([], scope), NoTarget()) == isAllowed)
            #expect(loose.allows("x", caller([], scope), NoTarget()))
        }
    }
}
