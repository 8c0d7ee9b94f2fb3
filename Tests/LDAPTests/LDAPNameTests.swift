// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import LDAP

struct LDAPNameTests {
    @Test(arguments: [
        ("alice", "alice"), ("O'Brien, Ünal", "O'Brien\\, Ünal"), ("a+b", "a\\+b"), (" lead", "\\ lead"),
        ("trail ", "trail\\ "),
        (" ", "\\ "), ("#1", "\\#1"), ("a#1", "a#1"), ("a\"b<c>d;e\\f", "a\\\"b\\<c\\>d\\;e\\\\f"), ("a=b", "a\\=b"),
        ("a\0b", "a\\00b"), ("", ""),
    ])
    func `values are escaped for a name and read back the same`(_ value: String, _ text: String) throws {
        #expect(LDAPName.escaped(value) == text)
        guard !value.isEmpty else { return }
        let parts = try #require(LDAPName.parts(LDAPName.joined("cn", value, under: "dc=example,dc=org")))
        #expect(parts.count == 3)
        #expect(parts.first?.first?.value == value)
        #expect(parts.first?.first?.attribute == "cn")
    }

    @Test func `names are the same whatever their spelling`() {
        #expect(LDAPName.isSame("uid=Alice,ou=People,dc=example,dc=org", "UID=alice, OU=people , DC=Example,dc=ORG"))
        #expect(LDAPName.isSame("cn=a\\2cb,dc=x", "cn=a\\,b,dc=x"))
        #expect(LDAPName.isSame("cn=a  b,dc=x", "cn=a b,dc=x"))
        #expect(LDAPName.isSame("cn=a+sn=b,dc=x", "sn=b+cn=a,dc=x"))
        #expect(!LDAPName.isSame("cn=a,dc=x", "cn=a,dc=y"))
        #expect(!LDAPName.isSame("cn=a,dc=x", "cn=a"))
        #expect(!LDAPName.isSame("cn=a\\,b,dc=x", "cn=a,cn=b,dc=x"))
    }

    @Test(arguments: ["nonsense", "=a", "cn=a,", "cn=a,,dc=b", "cn=a\0,dc=b", "cn=\"a"])
    func `what is no name has no parts and stays itself`(_ text: String) {
        #expect(LDAPName.parts(text) == nil)
        #expect(LDAPName.normalized(text) == text)
    }

    @Test func `several attributes make one part`() throws {
        let parts = try #require(LDAPName.parts("cn=a+sn=b,dc=x"))
        #expect(parts.map(\.count) == [2, 1])
        #expect(LDAPName.parts("")?.isEmpty == true)
    }
}

struct LDAPFilterTests {
    @Test func `filters are written by the rules`() {
        let filter = LDAPFilter.all([
            .equal("objectClass", "person"), .any([.equal("uid", "a"), .present("mail")]),
            .not(.like("cn", ["", "b", "c"])),
            .written("ou=x"), .written("(ou=y)"),
        ])
        #expect(filter.text == "(&(objectClass=person)(|(uid=a)(mail=*))(!(cn=*b*c))(ou=x)(ou=y))")
    }

    @Test(arguments: [
        ("*", "\\2a"), (")(uid=*", "\\29\\28uid=\\2a"), ("a\\b", "a\\5cb"), ("a\0", "a\\00"), ("ü", "ü"),
    ])
    func `values cannot change the meaning`(_ value: String, _ text: String) {
        #expect(LDAPFilter.equal("uid", value).text == "(uid=\(text))")
        #expect(LDAPFilter.like("uid", [value, ""]).text == "(uid=\(text)*)")
    }
}

struct LDAPSettingsTests {
    private func reason(_ change: (inout LDAPSettings) -> Void) -> LDAPError? {
        var settings = LDAPSettings(urls: ["ldap://localhost"], account: ("cn=admin", "x"))
        change(&settings)
        do { try settings.check() } catch { return error }
        return nil
    }

    @Test func `settings that cannot work are named`() {
        #expect(reason { _ in } == nil)
        #expect(reason { $0.urls = [] } != nil)
        #expect(
            reason { $0.urls = ["http://localhost"] } == .settings("http://localhost is no ldap:// or ldaps:// URL"))
        #expect(reason { $0.urls = ["ldap://a b"] } != nil)
        #expect(
            reason {
                $0.urls = ["ldaps://a"]; $0.startsTLS = true
            } != nil)
        #expect(reason { $0.account = ("cn=admin", "") } != nil)
        #expect(reason { $0.account = nil } == nil)
        #expect(reason { $0.connections = 0 } == .settings("connections must be from 1 to 64, not 0"))
        #expect(reason { $0.operationSeconds = 0 } != nil)
    }

    @Test func `values of an entry are found by any case`() {
        let entry = LDAPEntry(
            name: "cn=a", values: ["MAIL": [Array("a@b".utf8), [0xff]], "mail": [Array("c@d".utf8)]])
        #expect(Set(entry.strings("Mail")) == ["a@b", "c@d"])
        #expect(entry.bytes("mail").count == 3)
        #expect(entry.first("cn") == nil)
        #expect(entry.attributes == ["mail"])
    }
}

struct LDAPServersTests {
    private final class Hand: @unchecked Sendable { var seconds: Int64 = 0 }

    private func order(_ servers: LDAPServers, failing: Set<String>) -> ([String], LDAPError?) {
        var tried: [String] = []
        do throws(LDAPError) {
            _ = try servers.first { url throws(LDAPError) in
                tried.append(url)
                if failing.contains(url) { throw .timeout }
                return 0
            }
        } catch { return (tried, error) }
        return (tried, nil)
    }

    @Test func `a failed server rests, and is tried again after`() {
        let hand = Hand()
        let servers = LDAPServers(LDAPSettings(urls: ["ldap://a", "ldap://b"])) { hand.seconds }
        #expect(order(servers, failing: ["ldap://a"]) == (["ldap://a", "ldap://b"], nil))
        #expect(order(servers, failing: ["ldap://a"]) == (["ldap://b"], nil))
        hand.seconds = 2
        #expect(order(servers, failing: []) == (["ldap://a"], nil))
        #expect(order(servers, failing: []) == (["ldap://a"], nil))
    }

    @Test func `when all rest the reason comes without a try`() {
        let hand = Hand()
        let servers = LDAPServers(LDAPSettings(urls: ["ldap://a", "ldap://b"])) { hand.seconds }
        #expect(order(servers, failing: ["ldap://a", "ldap://b"]) == (["ldap://a", "ldap://b"], .timeout))
        #expect(order(servers, failing: []) == ([], .timeout))
    }

    @Test func `a refusal is an answer: no other server is asked`() {
        let servers = LDAPServers(LDAPSettings(urls: ["ldap://a", "ldap://b"])) { 0 }
        var tried = 0
        #expect(throws: LDAPError.accountRefused("x")) {
            try servers.first { _ throws(LDAPError) -> Int in
                tried += 1
                throw .accountRefused("x")
            }
        }
        #expect(tried == 1)
    }
}
