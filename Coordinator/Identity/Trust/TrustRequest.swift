// SPDX-License-Identifier: Apache-2.0
// What a client sends to make a trust, checked field by field.

import Core
import HTTP
import JSON

struct TrustRequest: Sendable {
    let trustor: ID<User>
    let trustee: ID<User>
    let project: ID<Project>?
    let isImpersonation: Bool
    let expires: Instant?
    let remainingUses: Int?
    let allowsRedelegation: Bool
    let redelegationCount: Int?
    let roles: [RoleReference]
    let extra: JSON.Object

    private static let known: Set<String> = [
        "id", "links", "trustor_user_id", "trustee_user_id", "project_id", "impersonation", "expires_at",
        "remaining_uses",
        "allow_redelegation", "redelegation_count", "redelegated_trust_id", "roles", "roles_links", "deleted_at",
    ]

    init(_ fields: RequestFields, now: Instant) throws {
        trustor = ID(try fields.string("trustor_user_id", 1...64))
        trustee = ID(try fields.string("trustee_user_id", 1...64))
        project = try fields.optionalEntityID("project_id")
        isImpersonation = try fields.bool("impersonation")
        remainingUses = try fields.optionalInt("remaining_uses", 1...Int.max)
        allowsRedelegation = try fields.optionalBool("allow_redelegation") ?? false
        redelegationCount = try fields.optionalInt("redelegation_count", 0...Int.max)
        roles = try fields.arrayOfFields("roles").map(RoleReference.init)
        expires = try fields.futureTime("expires_at", now: now)
        extra = fields.extras(except: Self.known)
    }
}

/// A request to make a trust before it is read whole: policy compares its trustor with the caller first.
struct TrustCreation: PolicyTarget {
    let fields: RequestFields

    func policyAttribute(_ name: String) -> String? {
        guard name.hasPrefix("target.trust.") else { return nil }
        return fields.object[String(name.dropFirst("target.trust.".count))]?.string
    }
}
