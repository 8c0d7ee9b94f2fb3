// SPDX-License-Identifier: Apache-2.0
// An event in the form of DMTF's Cloud Auditing Data Federation (DSP0262), with the names Keystone and the audit
// tools of OpenStack use for its parts, so that what reads theirs reads ours.

import Core
import JSON

extension RecordedEvent {
    private static let typeURI = "http://schemas.dmtf.org/cloud/audit/1.0/event"

    /// One JSON object.
    package func cadf(into w: inout JSONWriter) {
        w.object { w in
            w.field("typeURI", Self.typeURI)
            w.field("id", id)
            w.field("eventType", "activity")
            w.field("eventTime", time.text)
            w.field("action", event.cadfAction)
            w.field("outcome", event.outcome.rawValue)
            w.object("initiator", event.initiator.cadf)
            w.object("target", event.cadfTarget)
            w.object("observer") { w in
                w.field("id", origin)
                w.field("typeURI", event.cadfObserverType)
            }
            if let usage = event.usage { w.array("measurements") { usage.cadf(&$0) } }
            if !event.payload.isNull { w.array("attachments") { event.cadfAttachment(&$0) } }
        }
    }
}

extension Event {
    /// Sign-ins have a word of their own in the taxonomy; the rest is "created.user".
    var cadfAction: String {
        action == .authenticated ? "authenticate" : "\(action.rawValue).\(resource.type)"
    }

    var cadfObserverType: String { service == "identity" ? "service/security" : "service/\(service)" }

    func cadfTarget(_ w: inout JSONWriter) {
        w.field("id", resource.id)
        w.field("typeURI", cadfTargetType)
        if let project = resource.project { w.field("project_id", project.text) }
        if let domain = resource.domain { w.field("domain_id", domain.text) }
    }

    var cadfTargetType: String {
        guard service == "identity" else { return "service/\(service)/\(resource.type)" }
        return resource.type == "user" ? "data/security/account/user" : "data/security/\(resource.type)"
    }

    func cadfAttachment(_ w: inout JSONWriter) {
        w.object { w in
            w.field("name", "payload")
            w.field("typeURI", "application/json")
            w.field("content", payload)
        }
    }
}

extension Event.Initiator {
    func cadf(_ w: inout JSONWriter) {
        w.field("id", user?.text ?? "martlet")
        w.field("typeURI", user == nil ? "service/security" : "service/security/account/user")
        if address != nil || agent != nil {
            w.object("host") { w in
                if let address { w.field("address", address) }
                if let agent { w.field("agent", agent) }
            }
        }
        if let project { w.field("project_id", project.text) }
        if let domain { w.field("domain_id", domain.text) }
        if let requestID { w.field("request_id", requestID) }
    }
}

extension Event.Usage {
    func cadf(_ w: inout JSONWriter) {
        w.object { w in
            w.field("result", Int(size))
            w.field("begin", begin.text)
            w.field("end", end.text)
        }
    }
}
