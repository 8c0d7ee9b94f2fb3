// SPDX-License-Identifier: Apache-2.0
// The rules of the catalog's services.

import Core
import Database
import HTTP
import JSON

struct CatalogServiceService: Sendable {
    let environment: IdentityEnvironment

    func find(_ id: ID<CatalogService>) async throws -> CatalogServiceRecord {
        try await environment.database.read("service.find") { try Self.require(id, $0) }
    }

    func list(_ filters: TextFilters) async throws -> [CatalogServiceRecord] {
        try await environment.database.read("service.list") { connection in
            try CatalogServiceStore.all(connection).filter { service in
                filters.match { $0 == "type" ? service.type : service.name }
            }
        }
    }

    func create(_ draft: CatalogServiceDraft, by call: Call) async throws -> CatalogServiceRecord {
        let service = CatalogServiceRecord(
            id: .random(environment.entropy), type: draft.type ?? "", name: draft.name ?? "",
            description: draft.description,
            isEnabled: draft.isEnabled ?? true, extra: draft.extra)
        return try await environment.change("service.create", by: call) { connection, changes in
            try CatalogServiceStore.insert(service, connection)
            changes.record(.created, "service", service.id.text, touching: [.catalog])
            return service
        }
    }

    func update(
        _ id: ID<CatalogService>, _ draft: CatalogServiceDraft, by call: Call
    ) async throws -> CatalogServiceRecord {
        if let other = draft.id, other != id.text { throw CloudError.badRequest("Cannot change service ID") }
        return try await environment.change("service.update", by: call) { connection, changes in
            var service = try Self.require(id, connection)
            service.type = draft.type ?? service.type
            service.name = draft.name ?? service.name
            service.isEnabled = draft.isEnabled ?? service.isEnabled
            if draft.setsDescription { service.description = draft.description }
            for (name, value) in draft.extra.members { service.extra[name] = value }
            try CatalogServiceStore.update(service, connection)
            changes.record(.updated, "service", id.text, touching: [.catalog])
            return service
        }
    }

    func delete(_ id: ID<CatalogService>, by call: Call) async throws {
        try await environment.change("service.delete", by: call) { connection, changes in
            _ = try Self.require(id, connection)
            do {
                try CatalogServiceStore.delete(id, connection)
            } catch let error as DatabaseError where error.kind == .foreignKey {
                throw CloudError.forbidden("Unable to delete service \(id) because it has registered limits.")
            }
            changes.record(.deleted, "service", id.text, touching: [.catalog])
        }
    }

    static func require(_ id: ID<CatalogService>, _ connection: any Connection) throws -> CatalogServiceRecord {
        guard let service = try CatalogServiceStore.find(id, connection) else {
            throw CloudError.notFound("service", id.text)
        }
        return service
    }
}
