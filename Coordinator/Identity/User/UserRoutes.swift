// SPDX-License-Identifier: Apache-2.0
// /v3/users. A domain's token sees the users of its domain only.

import Core
import HTTP

struct UserArea: IdentityArea {
    private let users: UserService
    private let groups: GroupService
    private let wire: UserWire
    private let groupWire: GroupWire

    init(_ environment: IdentityEnvironment) {
        users = UserService(environment)
        groups = GroupService(environment)
        wire = UserWire(environment.settings)
        groupWire = GroupWire(environment.settings)
    }

    static let policies = [
        PolicyRule(
            "identity:get_user",
            """
            rule:admin_required or (role:reader and system_scope:all) or
            (role:reader and domain_id:%(target.user.domain_id)s) or user_id:%(target.user.id)s
            """, scopes: [.system, .domain, .project]),
        PolicyRule(
            "identity:list_users",
            """
            rule:admin_required or (role:reader and system_scope:all) or
            (role:reader and domain_id:%(target.domain_id)s)
            """, scopes: [.system, .domain, .project]),
        PolicyRule(
            "identity:create_user",
            """
            rule:admin_required or (role:manager and domain_id:%(target.user.domain_id)s)
            """, scopes: [.system, .domain, .project]),
        PolicyRule(
            "identity:update_user",
            """
            rule:admin_required or (role:manager and domain_id:%(target.user.domain_id)s)
            """, scopes: [.system, .domain, .project]),
        PolicyRule(
            "identity:delete_user",
            """
            rule:admin_required or (role:manager and domain_id:%(target.user.domain_id)s)
            """, scopes: [.system, .domain, .project]),
        PolicyRule("identity:revoke_tokens_for_user", "rule:admin_or_owner", scopes: [.system, .domain, .project]),
        PolicyRule(
            "identity:list_groups_for_user",
            """
            rule:admin_required or (role:reader and system_scope:all) or
            (role:reader and domain_id:%(target.user.domain_id)s) or user_id:%(user_id)s
            """, scopes: [.system, .domain, .project]),
    ]

    var routes: [Route] {
        [
            Route(.get, "/v3/users", "identity:list_users", target: DomainOfCaller.init, list),
            Route(.post, "/v3/users", "identity:create_user", target: { try await CreationTarget($0, "user") }, create),
            Route(.get, "/v3/users/{user_id}", "identity:get_user", target: user) { [wire] _, user in
                wire.response(user)
            },
            Route(.patch, "/v3/users/{user_id}", "identity:update_user", target: user, update),
            Route(.delete, "/v3/users/{user_id}", "identity:delete_user", target: user, delete),
            // The present password is the proof; a user whose password expired has no other.
            Route(.post, "/v3/users/{user_id}/password", open: .open, changePassword),
            Route(.delete, "/v3/users/{user_id}/tokens", "identity:revoke_tokens_for_user", target: user, revokeTokens),
            Route(.get, "/v3/users/{user_id}/groups", "identity:list_groups_for_user", target: user, listGroups),
        ]
    }

    @Sendable private func user(_ call: Call) async throws -> UserRecord {
        let id: ID<User> = call.id("user_id")
        guard let user = try await users.find(id) else { throw CloudError.notFound("user", id.text) }
        return user
    }

    @Sendable private func list(_ call: Call, _: DomainOfCaller) async throws -> Response {
        let page = try PageRequest(call)
        return wire.list(try await users.list(try UserFilter(call), page), page, call)
    }

    @Sendable private func create(_ call: Call, _ target: CreationTarget) async throws -> Response {
        let creation = try UserCreation(target.fields)
        let user = try await users.create(creation, in: try target.domain(for: call), by: call)
        return wire.response(user, status: .created)
    }

    @Sendable private func update(_ call: Call, _ user: UserRecord) async throws -> Response {
        let update = try UserUpdate(try await call.fields("user"), of: user)
        return wire.response(try await users.update(user, update, by: call))
    }

    @Sendable private func delete(_ call: Call, _ user: UserRecord) async throws -> Response {
        try await users.delete(user, by: call)
        return Response(.noContent)
    }

    @Sendable private func changePassword(_ call: Call) async throws -> Response {
        let change = try PasswordChange(try await call.fields("user"))
        try await users.changePassword(of: call.id("user_id"), change, by: call)
        return Response(.noContent)
    }

    @Sendable private func revokeTokens(_ call: Call, _ user: UserRecord) async throws -> Response {
        try await users.revokeTokens(of: user, by: call)
        return Response(.noContent)
    }

    @Sendable private func listGroups(_ call: Call, _ user: UserRecord) async throws -> Response {
        let page = try PageRequest(call)
        return groupWire.list(try await groups.list(GroupFilter(call), of: user, page), page, call, isMembership: true)
    }
}

/// Lists have no target but the domain that the caller's token is of.
struct DomainOfCaller: PolicyTarget {
    private let domain: String?

    init(_ call: Call) { domain = call.caller?.domainID?.text }

    func policyAttribute(_ name: String) -> String? {
        switch name {
        case "target.domain_id", "target.group.domain_id": domain
        default: nil
        }
    }
}
