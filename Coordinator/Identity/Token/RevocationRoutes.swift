// SPDX-License-Identifier: Apache-2.0
// GET /v3/OS-REVOKE/events: the revocations in force, for services that check tokens themselves.

import Core
import HTTP
import JSON

struct RevocationRoutes {
    let environment: IdentityEnvironment

    static let policies = [
        PolicyRule("identity:list_revoke_events", "rule:service_or_admin", scopes: [.system, .domain, .project])
    ]

    var routes: [Route] { [Route(.get, "/v3/OS-REVOKE/events", "identity:list_revoke_events", list)] }

    @Sendable private func list(_ call: Call) async throws -> Response {
        var since: Instant?
        if let text = call.query["since"] {
            guard let time = Instant(text: text) else {
                throw CloudError.badRequest(
                    "Invalid input for field 'since': it must be a time such as 2030-01-31T12:00:00Z.")
            }
            since = time
        }
        let events = environment.revocations.all
            .filter { stored in since.map { stored.revoked >= $0 } ?? true }
            .sorted { ($0.revoked, $0.id) < ($1.revoked, $1.id) }
        return .json(capacity: 256 + events.count * 160) { w in
            w.object { w in
                w.array("events") { w in for event in events { Self.write(&w, event) } }
                w.object("links") { w in
                    w.field("next", orNull: String?.none)
                    w.field("self", IdentityLinks(environment.settings).base + "/OS-REVOKE/events")
                    w.field("previous", orNull: String?.none)
                }
            }
        }
    }

    private static func write(_ w: inout JSONWriter, _ stored: StoredRevocation) {
        let r = stored.revocation
        w.object { w in
            if let id = r.auditID { w.field("audit_id", id) }
            if let id = r.auditChainID { w.field("audit_chain_id", id) }
            if let id = r.user { w.field("user_id", id.text) }
            if let id = r.project { w.field("project_id", id.text) }
            if let id = r.domain { w.field("domain_id", id.text) }
            if let id = r.role { w.field("role_id", id.text) }
            if let id = r.trust { w.field("OS-TRUST:trust_id", id.text) }
            w.field("issued_before", stored.issuedBefore.text)
        }
    }
}
