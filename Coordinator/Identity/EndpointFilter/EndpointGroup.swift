// SPDX-License-Identifier: Apache-2.0
// A group of endpoints, chosen by what they are like: "all public ones in region west". Projects that a group is
// associated with see only its endpoints, and those associated with them one by one.

import Core
import HTTP
import JSON

/// What an endpoint must be like; an endpoint has to meet all of it.
struct EndpointFilters: Sendable, Equatable {
    private static let known: Set<String> = ["service_id", "region_id", "interface"]
    let object: JSON.Object

    /// As they were stored.
    init(_ object: JSON.Object) { self.object = object }

    init(_ fields: RequestFields) throws {
        for name in fields.object.names where !Self.known.contains(name) {
            throw fields.invalid(name, "an endpoint group can filter by service_id, region_id and interface only")
        }
        _ = try fields.optionalString("service_id", 1...255)
        _ = try fields.optionalString("region_id", 1...255)
        if let interface = try fields.optionalString("interface"), EndpointInterface(rawValue: interface) == nil {
            throw fields.invalid("interface", "it must be one of 'public', 'internal', 'admin'")
        }
        object = fields.object
    }

    /// `attribute` gives an endpoint's attribute, nil when it has none.
    func match(_ attribute: (String) -> String?) -> Bool {
        object.members.allSatisfy { attribute($0.name) == $0.value.string }
    }
}

struct EndpointGroupRecord: Sendable {
    var id: ID<EndpointGroup>
    var name: String
    var description: String?
    var filters: EndpointFilters

    func write(_ w: inout JSONWriter, _ links: IdentityLinks) {
        w.object { w in
            w.field("id", id.text)
            w.field("name", name)
            w.field("description", orNull: description)
            w.field("filters", .object(filters.object))
            links.write(&w, "/OS-EP-FILTER/endpoint_groups/", id.text)
        }
    }
}

/// What a request asks of a group; nil where it is silent.
struct EndpointGroupDraft: Sendable {
    let id: String?
    let name: String?
    let setsDescription: Bool
    let description: String?
    let filters: EndpointFilters?

    init(_ fields: RequestFields, isNew: Bool) throws {
        try fields.refuseUnknown(["id", "name", "description", "filters"])
        id = try fields.optionalString("id", 0...255)
        name = isNew ? try fields.string("name", 1...255) : try fields.optionalString("name", 1...255)
        setsDescription = fields.has("description")
        description = try fields.optionalString("description")
        let chosen = isNew ? try fields.fields("filters") : try fields.optionalFields("filters")
        if isNew, chosen?.object.isEmpty ?? true {
            throw fields.invalid("filters", "the field is required and cannot be empty")
        }
        filters = try chosen.map { try EndpointFilters($0) }
    }
}
