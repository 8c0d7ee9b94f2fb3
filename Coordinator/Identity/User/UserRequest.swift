// SPDX-License-Identifier: Apache-2.0
// The bodies of user requests, read and checked. Members that the API does not know are kept and shown again.

import Core
import HTTP
import JSON

private let knownMembers: Set<String> = [
    "id", "name", "domain_id", "enabled", "description", "default_project_id", "password", "options", "federated",
    "password_expires_at", "links",
]

struct UserCreation: Sendable {
    let name: String
    let isEnabled: Bool
    let description: String?
    let defaultProject: ID<Project>?
    let password: String?
    let options: JSON.Object
    let extra: JSON.Object

    init(_ fields: RequestFields) throws {
        name = try fields.entityName()
        isEnabled = try fields.optionalBool("enabled") ?? true
        description = try fields.optionalString("description")
        defaultProject = try fields.optionalEntityID("default_project_id")
        password = try fields.optionalString("password")
        options = UserOption.merge([:], try UserOption.read(fields))
        extra = fields.extras(except: knownMembers)
        try refuseFederation(fields)
    }
}

struct UserUpdate: Sendable {
    let name: String?
    let isEnabled: Bool?
    let description: Given<String>
    let defaultProject: Given<ID<Project>>
    let password: Given<String>
    let options: JSON.Object
    let extra: JSON.Object

    init(_ fields: RequestFields, of user: UserRecord) throws {
        try fields.requireUpdate(of: user.id.text, in: user.domain)
        name = fields.has("name") ? try fields.entityName() : nil
        isEnabled = fields.has("enabled") ? try fields.bool("enabled") : nil
        description = try fields.given("description") { try fields.optionalString($0) }
        defaultProject = try fields.given("default_project_id") { try fields.optionalEntityID($0) }
        password = try fields.given("password") { try fields.optionalString($0) }
        options = try UserOption.read(fields)
        extra = fields.extras(except: knownMembers)
        try refuseFederation(fields)
    }

    /// The user's fields after the update; the password is not among them.
    func applied(to old: UserRecord) -> UserRecord {
        var user = old
        user.name = name ?? old.name
        user.isEnabled = isEnabled ?? old.isEnabled
        user.description = description.applied(to: old.description)
        user.defaultProject = defaultProject.applied(to: old.defaultProject)
        user.options = UserOption.merge(old.options, options)
        for (name, value) in extra.members { user.extra[name] = value }
        return user
    }
}

/// There are no identity providers, so nobody can be linked to one.
private func refuseFederation(_ fields: RequestFields) throws {
    for (i, link) in try fields.arrayOfFields("federated").enumerated() {
        let provider = try link.string("idp_id", 1...64)
        throw fields.invalid("federated[\(i)].idp_id", "Could not find Identity Provider: \(provider)")
    }
}

struct PasswordChange: Sendable {
    let original: String
    let password: String

    init(_ fields: RequestFields) throws {
        try fields.refuseUnknown(["original_password", "password"])
        original = try fields.string("original_password")
        password = try fields.string("password")
    }
}
