// SPDX-License-Identifier: Apache-2.0
// POST /v3/ec2tokens and /v3/s3tokens: a service that received a request signed with an EC2 or S3 key asks whose it
// is. Only services and administrators may ask; the answer is a token marked as delegated.

import Core
import Crypto
import Database
import HTTP
import JSON

struct SignedRequestRoutes {
    /// A signature with a time stamp is good for this long.
    private static let lifetimeSeconds: Int64 = 15 * 60
    let environment: IdentityEnvironment
    let tokens: TokenService

    static let policies = [
        PolicyRule("identity:ec2tokens_validate", "rule:service_or_admin", scopes: [.system, .domain, .project]),
        PolicyRule("identity:s3tokens_validate", "rule:service_or_admin", scopes: [.system, .domain, .project]),
    ]

    var routes: [Route] {
        [
            Route(.post, "/v3/ec2tokens", "identity:ec2tokens_validate") { call in
                try await answer(call, Self.matchesEC2)
            },
            Route(.post, "/v3/s3tokens", "identity:s3tokens_validate") { call in try await answer(call, Self.matchesS3)
            },
        ]
    }

    private func answer(
        _ call: Call, _ matches: (_ secret: String, _ fields: RequestFields) throws -> Bool
    ) async throws -> Response {
        let fields = try Self.credentials(try await call.bodyFields())
        let access = try fields.string("access", 1...255)
        let store = CredentialStore(environment.vault)
        let found = try await environment.database.read("credential.find_access") { connection in
            try store.find(access: access, connection)
        }
        guard let found, let key = EC2Key(blob: found.blob), !key.secret.isEmpty else {
            throw CloudError(.notFound, "EC2 access key not found.")
        }
        guard try matches(key.secret, fields) else { throw CloudError.unauthorized("Invalid EC2 signature.") }
        try requireFresh(fields)
        let (text, token) = try await issue(found, key)
        let catalog = try await environment.catalogSnapshot()
        return Response(
            .ok,
            headers: [
                ("X-Subject-Token", text), ("Vary", "X-Auth-Token"), ("Content-Type", "application/json"),
            ], body: .bytes(TokenWire.body(of: token, catalog: catalog)))
    }

    /// Clients name the object in three ways.
    private static func credentials(_ body: RequestFields) throws -> RequestFields {
        for name in ["credentials", "credential", "ec2Credentials"] {
            if let fields = try body.optionalFields(name) { return fields }
        }
        throw body.invalid("credentials", "it is a required property")
    }

    private static func texts(_ fields: RequestFields?) throws -> [String: String] {
        guard let fields else { return [:] }
        var texts: [String: String] = [:]
        for (name, value) in fields.object.members {
            guard let text = value.string ?? value.int.map(String.init) else {
                throw fields.invalid(name, "it must be a string, not \(value.kindName)")
            }
            texts[name] = text
        }
        return texts
    }

    private static func request(_ fields: RequestFields) throws -> AWSRequest {
        AWSRequest(
            verb: try fields.optionalString("verb") ?? "", host: try fields.optionalString("host") ?? "",
            path: try fields.optionalString("path") ?? "", parameters: try texts(fields.optionalFields("params")),
            headers: try texts(fields.optionalFields("headers")), bodyHash: try fields.optionalString("body_hash") ?? ""
        )
    }

    private static func matchesEC2(_ secret: String, _ fields: RequestFields) throws -> Bool {
        let signature = try fields.string("signature", 1...512)
        do {
            return try AWSSignature.matches(signature, secret: secret, try request(fields))
        } catch is AWSSignatureError {
            throw CloudError.unauthorized("Invalid EC2 signature.")
        }
    }

    private static func matchesS3(_ secret: String, _ fields: RequestFields) throws -> Bool {
        AWSSignature.matchesS3(
            try fields.string("signature", 1...512), secret: secret, token: try fields.string("token", 1...65_536))
    }

    private func requireFresh(_ fields: RequestFields) throws {
        guard let text = try Self.request(fields).timestamp else { return }
        guard let time = Instant(text: text) ?? Instant(compactText: text) else {
            throw CloudError.unauthorized("The credential's time stamp cannot be read.")
        }
        guard environment.clock.now <= time.adding(seconds: Self.lifetimeSeconds) else {
            throw CloudError.unauthorized("The credential's time stamp is too old.")
        }
    }

    private func issue(_ credential: CredentialRecord, _ key: EC2Key) async throws -> (text: String, token: Token) {
        guard let project = credential.project else {
            throw CloudError.unauthorized("The EC2 key belongs to no project.")
        }
        let trust = try await trust(key.trust)
        let application = try await applicationCredential(key.applicationCredential)
        if let application, application.project != project {
            throw CloudError.unauthorized("EC2 credential project does not match the application credential project.")
        }
        let user = trust.map { $0.isImpersonation ? $0.trustee : credential.user } ?? credential.user
        return try await tokens.issue(
            tokens.payload(
                user: user, methods: .ec2credential, scope: .project(project), trust: trust,
                applicationCredential: application))
    }

    private func trust(_ id: String?) async throws -> TrustRecord? {
        guard let id else { return nil }
        let found = try await environment.database.read("trust.find") { connection in
            try TrustStore.find(ID(id), connection)
        }
        guard let found else { throw CloudError.unauthorized("The trust of this EC2 key no longer exists.") }
        return found
    }

    private func applicationCredential(_ id: String?) async throws -> ApplicationCredentialRecord? {
        guard let id else { return nil }
        let found = try await environment.database.read("application_credential.find") { connection in
            try ApplicationCredentialStore.find(ID(id), connection)
        }
        guard let found else {
            throw CloudError.unauthorized("The application credential of this EC2 key no longer exists.")
        }
        return found
    }
}

extension Instant {
    /// "20261121T103000Z", as AWS signatures write it.
    init?(compactText text: String) {
        let d = Array(text)
        guard d.count == 16, d[8] == "T", d[15] == "Z" else { return nil }
        self.init(
            text:
                "\(String(d[0..<4]))-\(String(d[4..<6]))-\(String(d[6..<11])):\(String(d[11..<13])):\(String(d[13..<16]))"
        )
    }
}
