// SPDX-License-Identifier: Apache-2.0
// /v3/policies, and OS-ENDPOINT-POLICY: which policy is in force at an endpoint.

import Core
import HTTP
import JSON

struct PolicyBlobArea: IdentityArea {
    private let blobs: PolicyBlobService
    private let links: IdentityLinks

    init(_ environment: IdentityEnvironment) {
        blobs = PolicyBlobService(environment: environment)
        links = IdentityLinks(environment.settings)
    }

    /// What a policy may be associated with, as rules name it.
    private static let subjects = ["endpoint", "service", "region_and_service"]

    static var policies: [PolicyRule] {
        [
            CatalogPolicy.read("get_policy"), CatalogPolicy.read("list_policies"), CatalogPolicy.write("create_policy"),
            CatalogPolicy.write("update_policy"), CatalogPolicy.write("delete_policy"),
            CatalogPolicy.read("get_policy_for_endpoint"), CatalogPolicy.read("list_endpoints_for_policy"),
        ]
            + subjects.flatMap { subject in
                [
                    CatalogPolicy.write("create_policy_association_for_" + subject),
                    CatalogPolicy.read("check_policy_association_for_" + subject),
                    CatalogPolicy.write("delete_policy_association_for_" + subject),
                ]
            }
    }

    var routes: [Route] {
        let base = "/v3/policies/{policy_id}/OS-ENDPOINT-POLICY"
        return policyRoutes
            + associationRoutes(base + "/endpoints/{endpoint_id}", "endpoint") { .endpoint($0.id("endpoint_id")) }
            + associationRoutes(base + "/services/{service_id}", "service") { .service($0.id("service_id")) }
            + associationRoutes(base + "/services/{service_id}/regions/{region_id}", "region_and_service") {
                .serviceInRegion($0.id("service_id"), $0.id("region_id"))
            }
            + [
                Route(.get, base + "/endpoints", "identity:list_endpoints_for_policy") { call in
                    let page = try PageRequest(call)
                    let found = page.cut(try await blobs.endpoints(of: call.id("policy_id")), id: \.id.text)
                    return .list("endpoints", found, page: page, call: call, links: links, id: \.id.text) {
                        $1.write(&$0, links)
                    }
                },
                Route(.get, "/v3/endpoints/{endpoint_id}/OS-ENDPOINT-POLICY/policy", "identity:get_policy_for_endpoint")
                {
                    show(try await blobs.policy(for: $0.id("endpoint_id")))
                },
            ]
    }

    private var policyRoutes: [Route] {
        [
            Route(.get, "/v3/policies", "identity:list_policies") { call in
                let page = try PageRequest(call)
                let found = try await blobs.list(type: call.query["type"], page)
                return .list("policies", found, page: page, call: call, links: links, id: \.id.text) {
                    $1.write(&$0, links)
                }
            },
            Route(.post, "/v3/policies", "identity:create_policy") { call in
                let draft = try PolicyBlobDraft(try await call.fields("policy"), isNew: true)
                return show(try await blobs.create(draft, by: call), .created)
            },
            Route(.get, "/v3/policies/{policy_id}", "identity:get_policy") { call in
                show(try await blobs.find(call.id("policy_id")))
            },
            Route(.patch, "/v3/policies/{policy_id}", "identity:update_policy") { call in
                let draft = try PolicyBlobDraft(try await call.changedFields("policy"), isNew: false)
                return show(try await blobs.update(call.id("policy_id"), draft, by: call))
            },
            Route(.delete, "/v3/policies/{policy_id}", "identity:delete_policy") { call in
                try await blobs.delete(call.id("policy_id"), by: call)
                return .noContent
            },
        ]
    }

    private func associationRoutes(
        _ path: String, _ name: String, _ subject: @escaping @Sendable (Call) -> PolicySubject
    ) -> [Route] {
        @Sendable func association(_ call: Call) -> PolicyAssociation {
            PolicyAssociation(policy: call.id("policy_id"), subject: subject(call))
        }
        return [
            Route(.put, path, "identity:create_policy_association_for_" + name) { call in
                try await blobs.associate(association(call), by: call)
                return .noContent
            },
            Route(.get, path, "identity:check_policy_association_for_" + name) { call in
                try await blobs.check(association(call))
                return .noContent
            },
            Route(.delete, path, "identity:delete_policy_association_for_" + name) { call in
                try await blobs.dissociate(association(call), by: call)
                return .noContent
            },
        ]
    }

    private func show(_ policy: PolicyBlobRecord, _ status: HTTPStatus = .ok) -> Response {
        .json(status) { w in
            w.object { w in
                w.key("policy"); policy.write(&w, links)
            }
        }
    }
}
