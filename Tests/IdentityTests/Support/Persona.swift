// SPDX-License-Identifier: Apache-2.0
// Who a test calls as. Each persona is a user of the test's cloud with one role in one scope: the system; the domain
// "home"; its project "web"; or, for what must stay invisible, the domain "away" and its project "shop".

import Core
import Crypto
import HTTP
import Identity

enum Persona: String, CaseIterable, Sendable {
    case systemAdmin, systemMember, systemReader
    case domainAdmin, domainManager, domainMember, domainReader
    case projectAdmin, projectManager, projectMember, projectReader
    case otherDomainAdmin, otherDomainReader, otherMember, otherReader
    /// Signed in, without a scope and so without roles.
    case unscoped

    enum Scope: Sendable { case system, home, web, away, shop, none }

    var scope: Scope {
        switch self {
        case .systemAdmin, .systemMember, .systemReader: .system
        case .domainAdmin, .domainManager, .domainMember, .domainReader: .home
        case .projectAdmin, .projectManager, .projectMember, .projectReader: .web
        case .otherDomainAdmin, .otherDomainReader: .away
        case .otherMember, .otherReader: .shop
        case .unscoped: .none
        }
    }

    /// The role assigned; nil for none.
    var role: String? {
        ["Admin": "admin", "Manager": "manager", "Member": "member", "Reader": "reader"]
            .first { rawValue.hasSuffix($0.key) }?.value
    }

    /// What the role gives with all it implies.
    var roles: [String] {
        let line = ["admin", "manager", "member", "reader"]
        return role.flatMap(line.firstIndex(of:)).map { Array(line[$0...]) } ?? []
    }

    var userID: ID<User> { ID(Persona.id("user " + rawValue)) }
    /// Of the user's own domain.
    var domain: ID<Domain> {
        switch scope {
        case .system: IdentityBootstrap.defaultDomain
        case .away, .shop: Places.away
        default: Places.home
        }
    }

    /// 32 hexadecimal digits, the same every time.
    static func id(_ text: String) -> String { Hex.text(Digest.sha256(Array(text.utf8)).prefix(16)) }

    static let password = "persona password 1"

    /// The text that stands for the persona's token.
    var token: String { "persona:" + rawValue }

    func authority(expires: Instant) -> Authority {
        let scope: Authority.Scope =
            switch scope {
            case .system: .system
            case .home: .domain(Places.home, name: "home")
            case .away: .domain(Places.away, name: "away")
            case .web: .project(Places.web, name: "web", domain: Places.home, domainName: "home")
            case .shop: .project(Places.shop, name: "shop", domain: Places.away, domainName: "away")
            case .none: .none
            }
        return Authority(
            user: userID, userName: rawValue, userDomain: domain,
            userDomainName: domain == Places.away ? "away" : "home",
            scope: scope, roles: roles, auditID: "audit-" + rawValue, expires: expires)
    }
}

/// What every test's cloud has besides what its bootstrap made.
enum Places {
    static let home = ID<Domain>(Persona.id("domain home"))
    static let away = ID<Domain>(Persona.id("domain away"))
    static let web = ID<Project>(Persona.id("project web"))
    static let shop = ID<Project>(Persona.id("project shop"))
}
