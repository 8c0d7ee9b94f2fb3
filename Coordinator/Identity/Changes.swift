// SPDX-License-Identifier: Apache-2.0
// What one write did, gathered while its closure runs: an event for each thing changed (audit, metering, other
// coordinators) and the cache keys it touches. Events commit with the rows they tell of; caches are touched after the
// commit.
//
//     try await environment.change("user.update", by: call) { connection, changes in
//         try UserStore.update(user, connection)
//         changes.record(.updated, "user", user.id.text, domain: user.domain, touching: [.user(user.id)])
//     }

import Core
import Database
import HTTP
import JSON

package enum ChangeAction: String, Sendable { case created, updated, deleted }

package struct Changes: Sendable {
    package struct Entry: Sendable {
        package let action: ChangeAction
        /// "user", "project", "role_assignment" …
        package let type: String
        package let id: String
        package let project: ID<Project>?
        package let domain: ID<Domain>?
        package let payload: JSON
    }
    package private(set) var entries: [Entry] = []
    package private(set) var touched: Set<CacheKey> = []
    package private(set) var revocations: [Revocation] = []

    package init() {}

    package mutating func record(
        _ action: ChangeAction, _ type: String, _ id: String, project: ID<Project>? = nil, domain: ID<Domain>? = nil,
        payload: JSON = .null, touching keys: [CacheKey] = []
    ) {
        entries.append(Entry(action: action, type: type, id: id, project: project, domain: domain, payload: payload))
        touched.formUnion(keys)
    }

    package mutating func touch(_ key: CacheKey) { touched.insert(key) }

    /// Ends tokens: stored in the same transaction, in force when it commits.
    package mutating func revoke(_ revocation: Revocation) {
        revocations.append(revocation)
        if let user = revocation.user { touched.insert(.user(user)) }
        if let project = revocation.project { touched.insert(.project(project)) }
        // A token does not remember the stamps of the domains it stands on; see TokenResolver.
        if revocation.domain != nil || revocation.role != nil { touched.insert(.everything) }
        if let trust = revocation.trust { touched.insert(.trust(trust)) }
        if let credential = revocation.applicationCredential { touched.insert(.applicationCredential(credential)) }
        if let audit = revocation.auditID { touched.insert(.token(audit)) }
        if let chain = revocation.auditChainID { touched.insert(.token(chain)) }
    }
}
