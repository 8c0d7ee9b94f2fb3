// SPDX-License-Identifier: Apache-2.0
// Issues, checks and ends tokens. The check of a token seen before is one look into the cache and one comparison of
// stamps: no SQL, no cryptography. One not seen before is verified, held against the revocations in memory, and
// looked up.

import Core
import Crypto
import Database
import HTTP

package final class TokenService: Sendable {
    /// Places; twice as many tokens as are expected to live, so that few lose their place to another.
    static let cachedTokens = 1 << 19
    /// Longer texts are no tokens of ours.
    static let largestTokenBytes = 1024

    private let environment: IdentityEnvironment
    private let keys: TokenKeys
    private let resolver: TokenResolver
    private let cache = TokenCache(capacity: cachedTokens)

    init(_ environment: IdentityEnvironment, users: UserService, known: KnownThings, keys: TokenKeys) {
        self.environment = environment
        self.keys = keys
        resolver = TokenResolver(environment: environment, users: users, known: known)
    }

    /// Makes a token; its text goes to the client and is kept nowhere.
    func issue(_ payload: TokenPayload) async throws -> (text: String, token: Token) {
        let token = try await resolver.resolve(payload)
        let text = try await keys.encrypt(payload.bytes, time: payload.issued)
        remember(text, token)
        return (text, token)
    }

    private func remember(_ text: String, _ token: Token) {
        var text = text
        text.withUTF8 { cache.insert($0, token) }
    }

    /// A new payload with fresh times and audit id. Microseconds are kept so that a token made right after a
    /// revocation lives.
    func payload(
        user: ID<User>, methods: SignInMethods, scope: TokenPayload.Scope, parent: TokenPayload? = nil,
        trust: TrustRecord? = nil, applicationCredential: ApplicationCredentialRecord? = nil
    ) -> TokenPayload {
        let now = environment.clock.now
        var expires = now.adding(seconds: environment.settings.tokenLifetimeSeconds)
        if let parent { expires = min(expires, parent.expires) }
        if let end = trust?.expires { expires = min(expires, end) }
        if let end = applicationCredential?.expires { expires = min(expires, end) }
        return TokenPayload(
            user: user, methods: methods, scope: scope, issued: now, expires: expires,
            audit: environment.entropy.bytes(16),
            chain: parent.map { $0.chain ?? $0.audit }, trust: trust?.id,
            applicationCredential: applicationCredential?.id)
    }

    /// The token behind a text; throws 401 with the reason in its detail when it is no good.
    func check(_ text: UnsafeBufferPointer<UInt8>, windowSeconds: Int64 = 0) -> Token? {
        guard let token = cache.find(text), environment.stamps.isCurrent(token.snapshot) else { return nil }
        let now = environment.clock.now
        guard now < token.payload.expires.adding(seconds: windowSeconds) else { return nil }
        if let end = token.goodUntil, now >= end { return nil }
        return token
    }

    /// What `check` could not answer at once.
    func checkSlowly(_ text: String, windowSeconds: Int64 = 0) async throws -> Token {
        let payload = try await open(text)
        guard environment.clock.now < payload.expires.adding(seconds: windowSeconds) else {
            throw TokenResolver.refused("the token has expired")
        }
        let token = try await resolver.resolve(payload)
        guard !environment.revocations.revokes(Self.revocable(token)) else {
            throw TokenResolver.refused("the token was revoked")
        }
        remember(text, token)
        return token
    }

    func find(_ text: String, windowSeconds: Int64 = 0) async throws -> Token {
        var copy = text
        if let token = copy.withUTF8({ check($0, windowSeconds: windowSeconds) }) { return token }
        return try await checkSlowly(text, windowSeconds: windowSeconds)
    }

    /// A token that a request is about, or signs in with: one that is no good does not exist, for all that clients
    /// need to know.
    func findSubject(_ text: String, windowSeconds: Int64 = 0) async throws -> Token {
        do {
            return try await find(text, windowSeconds: windowSeconds)
        } catch let error as CloudError where error.kind == .unauthorized || error.kind == .forbidden {
            throw CloudError(.notFound, "Failed to validate token", detail: error.detail ?? error.message)
        }
    }

    private func open(_ text: String) async throws -> TokenPayload {
        guard text.utf8.count <= Self.largestTokenBytes else { throw TokenResolver.refused("the token is too long") }
        func decrypt() -> TokenPayload? {
            var copy = text
            return copy.withUTF8 { keys.decrypt($0) }.flatMap { TokenPayload(bytes: $0) }
        }
        if let payload = decrypt() { return payload }
        if try await keys.reloadIfDue(), let payload = decrypt() { return payload }
        throw TokenResolver.refused("the token is not signed by a key of ours")
    }

    static func revocable(_ token: Token) -> RevocableToken {
        var subject = RevocableToken(
            auditID: token.payload.auditID, auditChainID: token.payload.auditChainID, user: token.payload.user,
            trustor: token.trust?.trustor, userDomain: token.user.domain, isSystem: token.authority.isSystem,
            roles: Set(token.roles.map(\.id)), trust: token.payload.trust,
            applicationCredential: token.payload.applicationCredential, issued: token.payload.issued)
        switch token.scope {
        case .project(let project, _):
            subject.project = project.id
            subject.projectDomain = project.owner
        case .domain(let domain): subject.domain = domain.owner
        case .none, .system: break
        }
        return subject
    }

    /// Ends a token and, unless told otherwise, those made from it. Only the first token of a session knows its
    /// descendants: they carry its audit id. One made from another ends alone; its parent and siblings live on.
    func revoke(_ token: Token, withChain: Bool, by call: Call) async throws {
        try await environment.change("token.revoke", by: call) { _, changes in
            var revocation = Revocation()
            if withChain, token.payload.chain == nil {
                revocation.auditChainID = token.payload.auditID
            } else {
                revocation.auditID = token.payload.auditID
            }
            // All of them end, also one made in this very moment.
            revocation.issuedBefore = token.payload.expires
            changes.revoke(revocation)
            changes.record(.deleted, "token", token.payload.auditID, project: token.authority.projectID)
        }
    }
}
