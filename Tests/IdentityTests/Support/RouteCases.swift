// SPDX-License-Identifier: Apache-2.0
// What RouteCoverageTests knows of each route: who else than its people may call it, and what its body is made of. A
// route that is missing here fails the tests: whoever adds one says here what it takes.

import Core
import HTTP
import Identity
import JSON
import Testing

/// Things of the domain "home" for paths and bodies to name.
struct RouteThings: Sendable {
    var parameters: [String: String] = [:]
    var accessKey = ""
    var token = ""

    init(_ cloud: IdentityFixture) async throws {
        let bootstrap = cloud.cloud
        let endpoint = try #require(bootstrap.endpoints[.public])
        parameters = [
            "domain_id": Places.home.text, "project_id": Places.web.text, "user_id": Persona.projectMember.userID.text,
            "role_id": try #require(bootstrap.roles["member"]).text,
            "prior_role_id": try #require(bootstrap.roles["member"]).text,
            "implied_role_id": try #require(bootstrap.roles["reader"]).text, "region_id": bootstrap.region.text,
            "service_id": bootstrap.service.text, "endpoint_id": endpoint.text, "value": "blue", "group": "ldap",
            "option": "url",
        ]
        func make(
            _ path: String, _ name: String, _ object: JSON.Object, as persona: Persona = .systemAdmin, parameter: String
        ) async throws {
            let reply = try await cloud.request(
                .post, path, as: persona, .object(JSON.Object([(name, .object(object))])))
            parameters[parameter] = try #require(reply[name]?["id"]?.string, "\(path) \(reply.text)")
        }
        try await make(
            "/v3/groups", "group", ["name": "g", "domain_id": .string(Places.home.text)], parameter: "group_id")
        try await make("/v3/policies", "policy", ["type": "text/plain", "blob": "x"], parameter: "policy_id")
        try await make(
            "/v3/OS-EP-FILTER/endpoint_groups", "endpoint_group", ["name": "e", "filters": ["interface": "public"]],
            parameter: "endpoint_group_id")
        let user = Persona.projectMember.userID.text
        try await make(
            "/v3/credentials", "credential", ["user_id": .string(user), "type": "cert", "blob": "x"],
            parameter: "credential_id")
        try await makeDelegations(cloud, user)
        try await makeLimits(cloud)
        let key = try await cloud.request(
            .post, "/v3/users/\(user)/credentials/OS-EC2", as: .systemAdmin, ["tenant_id": .string(Places.web.text)])
        accessKey = try #require(key["credential"]?["access"]?.string)
        token = try await cloud.token(of: .projectMember)
        let tag = try await cloud.request(.put, "/v3/projects/\(Places.web)/tags/blue", as: .systemAdmin)
        try #require(tag.status == 201)
        let config = try await cloud.request(
            .put, "/v3/domains/\(Places.home)/config", as: .systemAdmin,
            ["config": ["ldap": ["url": "ldap://127.0.0.1:1"]]])
        try #require(config.status == 201, "\(config.text)")
    }

    private mutating func makeDelegations(_ cloud: IdentityFixture, _ user: String) async throws {
        let token = try await cloud.token(of: .projectMember)
        let trust: JSON = [
            "trust": [
                "trustor_user_id": .string(user), "trustee_user_id": .string(Persona.projectAdmin.userID.text),
                "impersonation": false,
                "project_id": .string(Places.web.text), "roles": [["name": "member"]],
            ]
        ]
        let made = try await cloud.request(.post, "/v3/OS-TRUST/trusts", token: token, body: trust.bytes)
        parameters["trust_id"] = try #require(made["trust"]?["id"]?.string, "\(made.text)")
        let application: JSON = [
            "application_credential": [
                "name": "robot", "access_rules": [["service": "compute", "method": "GET", "path": "/v2.1/servers"]],
            ]
        ]
        let credential = try await cloud.request(
            .post, "/v3/users/\(user)/application_credentials", token: token, body: application.bytes)
        parameters["application_credential_id"] = try #require(
            credential["application_credential"]?["id"]?.string, "\(credential.text)")
        parameters["access_rule_id"] = credential["application_credential"]?["access_rules"]?[0]?["id"]?.string
    }

    private mutating func makeLimits(_ cloud: IdentityFixture) async throws {
        let service = JSON.string(cloud.cloud.service.text)
        let registered = try await cloud.request(
            .post, "/v3/registered_limits", as: .systemAdmin,
            ["registered_limits": [["service_id": service, "resource_name": "things", "default_limit": 5]]])
        parameters["registered_limit_id"] = try #require(
            registered["registered_limits"]?[0]?["id"]?.string, "\(registered.text)")
        let limit = try await cloud.request(
            .post, "/v3/limits", as: .systemAdmin,
            [
                "limits": [
                    [
                        "service_id": service, "resource_name": "things", "resource_limit": 3,
                        "project_id": .string(Places.web.text),
                    ]
                ]
            ])
        parameters["limit_id"] = try #require(limit["limits"]?[0]?["id"]?.string, "\(limit.text)")
    }

    /// A route's path with these things in it; nil when it has a parameter that is not known.
    func path(_ pattern: String) -> String? {
        var segments: [String] = []
        for segment in pattern.split(separator: "/") {
            guard segment.hasPrefix("{") else {
                segments.append(String(segment))
                continue
            }
            let name = String(segment.dropFirst().dropLast())
            guard let value = name == "credential_id" && pattern.contains("OS-EC2") ? accessKey : parameters[name]
            else { return nil }
            segments.append(value)
        }
        return "/" + segments.joined(separator: "/")
    }
}

/// What a body is made of.
struct BodyCase: Sendable {
    enum Kind: Sendable {
        case string, bool, int, object, array

        /// Values of every other kind.
        var wrong: [JSON] {
            let all: [(JSON, [Kind])] = [
                ("text", [.string]), (true, [.bool]), (3, [.int]), (.number("1.5"), []), (["a": 1], [.object]),
                ([1], [.array]),
            ]
            return all.filter { sample in !sample.1.contains { $0 == self } }.map(\.0)
        }
    }

    /// The member that holds the object: "user". nil: the body itself.
    var wrapper: String?
    /// The wrapper holds an array of such objects.
    var isArray = false
    /// Who may send it; nil: anybody, without a token.
    var persona: Persona? = .systemAdmin
    var valid: JSON.Object
    var fields: [String: Kind]
    /// The status of a member of the wrong kind.
    var refusal = 400

    func body(_ object: JSON.Object) -> JSON {
        guard let wrapper else { return .object(object) }
        return .object(JSON.Object([(wrapper, isArray ? [.object(object)] : .object(object))]))
    }
}

enum RouteCases {
    /// No token is needed.
    static let open: [String: String] = [
        "GET /": "clients find the API's versions before they sign in",
        "GET /v3": "clients find the API's versions before they sign in",
        "POST /v3/auth/tokens": "it is the sign-in",
        "POST /v3/users/{user_id}/password":
            "a user whose password has expired cannot sign in; the password is the proof",
    ]

    /// A reader of another project or domain may call these, and why.
    static let forAnyone: [String: String] = [
        "GET /v3/regions": "regions are no secret; clients choose among them",
        "GET /v3/regions/{region_id}": "regions are no secret; clients choose among them",
        "GET /v3/registered_limits": "services and users see what is allowed by default",
        "GET /v3/registered_limits/{registered_limit_id}": "services and users see what is allowed by default",
        "GET /v3/limits": "shows the caller's own project or domain only",
        "GET /v3/limits/model": "how limits are counted is no secret",
        "GET /v3/credentials": "shows the caller's own only",
        "GET /v3/auth/catalog": "shows the caller's own",
        "GET /v3/auth/domains": "shows the caller's own",
        "GET /v3/auth/projects": "shows the caller's own",
        "GET /v3/auth/system": "shows the caller's own",
    ]

    /// GETs of which a system's administrator is not the one to ask.
    static let owners: [String: Persona] = ["GET /v3/auth/catalog": .projectReader]

    static let defaultDomainOnly: [String: String] = [
        "GET /v3/domains/{domain_id}/config/security_compliance": "other domains have no rules of their own",
        "GET /v3/domains/{domain_id}/config/security_compliance/{option}": "other domains have no rules of their own",
    ]

    /// POST, PUT and PATCH that take no body, as their path says all.
    static let withoutBody: Set<String> = [
        "PUT /v3/groups/{group_id}/users/{user_id}",
        "PUT /v3/projects/{project_id}/tags/{value}",
        "PUT /v3/roles/{prior_role_id}/implies/{implied_role_id}",
        "PUT /v3/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/projects/{project_id}",
        "PUT /v3/OS-EP-FILTER/projects/{project_id}/endpoints/{endpoint_id}",
        "PUT /v3/policies/{policy_id}/OS-ENDPOINT-POLICY/endpoints/{endpoint_id}",
        "PUT /v3/policies/{policy_id}/OS-ENDPOINT-POLICY/services/{service_id}",
        "PUT /v3/policies/{policy_id}/OS-ENDPOINT-POLICY/services/{service_id}/regions/{region_id}",
        "PUT /v3/domains/{domain_id}/groups/{group_id}/roles/{role_id}",
        "PUT /v3/domains/{domain_id}/users/{user_id}/roles/{role_id}",
        "PUT /v3/projects/{project_id}/groups/{group_id}/roles/{role_id}",
        "PUT /v3/projects/{project_id}/users/{user_id}/roles/{role_id}",
        "PUT /v3/system/groups/{group_id}/roles/{role_id}",
        "PUT /v3/system/users/{user_id}/roles/{role_id}",
        "PUT /v3/OS-INHERIT/domains/{domain_id}/groups/{group_id}/roles/{role_id}/inherited_to_projects",
        "PUT /v3/OS-INHERIT/domains/{domain_id}/users/{user_id}/roles/{role_id}/inherited_to_projects",
        "PUT /v3/OS-INHERIT/projects/{project_id}/groups/{group_id}/roles/{role_id}/inherited_to_projects",
        "PUT /v3/OS-INHERIT/projects/{project_id}/users/{user_id}/roles/{role_id}/inherited_to_projects",
    ]

    static func bodies(_ things: RouteThings) -> [String: BodyCase] {
        people(things).merging(places(things)) { a, _ in a }.merging(catalog(things)) { a, _ in a }
            .merging(delegation(things)) { a, _ in a }.merging(limits(things)) { a, _ in a }
    }

    private static func people(_ things: RouteThings) -> [String: BodyCase] {
        let home = JSON.string(Places.home.text)
        let user: [String: BodyCase.Kind] = [
            "name": .string, "enabled": .bool, "description": .string, "default_project_id": .string,
            "password": .string,
            "options": .object, "federated": .array,
        ]
        return [
            "POST /v3/users": BodyCase(wrapper: "user", valid: ["name": "new", "domain_id": home], fields: user),
            "PATCH /v3/users/{user_id}": BodyCase(wrapper: "user", valid: ["description": "x"], fields: user),
            "POST /v3/users/{user_id}/password": BodyCase(
                wrapper: "user", persona: nil, valid: ["original_password": "x", "password": "y"],
                fields: ["original_password": .string, "password": .string]),
            "POST /v3/groups": BodyCase(
                wrapper: "group", valid: ["name": "new", "domain_id": home],
                fields: ["name": .string, "description": .string]),
            "PATCH /v3/groups/{group_id}": BodyCase(
                wrapper: "group", valid: ["description": "x"], fields: ["name": .string, "description": .string]),
            "POST /v3/roles": BodyCase(
                wrapper: "role", valid: ["name": "new"],
                fields: ["name": .string, "description": .string, "domain_id": .string, "options": .object]),
            "PATCH /v3/roles/{role_id}": BodyCase(
                wrapper: "role", valid: ["description": "x"],
                fields: ["name": .string, "description": .string, "options": .object]),
            "POST /v3/auth/tokens": BodyCase(
                wrapper: "auth", persona: nil,
                valid: ["identity": ["methods": ["password"], "password": ["user": ["id": "x", "password": "y"]]]],
                fields: ["identity": .object, "scope": .object]),
        ]
    }

    private static func places(_ things: RouteThings) -> [String: BodyCase] {
        let place: [String: BodyCase.Kind] = [
            "name": .string, "description": .string, "enabled": .bool, "tags": .array, "options": .object,
        ]
        var project = place
        project["parent_id"] = .string
        // An invalid configuration is a 403 in OpenStack.
        return [
            "POST /v3/domains": BodyCase(wrapper: "domain", valid: ["name": "new"], fields: place),
            "PATCH /v3/domains/{domain_id}": BodyCase(wrapper: "domain", valid: ["description": "x"], fields: place),
            "POST /v3/projects": BodyCase(
                wrapper: "project", valid: ["name": "new", "domain_id": .string(Places.home.text)], fields: project),
            "PATCH /v3/projects/{project_id}": BodyCase(wrapper: "project", valid: ["description": "x"], fields: place),
            "PUT /v3/projects/{project_id}/tags": BodyCase(valid: ["tags": ["a"]], fields: ["tags": .array]),
            "PUT /v3/domains/{domain_id}/config": BodyCase(
                wrapper: "config", valid: ["ldap": ["url": "ldap://h"]], fields: ["ldap": .object], refusal: 403),
            "PATCH /v3/domains/{domain_id}/config": BodyCase(
                wrapper: "config", valid: ["ldap": ["url": "ldap://h"]], fields: ["ldap": .object], refusal: 403),
            "PATCH /v3/domains/{domain_id}/config/{group}": BodyCase(
                wrapper: "config", valid: ["ldap": ["url": "ldap://h"]], fields: ["ldap": .object], refusal: 403),
            "PATCH /v3/domains/{domain_id}/config/{group}/{option}": BodyCase(
                wrapper: "config", valid: ["url": "ldap://h"], fields: [:]),
        ]
    }

    private static func catalog(_ things: RouteThings) -> [String: BodyCase] {
        let region: [String: BodyCase.Kind] = ["id": .string, "description": .string, "parent_region_id": .string]
        let service: [String: BodyCase.Kind] = [
            "type": .string, "name": .string, "description": .string, "enabled": .bool,
        ]
        let endpoint: [String: BodyCase.Kind] = [
            "service_id": .string, "region_id": .string, "region": .string, "interface": .string, "url": .string,
            "enabled": .bool,
            "name": .string, "description": .string,
        ]
        let group: [String: BodyCase.Kind] = ["name": .string, "description": .string, "filters": .object]
        let policy: [String: BodyCase.Kind] = ["type": .string, "blob": .string]
        let credential: [String: BodyCase.Kind] = [
            "user_id": .string, "project_id": .string, "type": .string, "blob": .string,
        ]
        let user = JSON.string(Persona.projectMember.userID.text)
        return [
            "POST /v3/regions": BodyCase(wrapper: "region", valid: [:], fields: region),
            "PUT /v3/regions/{region_id}": BodyCase(wrapper: "region", valid: [:], fields: region),
            "PATCH /v3/regions/{region_id}": BodyCase(wrapper: "region", valid: ["description": "x"], fields: region),
            "POST /v3/services": BodyCase(wrapper: "service", valid: ["type": "x"], fields: service),
            "PATCH /v3/services/{service_id}": BodyCase(wrapper: "service", valid: ["name": "x"], fields: service),
            "POST /v3/endpoints": BodyCase(
                wrapper: "endpoint",
                valid: [
                    "service_id": .string(things.parameters["service_id"] ?? ""), "interface": "public",
                    "url": "http://x",
                ],
                fields: endpoint),
            "PATCH /v3/endpoints/{endpoint_id}": BodyCase(wrapper: "endpoint", valid: ["name": "x"], fields: endpoint),
            "POST /v3/OS-EP-FILTER/endpoint_groups": BodyCase(
                wrapper: "endpoint_group", valid: ["name": "x", "filters": ["interface": "admin"]], fields: group),
            "PATCH /v3/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}": BodyCase(
                wrapper: "endpoint_group", valid: ["name": "x"], fields: group),
            "POST /v3/policies": BodyCase(wrapper: "policy", valid: ["type": "x", "blob": "y"], fields: policy),
            "PATCH /v3/policies/{policy_id}": BodyCase(wrapper: "policy", valid: ["blob": "y"], fields: policy),
            "POST /v3/credentials": BodyCase(
                wrapper: "credential", valid: ["user_id": user, "type": "cert", "blob": "x"], fields: credential),
            "PATCH /v3/credentials/{credential_id}": BodyCase(
                wrapper: "credential", valid: ["blob": "x"], fields: credential),
            "POST /v3/users/{user_id}/credentials/OS-EC2": BodyCase(
                valid: ["tenant_id": .string(Places.web.text)], fields: ["tenant_id": .string]),
            "POST /v3/ec2tokens": BodyCase(
                wrapper: "credentials", valid: ["access": .string(things.accessKey), "signature": "y"],
                fields: ["access": .string, "signature": .string]),
            "POST /v3/s3tokens": BodyCase(
                wrapper: "credentials",
                valid: ["access": .string(things.accessKey), "signature": "y", "token": "eA=="],
                fields: ["access": .string, "signature": .string, "token": .string]),
        ]
    }

    private static func delegation(_ things: RouteThings) -> [String: BodyCase] {
        [
            "POST /v3/OS-TRUST/trusts": BodyCase(
                wrapper: "trust", persona: .projectMember,
                valid: [
                    "trustor_user_id": .string(Persona.projectMember.userID.text), "impersonation": true,
                    "trustee_user_id": .string(Persona.projectAdmin.userID.text),
                    "project_id": .string(Places.web.text),
                    "roles": [["name": "member"]],
                ],
                fields: [
                    "trustee_user_id": .string, "project_id": .string, "impersonation": .bool, "expires_at": .string,
                    "remaining_uses": .int, "allow_redelegation": .bool, "redelegation_count": .int, "roles": .array,
                ]),
            "POST /v3/users/{user_id}/application_credentials": BodyCase(
                wrapper: "application_credential", persona: .projectMember, valid: ["name": "another"],
                fields: [
                    "name": .string, "description": .string, "secret": .string, "expires_at": .string,
                    "unrestricted": .bool,
                    "roles": .array, "access_rules": .array,
                ]),
        ]
    }

    private static func limits(_ things: RouteThings) -> [String: BodyCase] {
        let service = JSON.string(things.parameters["service_id"] ?? "")
        let registered: [String: BodyCase.Kind] = [
            "service_id": .string, "region_id": .string, "resource_name": .string, "default_limit": .int,
            "description": .string,
        ]
        return [
            "POST /v3/registered_limits": BodyCase(
                wrapper: "registered_limits", isArray: true,
                valid: ["service_id": service, "resource_name": "other", "default_limit": 1], fields: registered),
            "PATCH /v3/registered_limits/{registered_limit_id}": BodyCase(
                wrapper: "registered_limit", valid: ["default_limit": 1], fields: registered),
            "POST /v3/limits": BodyCase(
                wrapper: "limits", isArray: true,
                valid: [
                    "service_id": service, "resource_name": "things", "resource_limit": 1,
                    "project_id": .string(Places.web.text),
                ],
                fields: [
                    "service_id": .string, "region_id": .string, "resource_name": .string, "resource_limit": .int,
                    "description": .string, "project_id": .string,
                ]),
            "PATCH /v3/limits/{limit_id}": BodyCase(
                wrapper: "limit", valid: ["resource_limit": 1],
                fields: ["resource_limit": .int, "description": .string]),
        ]
    }
}
