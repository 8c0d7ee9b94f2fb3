// SPDX-License-Identifier: Apache-2.0
// A group as the API shows it.

import Core
import HTTP
import JSON

struct GroupWire: Sendable {
    let links: IdentityLinks

    init(_ settings: IdentitySettings) { links = IdentityLinks(settings) }

    /// Among a user's groups each also tells when the membership ends: never, as only a federated one does.
    func write(_ w: inout JSONWriter, _ group: GroupRecord, isMembership: Bool = false) {
        w.object { w in
            w.field("id", group.id.text)
            w.field("name", group.name)
            w.field("domain_id", group.domain.text)
            w.field("description", group.description)
            if isMembership { w.field("membership_expires_at", orNull: String?.none) }
            w.members(group.extra)
            links.write(&w, "/groups/", PercentEncoding.query(group.id.text))
        }
    }

    func response(_ group: GroupRecord, status: HTTPStatus = .ok) -> Response {
        .json(status) { w in
            w.object { w in
                w.key("group")
                write(&w, group)
            }
        }
    }

    func list(_ groups: [GroupRecord], _ page: PageRequest, _ call: Call, isMembership: Bool = false) -> Response {
        .list("groups", groups, page: page, call: call, links: links, id: \.id.text) { w, group in
            write(&w, group, isMembership: isMembership)
        }
    }
}
