// SPDX-License-Identifier: Apache-2.0
// A policy text that the cloud keeps for its services; identity does not read it. It can be associated with an
// endpoint, a service, or a service in a region.

import Core
import HTTP
import JSON

struct PolicyBlobRecord: Sendable {
    var id: ID<PolicyBlob>
    var type: String
    var blob: String
    var extra: JSON.Object

    func write(_ w: inout JSONWriter, _ links: IdentityLinks) {
        w.object { w in
            w.field("id", id.text)
            w.field("type", type)
            w.field("blob", blob)
            w.members(extra)
            links.write(&w, "/policies/", id.text)
        }
    }
}

/// What a request asks of a policy; nil where it is silent.
struct PolicyBlobDraft: Sendable {
    let id: String?
    let type: String?
    let blob: String?
    let extra: JSON.Object

    init(_ fields: RequestFields, isNew: Bool) throws {
        id = try fields.optionalString("id", 0...255)
        type = isNew ? try fields.string("type", 0...255) : try fields.optionalString("type", 0...255)
        blob = isNew ? try fields.string("blob") : try fields.optionalString("blob")
        extra = fields.extras(except: ["id", "type", "blob", "links"])
    }
}

/// What a policy is associated with. Absent ids are stored as the empty text.
enum PolicySubject: Sendable, Equatable {
    case endpoint(ID<Endpoint>)
    case service(ID<CatalogService>)
    case serviceInRegion(ID<CatalogService>, ID<Region>)

    var endpointID: String { if case .endpoint(let id) = self { id.text } else { "" } }

    var serviceID: String {
        switch self {
        case .endpoint: ""
        case .service(let id), .serviceInRegion(let id, _): id.text
        }
    }

    var regionID: String { if case .serviceInRegion(_, let id) = self { id.text } else { "" } }
}

struct PolicyAssociation: Sendable, Equatable {
    let policy: ID<PolicyBlob>
    let subject: PolicySubject

    /// The policy in force at an endpoint: its own; else its service's in its region or the nearest region above;
    /// else its service's.
    static func policy(
        for endpoint: EndpointRecord, _ associations: [PolicyAssociation], parents: [ID<Region>: ID<Region>]
    ) -> ID<PolicyBlob>? {
        func find(_ subject: PolicySubject) -> ID<PolicyBlob>? { associations.first { $0.subject == subject }?.policy }
        if let own = find(.endpoint(endpoint.id)) { return own }
        var seen: Set<ID<Region>> = []
        var next = endpoint.region
        while let region = next, seen.insert(region).inserted {
            if let regional = find(.serviceInRegion(endpoint.service, region)) { return regional }
            next = parents[region]
        }
        return find(.service(endpoint.service))
    }

    /// Whether the association names the endpoint, its service, or its service in its region or one above.
    func covers(_ endpoint: EndpointRecord, parents: [ID<Region>: ID<Region>]) -> Bool {
        switch subject {
        case .endpoint(let id): return id == endpoint.id
        case .service(let id): return id == endpoint.service
        case .serviceInRegion(let id, let region):
            guard id == endpoint.service else { return false }
            var seen: Set<ID<Region>> = []
            var next = endpoint.region
            while let candidate = next, seen.insert(candidate).inserted {
                if candidate == region { return true }
                next = parents[candidate]
            }
            return false
        }
    }
}
