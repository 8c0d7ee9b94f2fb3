// SPDX-License-Identifier: Apache-2.0
import Core
import Testing

@testable import Identity

struct RevocationIndexTests {
    private let token = RevocableToken(
        auditID: "audit", auditChainID: "chain", user: ID("u"), trustor: ID("trustor"), userDomain: ID("ud"),
        project: ID("p"),
        projectDomain: ID("pd"), domain: nil, isSystem: false, roles: [ID("r")], trust: ID("t"),
        applicationCredential: ID("k"), issued: Instant(seconds: 100))

    private func index(_ revocation: Revocation, before: Int64 = 100, expires: Int64 = 1000) -> RevocationIndex {
        let index = RevocationIndex()
        index.insert([
            StoredRevocation(
                id: "1", revocation: revocation, issuedBefore: Instant(seconds: before),
                revoked: Instant(seconds: before),
                expires: Instant(seconds: expires))
        ])
        return index
    }

    private static func chain(_ id: String) -> Revocation {
        var revocation = Revocation()
        revocation.auditChainID = id
        return revocation
    }

    @Test(arguments: [
        Revocation.user(ID("u")), .user(ID("trustor")), .project(ID("p")), .domain(ID("ud")), .domain(ID("pd")),
        .trust(ID("t")),
        .applicationCredential(ID("k")), .grant(ID("u"), project: ID("p")), chain("chain"),
    ])
    func endsATokenThatMatchesAllItsFields(revocation: Revocation) {
        #expect(index(revocation).revokes(token))
        #expect(!index(revocation, before: 99).revokes(token), "a token issued later lives")
    }

    @Test(arguments: [
        Revocation.user(ID("x")), .project(ID("x")), .domain(ID("x")), .trust(ID("x")), .applicationCredential(ID("x")),
        .grant(ID("u"), project: ID("x")), .systemGrant(ID("u")), .grant(ID("u"), domain: ID("d")), chain("x"),
    ])
    func leavesATokenThatDiffersInOneField(revocation: Revocation) {
        #expect(!index(revocation).revokes(token))
    }

    @Test func theSameRevocationHeardTwiceIsKeptOnce() {
        let index = index(.user(ID("u")))
        index.insert(index.all)
        #expect(index.all.count == 1)
    }

    @Test func expiredOnesGo() {
        let index = index(.user(ID("u")))
        index.removeExpired(now: Instant(seconds: 999))
        #expect(index.all.count == 1)
        index.removeExpired(now: Instant(seconds: 1000))
        #expect(index.all.isEmpty)
    }
}
