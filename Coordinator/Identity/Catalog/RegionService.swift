// SPDX-License-Identifier: Apache-2.0
// The rules of regions: ids are unique, parents exist, no circles, and none goes while an endpoint is in it.

import Core
import Database
import HTTP
import JSON

struct RegionService: Sendable {
    let environment: IdentityEnvironment

    func find(_ id: ID<Region>) async throws -> RegionRecord {
        try await environment.database.read("region.find") { try Self.require(id, $0) }
    }

    func list(_ filters: TextFilters) async throws -> [RegionRecord] {
        try await environment.database.read("region.list") { connection in
            try RegionStore.all(connection).filter { region in
                filters.match { $0 == "parent_region_id" ? region.parent?.text : nil }
            }
        }
    }

    /// `pathID` is the id of a PUT; a body's own id must agree with it.
    func create(_ draft: RegionDraft, pathID: ID<Region>? = nil, by call: Call) async throws -> RegionRecord {
        if let pathID, let id = draft.id, id != pathID.text {
            throw CloudError.badRequest("Conflicting region IDs specified: \"\(pathID)\" != \"\(id)\"")
        }
        let region = RegionRecord(
            id: pathID ?? draft.id.map { ID($0) } ?? .random(environment.entropy), description: draft.description ?? "",
            parent: draft.parent, extra: draft.extra)
        return try await environment.change("region.create", by: call) { connection, changes in
            if try RegionStore.find(region.id, connection) != nil {
                throw CloudError.conflict("Conflict occurred attempting to store region - Duplicate ID, \(region.id).")
            }
            if let parent = region.parent { _ = try Self.require(parent, connection) }
            try RegionStore.insert(region, connection)
            changes.record(.created, "region", region.id.text, touching: [.catalog])
            return region
        }
    }

    func update(_ id: ID<Region>, _ draft: RegionDraft, by call: Call) async throws -> RegionRecord {
        if let other = draft.id, other != id.text { throw CloudError.badRequest("Cannot change region ID") }
        return try await environment.change("region.update", by: call) { connection, changes in
            var region = try Self.require(id, connection)
            if let description = draft.description { region.description = description }
            if draft.setsParent {
                if let parent = draft.parent { try Self.check(id, below: parent, connection) }
                region.parent = draft.parent
            }
            for (name, value) in draft.extra.members { region.extra[name] = value }
            try RegionStore.update(region, connection)
            changes.record(.updated, "region", id.text, touching: [.catalog])
            return region
        }
    }

    func delete(_ id: ID<Region>, by call: Call) async throws {
        try await environment.change("region.delete", by: call) { connection, changes in
            _ = try Self.require(id, connection)
            if try RegionStore.hasEndpoints(id, connection) {
                throw CloudError.forbidden(
                    "Unable to delete region \(id) because it or its child regions have associated endpoints.")
            }
            do {
                try RegionStore.deleteTree(id, connection)
            } catch let error as DatabaseError where error.kind == .foreignKey {
                throw CloudError.forbidden(
                    "Unable to delete region \(id) because it or its child regions have registered limits.")
            }
            changes.record(.deleted, "region", id.text, touching: [.catalog])
        }
    }

    static func require(_ id: ID<Region>, _ connection: any Connection) throws -> RegionRecord {
        guard let region = try RegionStore.find(id, connection) else { throw CloudError.notFound("region", id.text) }
        return region
    }

    private static func check(_ id: ID<Region>, below parent: ID<Region>, _ connection: any Connection) throws {
        _ = try require(parent, connection)
        let pairs = try RegionStore.all(connection).compactMap { region in region.parent.map { (region.id, $0) } }
        if RegionRecord.isCircular(id, below: parent, Dictionary(pairs, uniquingKeysWith: { first, _ in first })) {
            throw CloudError.badRequest(
                "The specified parent region \(parent) would create a circular region hierarchy.")
        }
    }
}
