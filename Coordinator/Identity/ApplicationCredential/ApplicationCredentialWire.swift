// SPDX-License-Identifier: Apache-2.0
// Application credentials and access rules in JSON. The secret is shown once, by the answer that made it.

import Core
import HTTP
import JSON

struct ApplicationCredentialWire: Sendable {
    let links: IdentityLinks
    private var roles: RoleWire { RoleWire(links: links) }

    init(_ settings: IdentitySettings) { links = IdentityLinks(settings) }

    func response(
        _ record: ApplicationCredentialRecord, secret: String? = nil, _ graph: RoleGraph, status: HTTPStatus = .ok
    ) -> Response {
        .json(status) { w in
            w.object { w in
                w.key("application_credential")
                write(&w, record, secret: secret, graph)
            }
        }
    }

    func write(_ w: inout JSONWriter, _ record: ApplicationCredentialRecord, secret: String? = nil, _ graph: RoleGraph)
    {
        w.object { w in
            w.field("id", record.id.text)
            w.field("name", record.name)
            w.field("description", orNull: record.description)
            w.field("user_id", record.user.text)
            w.field("project_id", record.project.text)
            w.field("system", orNull: String?.none)
            w.field("expires_at", orNull: record.expires.map(Self.time))
            w.field("unrestricted", record.isUnrestricted)
            w.array("roles") { w in
                for role in record.roles.compactMap({ graph.roles[$0] }) {
                    w.object { w in roles.members(&w, role) }
                }
            }
            if !record.rules.isEmpty {
                w.array("access_rules") { w in for rule in record.rules { w.object { w in members(&w, rule) } } }
            }
            if let secret { w.field("secret", secret) }
            links.write(&w, "/users/", record.user.text, "/application_credentials/", record.id.text)
        }
    }

    /// The API writes this one time without its zone.
    private static func time(_ time: Instant) -> String { String(time.text.dropLast()) }

    // MARK: Access rules

    private func members(_ w: inout JSONWriter, _ rule: AccessRuleRecord) {
        w.field("id", rule.id.text)
        w.field("service", rule.service)
        w.field("method", rule.method)
        w.field("path", rule.path)
    }

    func write(_ w: inout JSONWriter, _ rule: AccessRuleRecord, of user: ID<User>) {
        w.object { w in
            members(&w, rule)
            links.write(&w, "/users/", user.text, "/access_rules/", rule.id.text)
        }
    }

    func response(_ rule: AccessRuleRecord, of user: ID<User>) -> Response {
        .json { w in
            w.object { w in
                w.key("access_rule")
                write(&w, rule, of: user)
            }
        }
    }
}
