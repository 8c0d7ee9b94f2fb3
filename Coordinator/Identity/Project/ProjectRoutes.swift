// SPDX-License-Identifier: Apache-2.0
// /v3/projects, their tags, and the projects of a user.

import Core
import Database
import HTTP
import JSON

struct ProjectArea: IdentityArea {
    private let environment: IdentityEnvironment
    private let service: ProjectService
    private let users: UserService
    private let links: IdentityLinks

    init(_ environment: IdentityEnvironment) {
        self.environment = environment
        service = ProjectService(environment: environment)
        users = UserService(environment)
        links = IdentityLinks(environment.settings)
    }

    var routes: [Route] { projectRoutes + tagRoutes }

    private func load(_ call: Call) async throws -> ProjectRecord { try await service.shown(call.id("project_id")) }

    // MARK: Projects

    private var projectRoutes: [Route] {
        [
            Route(.get, "/v3/projects", "identity:list_projects", target: CallerDomain.init) { call, caller in
                let page = try PageRequest(call)
                let filter = try projectFilter(call, visible: caller.id)
                let projects = try await service.list(filter, page)
                return .list("projects", projects, page: page, call: call, links: links, id: \.id.text) { w, project in
                    ProjectWire.write(&w, project, links)
                }
            },
            Route(.post, "/v3/projects", "identity:create_project", target: newProject) { call, project in
                try await service.create(project, by: call)
                return ProjectWire.response(.created, project, links)
            },
            Route(.get, "/v3/projects/{project_id}", "identity:get_project", target: load) { call, project in
                let request = try ProjectFamily.Request(call.query)
                guard !request.isEmpty else { return ProjectWire.response(.ok, project, links) }
                let family = try await service.family(of: project, request, seenBy: try call.authority().user)
                return .json { w in
                    w.object { w in
                        w.object("project") { w in
                            ProjectWire.members(&w, project, links)
                            family.write(&w, links)
                        }
                    }
                }
            },
            Route(.patch, "/v3/projects/{project_id}", "identity:update_project", target: load) { call, project in
                let fields = try ProjectFields(try await call.fields("project"))
                return ProjectWire.response(.ok, try await service.update(project.id, fields, by: call), links)
            },
            Route(.delete, "/v3/projects/{project_id}", "identity:delete_project", target: load) { call, project in
                try await service.delete(project, by: call)
                return .noContent
            },
            Route(.get, "/v3/users/{user_id}/projects", "identity:list_user_projects", target: user) { call, user in
                let (page, name) = (try PageRequest(call), call.query["name"])
                let groups = try await users.groupIDs(of: user)
                let projects = try await environment.database.read("project.of_user") {
                    try ProjectStore.projects(of: user.id, groups: groups, name: name, page, $0)
                }
                return .list("projects", projects, page: page, call: call, links: links, id: \.id.text) { w, project in
                    ProjectWire.write(&w, project, links)
                }
            },
        ]
    }

    private func projectFilter(_ call: Call, visible: ID<Domain>?) throws -> ProjectFilter {
        var filter = try ProjectFilter(call.query)
        filter.domain = call.query["domain_id"].map { ID($0) }
        filter.visibleDomain = visible
        filter.parent = call.query["parent_id"].map { ID($0) }
        filter.isDomain = call.query.flag("is_domain")
        return filter
    }

    /// The project a body describes, in the domain it names, else in the one the caller is scoped to.
    private func newProject(_ call: Call) async throws -> ProjectRecord {
        let body = try await call.fields("project")
        let fields = try ProjectFields(body)
        guard let name = fields.name else { throw body.invalid("name", "'name' is a required property") }
        let isDomain = try body.optionalBool("is_domain") ?? false
        let named = try body.optionalString("domain_id", 1...64)
        let parent = try body.optionalString("parent_id", 1...64)
        if isDomain, named ?? parent != nil {
            throw CloudError.badRequest("only root projects are allowed to act as domains.")
        }
        let domain = isDomain ? nil : named ?? call.caller?.domainID?.text ?? "default"
        var project = ProjectRecord(
            id: .random(environment.entropy), name: name, domain: domain.map { ID($0) },
            parent: (parent ?? domain).map { ID($0) }, isDomain: isDomain)
        fields.apply(to: &project)
        return project
    }

    private func user(_ call: Call) async throws -> UserRecord {
        let id = call.id("user_id", User.self)
        guard let user = try await users.find(id) else { throw CloudError.notFound("user", id.text) }
        return user
    }

    // MARK: Tags

    private var tagRoutes: [Route] {
        [
            Route(.get, "/v3/projects/{project_id}/tags", "identity:list_project_tags", target: load) { _, project in
                ProjectWire.tagsResponse(project.tags, project.id, links)
            },
            Route(.put, "/v3/projects/{project_id}/tags", "identity:update_project_tags", target: load) {
                call, project in
                let body = try await call.bodyFields()
                guard let tags = try ProjectTag.list(body) else {
                    throw body.invalid("tags", "'tags' is a required property")
                }
                try await service.replaceTags(tags, of: project, by: call)
                return ProjectWire.tagsResponse(tags, project.id, links)
            },
            Route(.delete, "/v3/projects/{project_id}/tags", "identity:delete_project_tags", target: load) {
                call, project in
                try await service.replaceTags([], of: project, by: call)
                return .noContent
            },
            Route(.get, "/v3/projects/{project_id}/tags/{value}", "identity:get_project_tag", target: load) {
                call, project in
                let tag = call.parameter("value")
                guard project.tags.contains(tag) else { throw CloudError.notFound("project tag", tag) }
                return .noContent
            },
            Route(.put, "/v3/projects/{project_id}/tags/{value}", "identity:create_project_tag", target: load) {
                call, project in
                let tag = call.parameter("value")
                if let reason = ProjectTag.refusal(tag) {
                    throw CloudError.badRequest("Invalid input for field 'value': \(reason).")
                }
                try await service.addTag(tag.trimmed, to: project, by: call)
                let place = "\(links.base)/projects/\(project.id)/tags/\(PercentEncoding.query(tag.trimmed))"
                return Response(.created).with("Location", place)
            },
            Route(.delete, "/v3/projects/{project_id}/tags/{value}", "identity:delete_project_tag", target: load) {
                call, project in
                try await service.removeTag(call.parameter("value"), from: project, by: call)
                return .noContent
            },
        ]
    }
}

/// The domain a caller is scoped to: the part of a list that its people may see.
struct CallerDomain: PolicyTarget {
    let id: ID<Domain>?

    init(_ call: Call) async throws { id = call.caller?.domainID }

    func policyAttribute(_ name: String) -> String? {
        switch name {
        case "target.domain_id", "target.domain.id": id?.text
        default: nil
        }
    }
}
