// SPDX-License-Identifier: Apache-2.0
// /v3/groups and who is in them. A domain's token sees the groups and members of its domain only.

import Core
import HTTP

struct GroupArea: IdentityArea {
    private let groups: GroupService
    private let users: UserService
    private let wire: GroupWire
    private let userWire: UserWire

    init(_ environment: IdentityEnvironment) {
        groups = GroupService(environment)
        users = UserService(environment)
        wire = GroupWire(environment.settings)
        userWire = UserWire(environment.settings)
    }

    private static let readers = """
        rule:admin_required or (role:reader and system_scope:all) or
        (role:reader and domain_id:%(target.group.domain_id)s)
        """
    private static let managers = "rule:admin_required or (role:manager and domain_id:%(target.group.domain_id)s)"
    private static let memberReaders = """
        rule:admin_required or (role:reader and system_scope:all) or
        (role:reader and domain_id:%(target.group.domain_id)s and domain_id:%(target.user.domain_id)s)
        """
    private static let memberManagers = """
        rule:admin_required or
        (role:manager and domain_id:%(target.group.domain_id)s and domain_id:%(target.user.domain_id)s)
        """

    static let policies = [
        PolicyRule("identity:get_group", readers, scopes: [.system, .domain, .project]),
        PolicyRule("identity:list_groups", readers, scopes: [.system, .domain, .project]),
        PolicyRule("identity:create_group", managers, scopes: [.system, .domain, .project]),
        PolicyRule("identity:update_group", managers, scopes: [.system, .domain, .project]),
        PolicyRule("identity:delete_group", managers, scopes: [.system, .domain, .project]),
        PolicyRule("identity:list_users_in_group", readers, scopes: [.system, .domain, .project]),
        PolicyRule("identity:check_user_in_group", memberReaders, scopes: [.system, .domain, .project]),
        PolicyRule("identity:add_user_to_group", memberManagers, scopes: [.system, .domain, .project]),
        PolicyRule("identity:remove_user_from_group", memberManagers, scopes: [.system, .domain, .project]),
    ]

    var routes: [Route] {
        [
            Route(.get, "/v3/groups", "identity:list_groups", target: DomainOfCaller.init, list),
            Route(
                .post, "/v3/groups", "identity:create_group",
                target: { try await CreationTarget($0, "group") }, create),
            Route(.get, "/v3/groups/{group_id}", "identity:get_group", target: group) { [wire] _, group in
                wire.response(group)
            },
            Route(.patch, "/v3/groups/{group_id}", "identity:update_group", target: group, update),
            // Tells a group that does not exist from one that may not be deleted, as clients of this call expect.
            Route(
                .delete, "/v3/groups/{group_id}", "identity:delete_group", tellsAbsence: true, target: group, delete),
            Route(.get, "/v3/groups/{group_id}/users", "identity:list_users_in_group", target: group, listUsers),
            Route(
                .get, "/v3/groups/{group_id}/users/{user_id}", "identity:check_user_in_group", target: membership, check
            ),
            Route(.put, "/v3/groups/{group_id}/users/{user_id}", "identity:add_user_to_group", target: membership, add),
            Route(
                .delete, "/v3/groups/{group_id}/users/{user_id}", "identity:remove_user_from_group", target: membership,
                remove),
        ]
    }

    @Sendable private func group(_ call: Call) async throws -> GroupRecord {
        let id: ID<Group> = call.id("group_id")
        guard let group = try await groups.find(id) else { throw CloudError.notFound("group", id.text) }
        return group
    }

    @Sendable private func membership(_ call: Call) async throws -> Membership {
        let group = try await self.group(call)
        let id: ID<User> = call.id("user_id")
        guard let user = try await users.find(id) else { throw CloudError.notFound("user", id.text) }
        return Membership(user: user, group: group)
    }

    @Sendable private func list(_ call: Call, _: DomainOfCaller) async throws -> Response {
        let page = try PageRequest(call)
        return wire.list(try await groups.list(GroupFilter(call), page), page, call)
    }

    @Sendable private func create(_ call: Call, _ target: CreationTarget) async throws -> Response {
        let creation = try GroupCreation(target.fields)
        let group = try await groups.create(creation, in: try target.domain(for: call), by: call)
        return wire.response(group, status: .created)
    }

    @Sendable private func update(_ call: Call, _ group: GroupRecord) async throws -> Response {
        let update = try GroupUpdate(try await call.fields("group"), of: group)
        return wire.response(try await groups.update(group, update, by: call))
    }

    @Sendable private func delete(_ call: Call, _ group: GroupRecord) async throws -> Response {
        try await groups.delete(group, by: call)
        return Response(.noContent)
    }

    @Sendable private func listUsers(_ call: Call, _ group: GroupRecord) async throws -> Response {
        let page = try PageRequest(call)
        return userWire.list(try await users.list(try UserFilter(call), in: group, page), page, call)
    }

    @Sendable private func check(_ call: Call, _ membership: Membership) async throws -> Response {
        guard try await groups.isMember(membership.user, of: membership.group) else {
            throw GroupService.notMember(membership.user, membership.group)
        }
        return Response(.noContent)
    }

    @Sendable private func add(_ call: Call, _ membership: Membership) async throws -> Response {
        try await groups.add(membership.user, to: membership.group, by: call)
        return Response(.noContent)
    }

    @Sendable private func remove(_ call: Call, _ membership: Membership) async throws -> Response {
        try await groups.remove(membership.user, from: membership.group, by: call)
        return Response(.noContent)
    }
}

/// A user and a group that one call is about.
private struct Membership: PolicyTarget {
    let user: UserRecord
    let group: GroupRecord

    func policyAttribute(_ name: String) -> String? { user.policyAttribute(name) ?? group.policyAttribute(name) }
}
