// SPDX-License-Identifier: Apache-2.0
// Identity's table of contents: its areas, migrations, policies, loops. Main makes one and mounts it.

import Core
import Crypto
import Database
import Events
import HTTP
import JSON

package struct IdentityModule: Service {
    package let environment: IdentityEnvironment
    package let tokens: TokenService
    private let keys: TokenKeys
    private let areas: [any IdentityArea]
    private let authRoutes: [Route]

    package static var migrations: [Migration] { IdentitySchema.migrations }
    private static let areaTypes: [any IdentityArea.Type] = [
        UserArea.self,
        GroupArea.self,
        CatalogArea.self,
        EndpointFilterArea.self,
        PolicyBlobArea.self,
        CredentialArea.self,
        DomainArea.self,
        ProjectArea.self,
        DomainConfigArea.self,
        LimitArea.self,
        RoleArea.self,
        GrantArea.self,
        AssignmentArea.self,
        TrustArea.self,
        ApplicationCredentialArea.self,
    ]
    package static var policies: [PolicyRule] {
        CommonPolicy.rules + TokenRoutes.policies + SignedRequestRoutes.policies + RevocationRoutes.policies
            + areaTypes.flatMap { $0.policies }
    }

    package init(environment: IdentityEnvironment) {
        self.environment = environment
        areas = Self.areaTypes.map { $0.init(environment) }
        let users = UserService(environment)
        keys = TokenKeys(environment)
        let known = KnownThings(environment)
        tokens = TokenService(environment, users: users, known: known, keys: keys)
        let receipts = ReceiptService(environment: environment, keys: keys)
        let signIn = SignInService(
            environment: environment, users: users, tokens: tokens, receipts: receipts, known: known)
        authRoutes =
            TokenRoutes(environment: environment, tokens: tokens, signIn: signIn, users: users).routes
            + SignedRequestRoutes(environment: environment, tokens: tokens).routes
            + RevocationRoutes(environment: environment).routes
    }

    package let description = ServiceDescription(
        name: "identity", type: "identity", mount: "/identity", faults: .keystone)

    package var routes: [Route] {
        let own = authRoutes + areas.flatMap(\.routes)
        return VersionRoutes(settings: environment.settings, patterns: own.map(\.pattern)).routes + own
    }

    package var authenticator: any Authenticator { TokenAuthenticator(tokens: tokens) }

    /// Before the first request: a key to sign with, our place in the catalog at the URL that the configuration has
    /// by now, and the revocations in force.
    package func start() async throws {
        try await keys.rotate()
        try await environment.register([.identity])
        try await environment.applyForeign(touches: [])
    }

    /// The loop's work, constant and safe to run on several coordinators: once an hour is enough.
    package func maintain() async throws {
        try await keys.rotate()
        let now = environment.clock.now
        try await environment.database.write("identity.expire") { connection in
            try RevocationStore.removeExpired(at: now, connection)
            try connection.execute("DELETE FROM trust WHERE expires IS NOT NULL AND expires <= $1", [.time(now)])
        }
        environment.revocations.removeExpired(now: now)
    }
}
