// SPDX-License-Identifier: Apache-2.0
// Whether a trust may be made, and made from another: pure decisions over the request and the line of trusts it would
// hang on.
//
// Invariants: along a line the roles never grow, the end never moves later, the count falls by one, and a trust that
// does not impersonate never gives one that does.

import Core

enum Redelegation {
    /// The longest line of trusts passed on.
    static let deepest: Int = 3

    /// The count of a trust that starts a line.
    static func count(_ request: TrustRequest) throws -> Int {
        guard try isAllowed(request) else { return 0 }
        return request.redelegationCount ?? deepest
    }

    /// The trust that is made from `line` (the nearest first): its count and its end.
    static func passOn(
        _ request: TrustRequest, roles: [ID<Role>], line: [TrustRecord]
    ) throws -> (count: Int, expires: Instant?) {
        let isAllowed = try isAllowed(request)
        guard let source = line.first else { return (try count(request), request.expires) }
        let left = source.redelegationCount - 1
        if isAllowed, let wanted = request.redelegationCount, wanted != left {
            throw CloudError.forbidden(
                """
                Modifying "redelegation_count" upon redelegation is forbidden. Omitting this parameter is advised.
                """)
        }
        var expires = request.expires
        for trust in line { try check(request, roles, against: trust, expires: &expires) }
        return (isAllowed ? left : 0, expires)
    }

    private static func isAllowed(_ request: TrustRequest) throws -> Bool {
        guard request.allowsRedelegation, request.redelegationCount != 0 else { return false }
        if let wanted = request.redelegationCount, wanted > deepest {
            throw CloudError.forbidden(
                "Requested redelegation depth of \(wanted) is greater than allowed \(deepest).")
        }
        if request.remainingUses != nil {
            throw CloudError.badRequest(
                "Invalid input for field 'trust.remaining_uses': it must not be set if redelegation is allowed.")
        }
        return true
    }

    private static func check(
        _ request: TrustRequest, _ roles: [ID<Role>], against trust: TrustRecord, expires: inout Instant?
    ) throws {
        guard trust.redelegationCount > 0, trust.redelegationCount <= deepest else {
            throw CloudError.forbidden(
                "Remaining redelegation depth of \(trust.redelegationCount) out of allowed range of [0..\(deepest)].")
        }
        if let uses = request.remainingUses {
            throw CloudError.forbidden(
                "Field \"remaining_uses\" is set to \(uses) while it must not be set in order to redelegate a trust.")
        }
        if let end = trust.expires {
            if let wanted = expires, wanted > end {
                throw CloudError.forbidden("Requested expiration time is more than redelegated trust can provide.")
            }
            expires = expires ?? end
        }
        guard Set(roles).isSubset(of: trust.roles) else {
            throw CloudError.forbidden("Some of requested roles are not in redelegated trust.")
        }
        guard request.project == trust.project else {
            throw CloudError.forbidden("A redelegated trust must be for the project of the trust it comes from.")
        }
        if request.isImpersonation, !trust.isImpersonation {
            throw CloudError.forbidden(
                """
                Impersonation is not allowed because redelegated trust does not specify impersonation. \
                Redelegated trust id: \(trust.id).
                """)
        }
    }
}
