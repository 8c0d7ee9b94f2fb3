// SPDX-License-Identifier: Apache-2.0
// Trusts in JSON: whole with their roles when shown alone, without in lists.

import Core
import HTTP
import JSON

struct TrustWire: Sendable {
    let links: IdentityLinks
    let roles: RoleWire

    init(_ settings: IdentitySettings) {
        links = IdentityLinks(settings)
        roles = RoleWire(links: links)
    }

    func response(_ trust: TrustRecord, _ graph: RoleGraph, status: HTTPStatus = .ok) -> Response {
        .json(status) { w in
            w.object { w in
                w.object("trust") { w in
                    members(&w, trust)
                    w.array("roles") { w in for role in Self.roles(of: trust, graph) { roles.write(&w, role) } }
                    w.object("roles_links") { w in rolesLinks(&w, trust) }
                }
            }
        }
    }

    func write(_ w: inout JSONWriter, _ trust: TrustRecord) { w.object { w in members(&w, trust) } }

    func roleList(_ trust: TrustRecord, _ graph: RoleGraph) -> Response {
        .json { w in
            w.object { w in
                w.array("roles") { w in for role in Self.roles(of: trust, graph) { roles.write(&w, role) } }
                w.object("links") { w in rolesLinks(&w, trust) }
            }
        }
    }

    static func roles(of trust: TrustRecord, _ graph: RoleGraph) -> [RoleRecord] {
        trust.roles.compactMap { graph.roles[$0] }
    }

    private func rolesLinks(_ w: inout JSONWriter, _ trust: TrustRecord) {
        w.field("next", orNull: String?.none)
        w.field("self", links.base + "/OS-TRUST/trusts/\(trust.id)/roles")
        w.field("previous", orNull: String?.none)
    }

    private func members(_ w: inout JSONWriter, _ trust: TrustRecord) {
        w.field("id", trust.id.text)
        w.field("trustor_user_id", trust.trustor.text)
        w.field("trustee_user_id", trust.trustee.text)
        w.field("project_id", orNull: trust.project?.text)
        w.field("impersonation", trust.isImpersonation)
        w.field("expires_at", orNull: trust.expires?.text)
        w.field("remaining_uses", orNull: trust.remainingUses)
        w.field("redelegated_trust_id", orNull: trust.source?.text)
        w.field("redelegation_count", trust.redelegationCount)
        w.field("deleted_at", orNull: String?.none)
        w.members(trust.extra)
        links.write(&w, "/OS-TRUST/trusts/", trust.id.text)
    }
}
