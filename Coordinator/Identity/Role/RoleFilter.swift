// SPDX-License-Identifier: Apache-2.0
// Which roles a list shows. Roles are few, so the filter runs over all of them in memory rather than in SQL.

import Core
import HTTP

struct RoleFilter: Sendable {
    private let domain: ID<Domain>?
    private let names: [NameCondition]

    /// Without a domain only global roles are listed.
    init(_ query: QueryParameters) {
        domain = query["domain_id"].flatMap { $0.isEmpty ? nil : ID($0) }
        names = query.items.compactMap { NameCondition(parameter: $0.name, value: $0.value) }
    }

    func matches(_ role: RoleRecord) -> Bool {
        role.domain == domain && names.allSatisfy { $0.matches(role.name) }
    }

    /// One page, in order of id, with one role more when there are more.
    func page(_ roles: [RoleRecord], _ page: PageRequest) -> [RoleRecord] {
        let wanted = roles.filter { matches($0) && (page.marker.map { marker in $0.id.text > marker } ?? true) }
        return Array(wanted.sorted { $0.id < $1.id }.prefix(page.limit + 1))
    }
}

/// "name=x", "name__contains=x", "name__istartswith=x" …
struct NameCondition: Sendable {
    private enum Comparison: String { case equals, contains, startswith, endswith }
    private let comparison: Comparison
    private let ignoresCase: Bool
    private let value: String

    init?(parameter: String, value: String) {
        guard parameter != "name" else {
            comparison = .equals
            ignoresCase = false
            self.value = value
            return
        }
        guard parameter.hasPrefix("name__") else { return nil }
        let word = parameter.dropFirst("name__".count)
        if let exact = Comparison(rawValue: String(word)) {
            comparison = exact
            ignoresCase = false
        } else if word.hasPrefix("i"), let folded = Comparison(rawValue: String(word.dropFirst())) {
            comparison = folded
            ignoresCase = true
        } else {
            return nil
        }
        self.value = ignoresCase ? value.lowercased() : value
    }

    func matches(_ name: String) -> Bool {
        let name = ignoresCase ? name.lowercased() : name
        switch comparison {
        case .equals: return name == value
        case .contains: return value.isEmpty || name.contains(value)
        case .startswith: return name.hasPrefix(value)
        case .endswith: return name.hasSuffix(value)
        }
    }
}
