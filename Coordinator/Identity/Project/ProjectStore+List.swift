// SPDX-License-Identifier: Apache-2.0
// Lists of projects and domains: whatever the filters, one statement, tags included. The page is cut in a sub-select,
// so that a project with many tags still counts as one row of it.

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

    init(_ query: QueryParameters) {
        name = NameFilter(query)
        isEnabled = query.contains("enabled") ? query.flag("enabled") : nil
        tags = TagFilter.Kind.allCases.compactMap { kind in
            guard let text = query[kind.rawValue], !text.isEmpty else { return nil }
            let names = Set(text.split(separator: ",").map(String.init))
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
        query.filter("(SELECT COUNT(*) FROM project_tag g WHERE g.project_id = project.id AND g.name IN (")
        for (i, name) in names.enumerated() {
            if i == 0 { query.append("?", .text(name)) } else { query.append(", ?", .text(name)) }
        }
        let count = SQLValue.int(Int64(names.count))
        switch kind {
        case .all: query.append(")) = ?", count)
        case .any: query.append(")) > 0")
        case .notAll: query.append(")) < ?", count)
        case .notAny: query.append(")) = 0")
        }
    }
}

extension ProjectStore {
    /// One row more than the page holds, when there are more.
    static func list(_ filter: ProjectFilter, _ page: PageRequest, _ connection: any Connection) throws
        -> [ProjectRecord]
    {
        var query = Query(
            """
            SELECT p.id, p.name, p.domain_id, p.parent_id, p.is_domain, p.enabled, p.description, p.options,
                p.extra, t.name
            FROM (SELECT id, name, domain_id, parent_id, is_domain, enabled, description, options, extra FROM project
            """)
        filter.apply(to: &query)
        return try finish(&query, page, connection)
    }

    /// One domain as a list: all that a caller scoped to it sees.
    static func list(
        onlyDomain id: ID<Domain>, _ filter: ProjectFilter, _ page: PageRequest, _ connection: any Connection
    )
        throws -> [ProjectRecord]
    {
        var query = Query(
            """
            SELECT p.id, p.name, p.domain_id, p.parent_id, p.is_domain, p.enabled, p.description, p.options,
                p.extra, t.name
            FROM (SELECT id, name, domain_id, parent_id, is_domain, enabled, description, options, extra FROM project
            """)
        filter.apply(to: &query)
        query.filter("id = ?", .id(id))
        return try finish(&query, page, connection)
    }

    static func finish(_ query: inout Query, _ page: PageRequest, _ connection: any Connection) throws
        -> [ProjectRecord]
    {
        if let marker = page.marker { query.filter("id > ?", .text(marker)) }
        query.append(
            """
            ORDER BY id LIMIT ?) p LEFT JOIN project_tag t ON t.project_id = p.id ORDER BY p.id, t.name
            """, .int(Int64(page.limit) + 1))
        return records(try connection.rows(query))
    }
}
