// SPDX-License-Identifier: Apache-2.0
// Signing in: each method named is checked, all must agree on one user; a user's multi-factor rules decide whether
// that is enough (else a receipt says what is missing); then the scope is resolved and a token made. Whatever is
// wrong with who or what, the client reads the same 401; the reason goes to the log.

import Core
import Crypto
import Database
import HTTP
import JSON

struct SignInService: Sendable {
    let environment: IdentityEnvironment
    let users: UserService
    let tokens: TokenService
    let receipts: ReceiptService
    let known: KnownThings

    /// Who signed in and how, before a scope is chosen.
    private struct Identity {
        var user: ID<User>?
        /// Read only where a method or the scope needs more than the id.
        var record: UserRecord?
        var methods: SignInMethods = []
        var parent: Token?
        var applicationCredential: ApplicationCredentialRecord?

        mutating func merge(_ id: ID<User>, by method: SignInMethods) throws {
            if let user, user != id { throw TokenResolver.refused("the methods name different users") }
            user = id
            methods.formUnion(method)
        }

        mutating func merge(_ found: UserRecord, by method: SignInMethods) throws {
            try merge(found.id, by: method)
            record = found
        }
    }

    func signIn(_ request: SignInRequest, receipt: String?, by call: Call) async throws -> (text: String, token: Token)
    {
        var identity = Identity()
        if let receipt {
            let opened = try await receipts.open(receipt)
            try identity.merge(opened.user, by: opened.methods)
        }
        try await checkToken(request, &identity)
        try await checkApplicationCredential(request, &identity)
        try await checkPassword(request, &identity, call)
        try await checkCode(request, &identity, call)
        guard identity.user != nil else { throw TokenResolver.refused("no method named a user") }
        try await requireFactors(&identity)
        return try await issue(identity, request.scope)
    }

    // MARK: Methods

    private func checkToken(_ request: SignInRequest, _ identity: inout Identity) async throws {
        guard let text = request.token else { return }
        let parent = try await tokens.findSubject(text)
        if parent.isDelegated {
            throw CloudError.forbidden(
                "A token made from a trust, an application credential or an EC2 credential cannot be used to get another."
            )
        }
        try identity.merge(parent.payload.user, by: parent.payload.methods.union(.token))
        identity.parent = parent
    }

    private func checkApplicationCredential(_ request: SignInRequest, _ identity: inout Identity) async throws {
        guard let given = request.applicationCredential else { return }
        guard case .unspecified = request.scope else {
            throw TokenResolver.refused("an application credential has its own scope; the request must name none")
        }
        let credential: ApplicationCredentialRecord?
        switch given.reference {
        case .id(let id):
            credential = try await known.applicationCredential(ID(id))
        case .name(let name, let reference):
            guard let owner = try await user(reference) else { throw TokenResolver.refused("the user does not exist") }
            credential = try await environment.database.read("application_credential.find_name") { connection in
                try ApplicationCredentialStore.find(name: name, user: owner.id, connection)
            }
        }
        guard let credential else { throw TokenResolver.refused("the application credential does not exist") }
        let secrets = ApplicationCredentialSecret(passwords: environment.passwords, entropy: environment.entropy)
        guard try await secrets.verify(given.secret, credential.secretHash) else {
            throw TokenResolver.refused("the application credential's secret is wrong")
        }
        if let expires = credential.expires, expires <= environment.clock.now {
            throw TokenResolver.refused("the application credential has expired")
        }
        try identity.merge(credential.user, by: .applicationCredential)
        identity.applicationCredential = credential
    }

    private func checkPassword(_ request: SignInRequest, _ identity: inout Identity, _ call: Call) async throws {
        guard let given = request.password else { return }
        let user = try await user(given.user)
        try await users.signIn(user, password: given.password, by: call)
        guard let user else { throw TokenResolver.refused("the user does not exist") }
        try identity.merge(user, by: .password)
    }

    private func checkCode(_ request: SignInRequest, _ identity: inout Identity, _ call: Call) async throws {
        guard let given = request.code else { return }
        guard let user = try await user(given.user) else { throw TokenResolver.refused("the user does not exist") }
        try await OneTimeCodes(environment: environment).use(given.passcode, user)
        try identity.merge(user, by: .totp)
    }

    private func user(_ reference: NamedReference) async throws -> UserRecord? {
        switch reference.form {
        case .id(let id): return try await users.find(ID(id))
        case .name(let name, let domain):
            guard let domain = try await known.domain(domain) else { return nil }
            return try await users.find(name: name, in: domain.owner)
        }
    }

    // MARK: Multi-factor rules

    private func requireFactors(_ identity: inout Identity) async throws {
        // A token was given only after the rules were met; an application credential stands for itself.
        if identity.parent != nil || identity.applicationCredential != nil { return }
        let user = try await record(identity)
        identity.record = user
        let rules = MultiFactorRules(user.options)
        guard !rules.areMet(by: identity.methods) else { return }
        throw try await receipts.challenge(user, methods: identity.methods, rules: rules)
    }

    private func record(_ identity: Identity) async throws -> UserRecord {
        if let record = identity.record { return record }
        guard let id = identity.user, let found = try await users.find(id) else {
            throw TokenResolver.refused("the user does not exist")
        }
        return found
    }

    // MARK: Scope

    private func issue(
        _ identity: Identity, _ wanted: SignInRequest.Scope
    ) async throws -> (text: String, token: Token) {
        guard let user = identity.user else { throw TokenResolver.refused("no method named a user") }
        if let credential = identity.applicationCredential {
            return try await tokens.issue(
                tokens.payload(
                    user: user, methods: identity.methods, scope: .project(credential.project),
                    applicationCredential: credential))
        }
        let parent = identity.parent?.payload
        func payload(_ scope: TokenPayload.Scope) -> TokenPayload {
            tokens.payload(user: user, methods: identity.methods, scope: scope, parent: parent)
        }
        switch wanted {
        case .unscoped: return try await tokens.issue(payload(.none))
        case .unspecified: return try await issueDefault(try await record(identity), payload)
        case .system: return try await tokens.issue(payload(.system))
        case .domain(let reference):
            guard let domain = try await known.domain(reference) else {
                throw TokenResolver.refused("the domain does not exist")
            }
            return try await tokens.issue(payload(.domain(domain.owner)))
        case .project(let reference):
            guard let project = try await project(reference) else {
                throw TokenResolver.refused("the project does not exist")
            }
            return try await tokens.issue(payload(.project(project)))
        case .trust(let id): return try await issue(trust: id, user, identity)
        }
    }

    /// No scope asked for: the default project if the user may go there, else an unscoped token. A token keeps its
    /// own scope out.
    private func issueDefault(
        _ user: UserRecord, _ payload: (TokenPayload.Scope) -> TokenPayload
    ) async throws -> (text: String, token: Token) {
        if let project = user.defaultProject {
            do {
                return try await tokens.issue(payload(.project(project)))
            } catch let error as CloudError where error.kind == .unauthorized {
                return try await tokens.issue(payload(.none))
            }
        }
        return try await tokens.issue(payload(.none))
    }

    private func project(_ reference: NamedReference) async throws -> ID<Project>? {
        switch reference.form {
        case .id(let id): return ID(id)
        case .name(let name, let domain):
            guard let domain = try await known.domain(domain) else { return nil }
            return try await known.project(named: name, in: domain.owner)
        }
    }

    private func issue(trust id: ID<Trust>, _ user: ID<User>, _ identity: Identity) async throws -> (
        text: String, token: Token
    ) {
        let found = try await environment.database.read("trust.find") { connection in
            try TrustStore.find(id, connection)
        }
        guard let trust = found, trust.expires.map({ $0 > environment.clock.now }) ?? true else {
            throw TokenResolver.refused("the trust does not exist or has expired")
        }
        guard trust.trustee == user else { throw CloudError.forbidden("User is not a trustee.") }
        let scope = trust.project.map { TokenPayload.Scope.project($0) } ?? .none
        let payload = tokens.payload(
            user: user, methods: identity.methods, scope: scope, parent: identity.parent?.payload, trust: trust)
        // A use is spent only on a token that can be made.
        let issued = try await tokens.issue(payload)
        if trust.remainingUses != nil {
            try await environment.database.write("trust.consume") { connection in try TrustStore.consume(id, connection)
            }
        }
        return issued
    }
}
