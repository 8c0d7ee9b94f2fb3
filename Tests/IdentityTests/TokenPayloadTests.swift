// SPDX-License-Identifier: Apache-2.0
import Core
import Testing

@testable import Identity

struct TokenPayloadTests {
    private func payload(scope: TokenPayload.Scope = .none, user: String = "0123456789abcdef0123456789abcdef")
        -> TokenPayload
    {
        TokenPayload(
            user: ID(user), methods: [.password, .totp], scope: scope,
            issued: Instant(microseconds: 1_700_000_000_123_456),
            expires: Instant(microseconds: 1_700_003_600_123_456), audit: Array(0..<16))
    }

    @Test(arguments: [
        TokenPayload.Scope.none, .system, .project(ID("ffffffffffffffffffffffffffffffff")), .domain(ID("default")),
    ])
    func everyScopeSurvivesTheRoundTrip(scope: TokenPayload.Scope) {
        #expect(TokenPayload(bytes: payload(scope: scope).bytes) == payload(scope: scope))
    }

    @Test func delegationAndChainSurviveTheRoundTrip() {
        var full = payload(scope: .project(ID("p1")))
        full.chain = Array(16..<32)
        full.trust = ID("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
        full.applicationCredential = ID("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")
        #expect(TokenPayload(bytes: full.bytes) == full)
        #expect(full.auditChainID != full.auditID)
    }

    @Test(arguments: ["ABCDEFABCDEFABCDEFABCDEFABCDEFAB", "ü", "", String(repeating: "d", count: 64)])
    func idsOfAnyFormAreKeptExactly(id: String) {
        #expect(TokenPayload(bytes: payload(user: id).bytes)?.user.text == id)
    }

    @Test func aUsualTokenStaysShort() {
        #expect(payload(scope: .project(ID("ffffffffffffffffffffffffffffffff"))).bytes.count <= 96)
    }

    @Test func anyTruncationAndAnyAdditionIsRefused() {
        var full = payload(scope: .project(ID("p1")))
        full.trust = ID("t")
        let bytes = full.bytes
        for count in 0..<bytes.count { #expect(TokenPayload(bytes: Array(bytes.prefix(count))) == nil) }
        #expect(TokenPayload(bytes: bytes + [0]) == nil)
        #expect(TokenPayload(bytes: [9] + bytes.dropFirst()) == nil)
    }
}
