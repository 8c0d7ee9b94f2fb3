// SPDX-License-Identifier: Apache-2.0
// What sign-ins ask for again and again, kept between them: domains and projects by their names, application
// credentials, and standings (what a user is on a scope). With them a token is issued from a token or an application
// credential without SQL.

import Core
import Database

/// What a user is on a scope, under a trust or an application credential: all of a token but its times and audit ids.
struct Standing: Sendable {
    struct Key: Hashable, Sendable {
        let user: ID<User>
        let scope: TokenPayload.Scope
        let trust: ID<Trust>?
        let applicationCredential: ID<ApplicationCredential>?
    }
    let user: Token.User
    let scope: Token.Scope
    let roles: [RoleRecord]
    let trust: TrustRecord?
    let applicationCredential: ApplicationCredentialRecord?
    /// What a change of must be seen. Domains are missing on purpose: a change of one touches everything.
    let keys: [CacheKey]
    /// When it must be looked up again though nothing was touched: a directory tells nobody of its changes, and
    /// inactivity comes by itself.
    let goodUntil: Instant?

    func isGood(at now: Instant) -> Bool {
        let ends = [goodUntil, trust?.expires, applicationCredential?.expires]
        return ends.allSatisfy { end in end.map { now < $0 } ?? true }
    }
}

final class KnownThings: Sendable {
    private struct ProjectName: Hashable, Sendable {
        let domain: ID<Domain>
        let name: String
    }
    let standings: StampedMap<Standing.Key, Standing>
    private let domainsByName: StampedMap<String, ProjectRecord>
    private let domainsByID: StampedMap<ID<Domain>, ProjectRecord>
    private let projectsByName: StampedMap<ProjectName, ID<Project>>
    private let applicationCredentials: StampedMap<ID<ApplicationCredential>, ApplicationCredentialRecord>
    private let database: Database

    init(_ environment: IdentityEnvironment) {
        standings = StampedMap(environment.stamps)
        domainsByName = StampedMap(environment.stamps, capacity: 1024)
        domainsByID = StampedMap(environment.stamps, capacity: 1024)
        projectsByName = StampedMap(environment.stamps)
        applicationCredentials = StampedMap(environment.stamps)
        database = environment.database
    }

    func domain(_ reference: NamedReference.DomainReference) async throws -> ProjectRecord? {
        switch reference {
        case .id(let id):
            try await domainsByID.value(id, keys: []) {
                try await database.read("domain.find") { connection in try ProjectStore.findDomain(id, connection) }
            }
        case .name(let name):
            try await domainsByName.value(name, keys: []) {
                try await database.read("domain.find_name") { connection in
                    try ProjectStore.findDomain(name: name, connection)
                }
            }
        }
    }

    func project(named name: String, in domain: ID<Domain>) async throws -> ID<Project>? {
        try await projectsByName.value(ProjectName(domain: domain, name: name), keysOf: { [.project($0)] }) {
            try await database.read("project.find_name") { connection in
                try ProjectStore.find(name: name, in: domain, connection)?.id
            }
        }
    }

    func applicationCredential(_ id: ID<ApplicationCredential>) async throws -> ApplicationCredentialRecord? {
        try await applicationCredentials.value(id, keys: [.applicationCredential(id)]) {
            try await database.read("application_credential.find") { connection in
                try ApplicationCredentialStore.find(id, connection)
            }
        }
    }
}
