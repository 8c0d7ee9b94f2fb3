// SPDX-License-Identifier: Apache-2.0
// Each service puts itself into the catalog when the coordinator starts: one service, three endpoints, all at one
// URL. Ids are made from the service's type, so coordinators that start together, and every later start, find what is
// there; a public URL that the configuration changed is written into the endpoints.

import Core
import Crypto
import Database
import HTTP

package struct CatalogRegistration: Sendable {
    /// "identity"
    package let type: String
    /// "keystone": what `openstack catalog list` shows.
    package let name: String
    /// "/identity"; may end in a version and a place for the project, as "/volume/v3/$(project_id)s".
    package let path: String
    package let description: String

    package init(type: String, name: String, path: String, description: String) {
        self.type = type
        self.name = name
        self.path = path
        self.description = description
    }

    package static let identity = CatalogRegistration(
        type: "identity", name: "keystone", path: "/identity", description: "Identity: users, projects, roles, tokens")

    package struct Registered: Sendable {
        package let service: ID<CatalogService>
        package let endpoints: [EndpointInterface: ID<Endpoint>]
    }

    /// Makes the service, its endpoints and the region where they are missing, and corrects the endpoints' URLs.
    @discardableResult
    package static func ensure(
        _ registration: CatalogRegistration, publicURL: String, region: ID<Region>, _ connection: any Connection,
        _ changes: inout Changes
    ) throws -> Registered {
        try ensureRegion(region, connection, &changes)
        let service = ID<CatalogService>(id(["service", registration.type]))
        if try CatalogServiceStore.find(service, connection) == nil {
            try CatalogServiceStore.insert(
                CatalogServiceRecord(
                    id: service, type: registration.type, name: registration.name, description: registration.description
                ),
                connection)
            changes.record(.created, "service", service.text, touching: [.catalog])
        }
        var endpoints: [EndpointInterface: ID<Endpoint>] = [:]
        for interface in EndpointInterface.allCases {
            let endpoint = ID<Endpoint>(id(["endpoint", registration.type, region.text, interface.rawValue]))
            endpoints[interface] = endpoint
            let wanted = EndpointRecord(
                id: endpoint, service: service, region: region, interface: interface,
                url: literal(publicURL) + registration.path)
            try ensure(wanted, connection, &changes)
        }
        return Registered(service: service, endpoints: endpoints)
    }

    private static func ensureRegion(
        _ region: ID<Region>, _ connection: any Connection, _ changes: inout Changes
    ) throws {
        guard try RegionStore.find(region, connection) == nil else { return }
        try RegionStore.insert(RegionRecord(id: region), connection)
        changes.record(.created, "region", region.text, touching: [.catalog])
    }

    private static func ensure(
        _ wanted: EndpointRecord, _ connection: any Connection, _ changes: inout Changes
    ) throws {
        guard var found = try EndpointStore.find(wanted.id, connection) else {
            try EndpointStore.insert(wanted, connection)
            changes.record(.created, "endpoint", wanted.id.text, touching: [.catalog])
            return
        }
        guard found.url != wanted.url else { return }
        found.url = wanted.url
        try EndpointStore.update(found, connection)
        changes.record(.updated, "endpoint", wanted.id.text, touching: [.catalog])
    }

    /// A percent sign of the configured URL is itself, not the start of a place.
    private static func literal(_ url: String) -> String {
        url.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%")
    }

    /// 32 hexadecimal digits, always the same for the same words.
    private static func id(_ words: [String]) -> String {
        Hex.text(Digest.sha256(Array(("martlet catalog\0" + words.joined(separator: "\0")).utf8)).prefix(16))
    }
}

extension IdentityEnvironment {
    /// What a service calls when the coordinator starts.
    package func register(_ registrations: [CatalogRegistration]) async throws {
        let publicURL = settings.publicURL, region = ID<Region>(settings.region)
        try await change("catalog.register", by: nil) { connection, changes in
            for registration in registrations {
                try CatalogRegistration.ensure(registration, publicURL: publicURL, region: region, connection, &changes)
            }
        }
    }
}
