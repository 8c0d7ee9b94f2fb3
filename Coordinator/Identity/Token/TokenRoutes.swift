// SPDX-License-Identifier: Apache-2.0
// /v3/auth: sign in, look at a token, end it; where the caller may go; the catalog of its project.

import Core
import HTTP
import JSON

/// The token a request is about (X-Subject-Token), found; and what policy may see of it.
struct SubjectToken: PolicyTarget {
    let token: Token
    let text: String

    func policyAttribute(_ name: String) -> String? {
        switch name {
        case "target.token.user_id": token.payload.user.text
        case "target.token.user.domain.id": token.user.domain.text
        default: nil
        }
    }
}

struct TokenRoutes {
    let environment: IdentityEnvironment
    let tokens: TokenService
    let signIn: SignInService
    let users: UserService

    static let policies = [
        PolicyRule(
            "identity:validate_token", "rule:service_admin_or_token_subject or (role:reader and system_scope:all)",
            scopes: [.system, .domain, .project]),
        PolicyRule(
            "identity:check_token", "rule:service_admin_or_token_subject or (role:reader and system_scope:all)",
            scopes: [.system, .domain, .project]),
        PolicyRule(
            "identity:revoke_token", "rule:admin_required or rule:token_subject", scopes: [.system, .domain, .project]),
        PolicyRule("identity:get_auth_catalog", ""),
        PolicyRule("identity:get_auth_projects", ""),
        PolicyRule("identity:get_auth_domains", ""),
        PolicyRule("identity:get_auth_system", ""),
    ]

    var routes: [Route] {
        [
            Route(.post, "/v3/auth/tokens", open: .open, create),
            Route(.get, "/v3/auth/tokens", "identity:validate_token", tellsAbsence: true, target: subject, show),
            Route(.head, "/v3/auth/tokens", "identity:check_token", tellsAbsence: true, target: subject, show),
            Route(.delete, "/v3/auth/tokens", "identity:revoke_token", tellsAbsence: true, target: subject, revoke),
            Route(.get, "/v3/auth/catalog", "identity:get_auth_catalog", showCatalog),
            Route(.get, "/v3/auth/projects", "identity:get_auth_projects", listProjects),
            Route(.get, "/v3/auth/domains", "identity:get_auth_domains", listDomains),
            Route(.get, "/v3/auth/system", "identity:get_auth_system", showSystem),
        ]
    }

    // MARK: Sign in

    @Sendable private func create(_ call: Call) async throws -> Response {
        let request = try SignInRequest(try await call.fields("auth"))
        let receipt = call.request.head.value("openstack-auth-receipt")
        let (text, token) = try await signIn.signIn(request, receipt: receipt, by: call)
        return try await response(.created, text, token, call)
    }

    private func response(_ status: HTTPStatus, _ text: String, _ token: Token, _ call: Call) async throws -> Response {
        let catalog =
            call.query.contains("nocatalog") || !token.isScoped ? nil : try await environment.catalogSnapshot()
        return Response(
            status,
            headers: [
                ("X-Subject-Token", text), ("Vary", "X-Auth-Token"), ("Content-Type", "application/json"),
            ], body: .bytes(TokenWire.body(of: token, catalog: catalog)))
    }

    // MARK: The subject token

    @Sendable private func subject(_ call: Call) async throws -> SubjectToken {
        guard let text = call.request.head.value("x-subject-token"), !text.isEmpty else {
            throw CloudError.notFound("token", "the header X-Subject-Token is missing")
        }
        let window = call.query.flag("allow_expired") ? IdentityEnvironment.expiredWindowSeconds : 0
        return SubjectToken(token: try await tokens.findSubject(text, windowSeconds: window), text: text)
    }

    @Sendable private func show(_ call: Call, _ subject: SubjectToken) async throws -> Response {
        // Who cannot enforce access rules must not take such a token for an unlimited one.
        if let credential = subject.token.applicationCredential, !credential.rules.isEmpty,
            call.request.head.range("openstack-identity-access-rules") == nil
        {
            throw CloudError(
                .notFound, "Failed to validate token",
                detail: "the token has access rules, which the client does not know")
        }
        return try await response(.ok, subject.text, subject.token, call)
    }

    @Sendable private func revoke(_ call: Call, _ subject: SubjectToken) async throws -> Response {
        let isWhole = !call.query.contains("cascade") || call.query.flag("cascade")
        try await tokens.revoke(subject.token, withChain: isWhole, by: call)
        return .noContent
    }

    // MARK: Where the caller may go

    @Sendable private func showCatalog(_ call: Call) async throws -> Response {
        let caller = try call.authority()
        guard let project = caller.projectID else {
            throw CloudError.forbidden("A project-scoped token is required to produce a service catalog.")
        }
        let catalog = try await environment.catalogSnapshot()
        return .json(capacity: 4096) { w in
            w.object { w in
                w.key("catalog")
                catalog.render(project: project, user: caller.user, into: &w)
                IdentityLinks(environment.settings).write(&w, "/auth/catalog")
            }
        }
    }

    private func bearer(_ call: Call) async throws -> (user: ID<User>, groups: [ID<Group>]) {
        let caller = try call.authority()
        guard let user = try await users.find(caller.user) else { return (caller.user, []) }
        return (user.id, try await users.groupIDs(of: user))
    }

    @Sendable private func listProjects(_ call: Call) async throws -> Response {
        let (user, groups) = try await bearer(call)
        let page = try PageRequest(call)
        let projects = try await environment.database.read("auth.projects") { connection in
            try ProjectStore.projects(of: user, groups: groups, enabledOnly: true, page, connection)
        }
        let links = IdentityLinks(environment.settings)
        return .list("projects", projects, page: page, call: call, links: links, id: { $0.id.text }) { w, project in
            ProjectWire.write(&w, project, links)
        }
    }

    @Sendable private func listDomains(_ call: Call) async throws -> Response {
        let (user, groups) = try await bearer(call)
        let page = try PageRequest(call)
        let domains = try await environment.database.read("auth.domains") { connection in
            try ProjectStore.domains(of: user, groups: groups, enabledOnly: true, page, connection)
        }
        let links = IdentityLinks(environment.settings)
        return .list("domains", domains, page: page, call: call, links: links, id: { $0.id.text }) { w, domain in
            ProjectWire.writeDomain(&w, domain, links)
        }
    }

    @Sendable private func showSystem(_ call: Call) async throws -> Response {
        let (user, groups) = try await bearer(call)
        let roles = try await environment.database.read("auth.system") { connection in
            try AssignmentStore.roles(of: user, groups: groups, on: .system, connection)
        }
        return .json { w in
            w.object { w in
                w.array("system") { w in
                    if !roles.isEmpty { w.object { w in w.field("all", true) } }
                }
                IdentityLinks(environment.settings).write(&w, "/auth/system")
            }
        }
    }
}
