// SPDX-License-Identifier: Apache-2.0
// Against a real server, which `Tests/run unit` starts by Tests/Support/slapd; without one these tests are skipped.
import Glibc
import Testing

@testable import LDAP

enum TestDirectory {
    static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
    static let url = variable("MARTLET_TEST_LDAP")
    static let secureURL = variable("MARTLET_TEST_LDAPS")
    static let authorityFile = variable("MARTLET_TEST_LDAP_CA")
    static let people = "ou=people,dc=example,dc=org"

    static func settings(_ change: (inout LDAPSettings) -> Void = { _ in }) throws -> LDAPSettings {
        var settings = LDAPSettings(
            urls: [try #require(url)], account: ("cn=reader,dc=example,dc=org", "reader-secret"))
        settings.connections = 2
        change(&settings)
        return settings
    }
}

@Suite(.enabled(if: TestDirectory.url != nil, "needs MARTLET_TEST_LDAP: see Tests/Support/slapd"))
struct LDAPDirectoryTests {
    private let people = TestDirectory.people

    @Test func `a search finds entries with the attributes asked for`() async throws {
        let directory = try LDAPDirectory(TestDirectory.settings())
        let found = try await directory.search(people, .equal("uid", "ALICE"), attributes: ["uid", "mail"], limit: 10)
        #expect(found.count == 1)
        #expect(found.first?.name == "uid=alice,\(people)")
        #expect(found.first?.first("mail") == "alice@example.org")
        #expect(found.first?.attributes == ["mail", "uid"])
        let groups = try await directory.search(
            "ou=groups,dc=example,dc=org", .equal("member", "uid=bob,\(people)"), scope: .oneLevel, limit: 10)
        #expect(groups.map { $0.first("cn") } == ["engineers"])
        #expect(groups.first?.strings("member").count == 2)
    }

    @Test func `pages go on until all is found or the limit is reached`() async throws {
        let paged = try LDAPDirectory(TestDirectory.settings { $0.pageEntries = 20 })
        let all = try await paged.search(people, .like("uid", ["user", ""]), attributes: ["uid"], limit: 1000)
        #expect(Set(all.compactMap { $0.first("uid") }).count == 200)
        for limit in [0, 1, 20, 21, 199] {
            let some = try await paged.search(people, .like("uid", ["user", ""]), attributes: ["uid"], limit: limit)
            #expect(some.count == limit)
        }
        let whole = try LDAPDirectory(TestDirectory.settings { $0.pageEntries = 0 })
        let bounded = try await whole.search(people, .like("uid", ["user", ""]), limit: 1000)
        #expect(bounded.count == 50, "the server's own bound, since nothing was paged")
    }

    @Test func `an entry that is not there is no error, a missing base is`() async throws {
        let directory = try LDAPDirectory(TestDirectory.settings())
        #expect(
            try await directory.search("uid=nobody,\(people)", .present("objectClass"), scope: .base, limit: 1).isEmpty)
        #expect(
            try await directory.search("uid=bob,\(people)", .present("objectClass"), scope: .base, limit: 1).count == 1)
        await #expect(throws: LDAPError.noSuchBase("ou=none,dc=example,dc=org")) {
            try await directory.search("ou=none,dc=example,dc=org", .present("uid"), limit: 1)
        }
        await #expect(throws: LDAPError.badFilter("(uid=a")) {
            try await directory.search(people, .written("(uid=a"), limit: 1)
        }
        await #expect(throws: LDAPError.noSuchBase("a\0b")) {
            try await directory.search("a\0b", .present("uid"), limit: 1)
        }
        #expect(try await directory.search(people, .equal("uid", "alice"), limit: 1).count == 1)
    }

    @Test func `odd characters are found as themselves`() async throws {
        let directory = try LDAPDirectory(TestDirectory.settings())
        let found = try await directory.search(people, .equal("uid", "odd, (one)*"), limit: 10)
        #expect(found.map { $0.first("mail") } == ["odd@example.org"])
        let name = LDAPName.joined("uid", "odd, (one)*", under: people)
        #expect(LDAPName.isSame(name, found.first?.name ?? ""))
        #expect(try await directory.bind(name, "odd-secret"))
        #expect(try await directory.search(people, .equal("uid", "*"), limit: 10).isEmpty)
        #expect(try await directory.search(people, .equal("uid", "a\0b"), limit: 10).isEmpty)
    }

    @Test func `signing in needs the right password, and one at all`() async throws {
        let directory = try LDAPDirectory(TestDirectory.settings())
        let alice = "uid=alice,\(people)"
        #expect(try await directory.bind(alice, "alice-secret"))
        #expect(try await !directory.bind(alice, "wrong"))
        #expect(try await !directory.bind(alice, ""))
        #expect(try await !directory.bind(alice, "alice-secret\0"))
        #expect(try await !directory.bind("", "alice-secret"))
        #expect(try await !directory.bind("uid=nobody,\(people)", "x"))
        #expect(try await !directory.bind("nonsense", "x"))
        #expect(try await !directory.bind("ou=people,dc=example,dc=org", "x"))
    }

    @Test func `signing in never changes whom searches are made as`() async throws {
        let directory = try LDAPDirectory(TestDirectory.settings { $0.connections = 1 })
        for _ in 0..<5 {
            _ = try await directory.bind("uid=alice,\(people)", "wrong")
            #expect(try await directory.search(people, .equal("uid", "bob"), limit: 1).count == 1)
        }
    }

    @Test func `an account the directory refuses is told from a directory that is down`() async throws {
        let wrong = try LDAPDirectory(TestDirectory.settings { $0.account = ("cn=reader,dc=example,dc=org", "no") })
        await #expect { try await wrong.check() } throws: {
            if case LDAPError.accountRefused = $0 { true } else { false }
        }
        let anonymous = try LDAPDirectory(TestDirectory.settings { $0.account = nil })
        try await anonymous.check()
        await #expect(throws: LDAPError.noSuchBase(people)) {
            try await anonymous.search(people, .present("uid"), limit: 1)
        }
    }

    @Test func `many callers at once are all served`() async throws {
        let directory = try LDAPDirectory(TestDirectory.settings())
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<100 {
                group.addTask {
                    let id = "user" + (number < 10 ? "00" : "0") + "\(number % 100)"
                    if number % 2 == 0 {
                        return try await directory.bind("uid=\(id),\(TestDirectory.people)", "\(id)-secret")
                    }
                    return try await directory.search(TestDirectory.people, .equal("uid", id), limit: 1).count == 1
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
        #expect(directory.waiting == 0)
    }

    // MARK: TLS

    @Test(arguments: [false, true])
    func `TLS from the start and TLS begun later both work`(_ startsTLS: Bool) async throws {
        let url = try #require(startsTLS ? TestDirectory.url : TestDirectory.secureURL)
        let directory = try LDAPDirectory(
            TestDirectory.settings {
                $0.urls = [url]
                $0.startsTLS = startsTLS
                $0.authorityFile = TestDirectory.authorityFile
            })
        #expect(try await directory.search(people, .equal("uid", "alice"), limit: 1).count == 1)
        #expect(try await directory.bind("uid=alice,\(people)", "alice-secret"))
        #expect(try await !directory.bind("uid=alice,\(people)", "wrong"))
    }

    @Test(arguments: [false, true])
    func `a certificate nobody vouches for is refused, unless told otherwise`(_ startsTLS: Bool) async throws {
        let url = try #require(startsTLS ? TestDirectory.url : TestDirectory.secureURL)
        let settings = try TestDirectory.settings {
            $0.urls = [url]
            $0.startsTLS = startsTLS
        }
        await #expect { try await LDAPDirectory(settings).check() } throws: {
            if case LDAPError.unreachable = $0 { true } else { false }
        }
        var trusting = settings
        trusting.checksCertificate = false
        try await LDAPDirectory(trusting).check()
        var missing = settings
        missing.authorityFile = "/nonexistent/ca.pem"
        await #expect(throws: LDAPError.self) { try await LDAPDirectory(missing).check() }
    }

    @Test func `a certificate for another address is refused`() async throws {
        let port = try #require(TestDirectory.secureURL?.split(separator: ":").last)
        let settings = try TestDirectory.settings {
            $0.urls = ["ldaps://127.0.0.2:\(port)"]
            $0.authorityFile = TestDirectory.authorityFile
        }
        await #expect(throws: LDAPError.self) { try await LDAPDirectory(settings).check() }
        var trusting = settings
        trusting.checksCertificate = false
        try await LDAPDirectory(trusting).check()
    }

    // MARK: Failing over

    @Test func `the next server is used when the first is gone`() async throws {
        let url = try #require(TestDirectory.url)
        let directory = try LDAPDirectory(TestDirectory.settings { $0.urls = ["ldap://127.0.0.1:1", url] })
        #expect(try await directory.search(people, .equal("uid", "alice"), limit: 1).count == 1)
        #expect(try await directory.bind("uid=alice,\(people)", "alice-secret"))
    }

    @Test func `a connection the server closed is replaced without the caller noticing`() async throws {
        let relay = try Relay(to: try #require(TestDirectory.url))
        defer { relay.stop() }
        let directory = try LDAPDirectory(TestDirectory.settings { $0.urls = ["ldap://127.0.0.1:\(relay.port)"] })
        for _ in 0..<3 {
            #expect(try await directory.search(people, .equal("uid", "alice"), limit: 1).count == 1)
            relay.cut()
        }
    }
}
