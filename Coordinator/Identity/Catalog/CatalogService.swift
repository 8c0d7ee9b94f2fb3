// SPDX-License-Identifier: Apache-2.0
// A service of the catalog ("compute", "image" …) and where it is reached: its endpoints.

import Core
import HTTP
import JSON

package struct CatalogServiceRecord: Sendable {
    package var id: ID<CatalogService>
    package var type: String
    package var name: String
    package var description: String?
    package var isEnabled: Bool
    package var extra: JSON.Object

    package init(
        id: ID<CatalogService>, type: String, name: String = "", description: String? = nil, isEnabled: Bool = true,
        extra: JSON.Object = [:]
    ) {
        self.id = id
        self.type = type
        self.name = name
        self.description = description
        self.isEnabled = isEnabled
        self.extra = extra
    }

    func write(_ w: inout JSONWriter, _ links: IdentityLinks) {
        w.object { w in
            w.field("id", id.text)
            w.field("name", name)
            w.field("type", type)
            w.field("enabled", isEnabled)
            if let description { w.field("description", description) }
            w.members(extra)
            links.write(&w, "/services/", id.text)
        }
    }
}

/// What a request asks of a service; nil where it is silent.
struct CatalogServiceDraft: Sendable {
    private static let known: Set<String> = ["id", "type", "name", "description", "enabled", "links"]

    let id: String?
    let type: String?
    let name: String?
    let setsDescription: Bool
    let description: String?
    let isEnabled: Bool?
    let extra: JSON.Object

    /// `isNew`: a new service must have a type.
    init(_ fields: RequestFields, isNew: Bool) throws {
        id = try fields.optionalString("id", 0...255)
        type = isNew ? try fields.string("type", 1...255) : try fields.optionalString("type", 1...255)
        name = try fields.optionalString("name", 1...255)
        setsDescription = fields.has("description")
        description = try fields.optionalString("description")
        isEnabled = try fields.optionalBool("enabled")
        extra = fields.extras(except: Self.known)
    }
}

package enum EndpointInterface: String, Sendable, CaseIterable {
    case `public`, `internal`, admin
}

package struct EndpointRecord: Sendable {
    package var id: ID<Endpoint>
    package var service: ID<CatalogService>
    package var region: ID<Region>?
    package var interface: EndpointInterface
    package var url: String
    package var isEnabled: Bool
    package var extra: JSON.Object

    package init(
        id: ID<Endpoint>, service: ID<CatalogService>, region: ID<Region>?, interface: EndpointInterface, url: String,
        isEnabled: Bool = true, extra: JSON.Object = [:]
    ) {
        self.id = id
        self.service = service
        self.region = region
        self.interface = interface
        self.url = url
        self.isEnabled = isEnabled
        self.extra = extra
    }

    func write(_ w: inout JSONWriter, _ links: IdentityLinks) {
        w.object { w in
            w.field("id", id.text)
            w.field("interface", interface.rawValue)
            w.field("region_id", orNull: region?.text)
            w.field("region", orNull: region?.text)
            w.field("service_id", service.text)
            w.field("url", url)
            w.field("enabled", isEnabled)
            w.members(extra)
            links.write(&w, "/endpoints/", id.text)
        }
    }

    /// The attributes that lists and endpoint groups filter by.
    func attribute(_ name: String) -> String? {
        switch name {
        case "interface": interface.rawValue
        case "service_id": service.text
        case "region_id": region?.text
        default: nil
        }
    }
}

/// What a request asks of an endpoint; nil where it is silent.
struct EndpointDraft: Sendable {
    private static let known: Set<String> = [
        "id", "service_id", "region_id", "region", "interface", "url", "enabled", "links",
    ]
    /// Keystone's own bound.
    private static let longestURL = 225

    let id: String?
    let service: ID<CatalogService>?
    let setsRegion: Bool
    let region: ID<Region>?
    /// Given by the older name, "region", a region that does not exist is made.
    let makesRegion: Bool
    let interface: EndpointInterface?
    let url: String?
    let isEnabled: Bool?
    let extra: JSON.Object

    init(_ fields: RequestFields, isNew: Bool) throws {
        id = try fields.optionalString("id", 0...255)
        service = (isNew ? try fields.string("service_id", 1...255) : try fields.optionalString("service_id", 1...255))
            .map { ID($0) }
        let named = try fields.optionalString("region_id", 1...255)
        let older = try fields.optionalString("region", 1...255)
        setsRegion = fields.has("region_id") || fields.has("region")
        region = (named ?? older).map { ID($0) }
        makesRegion = named == nil && older != nil
        interface = try Self.interface(fields, isNew: isNew)
        url = try Self.url(fields, isNew: isNew)
        isEnabled = try fields.optionalBool("enabled")
        extra = fields.extras(except: Self.known)
        for name in ["name", "description"] { _ = try fields.optionalString(name) }
    }

    private static func interface(_ fields: RequestFields, isNew: Bool) throws -> EndpointInterface? {
        guard let text = isNew ? try fields.string("interface") : try fields.optionalString("interface") else {
            return nil
        }
        guard let interface = EndpointInterface(rawValue: text) else {
            throw fields.invalid("interface", "it must be one of 'public', 'internal', 'admin'")
        }
        return interface
    }

    private static func url(_ fields: RequestFields, isNew: Bool) throws -> String? {
        let range = 1...longestURL
        guard let text = isNew ? try fields.string("url", range) : try fields.optionalString("url", range) else {
            return nil
        }
        guard EndpointURL.hasScheme(text) else {
            throw fields.invalid("url", "it must be a URL with a scheme, such as http://controller:8774/v2.1")
        }
        guard EndpointURL(text) != nil else {
            throw fields.invalid(
                "url",
                "the endpoint's URL is invalid: only $(project_id)s, $(tenant_id)s and $(user_id)s may stand in it")
        }
        return text
    }
}
