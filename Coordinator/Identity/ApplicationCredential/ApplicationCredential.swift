// SPDX-License-Identifier: Apache-2.0
// An application credential: a second secret of a user's, for one project, with some of the user's roles, and perhaps
// for some calls only (access rules). It cannot make more of its kind unless it is unrestricted.

import Core
import HTTP

package struct ApplicationCredentialRecord: Sendable, PolicyTarget {
    package var id: ID<ApplicationCredential>
    package var name: String
    package var user: ID<User>
    package var project: ID<Project>
    package var description: String?
    /// See ApplicationCredentialSecret.
    package var secretHash: String
    package var expires: Instant?
    package var isUnrestricted: Bool
    package var roles: [ID<Role>]
    /// None: every call is allowed.
    package var rules: [AccessRuleRecord]

    package func isExpired(_ now: Instant) -> Bool { expires.map { $0 <= now } ?? false }

    package func policyAttribute(_ name: String) -> String? {
        switch name {
        case "user_id", "target.user.id": user.text
        case "target.application_credential.id": id.text
        default: nil
        }
    }
}

/// One kind of call that an application credential may make.
package struct AccessRuleRecord: Sendable, Hashable {
    package var id: ID<AccessRule>
    package var service: String
    package var method: String
    package var path: String

    package init(id: ID<AccessRule>, service: String, method: String, path: String) {
        self.id = id
        self.service = service
        self.method = method
        self.path = path
    }
}
