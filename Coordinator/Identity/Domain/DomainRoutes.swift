// SPDX-License-Identifier: Apache-2.0
// /v3/domains. Their configuration is in DomainConfig/, grants on them with the roles.

import Core
import HTTP
import JSON

struct DomainArea: IdentityArea {
    private let environment: IdentityEnvironment
    private let service: DomainService
    private let links: IdentityLinks

    init(_ environment: IdentityEnvironment) {
        self.environment = environment
        service = DomainService(environment: environment)
        links = IdentityLinks(environment.settings)
    }

    private func load(_ call: Call) async throws -> ProjectRecord { try await service.shown(call.id("domain_id")) }

    var routes: [Route] {
        [
            Route(.get, "/v3/domains", "identity:list_domains", target: CallerDomain.init) { call, caller in
                let page = try PageRequest(call)
                var filter = try ProjectFilter(call.query)
                filter.isDomain = true
                let domains = try await service.list(filter, visible: caller.id, page)
                return .list("domains", domains, page: page, call: call, links: links, id: \.id.text) { w, domain in
                    ProjectWire.writeDomain(&w, domain, links)
                }
            },
            Route(.post, "/v3/domains", "identity:create_domain") { call in
                let domain = try await newDomain(call)
                try await ProjectService(environment: environment).create(domain, by: call)
                return ProjectWire.domainResponse(.created, domain, links)
            },
            Route(.get, "/v3/domains/{domain_id}", "identity:get_domain", target: load) { _, domain in
                ProjectWire.domainResponse(.ok, domain, links)
            },
            Route(.patch, "/v3/domains/{domain_id}", "identity:update_domain", tellsAbsence: true, target: load) {
                call, domain in
                let body = try await call.fields("domain")
                guard !body.object.isEmpty else {
                    throw CloudError.badRequest(
                        "Invalid input for field 'domain': it must have at least one property.")
                }
                return ProjectWire.domainResponse(
                    .ok, try await service.update(domain, ProjectFields(body), by: call), links)
            },
            Route(.delete, "/v3/domains/{domain_id}", "identity:delete_domain", tellsAbsence: true, target: load) {
                call, domain in
                try await service.delete(domain, by: call)
                return .noContent
            },
        ]
    }

    private func newDomain(_ call: Call) async throws -> ProjectRecord {
        let body = try await call.fields("domain")
        let fields = try ProjectFields(body)
        guard let name = fields.name else { throw body.invalid("name", "'name' is a required property") }
        var id = ID<Project>.random(environment.entropy)
        if let explicit = try body.optionalString("explicit_domain_id") {
            guard explicit.utf8.count == 32, let bytes = Hex.bytes(explicit), Hex.text(bytes) == explicit else {
                throw body.invalid("explicit_domain_id", "it must be a UUID as 32 hexadecimal digits in lower case")
            }
            id = ID(explicit)
        }
        var domain = ProjectRecord(id: id, name: name, domain: nil, parent: nil, isDomain: true)
        fields.apply(to: &domain)
        return domain
    }

    static var policies: [PolicyRule] {
        let any: [PolicyRule.ScopeType] = [.system, .domain, .project]
        let reader = "(role:reader and system_scope:all)"
        return [
            // Whoever is scoped to the domain, or to a project in it, sees it.
            PolicyRule(
                "identity:get_domain",
                """
                rule:admin_required or \(reader) or domain_id:%(target.domain.id)s or \
                project_domain_id:%(target.domain.id)s
                """, scopes: any),
            PolicyRule(
                "identity:list_domains",
                "rule:admin_required or \(reader) or (role:reader and domain_id:%(target.domain.id)s)", scopes: any),
            // Who administers one domain has no say over domains.
            PolicyRule("identity:create_domain", "rule:admin_required", scopes: [.system, .project]),
            PolicyRule("identity:update_domain", "rule:admin_required", scopes: [.system, .project]),
            PolicyRule("identity:delete_domain", "rule:admin_required", scopes: [.system, .project]),
        ]
    }
}
