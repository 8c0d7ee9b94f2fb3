// SPDX-License-Identifier: Apache-2.0
// /v3/regions

import Core
import HTTP
import JSON

struct RegionRoutes: Sendable {
    let regions: RegionService
    let links: IdentityLinks

    init(_ environment: IdentityEnvironment) {
        regions = RegionService(environment: environment)
        links = IdentityLinks(environment.settings)
    }

    static let policies = [
        PolicyRule("identity:get_region", "", scopes: CatalogPolicy.anyScope),
        PolicyRule("identity:list_regions", "", scopes: CatalogPolicy.anyScope),
        CatalogPolicy.write("create_region"),
        CatalogPolicy.write("update_region"),
        CatalogPolicy.write("delete_region"),
    ]

    var routes: [Route] {
        [
            Route(.get, "/v3/regions", "identity:list_regions", list),
            Route(.post, "/v3/regions", "identity:create_region") { call in
                let draft = try RegionDraft(try await call.fields("region"))
                return show(try await regions.create(draft, by: call), .created)
            },
            Route(.get, "/v3/regions/{region_id}", "identity:get_region") { call in
                show(try await regions.find(call.id("region_id")))
            },
            Route(.put, "/v3/regions/{region_id}", "identity:create_region") { call in
                let fields = try await call.fields("region")
                let draft = try RegionDraft(fields)
                return show(try await regions.create(draft, pathID: call.id("region_id"), by: call), .created)
            },
            Route(.patch, "/v3/regions/{region_id}", "identity:update_region") { call in
                let draft = try RegionDraft(try await call.changedFields("region"))
                return show(try await regions.update(call.id("region_id"), draft, by: call))
            },
            Route(.delete, "/v3/regions/{region_id}", "identity:delete_region") { call in
                try await regions.delete(call.id("region_id"), by: call)
                return .noContent
            },
        ]
    }

    @Sendable private func list(_ call: Call) async throws -> Response {
        let page = try PageRequest(call)
        let found = page.cut(try await regions.list(TextFilters(call.query, on: ["parent_region_id"])), id: \.id.text)
        return .list("regions", found, page: page, call: call, links: links, id: \.id.text) { $1.write(&$0, links) }
    }

    private func show(_ region: RegionRecord, _ status: HTTPStatus = .ok) -> Response {
        .json(status) { w in
            w.object { w in
                w.key("region"); region.write(&w, links)
            }
        }
    }
}

extension Call {
    /// The object of a PATCH, which must change something.
    func changedFields(_ name: String) async throws -> RequestFields {
        let fields = try await fields(name)
        guard !fields.object.isEmpty else {
            throw CloudError.badRequest(
                "Invalid input for field '\(name)': it must have at least one property to change.")
        }
        return fields
    }
}
