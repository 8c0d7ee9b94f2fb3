// SPDX-License-Identifier: Apache-2.0
// The list of role assignments: pages of rows from the store, then, for an effective list, each row's implied roles
// from the graph. A page is cut between rows, so one row's implied roles always come together.

import Core
import Database
import HTTP

struct AssignmentListService: Sendable {
    struct Page: Sendable {
        var assignments: [ListedAssignment]
        /// Where the next page begins; nil at the end.
        var next: String?
        let graph: RoleGraph
    }

    let environment: IdentityEnvironment
    private let actors: ActorLookup

    init(environment: IdentityEnvironment) {
        self.environment = environment
        actors = ActorLookup(environment: environment)
    }

    func project(_ id: ID<Project>) async throws -> ProjectRecord {
        guard let found = try await environment.database.read("project.find", { try ProjectStore.find(id, $0) }) else {
            throw CloudError.notFound("project", id.text)
        }
        return found
    }

    func page(_ filter: AssignmentFilter, _ request: PageRequest) async throws -> Page {
        var marker: AssignmentMarker?
        if let text = request.marker {
            marker = AssignmentMarker(text, isEffective: filter.isEffective)
            guard marker != nil else {
                throw CloudError.badRequest(
                    "Invalid input for field 'marker': it must be one that a page of this list gave.")
            }
        }
        let graph = try await environment.roleGraph()
        var groups: [ID<Group>] = []
        if filter.isEffective, let user = filter.user { groups = try await actors.directoryGroups(of: user) }
        var rows = try await rows(filter, groups, graph, marker, request.limit)
        if filter.includesNames { try await addDirectoryNames(to: &rows) }
        let isFull = rows.count > request.limit
        let shown = isFull ? Array(rows.prefix(request.limit)) : rows
        guard filter.isEffective else {
            return Page(assignments: shown, next: isFull ? shown.last?.marker : nil, graph: graph)
        }
        return Self.expand(shown, filter, graph, isFull: isFull, limit: request.limit)
    }

    /// A list that names neither an actor nor a target may walk whole tables, so it does not run on the caller's
    /// thread.
    private func rows(
        _ filter: AssignmentFilter, _ groups: [ID<Group>], _ graph: RoleGraph, _ marker: AssignmentMarker?, _ limit: Int
    ) async throws -> [ListedAssignment] {
        let roles = filter.role.map { graph.sources(of: $0) }
        let list: @Sendable (any Connection) throws -> [ListedAssignment] = { connection in
            try AssignmentListStore.rows(filter, groups: groups, roles: roles, after: marker, limit: limit, connection)
        }
        let isShort = (filter.user != nil || filter.group != nil || filter.project != nil) && !filter.includesSubtree
        return isShort
            ? try await environment.database.read("assignment.list", list)
            : try await environment.database.readLong("assignment.list", list)
    }

    /// Names of users and groups that live in a directory; whoever is in neither place keeps empty names, as the API
    /// has it.
    private func addDirectoryNames(to rows: inout [ListedAssignment]) async throws {
        let unnamed = Set(rows.filter { $0.names?.actorDomain.isEmpty ?? false }.map(\.actor))
        for actor in unnamed.prefix(Limits.directoryNamesOfOnePage) {
            let found: (name: String, domain: ID<Domain>)? =
                switch actor {
                case .user(let id): try await actors.user(id).map { ($0.name, $0.domain) }
                case .group(let id): try await actors.group(id).map { ($0.name, $0.domain) }
                }
            guard let found else { continue }
            let domain = try await environment.database.read("domain.find") {
                try ProjectStore.findDomain(found.domain, $0)
            }
            for i in rows.indices where rows[i].actor == actor {
                rows[i].names?.actor = found.name
                rows[i].names?.actorDomain = found.domain.text
                rows[i].names?.actorDomainName = domain?.name ?? ""
            }
        }
    }

    /// Adds implied roles and drops those of domains, which never reach a token.
    static func expand(
        _ rows: [ListedAssignment], _ filter: AssignmentFilter, _ graph: RoleGraph, isFull: Bool, limit: Int
    ) -> Page {
        var page = Page(assignments: [], next: nil, graph: graph)
        var steps: [ID<Role>: [(role: ID<Role>, prior: ID<Role>?)]] = [:]
        var last: String?
        for row in rows {
            let all =
                steps[row.role]
                ?? graph.steps(from: row.role).filter { step in
                    graph.roles[step.role].map { $0.domain == nil } ?? false
                        && (filter.role.map { $0 == step.role } ?? true)
                }
            steps[row.role] = all
            if page.assignments.count + all.count > limit, let last {
                page.next = last
                return page
            }
            for step in all {
                var assignment = row
                assignment.role = step.role
                assignment.prior = step.prior
                page.assignments.append(assignment)
            }
            last = row.marker
        }
        page.next = isFull ? last : nil
        return page
    }
}
