// SPDX-License-Identifier: Apache-2.0
// What the tests of users, groups and directories share.

import Core
import HTTP
import JSON
import Testing

@testable import Identity

extension IdentityFixture {
    @discardableResult
    func perform(_ method: HTTPMethod, _ path: String, as persona: Persona? = nil, _ body: JSON? = nil) async throws
        -> Reply
    {
        try await request(method, path, as: persona, body)
    }

    /// The id of something made by an administrator: makeID("/v3/users", "user", ["name": "x"]).
    func makeID(_ path: String, _ kind: String, _ members: JSON.Object) async throws -> String {
        let reply = try await perform(.post, path, as: .systemAdmin, .object([kind: .object(members)]))
        return try #require(
            reply.json[kind]?["id"]?.string, "making a \(kind) answered \(reply.status) \(reply.message)")
    }

    /// Whose tokens were ended.
    var revocations: [Revocation] { environment.revocations.all.map(\.revocation) }
}

extension TestClock {
    func advance(days: Int64) { advance(seconds: days * 86_400) }
}

extension Persona {
    /// The domain its token is for.
    var scopeDomain: ID<Domain>? {
        switch scope {
        case .home: Places.home
        case .away: Places.away
        default: nil
        }
    }

    var readsSystem: Bool { isAdmin || roles.contains("reader") && scope == .system }

    /// What Keystone's rules for users and groups come to.
    func mayRead(_ domain: ID<Domain>) -> Bool { readsSystem || roles.contains("reader") && scopeDomain == domain }
    func mayManage(_ domain: ID<Domain>) -> Bool { isAdmin || roles.contains("manager") && scopeDomain == domain }
    var mayList: Bool { readsSystem || roles.contains("reader") && scopeDomain != nil }
}
