// SPDX-License-Identifier: Apache-2.0
// All revocations in force, in memory, found by the one field that narrows most. A token is checked against the few
// that share its audit ids, user, project, domain, trust or application credential: no SQL, whatever their number.

import Core
import Database
import Synchronization

/// A revocation as it is stored: with its id and times filled in.
struct StoredRevocation: Sendable, Equatable {
    let id: String
    let revocation: Revocation
    let issuedBefore: Instant
    let revoked: Instant
    let expires: Instant
}

/// What of a token a revocation may match.
struct RevocableToken: Sendable {
    var auditID: String
    var auditChainID: String
    var user: ID<User>
    var trustor: ID<User>?
    var userDomain: ID<Domain>
    var project: ID<Project>?
    var projectDomain: ID<Domain>?
    var domain: ID<Domain>?
    var isSystem: Bool
    var roles: Set<ID<Role>>
    var trust: ID<Trust>?
    var applicationCredential: ID<ApplicationCredential>?
    var issued: Instant
}

final class RevocationIndex: Sendable {
    private let byKey = Mutex<[String: [StoredRevocation]]>([:])

    var all: [StoredRevocation] { byKey.withLock { $0.values.flatMap { $0 } } }

    func insert(_ revocations: [StoredRevocation]) {
        guard !revocations.isEmpty else { return }
        byKey.withLock { index in
            for stored in revocations {
                let key = Self.key(stored.revocation)
                if index[key]?.contains(where: { $0.id == stored.id }) ?? false { continue }
                index[key, default: []].append(stored)
            }
        }
    }

    func removeExpired(now: Instant) {
        byKey.withLock { index in
            index = index.compactMapValues { list in
                let live = list.filter { $0.expires > now }
                return live.isEmpty ? nil : live
            }
        }
    }

    func revokes(_ token: RevocableToken) -> Bool {
        byKey.withLock { index in
            Self.keys(token).contains { key in index[key]?.contains { Self.matches($0, token) } ?? false }
        }
    }

    private static func key(_ revocation: Revocation) -> String {
        if let id = revocation.auditID { return "a" + id }
        if let id = revocation.auditChainID { return "c" + id }
        if let id = revocation.trust { return "t" + id.text }
        if let id = revocation.applicationCredential { return "k" + id.text }
        if let id = revocation.user { return "u" + id.text }
        if let id = revocation.project { return "p" + id.text }
        if let id = revocation.domain { return "d" + id.text }
        return "*"
    }

    private static func keys(_ token: RevocableToken) -> [String] {
        var keys = [
            "a" + token.auditID, "c" + token.auditChainID, "u" + token.user.text, "d" + token.userDomain.text, "*",
        ]
        if let id = token.trust { keys.append("t" + id.text) }
        if let id = token.trustor { keys.append("u" + id.text) }
        if let id = token.applicationCredential { keys.append("k" + id.text) }
        if let id = token.project { keys.append("p" + id.text) }
        if let id = token.projectDomain { keys.append("d" + id.text) }
        if let id = token.domain { keys.append("d" + id.text) }
        return keys
    }

    private static func matches(_ stored: StoredRevocation, _ token: RevocableToken) -> Bool {
        let wanted = stored.revocation
        guard token.issued <= stored.issuedBefore else { return false }
        if let id = wanted.auditID, id != token.auditID { return false }
        if let id = wanted.auditChainID, id != token.auditChainID { return false }
        if let id = wanted.user, id != token.user, id != token.trustor { return false }
        if let id = wanted.project, id != token.project { return false }
        if let id = wanted.domain, ![token.domain, token.userDomain, token.projectDomain].contains(id) { return false }
        if let id = wanted.role, !token.roles.contains(id) { return false }
        if let id = wanted.trust, id != token.trust { return false }
        if let id = wanted.applicationCredential, id != token.applicationCredential { return false }
        return !wanted.isSystem || token.isSystem
    }
}
