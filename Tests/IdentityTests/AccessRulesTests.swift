// SPDX-License-Identifier: Apache-2.0
// Which calls an access rule allows.

import Core
import Identity
import Testing

struct AccessRulesTests {
    @Test(arguments: [
        ("/v2.1/servers", "/v2.1/servers", true),
        ("/v2.1/servers", "/v2.1/servers/1", false),
        ("/v2.1/servers", "/v2x1/servers", false),
        ("/v2.1/servers/*", "/v2.1/servers/1", true),
        ("/v2.1/servers/*", "/v2.1/servers/", false),
        ("/v2.1/servers/*", "/v2.1/servers/1/ips", false),
        ("/v2.1/servers/*/ips", "/v2.1/servers/1/ips", true),
        ("/v2.1/servers/{server_id}/ips", "/v2.1/servers/1/ips", true),
        ("/v2.1/servers/{server_id}", "/v2.1/servers/1/2", false),
        ("/v3/**", "/v3/a/b/c", true),
        ("/v3/**", "/v3/", true),
        ("/v3/**", "/v3", false),
        ("/v3**", "/v3", true),
        ("**", "/anything/at/all", true),
        ("/a/**/z", "/a/b/c/z", true),
        ("/a/**/z", "/a/b/c/y", false),
        ("/a*c", "/abbbc", true),
        ("/a*c", "/ac", false),
        ("/a/{open", "/a/{open", true),
        ("/***", "/x/y", true),
        ("", "", true),
        ("", "/", false),
        ("/é/*", "/é/ü", true),
    ])
    func `a pattern matches the paths it stands for`(_ pattern: String, _ path: String, _ expected: Bool) {
        #expect(AccessRules.matches(pattern, path) == expected)
    }

    @Test func `service, method and path must all fit one rule`() {
        let rules = [
            AccessRuleRecord(id: ID("1"), service: "compute", method: "GET", path: "/v2.1/servers/*"),
            AccessRuleRecord(id: ID("2"), service: "image", method: "DELETE", path: "/v2/images/*"),
        ]
        #expect(AccessRules.allows(rules, service: "compute", method: "GET", path: "/v2.1/servers/1"))
        #expect(!AccessRules.allows(rules, service: "image", method: "GET", path: "/v2/images/1"))
        #expect(!AccessRules.allows(rules, service: "compute", method: "DELETE", path: "/v2.1/servers/1"))
        #expect(!AccessRules.allows([], service: "compute", method: "GET", path: "/v2.1/servers/1"))
    }

    @Test func `a pattern made to be slow is not`() {
        let pattern = String(repeating: "**a", count: 75)
        let path = "/" + String(repeating: "a", count: 3000) + "b"
        let started = ContinuousClock.now
        #expect(!AccessRules.matches(pattern, path))
        #expect(ContinuousClock.now - started < .seconds(5))
    }
}
