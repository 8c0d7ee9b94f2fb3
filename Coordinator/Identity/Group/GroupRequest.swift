// SPDX-License-Identifier: Apache-2.0
// The bodies of group requests and the filters of group lists.

import Core
import Database
import HTTP
import JSON

private let knownMembers: Set<String> = ["id", "name", "domain_id", "description", "links", "membership_expires_at"]

struct GroupCreation: Sendable {
    let name: String
    let description: String
    let extra: JSON.Object

    init(_ fields: RequestFields) throws {
        name = try fields.entityName()
        description = try fields.optionalString("description") ?? ""
        extra = fields.extras(except: knownMembers)
    }
}

struct GroupUpdate: Sendable {
    let name: String?
    let description: Given<String>
    let extra: JSON.Object

    init(_ fields: RequestFields, of group: GroupRecord) throws {
        try fields.requireUpdate(of: group.id.text, in: group.domain)
        name = fields.has("name") ? try fields.entityName() : nil
        description = try fields.given("description") { try fields.optionalString($0) }
        extra = fields.extras(except: knownMembers)
    }

    func applied(to old: GroupRecord) -> GroupRecord {
        var group = old
        group.name = name ?? old.name
        group.description = description.applied(to: old.description) ?? ""
        for (name, value) in extra.members { group.extra[name] = value }
        return group
    }
}

struct GroupFilter: Sendable {
    let names: NameFilter
    /// Every one of them must hold: the one asked for and the one a domain's token is confined to.
    let domains: [ID<Domain>]

    init(_ call: Call) {
        names = NameFilter(call.query)
        domains = (call.query["domain_id"].map { [ID($0)] } ?? []) + (call.caller?.domainID.map { [$0] } ?? [])
    }

    func apply(to query: inout Query) {
        for domain in domains { query.filter("domain_id = ?", .id(domain)) }
        names.apply(to: &query)
    }

    /// The same for a group that comes from elsewhere than our tables.
    func matches(_ group: GroupRecord) -> Bool {
        domains.allSatisfy { $0 == group.domain } && names.matches(group.name)
    }
}
