// SPDX-License-Identifier: Apache-2.0
// A trust: the trustor lets the trustee act with some of the trustor's roles on one project, perhaps for a time,
// perhaps for a number of tokens, perhaps with the right to pass the trust on (redelegation). A trust passed on
// points at the one it came from and never grants more than that one; when that one goes, it goes.

import Core
import HTTP
import JSON

package struct TrustRecord: Sendable, PolicyTarget {
    package var id: ID<Trust>
    package var trustor: ID<User>
    package var trustee: ID<User>
    package var project: ID<Project>?
    /// Tokens show the trustor as their user, not the trustee.
    package var isImpersonation: Bool
    package var expires: Instant?
    /// nil: any number.
    package var remainingUses: Int?
    /// The trust this one was made from.
    package var source: ID<Trust>?
    /// How many more times it may be passed on, one after the other; 0: not at all.
    package var redelegationCount: Int
    package var roles: [ID<Role>]
    package var extra: JSON.Object

    package func isUsable(_ now: Instant) -> Bool {
        (expires.map { $0 > now } ?? true) && (remainingUses.map { $0 > 0 } ?? true)
    }

    package func policyAttribute(_ name: String) -> String? {
        switch name {
        case "target.trust.id": id.text
        case "target.trust.trustor_user_id": trustor.text
        case "target.trust.trustee_user_id": trustee.text
        case "target.trust.project_id": project?.text
        default: nil
        }
    }
}
