// SPDX-License-Identifier: Apache-2.0
// Who calls: what a token stands for, once it was checked. Made by Identity, read by policy and by every service.

/// One name for the things policy and services point at; Identity gives them their meaning.
package enum User {}
package enum Project {}
package enum Domain {}

package struct Authority: Sendable {
    package enum Scope: Sendable, Equatable {
        case none
        case project(ID<Project>, name: String, domain: ID<Domain>, domainName: String)
        case domain(ID<Domain>, name: String)
        case system
    }

    package var user: ID<User>
    package var userName: String
    package var userDomain: ID<Domain>
    package var userDomainName: String
    package var scope: Scope
    /// Role names, in lower case as policy compares them.
    package var roles: [String]
    /// The token's first audit id: names the session in the audit log without revealing the token.
    package var auditID: String
    package var expires: Instant
    /// Set when the token was made from a trust or an application credential.
    package var trustID: String?
    package var applicationCredentialID: String?

    package init(
        user: ID<User>, userName: String, userDomain: ID<Domain>, userDomainName: String, scope: Scope,
        roles: [String], auditID: String, expires: Instant
    ) {
        self.user = user
        self.userName = userName
        self.userDomain = userDomain
        self.userDomainName = userDomainName
        self.scope = scope
        self.roles = roles
        self.auditID = auditID
        self.expires = expires
    }

    package var projectID: ID<Project>? { if case .project(let id, _, _, _) = scope { id } else { nil } }
    package var domainID: ID<Domain>? { if case .domain(let id, _) = scope { id } else { nil } }
    package var isSystem: Bool { scope == .system }
    package func has(role: String) -> Bool { roles.contains(role) }
}
