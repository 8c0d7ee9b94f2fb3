// SPDX-License-Identifier: Apache-2.0
// A user, from our own tables or from a directory.

import Core
import HTTP
import JSON

package struct UserRecord: Sendable, PolicyTarget {
    package var id: ID<User>
    package var name: String
    package var domain: ID<Domain>
    package var isEnabled: Bool
    package var description: String?
    package var defaultProject: ID<Project>?
    package var options: JSON.Object
    package var extra: JSON.Object
    package var created: Instant
    /// Days since 1970 of the last sign-in; kept only when inactivity matters.
    package var lastActiveDay: Int64?
    package var failedAttempts: Int
    package var lastFailed: Instant?
    /// When the present password stops working; nil: never, or no password.
    package var passwordExpires: Instant?
    /// False for a directory's user: read-only here, without options, signing in by bind.
    package var isLocal: Bool

    package init(
        id: ID<User>, name: String, domain: ID<Domain>, isEnabled: Bool = true, description: String? = nil,
        defaultProject: ID<Project>? = nil, options: JSON.Object = [:], extra: JSON.Object = [:], created: Instant,
        isLocal: Bool = true
    ) {
        self.id = id
        self.name = name
        self.domain = domain
        self.isEnabled = isEnabled
        self.description = description
        self.defaultProject = defaultProject
        self.options = options
        self.extra = extra
        self.created = created
        self.isLocal = isLocal
        failedAttempts = 0
    }

    package func policyAttribute(_ name: String) -> String? {
        switch name {
        case "target.user.id": id.text
        case "target.user.domain_id": domain.text
        default: nil
        }
    }
}
