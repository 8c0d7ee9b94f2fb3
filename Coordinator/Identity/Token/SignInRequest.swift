// SPDX-License-Identifier: Apache-2.0
// The body of POST /v3/auth/tokens, read and checked for form; who is right is decided by SignInService.

import Core
import HTTP
import JSON

/// A user or project as requests name it: by id, or by name and domain.
struct NamedReference: Sendable {
    enum DomainReference: Sendable { case id(ID<Domain>), name(String) }
    enum Form: Sendable { case id(String), name(String, DomainReference) }
    let form: Form

    init(_ fields: RequestFields) throws {
        if let id = try fields.optionalString("id", 1...255) {
            form = .id(id)
            return
        }
        guard let name = try fields.optionalString("name", 1...255) else {
            throw fields.invalid("id", "either 'id' or 'name' with 'domain' is needed")
        }
        form = .name(name, try Self.domain(try fields.fields("domain")))
    }

    static func domain(_ fields: RequestFields) throws -> DomainReference {
        if let id = try fields.optionalString("id", 1...255) { return .id(ID(id)) }
        guard let name = try fields.optionalString("name", 1...255) else {
            throw fields.invalid("id", "either 'id' or 'name' of the domain is needed")
        }
        return .name(name)
    }
}

struct SignInRequest: Sendable {
    struct Password: Sendable { let user: NamedReference, password: String }
    struct OneTimeCode: Sendable { let user: NamedReference, passcode: String }
    struct ApplicationCredential: Sendable {
        enum Reference: Sendable { case id(String), name(String, user: NamedReference) }
        let reference: Reference
        let secret: String
    }
    enum Scope: Sendable {
        /// No scope named: the default project, if there is one.
        case unspecified
        case unscoped
        case project(NamedReference)
        case domain(NamedReference.DomainReference)
        case system
        case trust(ID<Trust>)
    }

    var methods: SignInMethods = []
    var password: Password?
    var token: String?
    var code: OneTimeCode?
    var applicationCredential: ApplicationCredential?
    let scope: Scope

    init(_ auth: RequestFields) throws {
        let identity = try auth.fields("identity")
        guard let names = try identity.strings("methods", 1...64) else {
            throw identity.invalid("methods", "'methods' is a required property")
        }
        guard !names.isEmpty else { throw identity.invalid("methods", "name at least one method") }
        for name in names {
            guard let method = SignInMethods(name: name) else {
                // Keystone answers an unknown method with 401: the method, not the body, is refused.
                throw TokenResolver.refused("the method \(name) is not known")
            }
            methods.insert(method)
        }
        scope = try Self.scope(auth)
        if methods.contains(.password) { password = try Self.password(identity.fields("password")) }
        if methods.contains(.token) { token = try identity.fields("token").string("id", 1...4096) }
        if methods.contains(.totp) { code = try Self.code(identity.fields("totp")) }
        if methods.contains(.applicationCredential) {
            applicationCredential = try Self.applicationCredential(identity.fields("application_credential"))
        }
    }

    private static func password(_ fields: RequestFields) throws -> Password {
        let user = try fields.fields("user")
        return Password(user: try NamedReference(user), password: try user.string("password", 0...4096))
    }

    private static func code(_ fields: RequestFields) throws -> OneTimeCode {
        let user = try fields.fields("user")
        return OneTimeCode(user: try NamedReference(user), passcode: try user.string("passcode", 1...64))
    }

    private static func applicationCredential(_ fields: RequestFields) throws -> ApplicationCredential {
        let secret = try fields.string("secret", 1...4096)
        if let id = try fields.optionalString("id", 1...255) {
            return ApplicationCredential(reference: .id(id), secret: secret)
        }
        let name = try fields.string("name", 1...255)
        return ApplicationCredential(
            reference: .name(name, user: try NamedReference(fields.fields("user"))), secret: secret)
    }

    private static func scope(_ auth: RequestFields) throws -> Scope {
        if auth.object["scope"]?.string == "unscoped" { return .unscoped }
        guard let scope = try auth.optionalFields("scope") else { return .unspecified }
        let kinds = scope.object.names.filter {
            ["project", "domain", "system", "OS-TRUST:trust", "unscoped"].contains($0)
        }
        guard kinds.count <= 1 else {
            throw auth.invalid("scope", "name one scope only, not \(kinds.joined(separator: " and "))")
        }
        switch kinds.first {
        case "project": return .project(try NamedReference(scope.fields("project")))
        case "domain": return .domain(try NamedReference.domain(scope.fields("domain")))
        case "system":
            guard try scope.fields("system").bool("all") else { throw scope.invalid("system.all", "it must be true") }
            return .system
        case "OS-TRUST:trust": return .trust(ID(try scope.fields("OS-TRUST:trust").string("id", 1...255)))
        case "unscoped": return .unscoped
        default: throw auth.invalid("scope", "name a project, a domain, the system or a trust")
        }
    }
}
