// SPDX-License-Identifier: Apache-2.0
// The rules of projects: where one may be created, what may change, when it may go. Each change is one write.

import Core
import Database
import HTTP
import JSON

struct ProjectService: Sendable {
    let environment: IdentityEnvironment

    // MARK: Reading

    func shown(_ id: ID<Project>) async throws -> ProjectRecord {
        try await environment.database.read("project.show") { connection in
            guard let project = try ProjectStore.find(id, connection) else {
                throw CloudError.notFound("project", id.text)
            }
            return project
        }
    }

    func list(_ filter: ProjectFilter, _ page: PageRequest) async throws -> [ProjectRecord] {
        try await environment.database.read("project.list") { try ProjectStore.list(filter, page, $0) }
    }

    func family(of project: ProjectRecord, _ request: ProjectFamily.Request, seenBy user: ID<User>) async throws
        -> ProjectFamily
    {
        let users = UserService(environment)
        let groups = request.isList ? try await Self.groups(of: user, users) : []
        return try await environment.database.read("project.family") { connection in
            var family = ProjectFamily(request: request, project: project)
            if request.parents != nil { family.parents = try ProjectStore.parents(of: project.id, connection) }
            if request.subtree != nil { family.subtree = try ProjectStore.subtree(of: project.id, connection) }
            guard request.isList else { return family }
            let visible = try ProjectStore.projectIDs(of: user, groups: groups, connection)
            if request.parents == .list { family.parents.removeAll { !visible.contains($0.id) } }
            if request.subtree == .list { family.subtree.removeAll { !visible.contains($0.id) } }
            if request.withLimits {
                let ids = (family.parents + family.subtree).map(\.id)
                family.limits = Dictionary(grouping: try LimitStore.limits(of: ids, connection)) {
                    $0.project ?? project.id
                }
            }
            return family
        }
    }

    private static func groups(of id: ID<User>, _ users: UserService) async throws -> [ID<Group>] {
        guard let user = try await users.find(id) else { return [] }
        return try await users.groupIDs(of: user)
    }

    // MARK: Changing

    func create(_ project: ProjectRecord, by call: Call) async throws {
        let settings = environment.settings
        try await environment.change("project.create", by: call) { connection, changes in
            if !project.isDomain { try Self.checkPlace(of: project, settings, connection) }
            guard try ProjectStore.find(project.id, connection) == nil else {
                throw CloudError.conflict(
                    """
                    Conflict occurred attempting to store \(project.kind) - Duplicate entry found with ID \(project.id).
                    """)
            }
            try Self.storing(project) { try ProjectStore.insert(project, connection) }
            changes.record(.created, project.kind, project.id.text, domain: project.owner, touching: project.cacheKeys)
        }
    }

    /// The domain exists, the parent is in it, no one above is disabled, and the tree does not grow too deep.
    private static func checkPlace(
        of project: ProjectRecord, _ settings: IdentitySettings, _ connection: any Connection
    ) throws {
        guard let domain = project.domain, try ProjectStore.findDomain(domain, connection) != nil else {
            throw CloudError.badRequest("Could not find domain: \(project.domain?.text ?? "").")
        }
        let parentID = project.parent ?? ID(domain.text)
        guard let parent = try ProjectStore.find(parentID, connection) else {
            throw CloudError.badRequest("Could not find project: \(parentID).")
        }
        guard parent.owner == domain else {
            throw CloudError.badRequest(
                parent.isDomain
                    ? """
                    Cannot create project, the parent (\(parent.id)) is acting as a domain, but this project's domain \
                    id (\(domain)) does not match the parent's id.
                    """
                    : """
                    Cannot create project, since it specifies its domain_id \(domain), but specifies a parent in a \
                    different domain (\(parent.owner)).
                    """)
        }
        let line = [parent] + (try ProjectStore.parents(of: parent.id, connection))
        if let disabled = line.first(where: { !$0.isEnabled }) {
            throw CloudError.badRequest(
                "cannot create a project in a branch containing a disabled project: \(disabled.id)")
        }
        // The line above ends at the domain, which is not a level of its own.
        guard line.count <= settings.deepestProject else {
            throw CloudError.forbidden("Max hierarchy depth reached for \(parent.id) branch.")
        }
    }

    func update(_ id: ID<Project>, _ fields: ProjectFields, by call: Call) async throws -> ProjectRecord {
        try await environment.change("project.update", by: call) { connection, changes in
            guard let stored = try ProjectStore.find(id, connection) else {
                throw CloudError.notFound("project", id.text)
            }
            try ImmutableOption.checkUpdate(isImmutable: stored.isImmutable, body: fields.body, stored.kind, id.text)
            try Self.checkPlaceIsKept(stored, fields.body)
            return try Self.apply(fields, to: stored, connection, &changes)
        }
    }

    private static func checkPlaceIsKept(_ stored: ProjectRecord, _ body: RequestFields) throws {
        if let other = try body.optionalString("id"), other != stored.id.text {
            throw CloudError.badRequest("Cannot change ID")
        }
        if body.has("domain_id"), try body.optionalString("domain_id") != stored.domain?.text {
            throw CloudError.badRequest("Cannot change Domain ID")
        }
        if body.has("parent_id"), try body.optionalString("parent_id") != stored.parent?.text {
            throw CloudError.forbidden("Update of `parent_id` is not allowed.")
        }
        if let isDomain = try body.optionalBool("is_domain"), isDomain != stored.isDomain {
            throw CloudError.badRequest("Update of `is_domain` is not allowed.")
        }
    }

    /// Stores a change of a project or domain, and ends the tokens of one that is disabled by it.
    static func apply(
        _ fields: ProjectFields, to stored: ProjectRecord, _ connection: any Connection, _ changes: inout Changes
    ) throws -> ProjectRecord {
        var project = stored
        fields.apply(to: &project)
        if project.isEnabled != stored.isEnabled { try checkSwitch(project, connection) }
        try storing(project) { try ProjectStore.update(project, connection) }
        if stored.isEnabled, !project.isEnabled { changes.revoke(project.revocation) }
        changes.record(.updated, project.kind, project.id.text, domain: project.owner, touching: project.cacheKeys)
        return project
    }

    /// A project is enabled under enabled ones only and disabled above disabled ones only; a domain rules over its
    /// whole tree.
    private static func checkSwitch(_ project: ProjectRecord, _ connection: any Connection) throws {
        if project.isDomain { return }
        if project.isEnabled {
            guard try ProjectStore.parents(of: project.id, connection).allSatisfy(\.isEnabled) else {
                throw CloudError.forbidden("Cannot enable project \(project.id) since it has disabled parents")
            }
        } else if try ProjectStore.hasEnabledSubtree(project.id, connection) {
            throw CloudError.forbidden(
                "Cannot disable project \(project.id) since its subtree contains enabled projects.")
        }
    }

    func delete(_ project: ProjectRecord, by call: Call) async throws {
        if project.isDomain { return try await DomainService(environment: environment).delete(project, by: call) }
        let id = project.id
        try await environment.change("project.delete", by: call) { connection, changes in
            guard let stored = try ProjectStore.find(id, connection) else {
                throw CloudError.notFound("project", id.text)
            }
            try ImmutableOption.checkDelete(isImmutable: stored.isImmutable, "project", id.text)
            guard try !ProjectStore.hasChildren(id, connection) else {
                throw CloudError.forbidden(
                    """
                    Cannot delete the project \(id) since it is not a leaf in the hierarchy. Delete the projects below \
                    it first.
                    """)
            }
            try Removal.project(id, connection)
            try ProjectStore.delete(id, connection)
            changes.revoke(.project(id))
            changes.record(.deleted, "project", id.text, project: id, domain: stored.owner, touching: stored.cacheKeys)
        }
    }

    /// Turns the unique index's refusal into Keystone's sentence.
    private static func storing(_ project: ProjectRecord, _ store: () throws -> Void) throws {
        do {
            try store()
        } catch let error as DatabaseError where error.kind == .unique {
            throw CloudError.conflict(
                project.isDomain
                    ? """
                    Conflict occurred attempting to store project - it is not permitted to have two projects acting as \
                    domains with the same name: \(project.name).
                    """
                    : """
                    Conflict occurred attempting to store project - it is not permitted to have two projects with the \
                    same name in the same domain : \(project.name).
                    """)
        }
    }

    // MARK: Tags

    func replaceTags(_ tags: [String], of project: ProjectRecord, by call: Call) async throws {
        try await changeTags(of: project, by: call) { $0 = tags }
    }

    func addTag(_ tag: String, to project: ProjectRecord, by call: Call) async throws {
        try await changeTags(of: project, by: call) { tags in
            guard !tags.contains(tag) else {
                throw CloudError.badRequest("Invalid input for field 'tags': the project has the tag \(tag) already.")
            }
            guard tags.count < ProjectTag.most else {
                throw CloudError.badRequest(
                    "Invalid input for field 'tags': the project has \(tags.count) tags, which is the most allowed.")
            }
            tags = (tags + [tag]).sorted()
        }
    }

    func removeTag(_ tag: String, from project: ProjectRecord, by call: Call) async throws {
        try await changeTags(of: project, by: call) { tags in
            guard let at = tags.firstIndex(of: tag) else { throw CloudError.notFound("project tag", tag) }
            tags.remove(at: at)
        }
    }

    private func changeTags(
        of project: ProjectRecord, by call: Call, _ change: @escaping @Sendable (inout [String]) throws -> Void
    ) async throws {
        let id = project.id
        try await environment.change("project.tags", by: call) { connection, changes in
            guard var stored = try ProjectStore.find(id, connection) else {
                throw CloudError.notFound("project", id.text)
            }
            try ImmutableOption.checkUpdate(isImmutable: stored.isImmutable, stored.kind, id.text)
            try change(&stored.tags)
            try ProjectStore.update(stored, connection)
            changes.record(.updated, stored.kind, id.text, domain: stored.owner, touching: stored.cacheKeys)
        }
    }
}

extension ProjectRecord {
    /// The word for it in events and sentences.
    var kind: String { isDomain ? "domain" : "project" }
    /// Tokens and names remember no stamps of domains: a change of one makes everything old.
    var cacheKeys: [CacheKey] { isDomain ? [.everything] : [.project(id)] }
    var revocation: Revocation { isDomain ? .domain(owner) : .project(id) }
}

extension IdentitySettings {
    /// Levels of projects below a domain that the settings and the model of limits both allow.
    var deepestProject: Int { limitModel == .strictTwoLevel ? min(projectDepth, 2) : projectDepth }
}
