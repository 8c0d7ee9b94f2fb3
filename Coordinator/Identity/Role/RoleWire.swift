// SPDX-License-Identifier: Apache-2.0
// Roles and implications in JSON.

import Core
import HTTP
import JSON

/// What a client asks of a role; a field it did not send is nil.
struct RoleChange: Sendable {
    var name: String?
    var domain: ID<Domain>?
    var namesDomain: Bool
    /// Outer nil: not sent; inner nil: null.
    var description: String??
    /// Outer nil: not sent; inner nil: the option is to be unset.
    var immutable: Bool??
    /// Sends nothing but options.
    var isOptionsOnly: Bool
    var extra: JSON.Object

    private static let known: Set<String> = ["id", "name", "domain_id", "description", "options", "links"]

    init(_ fields: RequestFields, isNew: Bool) throws {
        name = isNew ? try fields.string("name", 1...255) : try fields.optionalString("name", 1...255)
        if let name, !name.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) {
            throw CloudError.badRequest("Invalid input for field 'role.name': it must not be blank.")
        }
        namesDomain = fields.object["domain_id"] != nil
        domain = try fields.optionalString("domain_id", 1...64).map { ID($0) }
        description = fields.object["description"] == nil ? nil : .some(try fields.optionalString("description", 0...65_535))
        immutable = try Self.immutable(fields)
        isOptionsOnly = fields.object.names == ["options"]
        extra = fields.extras(except: Self.known)
    }

    private static func immutable(_ fields: RequestFields) throws -> Bool?? {
        guard let options = try fields.optionalFields("options") else { return nil }
        try options.refuseUnknown(["immutable"])
        return options.object["immutable"] == nil ? nil : .some(try options.optionalBool("immutable"))
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

    func response(_ status: HTTPStatus = .ok, _ role: RoleRecord) -> Response {
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
