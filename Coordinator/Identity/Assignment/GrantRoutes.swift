// SPDX-License-Identifier: Apache-2.0
// Ten families of paths that give, check, list and take roles: on projects, domains and the system, to users and
// groups, directly or (OS-INHERIT) for the projects below. All are made from one description.

import Core
import HTTP

struct GrantArea: IdentityArea {
    private let service: GrantService
    private let wire: RoleWire

    init(_ environment: IdentityEnvironment) {
        service = GrantService(environment: environment)
        wire = RoleWire(links: IdentityLinks(environment.settings))
    }

    var routes: [Route] { GrantFamily.all.flatMap(routes) }

    private func routes(_ family: GrantFamily) -> [Route] {
        var routes = [
            // HEAD and GET alike answer 204: the grant itself has nothing to show.
            Route(.get, family.one, family.rule("check"), target: { try await load($0, family) }) { call, grant in
                try await service.check(grant.assignment(call.id("role_id")))
                return .noContent
            },
            Route(.put, family.one, family.rule("create"), target: { try await load($0, family) }) { call, grant in
                guard let role = grant.role else { throw RoleService.absent(call.id("role_id")) }
                try await service.create(grant, role, by: call)
                return .noContent
            },
            Route(
                .delete, family.one, family.rule("revoke"), target: { try await load($0, family, mayLackActor: true) }
            ) {
                call, grant in
                try await service.delete(grant.assignment(call.id("role_id")), place: grant.place, by: call)
                return .noContent
            },
        ]
        if let all = family.all {
            routes.append(Route(.get, all, family.rule("list"), target: { try await load($0, family) }, list))
        }
        return routes
    }

    private func load(_ call: Call, _ family: GrantFamily, mayLackActor: Bool = false) async throws -> GrantTarget {
        let role = call.parameter("role_id")
        return try await service.load(
            family.grant(call), role: role.isEmpty ? nil : ID(role), mayLackActor: mayLackActor)
    }

    private func list(_ call: Call, _ grant: GrantTarget) async throws -> Response {
        let page = try PageRequest(call)
        let roles = try await service.list(grant).filter { role in page.marker.map { role.id.text > $0 } ?? true }
        return .list(
            "roles", Array(roles.prefix(page.limit + 1)), page: page, call: call, links: wire.links, id: \.id.text
        ) { w, role in wire.write(&w, role) }
    }
}

/// One family of paths: "/v3/projects/{project_id}/users/{user_id}/roles…".
struct GrantFamily: Sendable {
    enum Place: String, Sendable { case project, domain, system }
    enum Actor: String, Sendable { case user, group }

    let place: Place
    let actor: Actor
    let isInherited: Bool

    static let all: [GrantFamily] = [Actor.user, .group].flatMap { actor in
        [Place.project, .domain].flatMap { place in
            [false, true].map { GrantFamily(place: place, actor: actor, isInherited: $0) }
        } + [GrantFamily(place: .system, actor: actor, isInherited: false)]
    }

    private var roles: String {
        let root = isInherited ? "/v3/OS-INHERIT" : "/v3"
        let location = place == .system ? "/system" : "/\(place.rawValue)s/{\(place.rawValue)_id}"
        return "\(root)\(location)/\(actor.rawValue)s/{\(actor.rawValue)_id}/roles"
    }
    private var suffix: String { isInherited ? "/inherited_to_projects" : "" }

    /// The path of one grant.
    var one: String { roles + "/{role_id}" + suffix }
    /// The path of an actor's roles at the place; OpenStack has none for roles inherited from a project.
    var all: String? { isInherited && place == .project ? nil : roles + suffix }

    func rule(_ verb: String) -> String {
        let plural = verb == "list" ? "s" : ""
        return place == .system
            ? "identity:\(verb)_system_grant\(plural)_for_\(actor.rawValue)" : "identity:\(verb)_grant\(plural)"
    }

    func grant(_ call: Call) -> GrantTarget {
        let who: AssignmentActor = actor == .user ? .user(call.id("user_id")) : .group(call.id("group_id"))
        let target: AssignmentTarget =
            switch place {
            case .project: .project(call.id("project_id"))
            case .domain: .domain(call.id("domain_id"))
            case .system: .system
            }
        return GrantTarget(who, target, isInherited: isInherited)
    }
}
