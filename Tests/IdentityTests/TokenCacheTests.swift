// SPDX-License-Identifier: Apache-2.0
import Core
import Testing

@testable import Identity

struct TokenCacheTests {
    private func token(_ name: String, _ stamps: Stamps = Stamps()) -> Token {
        let payload = TokenPayload(
            user: ID(name), methods: .password, scope: .none, issued: Instant(seconds: 1), expires: Instant(seconds: 2),
            audit: Array(repeating: 7, count: 16))
        return Token(
            payload: payload,
            user: .init(id: ID(name), name: name, domain: ID("d"), domainName: "D", passwordExpires: nil),
            scope: .none, roles: [], trust: nil, applicationCredential: nil, snapshot: stamps.snapshot([]))
    }

    private func find(_ text: String, _ cache: TokenCache) -> Token? {
        Array(text.utf8).withUnsafeBufferPointer { cache.find($0) }
    }

    private func insert(_ text: String, _ cache: TokenCache) {
        Array(text.utf8).withUnsafeBufferPointer { cache.insert($0, token(text)) }
    }

    @Test func aTokenIsFoundByItsWholeTextOnly() {
        let cache = TokenCache(capacity: 1024)
        let end = String(repeating: "z", count: 40)
        insert("first" + end, cache)
        #expect(find("first" + end, cache)?.user.name == "first" + end)
        #expect(find("second" + end, cache) == nil, "the same end, so the same place, but another token")
        #expect(find("", cache) == nil)
    }

    @Test func neverHoldsMoreThanItsCapacity() {
        let cache = TokenCache(capacity: 256)
        for i in 0..<1000 { insert("token-\(i)-" + String(repeating: "q", count: 30) + "\(i * 7919)", cache) }
        let kept = (0..<1000).filter {
            find("token-\($0)-" + String(repeating: "q", count: 30) + "\($0 * 7919)", cache) != nil
        }
        #expect(kept.count <= 256)
        #expect(!kept.isEmpty)
    }

    @Test func aTouchMakesASnapshotOldAndOthersStay() {
        let stamps = Stamps()
        let mine = stamps.snapshot([.user(ID("a")), .project(ID("p"))])
        let other = stamps.snapshot([.user(ID("b"))])
        stamps.touch(.user(ID("a")))
        #expect(!stamps.isCurrent(mine))
        #expect(stamps.isCurrent(other))
        stamps.touch(.everything)
        #expect(!stamps.isCurrent(other))
    }
}
