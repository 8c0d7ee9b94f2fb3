// SPDX-License-Identifier: Apache-2.0
// /v3/endpoints

import Core
import HTTP
import JSON

struct EndpointRoutes: Sendable {
    let endpoints: EndpointService
    let links: IdentityLinks

    init(_ environment: IdentityEnvironment) {
        endpoints = EndpointService(environment: environment)
        links = IdentityLinks(environment.settings)
    }

    static let policies = [
        CatalogPolicy.read("get_endpoint"), CatalogPolicy.read("list_endpoints"),
        CatalogPolicy.write("create_endpoint"),
        CatalogPolicy.write("update_endpoint"), CatalogPolicy.write("delete_endpoint"),
    ]

    var routes: [Route] {
        [
            Route(.get, "/v3/endpoints", "identity:list_endpoints", list),
            Route(.post, "/v3/endpoints", "identity:create_endpoint") { call in
                let draft = try EndpointDraft(try await call.fields("endpoint"), isNew: true)
                return show(try await endpoints.create(draft, by: call), .created)
            },
            Route(.get, "/v3/endpoints/{endpoint_id}", "identity:get_endpoint") { call in
                show(try await endpoints.find(call.id("endpoint_id")))
            },
            Route(.patch, "/v3/endpoints/{endpoint_id}", "identity:update_endpoint") { call in
                let draft = try EndpointDraft(try await call.changedFields("endpoint"), isNew: false)
                return show(try await endpoints.update(call.id("endpoint_id"), draft, by: call))
            },
            Route(.delete, "/v3/endpoints/{endpoint_id}", "identity:delete_endpoint") { call in
                try await endpoints.delete(call.id("endpoint_id"), by: call)
                return .noContent
            },
        ]
    }

    @Sendable private func list(_ call: Call) async throws -> Response {
        let page = try PageRequest(call)
        let filters = TextFilters(call.query, on: ["interface", "service_id", "region_id"])
        let found = page.cut(try await endpoints.list(filters), id: \.id.text)
        return .list("endpoints", found, page: page, call: call, links: links, id: \.id.text) { $1.write(&$0, links) }
    }

    private func show(_ endpoint: EndpointRecord, _ status: HTTPStatus = .ok) -> Response {
        .json(status) { w in
            w.object { w in
                w.key("endpoint"); endpoint.write(&w, links)
            }
        }
    }
}
