// SPDX-License-Identifier: Apache-2.0
// The rules of limits. What a request names must exist; a limit rests on a registered one, which therefore can neither
// change nor go while limits rest on it.

import Core
import Database
import HTTP

struct LimitService: Sendable {
    let environment: IdentityEnvironment

    // MARK: Registered limits

    func registered(_ id: ID<RegisteredLimit>) async throws -> RegisteredLimitRecord {
        try await environment.database.read("registered_limit.show") { try Self.requireRegistered(id, $0) }
    }

    func registered(_ filter: LimitFilter, _ page: PageRequest) async throws -> [RegisteredLimitRecord] {
        try await environment.database.read("registered_limit.list") { try RegisteredLimitStore.list(filter, page, $0) }
    }

    func register(_ limits: [RegisteredLimitRecord], by call: Call) async throws {
        try await environment.change("registered_limit.create", by: call) { connection, changes in
            for limit in limits {
                try Self.checkPlace(limit, connection)
                try Self.storing("registered_limit") { try RegisteredLimitStore.insert(limit, connection) }
                changes.record(.created, "registered_limit", limit.id.text)
            }
        }
    }

    func update(
        _ id: ID<RegisteredLimit>, _ fields: RegisteredLimitFields, by call: Call
    ) async throws -> RegisteredLimitRecord {
        try await environment.change("registered_limit.update", by: call) { connection, changes in
            var limit = try Self.requireRegistered(id, connection)
            try Self.requireUnreferenced(id, connection)
            fields.apply(to: &limit)
            try Self.checkPlace(limit, connection)
            let changed = limit
            try Self.storing("registered_limit") { try RegisteredLimitStore.update(changed, connection) }
            changes.record(.updated, "registered_limit", id.text)
            return limit
        }
    }

    func unregister(_ id: ID<RegisteredLimit>, by call: Call) async throws {
        try await environment.change("registered_limit.delete", by: call) { connection, changes in
            _ = try Self.requireRegistered(id, connection)
            try Self.requireUnreferenced(id, connection)
            try RegisteredLimitStore.delete(id, connection)
            changes.record(.deleted, "registered_limit", id.text)
        }
    }

    private static func requireRegistered(_ id: ID<RegisteredLimit>, _ connection: any Connection) throws
        -> RegisteredLimitRecord
    {
        guard let limit = try RegisteredLimitStore.find(id, connection) else {
            throw CloudError(.notFound, "Could not find registered limit for \(id).")
        }
        return limit
    }

    private static func requireUnreferenced(_ id: ID<RegisteredLimit>, _ connection: any Connection) throws {
        guard try !RegisteredLimitStore.isReferenced(id, connection) else {
            throw CloudError.forbidden(
                """
                Unable to update or delete registered limit \(id) because there are project limits associated with it.
                """)
        }
    }

    private static func checkPlace(_ limit: RegisteredLimitRecord, _ connection: any Connection) throws {
        guard try RegisteredLimitStore.serviceExists(limit.service, connection) else {
            throw unknown("service_id", limit.service.text, "registered_limit")
        }
        if let region = limit.region, try !RegisteredLimitStore.regionExists(region, connection) {
            throw unknown("region_id", region.text, "registered_limit")
        }
    }

    private static func unknown(_ field: String, _ id: String, _ kind: String) -> CloudError {
        .badRequest("Invalid input for field '\(kind).\(field)': there is no such thing as \(id).")
    }

    /// Turns the unique index's refusal into Keystone's sentence.
    private static func storing(_ kind: String, _ store: () throws -> Void) throws {
        do {
            try store()
        } catch let error as DatabaseError where error.kind == .unique {
            throw CloudError.conflict("Conflict occurred attempting to store \(kind) - Duplicate entry.")
        }
    }

    // MARK: Limits of projects and domains

    func limit(_ id: ID<ProjectLimit>) async throws -> LimitRecord {
        try await environment.database.read("limit.show") { try Self.require(id, $0) }
    }

    func limits(_ filter: LimitFilter, _ page: PageRequest) async throws -> [LimitRecord] {
        try await environment.database.read("limit.list") { try LimitStore.list(filter, page, $0) }
    }

    func create(_ wanted: [NewLimit], by call: Call) async throws -> [LimitRecord] {
        let (entropy, model) = (environment.entropy, environment.settings.limitModel)
        return try await environment.change("limit.create", by: call) { connection, changes in
            let limits = try wanted.map { try Self.resolve($0, ID.random(entropy), connection) }
            try model.check(limits, connection)
            for limit in limits {
                try Self.storing("limit") { try LimitStore.insert(limit, connection) }
                changes.record(
                    .created, "limit", limit.id.text, project: limit.project,
                    domain: limit.domain ?? limit.projectDomain)
            }
            return limits
        }
    }

    /// Finds what a new limit names.
    private static func resolve(_ new: NewLimit, _ id: ID<ProjectLimit>, _ connection: any Connection) throws
        -> LimitRecord
    {
        guard try RegisteredLimitStore.serviceExists(new.service, connection) else {
            throw unknown("service_id", new.service.text, "limit")
        }
        if let region = new.region, try !RegisteredLimitStore.regionExists(region, connection) {
            throw unknown("region_id", region.text, "limit")
        }
        let project = try new.project.map { id in
            guard let project = try ProjectStore.find(id, connection), !project.isDomain else {
                throw unknown("project_id", id.text, "limit")
            }
            return project
        }
        if let domain = new.domain, try ProjectStore.findDomain(domain, connection) == nil {
            throw unknown("domain_id", domain.text, "limit")
        }
        guard
            let registered = try RegisteredLimitStore.find(
                service: new.service, region: new.region, resource: new.resource, connection)
        else {
            throw CloudError.forbidden(
                """
                Unable to create a limit that has no corresponding registered limit: register \(new.resource) of \
                service \(new.service)\(new.region.map { " in region \($0)" } ?? "") first.
                """)
        }
        return LimitRecord(
            id: id, registered: registered.id, project: new.project, domain: new.domain, service: new.service,
            region: new.region, resource: new.resource, limit: new.limit, description: new.description,
            projectDomain: project?.domain)
    }

    func update(_ id: ID<ProjectLimit>, _ fields: LimitFields, by call: Call) async throws -> LimitRecord {
        let model = environment.settings.limitModel
        return try await environment.change("limit.update", by: call) { connection, changes in
            var limit = try Self.require(id, connection)
            if let value = fields.limit { limit.limit = value }
            if let description = fields.description { limit.description = description }
            try model.check([limit], connection)
            try LimitStore.update(limit, connection)
            changes.record(
                .updated, "limit", id.text, project: limit.project, domain: limit.domain ?? limit.projectDomain)
            return limit
        }
    }

    func delete(_ id: ID<ProjectLimit>, by call: Call) async throws {
        try await environment.change("limit.delete", by: call) { connection, changes in
            let limit = try Self.require(id, connection)
            try LimitStore.delete(id, connection)
            changes.record(
                .deleted, "limit", id.text, project: limit.project, domain: limit.domain ?? limit.projectDomain)
        }
    }

    private static func require(_ id: ID<ProjectLimit>, _ connection: any Connection) throws -> LimitRecord {
        guard let limit = try LimitStore.find(id, connection) else {
            throw CloudError(.notFound, "Could not find limit for \(id).")
        }
        return limit
    }
}
