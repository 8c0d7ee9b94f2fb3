// SPDX-License-Identifier: Apache-2.0

import Core
import JSON
import LDAP
import Testing

@testable import Identity

@Suite struct DirectorySettingsTests {
    private func options(_ values: [String: JSON] = [:]) -> DirectoryOptions {
        DomainConfiguration(Dictionary(uniqueKeysWithValues: values.map { ("ldap.\($0.key)", $0.value) })).directory
    }

    private func reader(_ values: [String: JSON] = [:]) throws -> DirectoryReader {
        DirectoryReader(domain: ID("d"), settings: try DirectorySettings(options(values)))
    }

    private func entry(_ name: String, _ values: [String: [String]]) -> LDAPEntry {
        LDAPEntry(name: name, values: values.mapValues { $0.map { Array($0.utf8) } })
    }

    @Test func `settings that cannot work are refused with the reason`() {
        for (values, word) in [
            (["url": "http://host"], "ldap://"), (["url": "ldaps://host", "use_tls": true], "TLS"),
            (["user": "cn=reader"], "password"), (["tls_cacertdir": "/etc/ssl"], "tls_cacertfile"),
        ] as [([String: JSON], String)] {
            let error = #expect(throws: LDAPError.self) { try DirectorySettings(options(values)) }
            #expect("\(error.map { "\($0)" } ?? "")".contains(word))
        }
    }

    @Test func `sizes and times stay within bounds`() throws {
        let settings = try DirectorySettings(
            options([
                "pool_size": 1000, "page_size": 1_000_000, "pool_connection_timeout": 100_000,
                "url": "ldap://a, ldaps://b",
            ]))
        #expect(settings.connection.connections == Limits.directoryConnections)
        #expect(settings.connection.pageEntries == Limits.directoryEntries)
        #expect(settings.connection.networkSeconds == 60)
        #expect(settings.connection.operationSeconds == 120)
        #expect(settings.connection.urls == ["ldap://a", "ldaps://b"])
    }

    @Test func `a public id is the digest of domain, kind and the entry's id`() {
        let id = DirectoryID.make(ID("default"), .user, "alice")
        #expect(id == "c43e4dd25aba357630477a0f49fde7da8567b753ddd430c9555ad09aa2a76e9e")
        #expect(DirectoryID.make(ID("d"), .user, "a") != DirectoryID.make(ID("d"), .group, "a"))
        #expect(DirectoryID.isPossible(DirectoryID.make(ID("d"), .user, "a")))
        #expect(!DirectoryID.isPossible("0123456789abcdef0123456789abcdef"))
    }

    @Test func `an entry becomes a user by the attributes that are set`() throws {
        let reader = try reader([
            "user_id_attribute": "uid", "user_name_attribute": "cn", "user_default_project_id_attribute": "ou",
            "user_additional_attribute_mapping": ["telephoneNumber:phone", "employeeType:name"],
        ])
        let user = try #require(
            reader.user(
                entry(
                    "uid=alice,ou=people",
                    [
                        "uid": ["other", "alice"], "cn": ["Alice"], "mail": ["a@example.org"], "description": ["x"],
                        "ou": ["p1"],
                        "telephoneNumber": ["1"], "employeeType": ["boss"],
                    ])))
        #expect(user.local == "alice")
        #expect(user.record.name == "Alice")
        #expect(user.record.description == "x")
        #expect(user.record.defaultProject == ID("p1"))
        #expect(user.record.extra == ["email": "a@example.org", "phone": "1"])
        #expect(user.record.isEnabled && !user.record.isLocal)
    }

    @Test func `an entry without one id or without a name is nobody`() throws {
        let reader = try reader(["user_id_attribute": "uid", "user_name_attribute": "cn"])
        #expect(reader.user(entry("cn=a,ou=people", ["cn": ["a"], "uid": ["1", "2"]])) == nil)
        #expect(reader.user(entry("cn=a,ou=people", ["cn": ["a"]])) == nil)
        #expect(reader.user(entry("uid=a,ou=people", ["uid": ["a"]])) == nil)
        #expect(reader.user(entry("cn=a,ou=people", ["cn": ["a"], "uid": ["1"]]))?.local == "1")
    }

    static let enabledCases: [([String: JSON], String?, Bool)] = [
        ([:], nil, true), ([:], "TRUE", true), ([:], "FALSE", false), (["user_enabled_default": "False"], nil, false),
        (["user_enabled_invert": true], "TRUE", false), (["user_enabled_invert": true], "FALSE", true),
        (["user_enabled_mask": 2], "512", true), (["user_enabled_mask": 2], "514", false),
        (["user_enabled_mask": 2, "user_enabled_default": "514"], nil, false),
        (["user_enabled_mask": 2, "user_enabled_default": "512"], "nonsense", true),
    ]

    @Test(arguments: enabledCases)
    func `flags, inverted flags and masks tell who is enabled`(
        _ values: [String: JSON], _ value: String?, _ isEnabled: Bool
    ) throws {
        var attributes = ["cn": ["a"], "sn": ["a"]]
        if let value { attributes["enabled"] = [value] }
        #expect(try reader(values).user(entry("cn=a", attributes))?.record.isEnabled == isEnabled)
    }

    @Test func `members are compared as names, whatever their spelling, or as ids`() throws {
        let names = try reader()
        let user = try #require(names.user(entry("cn=Alice A,ou=people,dc=x", ["cn": ["Alice A"], "sn": ["a"]])))
        func group(_ reader: DirectoryReader, _ members: [String]) throws -> DirectoryGroup {
            try #require(reader.group(entry("cn=g", ["cn": ["g"], "ou": ["g"], "member": members])))
        }
        #expect(names.isMember(user, of: try group(names, ["CN=alice a, OU=People,DC=X"])))
        #expect(!names.isMember(user, of: try group(names, ["cn=alice,ou=people,dc=x", "Alice A"])))
        let ids = try reader(["group_members_are_ids": true])
        #expect(ids.isMember(user, of: try group(ids, ["Alice A"])))
    }

    @Test func `a cache keeps for its time and within its bound`() {
        let cache = DirectoryCache<Int>(bound: 3, seconds: 30)
        let now = Instant(seconds: 1000)
        cache.keep(1, ["a", "b"], now: now)
        #expect(cache.value("a", now: now.adding(seconds: 29)) == 1)
        #expect(cache.value("a", now: now.adding(seconds: 30)) == nil)
        for i in 0..<100 { cache.keep(i, ["k\(i)"], now: now) }
        #expect(cache.count <= 3)
        #expect(cache.value("k99", now: now) == 99)
    }
}
