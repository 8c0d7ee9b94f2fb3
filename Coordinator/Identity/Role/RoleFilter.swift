// SPDX-License-Identifier: Apache-2.0
// Which roles a list shows. Roles are few, so the filter runs over all of them in memory rather than in SQL.

import Core
import HTTP

struct RoleFilter: Sendable {
    private let domain: ID<Domain>?
    private let names: NameFilter

    /// Without a domain only global roles are listed.
    init(_ query: QueryParameters) {
        domain = query["domain_id"].flatMap { $0.isEmpty ? nil : ID($0) }
        names = NameFilter(query)
    }

    func matches(_ role: RoleRecord) -> Bool {
        role.domain == domain && names.matches(role.name)
    }

    /// One page, in order of id, with one role more when there are more.
    func page(_ roles: [RoleRecord], _ page: PageRequest) -> [RoleRecord] {
        let marker = page.marker ?? ""
        let wanted = roles.filter { matches($0) && $0.id.text > marker }
        return Array(wanted.sorted { $0.id < $1.id }.prefix(page.limit + 1))
    }
}
