// SPDX-License-Identifier: Apache-2.0
// The rules of policies and of what they are associated with.

import Core
import Database
import HTTP
import JSON

struct PolicyBlobService: Sendable {
    let environment: IdentityEnvironment

    func find(_ id: ID<PolicyBlob>) async throws -> PolicyBlobRecord {
        try await environment.database.read("policy.find") { try Self.require(id, $0) }
    }

    func list(type: String?, _ page: PageRequest) async throws -> [PolicyBlobRecord] {
        try await environment.database.read("policy.list") { connection in
            try PolicyBlobStore.page(type: type, after: page.marker, limit: page.limit + 1, connection)
        }
    }

    func create(_ draft: PolicyBlobDraft, by call: Call) async throws -> PolicyBlobRecord {
        let policy = PolicyBlobRecord(
            id: .random(environment.entropy), type: draft.type ?? "", blob: draft.blob ?? "", extra: draft.extra)
        return try await environment.change("policy.create", by: call) { connection, changes in
            try PolicyBlobStore.insert(policy, connection)
            changes.record(.created, "policy", policy.id.text)
            return policy
        }
    }

    func update(_ id: ID<PolicyBlob>, _ draft: PolicyBlobDraft, by call: Call) async throws -> PolicyBlobRecord {
        if let other = draft.id, other != id.text { throw CloudError.badRequest("Cannot change policy ID") }
        return try await environment.change("policy.update", by: call) { connection, changes in
            var policy = try Self.require(id, connection)
            policy.type = draft.type ?? policy.type
            policy.blob = draft.blob ?? policy.blob
            for (name, value) in draft.extra.members { policy.extra[name] = value }
            try PolicyBlobStore.update(policy, connection)
            changes.record(.updated, "policy", id.text)
            return policy
        }
    }

    func delete(_ id: ID<PolicyBlob>, by call: Call) async throws {
        try await environment.change("policy.delete", by: call) { connection, changes in
            _ = try Self.require(id, connection)
            try PolicyBlobStore.delete(id, connection)
            changes.record(.deleted, "policy", id.text)
        }
    }

    // MARK: Associations

    func associate(_ association: PolicyAssociation, by call: Call) async throws {
        try await environment.change("policy_association.create", by: call) { connection, changes in
            try Self.requireParts(of: association, connection)
            try PolicyBlobStore.associate(association, connection)
            changes.record(.created, "policy_association", association.policy.text)
        }
    }

    func check(_ association: PolicyAssociation) async throws {
        try await environment.database.read("policy_association.find") { connection in
            try Self.requireParts(of: association, connection)
            guard try PolicyBlobStore.isAssociated(association, connection) else {
                throw CloudError(.notFound, "Could not find policy association.")
            }
        }
    }

    func dissociate(_ association: PolicyAssociation, by call: Call) async throws {
        try await environment.change("policy_association.delete", by: call) { connection, changes in
            try Self.requireParts(of: association, connection)
            try PolicyBlobStore.dissociate(association, connection)
            changes.record(.deleted, "policy_association", association.policy.text)
        }
    }

    /// The endpoints that the policy is associated with, in whatever way.
    func endpoints(of id: ID<PolicyBlob>) async throws -> [EndpointRecord] {
        try await environment.database.read("policy_association.endpoints") { connection in
            _ = try Self.require(id, connection)
            let associations = try PolicyBlobStore.associations(of: id, connection)
            let parents = try Self.parents(connection)
            return try EndpointStore.all(connection).filter { endpoint in
                associations.contains { $0.covers(endpoint, parents: parents) }
            }
        }
    }

    func policy(for id: ID<Endpoint>) async throws -> PolicyBlobRecord {
        try await environment.database.read("policy_association.effective") { connection in
            let endpoint = try EndpointService.require(id, connection)
            let associations = try PolicyBlobStore.associations(around: endpoint, connection)
            let parents = try Self.parents(connection)
            guard let policy = PolicyAssociation.policy(for: endpoint, associations, parents: parents) else {
                throw CloudError(.notFound, "No policy is associated with endpoint \(id).")
            }
            return try Self.require(policy, connection)
        }
    }

    private static func parents(_ connection: any Connection) throws -> [ID<Region>: ID<Region>] {
        let pairs = try RegionStore.all(connection).compactMap { region in region.parent.map { (region.id, $0) } }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    private static func require(_ id: ID<PolicyBlob>, _ connection: any Connection) throws -> PolicyBlobRecord {
        guard let policy = try PolicyBlobStore.find(id, connection) else {
            throw CloudError.notFound("policy", id.text)
        }
        return policy
    }

    private static func requireParts(of association: PolicyAssociation, _ connection: any Connection) throws {
        _ = try require(association.policy, connection)
        switch association.subject {
        case .endpoint(let id): _ = try EndpointService.require(id, connection)
        case .service(let id): _ = try CatalogServiceService.require(id, connection)
        case .serviceInRegion(let id, let region):
            _ = try CatalogServiceService.require(id, connection)
            _ = try RegionService.require(region, connection)
        }
    }
}
