// SPDX-License-Identifier: Apache-2.0
// Roles and implications in JSON.

import Core
import HTTP
import JSON

/// What a client asks of a role.
struct RoleChange: Sendable {
    let name: String?
    let domain: Given<ID<Domain>>
    let description: Given<String>
    /// As it came: null takes an option away.
    let options: JSON.Object?
    let extra: JSON.Object
    /// What an immutable role may still be told is judged by the whole.
    let body: RequestFields

    private static let known: Set<String> = ["id", "name", "domain_id", "description", "options", "links"]

    init(_ fields: RequestFields, isNew: Bool) throws {
        name = isNew || fields.has("name") ? try fields.entityName() : nil
        domain = try fields.given("domain_id") { try fields.optionalEntityID($0) }
        description = try fields.given("description") { try fields.optionalString($0, 0...65_535) }
        options = try ImmutableOption.read(fields)
        body = fields
        extra = fields.extras(except: Self.known)
    }
}

struct RoleWire: Sendable {
    let links: IdentityLinks

    func write(_ w: inout JSONWriter, _ role: RoleRecord) {
        w.object { w in
            members(&w, role)
            links.write(&w, "/roles/", role.id.text)
        }
    }

    /// A role inside another thing: all of it but its link.
    func members(_ w: inout JSONWriter, _ role: RoleRecord) {
        w.field("id", role.id.text)
        w.field("name", role.name)
        w.field("domain_id", orNull: role.domain?.text)
        w.field("description", orNull: role.description)
        w.field("options", .object(role.options))
        w.members(role.extra)
    }

    func response(_ role: RoleRecord, status: HTTPStatus = .ok) -> Response {
        .json(status) { w in
            w.object { w in
                w.key("role")
                write(&w, role)
            }
        }
    }

    // MARK: Implications

    private func brief(_ w: inout JSONWriter, _ role: RoleRecord) {
        w.object { w in
            w.field("id", role.id.text)
            w.field("name", role.name)
            links.write(&w, "/roles/", role.id.text)
        }
    }

    /// All that one role implies.
    func inference(_ prior: RoleRecord, implies implied: [RoleRecord]) -> Response {
        .json { w in
            w.object { w in
                w.key("role_inference")
                inferenceBody(&w, prior, implied)
                links.write(&w, "/roles/", prior.id.text, "/implies")
            }
        }
    }

    /// One implication.
    func inference(_ status: HTTPStatus, _ prior: RoleRecord, implies implied: RoleRecord) -> Response {
        .json(status) { w in
            w.object { w in
                w.object("role_inference") { w in
                    w.key("prior_role")
                    brief(&w, prior)
                    w.key("implies")
                    brief(&w, implied)
                }
                links.write(&w, "/roles/", prior.id.text, "/implies/", implied.id.text)
            }
        }
    }

    func inferences(_ graph: RoleGraph) -> Response {
        .json(capacity: 4096) { w in
            w.object { w in
                w.array("role_inferences") { w in
                    for prior in graph.implied.keys.sorted() {
                        guard let role = graph.roles[prior] else { continue }
                        inferenceBody(&w, role, (graph.implied[prior] ?? []).compactMap { graph.roles[$0] })
                    }
                }
                links.write(&w, "/role_inferences")
            }
        }
    }

    private func inferenceBody(_ w: inout JSONWriter, _ prior: RoleRecord, _ implied: [RoleRecord]) {
        w.object { w in
            w.key("prior_role")
            brief(&w, prior)
            w.array("implies") { w in for role in implied { brief(&w, role) } }
        }
    }
}
