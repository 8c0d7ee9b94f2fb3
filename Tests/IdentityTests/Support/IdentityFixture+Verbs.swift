// SPDX-License-Identifier: Apache-2.0
// Requests in few words, for tests that send many: `await cloud.get("/v3/domains")` asks as the system's administrator,
// `as: nil` without a token.

import Core
import HTTP
import JSON
import Testing

@testable import Identity

extension IdentityFixture {
    func send(_ method: HTTPMethod, _ path: String, _ body: JSON? = nil, as persona: Persona? = .systemAdmin) async
        -> Reply
    {
        let headers = persona.map { [("X-Auth-Token", $0.token)] } ?? []
        let response = await dispatcher.respond(
            to: .make(method, "/identity" + path, headers: headers, body: body?.bytes ?? []))
        var bytes: [UInt8] = []
        if case .bytes(let given) = response.body { bytes = given }
        return Reply(
            status: response.status.code, json: (try? JSON.parse(bytes)) ?? .null, headers: response.headers,
            body: bytes)
    }

    func get(_ path: String, as persona: Persona? = .systemAdmin) async -> Reply { await send(.get, path, as: persona) }
    func post(_ path: String, _ body: JSON, as persona: Persona? = .systemAdmin) async -> Reply {
        await send(.post, path, body, as: persona)
    }
    func put(_ path: String, _ body: JSON, as persona: Persona? = .systemAdmin) async -> Reply {
        await send(.put, path, body, as: persona)
    }
    func patch(_ path: String, _ body: JSON, as persona: Persona? = .systemAdmin) async -> Reply {
        await send(.patch, path, body, as: persona)
    }
    func delete(_ path: String, as persona: Persona? = .systemAdmin) async -> Reply {
        await send(.delete, path, as: persona)
    }

    /// How many SQL statements the administrator's GET takes.
    func statements(_ path: String) async throws -> Int { try await statements(.get, path, as: .systemAdmin).count }

    /// Creates a thing that must be creatable; returns it.
    func make(_ kind: String, _ path: String, _ fields: JSON, as persona: Persona = .systemAdmin) async throws -> JSON {
        let reply = await post(path, .object(.init([(kind, fields)])), as: persona)
        try #require(reply.status == 201, "\(path): \(reply.status) \(reply.message)")
        return try #require(reply.json[kind])
    }

    func grant(_ assignment: Assignment) async throws {
        try await environment.database.write("test.grant") { try AssignmentStore.insert(assignment, $0) }
    }

    /// The tokens that a write ended.
    func revoked(_ matches: (Revocation) -> Bool) -> Bool {
        environment.revocations.all.contains { matches($0.revocation) }
    }
}

extension Persona {
    /// Everyone who may send a request, and the one without a token.
    static var callers: [Persona?] { allCases.map { $0 } + [nil] }
    var isAdmin: Bool { role == "admin" }
    var isSystem: Bool { scope == .system }
    /// Scoped to a domain, or to a project in it.
    func isOf(_ domain: ID<Domain>) -> Bool {
        switch scope {
        case .home, .web: domain == Places.home
        case .away, .shop: domain == Places.away
        case .system, .none: false
        }
    }
    var isScopedToDomain: Bool { scope == .home || scope == .away }
    /// Who is denied: 401 without a token, else 403.
    static func denial(_ persona: Persona?) -> Int { persona == nil ? 401 : 403 }
}

extension JSON {
    var id: String { self["id"]?.string ?? "" }

    /// With more members, or others of the same names.
    func with(_ more: [String: JSON]) -> JSON {
        var object = self.object ?? [:]
        for (name, value) in more { object[name] = value }
        return .object(object)
    }
}
