// SPDX-License-Identifier: Apache-2.0
// Bodies of the requests about limits, read and checked.

import Core
import HTTP

enum LimitBounds {
    /// -1 is no limit; the top is what every client's integer holds.
    static let values = -1...0x7fff_ffff
    static let name = 1...255
    static let id = 1...64
    /// Limits of one request; a larger cloud sends several.
    static let mostInOneRequest = 1000
}

struct RegisteredLimitFields: Sendable {
    private static let known: Set<String> = [
        "service_id", "region_id", "resource_name", "default_limit", "description",
    ]

    let service: ID<CatalogService>?
    /// nil: not named; .some(nil): named as null.
    let region: ID<Region>??
    let resource: String?
    let standard: Int?
    let description: String??

    init(_ fields: RequestFields, isNew: Bool) throws {
        try fields.refuseUnknown(Self.known)
        service =
            isNew
            ? ID(try fields.string("service_id", LimitBounds.id))
            : try fields.optionalString("service_id", LimitBounds.id).map { ID($0) }
        region = fields.has("region_id") ? .some(try fields.optionalString("region_id", 1...255).map { ID($0) }) : nil
        resource =
            isNew
            ? try fields.string("resource_name", LimitBounds.name)
            : try fields.optionalString("resource_name", LimitBounds.name)
        standard =
            isNew
            ? try fields.int("default_limit", LimitBounds.values)
            : try fields.optionalInt("default_limit", LimitBounds.values)
        description = fields.has("description") ? .some(try fields.optionalString("description")) : nil
    }

    func apply(to limit: inout RegisteredLimitRecord) {
        if let service { limit.service = service }
        if let region { limit.region = region }
        if let resource { limit.resource = resource }
        if let standard { limit.standard = standard }
        if let description { limit.description = description }
    }
}

/// A limit asked for; the registered one it rests on is found when it is stored.
struct NewLimit: Sendable {
    private static let known: Set<String> = [
        "service_id", "region_id", "resource_name", "resource_limit", "description", "project_id", "domain_id",
    ]
    let service: ID<CatalogService>
    let region: ID<Region>?
    let resource: String
    let limit: Int
    let description: String?
    let project: ID<Project>?
    let domain: ID<Domain>?

    init(_ fields: RequestFields) throws {
        try fields.refuseUnknown(Self.known)
        service = ID(try fields.string("service_id", LimitBounds.id))
        region = try fields.optionalString("region_id", 1...255).map { ID($0) }
        resource = try fields.string("resource_name", LimitBounds.name)
        limit = try fields.int("resource_limit", LimitBounds.values)
        description = try fields.optionalString("description")
        project = try fields.optionalString("project_id", LimitBounds.id).map { ID($0) }
        domain = try fields.optionalString("domain_id", LimitBounds.id).map { ID($0) }
        guard (project == nil) != (domain == nil) else {
            throw fields.invalid("project_id", "exactly one of project_id and domain_id must be given")
        }
    }
}

struct LimitFields: Sendable {
    let limit: Int?
    let description: String??

    init(_ fields: RequestFields) throws {
        try fields.refuseUnknown(["resource_limit", "description"])
        if fields.isNull("resource_limit") { throw fields.invalid("resource_limit", "it must not be null") }
        limit = try fields.optionalInt("resource_limit", LimitBounds.values)
        description = fields.has("description") ? .some(try fields.optionalString("description")) : nil
    }
}

extension Call {
    /// The non-empty array of objects that a creation of several limits sends.
    func limitBodies(_ name: String) async throws -> [RequestFields] {
        let body = try await bodyFields()
        let count = try body.array(name).count
        guard (1...LimitBounds.mostInOneRequest).contains(count) else {
            throw body.invalid(name, "it must have 1 to \(LimitBounds.mostInOneRequest) elements")
        }
        return try body.arrayOfFields(name)
    }
}
