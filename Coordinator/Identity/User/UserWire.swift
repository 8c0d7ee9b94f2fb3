// SPDX-License-Identifier: Apache-2.0
// A user as the API shows it. Passwords and their hashes never come near here.

import Core
import HTTP
import JSON

struct UserWire: Sendable {
    let links: IdentityLinks

    init(_ settings: IdentitySettings) { links = IdentityLinks(settings) }

    func write(_ w: inout JSONWriter, _ user: UserRecord) {
        w.object { w in
            w.field("id", user.id.text)
            w.field("name", user.name)
            w.field("domain_id", user.domain.text)
            w.field("enabled", user.isEnabled)
            if let project = user.defaultProject { w.field("default_project_id", project.text) }
            if let description = user.description { w.field("description", description) }
            // A time of UTC without a "Z", as clients of this field know it.
            w.field("password_expires_at", orNull: user.passwordExpires.map { String($0.text.dropLast()) })
            w.field("options", .object(user.options))
            w.members(user.extra)
            links.write(&w, "/users/", PercentEncoding.query(user.id.text))
        }
    }

    func response(_ user: UserRecord, status: HTTPStatus = .ok) -> Response {
        .json(status) { w in
            w.object { w in
                w.key("user")
                write(&w, user)
            }
        }
    }

    func list(_ users: [UserRecord], _ page: PageRequest, _ call: Call) -> Response {
        .list("users", users, page: page, call: call, links: links, id: \.id.text) { w, user in write(&w, user) }
    }
}
