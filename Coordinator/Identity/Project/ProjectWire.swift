// SPDX-License-Identifier: Apache-2.0
// How projects and domains look in JSON. A member of `extra` never hides one of our own.

import Core
import HTTP
import JSON

enum ProjectWire {
    static func write(_ w: inout JSONWriter, _ project: ProjectRecord, _ links: IdentityLinks) {
        w.object { w in members(&w, project, links) }
    }

    static func members(_ w: inout JSONWriter, _ project: ProjectRecord, _ links: IdentityLinks) {
        w.field("id", project.id.text)
        w.field("name", project.name)
        w.field("domain_id", orNull: project.domain?.text)
        w.field("description", project.description)
        w.field("enabled", project.isEnabled)
        w.field("parent_id", orNull: project.parent?.text)
        w.field("is_domain", project.isDomain)
        w.field("tags", project.tags)
        w.field("options", .object(project.options))
        w.members(project.extra)
        links.write(&w, "/projects/", project.id.text)
    }

    static func writeDomain(_ w: inout JSONWriter, _ domain: ProjectRecord, _ links: IdentityLinks) {
        w.object { w in
            w.field("id", domain.id.text)
            w.field("name", domain.name)
            w.field("description", domain.description)
            w.field("enabled", domain.isEnabled)
            w.field("tags", domain.tags)
            w.field("options", .object(domain.options))
            w.members(domain.extra)
            links.write(&w, "/domains/", domain.id.text)
        }
    }

    static func response(_ status: HTTPStatus, _ project: ProjectRecord, _ links: IdentityLinks) -> Response {
        .json(status) { w in
            w.object { w in
                w.key("project")
                write(&w, project, links)
            }
        }
    }

    static func domainResponse(_ status: HTTPStatus, _ domain: ProjectRecord, _ links: IdentityLinks) -> Response {
        .json(status) { w in
            w.object { w in
                w.key("domain")
                writeDomain(&w, domain, links)
            }
        }
    }

    static func tagsResponse(_ tags: [String], _ project: ID<Project>, _ links: IdentityLinks) -> Response {
        .json { w in
            w.object { w in
                w.field("tags", tags)
                links.write(&w, "/projects/", project.text, "/tags")
            }
        }
    }
}
