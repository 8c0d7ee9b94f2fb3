// SPDX-License-Identifier: Apache-2.0
// Lists of projects and domains: whatever the filters, one statement.

import Core
import Database
import HTTP

struct ProjectFilter: Sendable {
    var name: NameFilter
    var domain: ID<Domain>?
    /// A second domain that must fit too: what the caller may see.
    var visibleDomain: ID<Domain>?
    var parent: ID<Project>?
    var isDomain = false
    var isEnabled: Bool?
    var tags: [TagFilter] = []

    /// How many of the named tags a project may have.
    struct TagFilter: Sendable, Equatable {
        enum Kind: String, CaseIterable {
            case all = "tags", any = "tags-any", notAll = "not-tags", notAny = "not-tags-any"
        }
        let kind: Kind
        let names: [String]
    }

    init(_ query: QueryParameters) throws {
        name = NameFilter(query)
        isEnabled = query.contains("enabled") ? query.flag("enabled") : nil
        tags = try TagFilter.Kind.allCases.compactMap { kind in
            guard let text = query[kind.rawValue], !text.isEmpty else { return nil }
            let names = Set(text.split(separator: ",").map(String.init))
            guard names.count <= ProjectTag.most else {
                throw CloudError.badRequest(
                    "Invalid input for field '\(kind.rawValue)': it names more than \(ProjectTag.most) tags.")
            }
            return names.isEmpty ? nil : TagFilter(kind: kind, names: names.sorted())
        }
    }

    fileprivate func apply(to query: inout Query) {
        // Written out, not bound: SQLite plans anew for every value bound to the column of a partial index.
        query.filter(isDomain ? "is_domain = 1" : "is_domain = 0")
        if let domain { query.filter("domain_id = ?", .id(domain)) }
        if let visibleDomain { query.filter("domain_id = ?", .id(visibleDomain)) }
        if let parent { query.filter("parent_id = ?", .id(parent)) }
        if let isEnabled { query.filter("enabled = ?", .bool(isEnabled)) }
        name.apply(to: &query)
        for filter in tags { filter.apply(to: &query) }
    }
}

extension ProjectFilter.TagFilter {
    fileprivate func apply(to query: inout Query) {
        let (start, joint): (StaticString, StaticString) =
            switch kind {
            case .all: ("(", "AND")
            case .any: ("(", "OR")
            case .notAll: ("NOT (", "AND")
            case .notAny: ("NOT (", "OR")
            }
        query.filter(start)
        for (i, name) in names.enumerated() {
            if i > 0 { query.append(joint) }
            query.append("replace(tags, CAST(? AS TEXT), '') <> tags", .text(StoredTags.text([name])))
        }
        query.append(")")
    }
}

extension ProjectStore {
    /// One row more than the page holds, when there are more. `onlyDomain` makes a list of that one domain: all that a
    /// caller scoped to it sees of the domains.
    static func list(
        _ filter: ProjectFilter, onlyDomain: ID<Domain>? = nil, _ page: PageRequest, _ connection: any Connection
    ) throws -> [ProjectRecord] {
        var query = Query(
            """
            SELECT id, name, domain_id, parent_id, is_domain, enabled, description, options, extra, tags FROM project
            """)
        filter.apply(to: &query)
        if let onlyDomain { query.filter("id = ?", .id(onlyDomain)) }
        return try finish(&query, page, connection)
    }

    static func finish(
        _ query: inout Query, _ page: PageRequest, _ connection: any Connection
    ) throws -> [ProjectRecord] {
        if let marker = page.marker { query.filter("id > ?", .text(marker)) }
        query.append("ORDER BY id LIMIT ?", .int(Int64(page.limit) + 1))
        return try connection.rows(query).map(record)
    }
}
