// SPDX-License-Identifier: Apache-2.0
// A token with everything it stands for looked up: names, roles, delegation. Immutable; kept in the cache while its
// stamps are current, made anew when one of the things it was made of changed.

import Core
import JSON

package final class Token: Sendable {
    struct User: Sendable {
        let id: ID<Core.User>
        let name: String
        let domain: ID<Domain>
        let domainName: String
        let passwordExpires: Instant?
    }
    enum Scope: Sendable {
        case none
        case project(ProjectRecord, domainName: String)
        case domain(ProjectRecord)
        case system
    }

    let payload: TokenPayload
    let user: User
    let scope: Scope
    let roles: [RoleRecord]
    let trust: TrustRecord?
    let applicationCredential: ApplicationCredentialRecord?
    let authority: Authority
    /// When it must be looked up again though nothing was touched.
    let goodUntil: Instant?
    let snapshot: Stamps.Snapshot
    /// The token's JSON up to the catalog: everything in it is known when the token is made.
    let rendered: [UInt8]

    init(
        payload: TokenPayload, user: User, scope: Scope, roles: [RoleRecord], trust: TrustRecord?,
        applicationCredential: ApplicationCredentialRecord?, goodUntil: Instant? = nil, snapshot: Stamps.Snapshot
    ) {
        self.payload = payload
        self.user = user
        self.scope = scope
        self.roles = roles
        self.trust = trust
        self.applicationCredential = applicationCredential
        self.goodUntil = goodUntil
        self.snapshot = snapshot
        var authority = Authority(
            user: user.id, userName: user.name, userDomain: user.domain, userDomainName: user.domainName,
            scope: Self.authorityScope(scope), roles: roles.map { $0.name.lowercased() }, auditID: payload.auditID,
            expires: payload.expires)
        authority.trustID = trust?.id.text
        authority.applicationCredentialID = applicationCredential?.id.text
        self.authority = authority
        rendered = TokenWire.render(
            payload: payload, user: user, scope: scope, roles: roles, trust: trust,
            applicationCredential: applicationCredential)
    }

    private static func authorityScope(_ scope: Scope) -> Authority.Scope {
        switch scope {
        case .none: .none
        case .project(let project, let domainName):
            .project(project.id, name: project.name, domain: project.owner, domainName: domainName)
        case .domain(let domain): .domain(domain.owner, name: domain.name)
        case .system: .system
        }
    }

    /// The project whose catalog this token shows; none for other scopes.
    var catalogProject: ID<Project>? { if case .project(let project, _) = scope { project.id } else { nil } }
    var isScoped: Bool { if case .none = scope { false } else { true } }
    /// Made from something handed on (a trust, an application credential, an EC2 key): may not hand itself on.
    var isDelegated: Bool { trust != nil || applicationCredential != nil || payload.methods.contains(.ec2credential) }
}
