// SPDX-License-Identifier: Apache-2.0
// How limits look in JSON.

import Core
import HTTP
import JSON

enum LimitWire {
    static func write(_ w: inout JSONWriter, _ limit: RegisteredLimitRecord, _ links: IdentityLinks) {
        w.object { w in
            w.field("id", limit.id.text)
            w.field("service_id", limit.service.text)
            w.field("region_id", orNull: limit.region?.text)
            w.field("resource_name", limit.resource)
            w.field("default_limit", limit.standard)
            w.field("description", orNull: limit.description)
            links.write(&w, "/registered_limits/", limit.id.text)
        }
    }

    /// Without links where a limit is shown as a part of its project.
    static func write(_ w: inout JSONWriter, _ limit: LimitRecord, links: IdentityLinks?) {
        w.object { w in
            w.field("id", limit.id.text)
            w.field("project_id", orNull: limit.project?.text)
            w.field("domain_id", orNull: limit.domain?.text)
            w.field("service_id", limit.service.text)
            w.field("region_id", orNull: limit.region?.text)
            w.field("resource_name", limit.resource)
            w.field("resource_limit", limit.limit)
            w.field("description", orNull: limit.description)
            links?.write(&w, "/limits/", limit.id.text)
        }
    }

    static func response(_ limit: RegisteredLimitRecord, _ links: IdentityLinks) -> Response {
        .json { w in
            w.object { w in
                w.key("registered_limit")
                write(&w, limit, links)
            }
        }
    }

    static func response(_ limit: LimitRecord, _ links: IdentityLinks) -> Response {
        .json { w in
            w.object { w in
                w.key("limit")
                write(&w, limit, links: links)
            }
        }
    }
}
