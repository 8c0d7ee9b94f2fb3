// SPDX-License-Identifier: Apache-2.0
// /v3/OS-EP-FILTER: which endpoints a project sees in its catalog. A project with no association sees all.

import Core
import HTTP
import JSON

struct EndpointFilterArea: IdentityArea {
    private let filters: EndpointFilterService
    private let links: IdentityLinks

    init(_ environment: IdentityEnvironment) {
        filters = EndpointFilterService(environment: environment)
        links = IdentityLinks(environment.settings)
    }

    static let policies = [
        CatalogPolicy.write("create_endpoint_group"), CatalogPolicy.read("list_endpoint_groups"),
        CatalogPolicy.read("get_endpoint_group"), CatalogPolicy.write("update_endpoint_group"),
        CatalogPolicy.write("delete_endpoint_group"),
        CatalogPolicy.read("list_projects_associated_with_endpoint_group"),
        CatalogPolicy.read("list_endpoints_associated_with_endpoint_group"),
        CatalogPolicy.read("get_endpoint_group_in_project"), CatalogPolicy.read("list_endpoint_groups_for_project"),
        CatalogPolicy.write("add_endpoint_group_to_project"), CatalogPolicy.write("remove_endpoint_group_from_project"),
        CatalogPolicy.read("list_projects_for_endpoint"), CatalogPolicy.write("add_endpoint_to_project"),
        CatalogPolicy.read("check_endpoint_in_project"), CatalogPolicy.read("list_endpoints_for_project"),
        CatalogPolicy.write("remove_endpoint_from_project"),
    ]

    var routes: [Route] { groupRoutes + groupAssociationRoutes + endpointAssociationRoutes }

    private var groupRoutes: [Route] {
        let path = "/v3/OS-EP-FILTER/endpoint_groups"
        return [
            Route(.get, path, "identity:list_endpoint_groups") { call in
                try list(try await filters.groups(TextFilters(call.query, on: ["name"])), call)
            },
            Route(.post, path, "identity:create_endpoint_group") { call in
                let draft = try EndpointGroupDraft(try await call.fields("endpoint_group"), isNew: true)
                return show(try await filters.create(draft, by: call), .created)
            },
            Route(.get, path + "/{endpoint_group_id}", "identity:get_endpoint_group") { call in
                show(try await filters.group(call.id("endpoint_group_id")))
            },
            Route(.patch, path + "/{endpoint_group_id}", "identity:update_endpoint_group") { call in
                let draft = try EndpointGroupDraft(try await call.changedFields("endpoint_group"), isNew: false)
                return show(try await filters.update(call.id("endpoint_group_id"), draft, by: call))
            },
            Route(.delete, path + "/{endpoint_group_id}", "identity:delete_endpoint_group") { call in
                try await filters.delete(call.id("endpoint_group_id"), by: call)
                return .noContent
            },
        ]
    }

    private var groupAssociationRoutes: [Route] {
        let group = "/v3/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}"
        let pair = group + "/projects/{project_id}"
        return [
            Route(.get, group + "/projects", "identity:list_projects_associated_with_endpoint_group") { call in
                let page = try PageRequest(call)
                return list(
                    try await filters.projects(of: call.id("endpoint_group_id", EndpointGroup.self), page), page, call)
            },
            Route(.get, group + "/endpoints", "identity:list_endpoints_associated_with_endpoint_group") { call in
                try list(try await filters.endpoints(of: call.id("endpoint_group_id", EndpointGroup.self)), call)
            },
            Route(.get, pair, "identity:get_endpoint_group_in_project") { call in
                try await filters.check(call.id("endpoint_group_id", EndpointGroup.self), in: call.id("project_id"))
                return showAssociation(call)
            },
            Route(.put, pair, "identity:add_endpoint_group_to_project") { call in
                try await filters.add(
                    call.id("endpoint_group_id", EndpointGroup.self), to: call.id("project_id"), by: call)
                return .noContent
            },
            Route(.delete, pair, "identity:remove_endpoint_group_from_project") { call in
                try await filters.remove(
                    call.id("endpoint_group_id", EndpointGroup.self), from: call.id("project_id"), by: call)
                return .noContent
            },
        ]
    }

    private var endpointAssociationRoutes: [Route] {
        let project = "/v3/OS-EP-FILTER/projects/{project_id}"
        let pair = project + "/endpoints/{endpoint_id}"
        return [
            Route(.get, "/v3/OS-EP-FILTER/endpoints/{endpoint_id}/projects", "identity:list_projects_for_endpoint") {
                call in
                let page = try PageRequest(call)
                return list(try await filters.projects(of: call.id("endpoint_id", Endpoint.self), page), page, call)
            },
            Route(.get, project + "/endpoint_groups", "identity:list_endpoint_groups_for_project") { call in
                try list(try await filters.groups(of: call.id("project_id")), call)
            },
            Route(.get, project + "/endpoints", "identity:list_endpoints_for_project") { call in
                try list(try await filters.endpoints(of: call.id("project_id", Project.self)), call)
            },
            Route(.get, pair, "identity:check_endpoint_in_project") { call in
                try await filters.check(call.id("endpoint_id", Endpoint.self), in: call.id("project_id"))
                return .noContent
            },
            Route(.put, pair, "identity:add_endpoint_to_project") { call in
                try await filters.add(call.id("endpoint_id", Endpoint.self), to: call.id("project_id"), by: call)
                return .noContent
            },
            Route(.delete, pair, "identity:remove_endpoint_from_project") { call in
                try await filters.remove(call.id("endpoint_id", Endpoint.self), from: call.id("project_id"), by: call)
                return .noContent
            },
        ]
    }

    // MARK: Answers

    private func show(_ group: EndpointGroupRecord, _ status: HTTPStatus = .ok) -> Response {
        .json(status) { w in
            w.object { w in
                w.key("endpoint_group"); group.write(&w, links)
            }
        }
    }

    private func showAssociation(_ call: Call) -> Response {
        let group = call.parameter("endpoint_group_id"), project = call.parameter("project_id")
        return .json { w in
            w.object { w in
                w.object("project_endpoint_group") { w in
                    w.field("endpoint_group_id", group)
                    w.field("project_id", project)
                    links.write(&w, "/OS-EP-FILTER/endpoint_groups/", group, "/projects/", project)
                }
            }
        }
    }

    private func list(_ groups: [EndpointGroupRecord], _ call: Call) throws -> Response {
        let page = try PageRequest(call)
        let shown = page.cut(groups, id: \.id.text)
        return .list("endpoint_groups", shown, page: page, call: call, links: links, id: \.id.text) {
            $1.write(&$0, links)
        }
    }

    private func list(_ endpoints: [EndpointRecord], _ call: Call) throws -> Response {
        let page = try PageRequest(call)
        let shown = page.cut(endpoints, id: \.id.text)
        return .list("endpoints", shown, page: page, call: call, links: links, id: \.id.text) { $1.write(&$0, links) }
    }

    private func list(_ projects: [ProjectRecord], _ page: PageRequest, _ call: Call) -> Response {
        .list("projects", projects, page: page, call: call, links: links, id: \.id.text) {
            ProjectWire.write(&$0, $1, links)
        }
    }
}
