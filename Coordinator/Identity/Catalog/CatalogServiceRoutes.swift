// SPDX-License-Identifier: Apache-2.0
// /v3/services

import Core
import HTTP
import JSON

struct CatalogServiceRoutes: Sendable {
    let services: CatalogServiceService
    let links: IdentityLinks

    init(_ environment: IdentityEnvironment) {
        services = CatalogServiceService(environment: environment)
        links = IdentityLinks(environment.settings)
    }

    static let policies = [
        CatalogPolicy.read("get_service"), CatalogPolicy.read("list_services"), CatalogPolicy.write("create_service"),
        CatalogPolicy.write("update_service"), CatalogPolicy.write("delete_service"),
    ]

    var routes: [Route] {
        [
            Route(.get, "/v3/services", "identity:list_services", list),
            Route(.post, "/v3/services", "identity:create_service") { call in
                let draft = try CatalogServiceDraft(try await call.fields("service"), isNew: true)
                return show(try await services.create(draft, by: call), .created)
            },
            Route(.get, "/v3/services/{service_id}", "identity:get_service") { call in
                show(try await services.find(call.id("service_id")))
            },
            Route(.patch, "/v3/services/{service_id}", "identity:update_service") { call in
                let draft = try CatalogServiceDraft(try await call.changedFields("service"), isNew: false)
                return show(try await services.update(call.id("service_id"), draft, by: call))
            },
            Route(.delete, "/v3/services/{service_id}", "identity:delete_service") { call in
                try await services.delete(call.id("service_id"), by: call)
                return .noContent
            },
        ]
    }

    @Sendable private func list(_ call: Call) async throws -> Response {
        let page = try PageRequest(call)
        let found = page.cut(try await services.list(TextFilters(call.query, on: ["type", "name"])), id: \.id.text)
        return .list("services", found, page: page, call: call, links: links, id: \.id.text) { $1.write(&$0, links) }
    }

    private func show(_ service: CatalogServiceRecord, _ status: HTTPStatus = .ok) -> Response {
        .json(status) { w in
            w.object { w in
                w.key("service"); service.write(&w, links)
            }
        }
    }
}
