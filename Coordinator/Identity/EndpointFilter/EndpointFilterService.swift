// SPDX-License-Identifier: Apache-2.0
// The rules of endpoint groups and of what is associated with a project. Every change makes the catalog's snapshot
// stale.

import Core
import Database
import HTTP
import JSON

struct EndpointFilterService: Sendable {
    let environment: IdentityEnvironment

    // MARK: Groups

    func group(_ id: ID<EndpointGroup>) async throws -> EndpointGroupRecord {
        try await environment.database.read("endpoint_group.find") { try Self.require(id, $0) }
    }

    func groups(_ filters: TextFilters) async throws -> [EndpointGroupRecord] {
        try await environment.database.read("endpoint_group.list") { connection in
            try EndpointFilterStore.groups(connection).filter { group in filters.match { _ in group.name } }
        }
    }

    func create(_ draft: EndpointGroupDraft, by call: Call) async throws -> EndpointGroupRecord {
        let group = EndpointGroupRecord(
            id: .random(environment.entropy), name: draft.name ?? "", description: draft.description,
            filters: draft.filters ?? EndpointFilters([:]))
        return try await environment.change("endpoint_group.create", by: call) { connection, changes in
            try EndpointFilterStore.insert(group, connection)
            changes.record(.created, "endpoint_group", group.id.text, touching: [.catalog])
            return group
        }
    }

    func update(
        _ id: ID<EndpointGroup>, _ draft: EndpointGroupDraft, by call: Call
    ) async throws -> EndpointGroupRecord {
        if let other = draft.id, other != id.text { throw CloudError.badRequest("Cannot change endpoint_group ID") }
        return try await environment.change("endpoint_group.update", by: call) { connection, changes in
            var group = try Self.require(id, connection)
            group.name = draft.name ?? group.name
            group.filters = draft.filters ?? group.filters
            if draft.setsDescription { group.description = draft.description }
            try EndpointFilterStore.update(group, connection)
            changes.record(.updated, "endpoint_group", id.text, touching: [.catalog])
            return group
        }
    }

    func delete(_ id: ID<EndpointGroup>, by call: Call) async throws {
        try await environment.change("endpoint_group.delete", by: call) { connection, changes in
            _ = try Self.require(id, connection)
            try EndpointFilterStore.delete(id, connection)
            changes.record(.deleted, "endpoint_group", id.text, touching: [.catalog])
        }
    }

    /// The endpoints that a group chooses.
    func endpoints(of id: ID<EndpointGroup>) async throws -> [EndpointRecord] {
        try await environment.database.read("endpoint_group.endpoints") { connection in
            let group = try Self.require(id, connection)
            return try EndpointStore.all(connection).filter { group.filters.match($0.attribute) }
        }
    }

    // MARK: What a project sees

    /// The endpoints associated with a project, one by one and by groups.
    func endpoints(of project: ID<Project>) async throws -> [EndpointRecord] {
        try await environment.database.read("project_endpoint.list") { connection in
            try Self.require(project, connection)
            let single = try EndpointFilterStore.endpoints(of: project, connection)
            let groups = try EndpointFilterStore.groups(of: project, connection)
            return try EndpointStore.all(connection).filter { endpoint in
                single.contains(endpoint.id) || groups.contains { $0.filters.match(endpoint.attribute) }
            }
        }
    }

    func groups(of project: ID<Project>) async throws -> [EndpointGroupRecord] {
        try await environment.database.read("project_endpoint_group.list") { connection in
            try Self.require(project, connection)
            return try EndpointFilterStore.groups(of: project, connection)
        }
    }

    func projects(of endpoint: ID<Endpoint>, _ page: PageRequest) async throws -> [ProjectRecord] {
        try await environment.database.read("project_endpoint.projects") { connection in
            _ = try EndpointService.require(endpoint, connection)
            return try EndpointFilterStore.projects(
                of: endpoint, after: page.marker, limit: page.limit + 1, connection)
        }
    }

    func projects(of group: ID<EndpointGroup>, _ page: PageRequest) async throws -> [ProjectRecord] {
        try await environment.database.read("project_endpoint_group.projects") { connection in
            _ = try Self.require(group, connection)
            return try EndpointFilterStore.projects(of: group, after: page.marker, limit: page.limit + 1, connection)
        }
    }

    // MARK: Associations

    func add(_ endpoint: ID<Endpoint>, to project: ID<Project>, by call: Call) async throws {
        try await environment.change("project_endpoint.create", by: call) { connection, changes in
            _ = try EndpointService.require(endpoint, connection)
            try Self.require(project, connection)
            if try EndpointFilterStore.isAssociated(project, endpoint, connection) {
                throw CloudError.conflict(
                    "Conflict occurred attempting to store project_endpoint - Duplicate entry found with "
                        + "endpoint ID \(endpoint) at project ID \(project).")
            }
            try EndpointFilterStore.associate(project, endpoint, connection)
            changes.record(.created, "project_endpoint", endpoint.text, project: project, touching: [.catalog])
        }
    }

    func check(_ endpoint: ID<Endpoint>, in project: ID<Project>) async throws {
        try await environment.database.read("project_endpoint.find") { connection in
            _ = try EndpointService.require(endpoint, connection)
            try Self.require(project, connection)
            guard try EndpointFilterStore.isAssociated(project, endpoint, connection) else {
                throw Self.absent(endpoint, project)
            }
        }
    }

    func remove(_ endpoint: ID<Endpoint>, from project: ID<Project>, by call: Call) async throws {
        try await environment.change("project_endpoint.delete", by: call) { connection, changes in
            guard try EndpointFilterStore.dissociate(project, endpoint, connection) else {
                throw Self.absent(endpoint, project)
            }
            changes.record(.deleted, "project_endpoint", endpoint.text, project: project, touching: [.catalog])
        }
    }

    func add(_ group: ID<EndpointGroup>, to project: ID<Project>, by call: Call) async throws {
        try await environment.change("project_endpoint_group.create", by: call) { connection, changes in
            try Self.require(project, connection)
            _ = try Self.require(group, connection)
            if try EndpointFilterStore.isAssociated(project, group, connection) {
                throw CloudError.conflict(
                    "Conflict occurred attempting to store project_endpoint_group - Duplicate entry found with "
                        + "endpoint group ID \(group) at project ID \(project).")
            }
            try EndpointFilterStore.associate(project, group, connection)
            changes.record(.created, "project_endpoint_group", group.text, project: project, touching: [.catalog])
        }
    }

    func check(_ group: ID<EndpointGroup>, in project: ID<Project>) async throws {
        try await environment.database.read("project_endpoint_group.find") { connection in
            try Self.require(project, connection)
            _ = try Self.require(group, connection)
            guard try EndpointFilterStore.isAssociated(project, group, connection) else {
                throw CloudError(.notFound, "Endpoint Group Project Association not found.")
            }
        }
    }

    func remove(_ group: ID<EndpointGroup>, from project: ID<Project>, by call: Call) async throws {
        try await environment.change("project_endpoint_group.delete", by: call) { connection, changes in
            try Self.require(project, connection)
            _ = try Self.require(group, connection)
            guard try EndpointFilterStore.dissociate(project, group, connection) else {
                throw CloudError(.notFound, "Endpoint Group Project Association not found.")
            }
            changes.record(.deleted, "project_endpoint_group", group.text, project: project, touching: [.catalog])
        }
    }

    // MARK: What must exist

    private static func require(_ id: ID<EndpointGroup>, _ connection: any Connection) throws -> EndpointGroupRecord {
        guard let group = try EndpointFilterStore.group(id, connection) else {
            throw CloudError.notFound("endpoint group", id.text)
        }
        return group
    }

    private static func require(_ id: ID<Project>, _ connection: any Connection) throws {
        if try ProjectStore.find(id, connection) == nil { throw CloudError.notFound("project", id.text) }
    }

    private static func absent(_ endpoint: ID<Endpoint>, _ project: ID<Project>) -> CloudError {
        CloudError(.notFound, "Endpoint \(endpoint) not found in project \(project).")
    }
}
