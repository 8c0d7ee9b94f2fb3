// SPDX-License-Identifier: Apache-2.0
// A revocation ends every token that matches all the fields it sets and was issued before its time. Rows live until
// the last such token would have expired anyway; all of them are in memory too (RevocationIndex), so checking a token
// costs no SQL.

import Core

package struct Revocation: Sendable, Equatable {
    package var auditID: String?
    package var auditChainID: String?
    package var user: ID<User>?
    package var project: ID<Project>?
    package var domain: ID<Domain>?
    package var role: ID<Role>?
    package var trust: ID<Trust>?
    package var applicationCredential: ID<ApplicationCredential>?
    /// Only system-scoped tokens.
    package var isSystem = false
    /// Tokens issued at or before this time are ended; nil: before the write that revokes.
    package var issuedBefore: Instant?

    package init() {}

    package static func user(_ id: ID<User>) -> Revocation { make { $0.user = id } }
    package static func project(_ id: ID<Project>) -> Revocation { make { $0.project = id } }
    package static func domain(_ id: ID<Domain>) -> Revocation { make { $0.domain = id } }
    package static func trust(_ id: ID<Trust>) -> Revocation { make { $0.trust = id } }
    package static func applicationCredential(_ id: ID<ApplicationCredential>) -> Revocation {
        make { $0.applicationCredential = id }
    }
    /// A user's tokens for one scope, after a role there was taken away.
    package static func grant(_ user: ID<User>, project: ID<Project>) -> Revocation {
        make {
            $0.user = user; $0.project = project
        }
    }
    package static func grant(_ user: ID<User>, domain: ID<Domain>) -> Revocation {
        make {
            $0.user = user; $0.domain = domain
        }
    }
    package static func systemGrant(_ user: ID<User>) -> Revocation {
        make {
            $0.user = user; $0.isSystem = true
        }
    }

    private static func make(_ set: (inout Revocation) -> Void) -> Revocation {
        var revocation = Revocation()
        set(&revocation)
        return revocation
    }
}
