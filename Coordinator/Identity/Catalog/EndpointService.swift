// SPDX-License-Identifier: Apache-2.0
// The rules of endpoints: their service and region exist, their URL can be filled in for a caller.

import Core
import Database
import HTTP
import JSON

struct EndpointService: Sendable {
    let environment: IdentityEnvironment

    func find(_ id: ID<Endpoint>) async throws -> EndpointRecord {
        try await environment.database.read("endpoint.find") { try Self.require(id, $0) }
    }

    func list(_ filters: TextFilters) async throws -> [EndpointRecord] {
        try await environment.database.read("endpoint.list") { connection in
            try EndpointStore.all(connection).filter { filters.match($0.attribute) }
        }
    }

    func create(_ draft: EndpointDraft, by call: Call) async throws -> EndpointRecord {
        guard let service = draft.service, let interface = draft.interface, let url = draft.url else {
            throw CloudError.internalError("an endpoint's draft is not whole")
        }
        let endpoint = EndpointRecord(
            id: .random(environment.entropy), service: service, region: draft.region, interface: interface, url: url,
            isEnabled: draft.isEnabled ?? true, extra: draft.extra)
        return try await environment.change("endpoint.create", by: call) { connection, changes in
            try Self.check(draft, connection, &changes)
            try EndpointStore.insert(endpoint, connection)
            changes.record(.created, "endpoint", endpoint.id.text, touching: [.catalog])
            return endpoint
        }
    }

    func update(_ id: ID<Endpoint>, _ draft: EndpointDraft, by call: Call) async throws -> EndpointRecord {
        if let other = draft.id, other != id.text { throw CloudError.badRequest("Cannot change endpoint ID") }
        return try await environment.change("endpoint.update", by: call) { connection, changes in
            var endpoint = try Self.require(id, connection)
            try Self.check(draft, connection, &changes)
            endpoint.service = draft.service ?? endpoint.service
            if draft.setsRegion { endpoint.region = draft.region }
            endpoint.interface = draft.interface ?? endpoint.interface
            endpoint.url = draft.url ?? endpoint.url
            endpoint.isEnabled = draft.isEnabled ?? endpoint.isEnabled
            for (name, value) in draft.extra.members { endpoint.extra[name] = value }
            try EndpointStore.update(endpoint, connection)
            changes.record(.updated, "endpoint", id.text, touching: [.catalog])
            return endpoint
        }
    }

    func delete(_ id: ID<Endpoint>, by call: Call) async throws {
        try await environment.change("endpoint.delete", by: call) { connection, changes in
            _ = try Self.require(id, connection)
            try EndpointStore.delete(id, connection)
            changes.record(.deleted, "endpoint", id.text, touching: [.catalog])
        }
    }

    static func require(_ id: ID<Endpoint>, _ connection: any Connection) throws -> EndpointRecord {
        guard let endpoint = try EndpointStore.find(id, connection) else {
            throw CloudError.notFound("endpoint", id.text)
        }
        return endpoint
    }

    private static func check(_ draft: EndpointDraft, _ connection: any Connection, _ changes: inout Changes) throws {
        if let service = draft.service, try CatalogServiceStore.find(service, connection) == nil {
            throw CloudError.badRequest(
                "Invalid input for field 'endpoint.service_id': there is no service \(service).")
        }
        guard let region = draft.region, try RegionStore.find(region, connection) == nil else { return }
        guard draft.makesRegion else {
            throw CloudError.badRequest("Invalid input for field 'endpoint.region_id': there is no region \(region).")
        }
        // Clients of the older API name a region without making it first.
        let draft = try RegionDraft(RequestFields(["id": .string(region.text)], path: "endpoint.region"))
        try RegionStore.insert(RegionRecord(id: draft.id.map { ID($0) } ?? region), connection)
        changes.record(.created, "region", region.text, touching: [.catalog])
    }
}
