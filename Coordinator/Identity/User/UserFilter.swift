// SPDX-License-Identifier: Apache-2.0
// Which users a list asks for. `enabled` looks at the flag that was set, not at inactivity, as Keystone's filter does.

import Core
import Database
import HTTP

struct UserFilter: Sendable {
    enum Comparison: String, Sendable, CaseIterable { case lt, lte, gt, gte, eq, neq }

    let names: NameFilter
    /// Every one of them must hold: the one asked for and the one a domain's token is confined to.
    let domains: [ID<Domain>]
    let isEnabled: Bool?
    let passwordExpires: (comparison: Comparison, time: Instant)?
    /// Users linked to an identity provider: there are none.
    let isEmpty: Bool

    init(_ call: Call) throws {
        let query = call.query
        names = NameFilter(query)
        domains = (query["domain_id"].map { [ID($0)] } ?? []) + (call.caller?.domainID.map { [$0] } ?? [])
        isEnabled = query.contains("enabled") ? query.flag("enabled") : nil
        passwordExpires = try query["password_expires_at"].map(Self.time)
        isEmpty = ["idp_id", "protocol_id", "unique_id"].contains { query.contains($0) }
    }

    /// "lt:2016-11-06T15:32:17Z"; without an operator the times must be equal.
    private static func time(_ text: String) throws -> (comparison: Comparison, time: Instant) {
        var comparison = Comparison.eq
        var rest = Substring(text)
        if let colon = text.prefix(4).firstIndex(of: ":"), let first = text.first, first.isLetter {
            guard let known = Comparison(rawValue: String(text[..<colon])) else {
                throw CloudError.badRequest(
                    "The given operator \(text[..<colon]) is not valid in the filter 'password_expires_at'. "
                        + "It must be one of the following: 'lt', 'lte', 'gt', 'gte', 'eq', 'neq'.")
            }
            comparison = known
            rest = text[text.index(after: colon)...]
        }
        guard let time = Instant(text: String(rest)) else {
            throw CloudError.badRequest(
                "Timestamp not in expected format in the filter 'password_expires_at'. "
                    + "It must be a time such as lt:2030-01-31T12:00:00Z.")
        }
        return (comparison, time)
    }

    func apply(to query: inout Query) {
        for domain in domains { query.filter("domain_id = ?", .id(domain)) }
        if let isEnabled { query.filter("enabled = ?", .bool(isEnabled)) }
        names.apply(to: &query)
        if isEmpty { query.filter("1 = 0") }
        guard let (comparison, time) = passwordExpires else { return }
        let value = SQLValue.time(time)
        switch comparison {
        case .lt: query.filter("expires < ?", value)
        case .lte: query.filter("expires <= ?", value)
        case .gt: query.filter("expires > ?", value)
        case .gte: query.filter("expires >= ?", value)
        case .eq: query.filter("expires = ?", value)
        case .neq: query.filter("expires <> ?", value)
        }
    }

    /// The same for a user that comes from elsewhere than our tables.
    func matches(_ user: UserRecord) -> Bool {
        !isEmpty && passwordExpires == nil && domains.allSatisfy { $0 == user.domain }
            && (isEnabled == nil || isEnabled == user.isEnabled) && names.matches(user.name)
    }
}
