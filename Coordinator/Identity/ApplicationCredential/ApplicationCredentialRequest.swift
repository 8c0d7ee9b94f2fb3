// SPDX-License-Identifier: Apache-2.0
// What a client sends to make an application credential, checked field by field.

import Core
import HTTP

struct ApplicationCredentialRequest: Sendable {
    let name: String
    let description: String?
    /// nil: one is made.
    let secret: String?
    let expires: Instant?
    let isUnrestricted: Bool
    /// nil or none: all roles of the token.
    let roles: [RoleReference]
    let rules: [AccessRuleRequest]

    private static let secretLength = 1...1024

    init(_ fields: RequestFields, now: Instant) throws {
        name = try fields.entityName()
        description = try fields.optionalString("description", 0...65_535)
        let secret = try fields.optionalString("secret", 0...Self.secretLength.upperBound)
        self.secret = secret.flatMap { $0.isEmpty ? nil : $0 }
        expires = try fields.futureTime("expires_at", now: now)
        isUnrestricted = try fields.optionalBool("unrestricted") ?? false
        roles = try fields.arrayOfFields("roles").map(RoleReference.init)
        rules = try fields.arrayOfFields("access_rules").map(AccessRuleRequest.init)
    }
}

/// A role by its id or by its name.
enum RoleReference: Sendable, Equatable {
    case id(ID<Role>)
    case name(String)

    init(_ fields: RequestFields) throws {
        try fields.refuseUnknown(["id", "name"])
        switch (try fields.optionalString("id", 1...64), try fields.optionalString("name", 1...255)) {
        case (let id?, nil): self = .id(ID(id))
        case (nil, let name?): self = .name(name)
        default:
            throw CloudError.badRequest("Invalid input for field '\(fields.path)': it must have either 'id' or 'name'.")
        }
    }

    /// The id; a name must be of one role, not of several domains'.
    func resolve(_ graph: RoleGraph) throws -> ID<Role> {
        switch self {
        case .id(let id): return id
        case .name(let name):
            let found = graph.roles.values.filter { $0.name == name }
            guard let role = found.first else { throw CloudError.notFound("role", name) }
            guard found.count == 1 else {
                throw CloudError.conflict(
                    "There are multiple role entities named '\(name)'. Please use ID instead of names.")
            }
            return role.id
        }
    }
}

/// An access rule by its content, or an existing one by its id.
struct AccessRuleRequest: Sendable {
    let id: ID<AccessRule>?
    let content: (service: String, method: String, path: String)?
    let fieldPath: String

    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]

    init(_ fields: RequestFields) throws {
        try fields.refuseUnknown(["id", "service", "method", "path"])
        fieldPath = fields.path
        id = try fields.optionalEntityID("id")
        if id != nil, !fields.has("service"), !fields.has("method"), !fields.has("path") {
            content = nil
            return
        }
        let service = try fields.string("service", 1...64)
        guard service.utf8.allSatisfy(Self.isOfServiceType) else {
            throw fields.invalid("service", "it must be a service's type, such as compute")
        }
        let method = try fields.string("method")
        guard Self.methods.contains(method) else {
            throw fields.invalid("method", "it must be one of GET, HEAD, POST, PUT, PATCH and DELETE")
        }
        let path = try fields.string("path", 1...225)
        guard path.hasPrefix("/") else { throw fields.invalid("path", "it must begin with /") }
        content = (service, method, path)
    }

    private static func isOfServiceType(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x5f: true
        default: false
        }
    }
}

extension RequestFields {
    /// A time that is yet to come; nil when absent or null.
    func futureTime(_ name: String, now: Instant) throws -> Instant? {
        guard let time = try optionalTime(name) else { return nil }
        guard time > now else { throw invalid(name, "the time must not be in the past") }
        return time
    }
}
