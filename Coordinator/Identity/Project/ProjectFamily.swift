// SPDX-License-Identifier: Apache-2.0
// What surrounds a project in the tree, as GET /v3/projects/{id} shows it on request: parents and subtree, each as a
// list of the projects that the caller has a role on, or as nested ids of all of them.

import Core
import HTTP
import JSON

struct ProjectFamily: Sendable {
    enum Form: Sendable { case list, ids }

    struct Request: Sendable {
        let parents: Form?
        let subtree: Form?
        let withLimits: Bool
        var isEmpty: Bool { parents == nil && subtree == nil }
        /// Which projects are shown depends on the caller.
        var isList: Bool { parents == .list || subtree == .list }

        init(_ query: QueryParameters) throws {
            parents = try Self.form(query, "parents")
            subtree = try Self.form(query, "subtree")
            withLimits = query.flag("include_limits")
        }

        private static func form(_ query: QueryParameters, _ name: String) throws -> Form? {
            switch (query.flag(name + "_as_list"), query.flag(name + "_as_ids")) {
            case (true, true):
                throw CloudError.badRequest(
                    "Cannot use \(name)_as_list and \(name)_as_ids query params at the same time.")
            case (true, false): return .list
            case (false, true): return .ids
            case (false, false): return nil
            }
        }
    }

    let request: Request
    let project: ProjectRecord
    /// Parent first, domain last.
    var parents: [ProjectRecord] = []
    /// Nearest first.
    var subtree: [ProjectRecord] = []
    var limits: [ID<Project>: [LimitRecord]] = [:]

    func write(_ w: inout JSONWriter, _ links: IdentityLinks) {
        switch request.parents {
        case .list: w.array("parents") { w in for parent in parents { write(&w, parent, links) } }
        case .ids: w.field("parents", Self.chain(parents))
        case nil: break
        }
        switch request.subtree {
        case .list: w.array("subtree") { w in for child in subtree { write(&w, child, links) } }
        case .ids: w.field("subtree", Self.nested(project.id, subtree))
        case nil: break
        }
    }

    private func write(_ w: inout JSONWriter, _ project: ProjectRecord, _ links: IdentityLinks) {
        w.object { w in
            w.object("project") { w in
                ProjectWire.members(&w, project, links)
                if request.withLimits {
                    w.array("limits") { w in
                        for limit in limits[project.id] ?? [] { LimitWire.write(&w, limit, links: nil) }
                    }
                }
            }
        }
    }

    /// {"parent": {"grandparent": {"domain": null}}}
    static func chain(_ parents: [ProjectRecord]) -> JSON {
        parents.reversed().reduce(JSON.null) { inner, project in .object(.init([(project.id.text, inner)])) }
    }

    /// {"child": {"grandchild": null}, "other child": null}
    static func nested(_ root: ID<Project>, _ subtree: [ProjectRecord]) -> JSON {
        let children = Dictionary(grouping: subtree) { $0.parent ?? root }
        func below(_ id: ID<Project>) -> JSON {
            guard let found = children[id] else { return .null }
            return .object(.init(found.map { ($0.id.text, below($0.id)) }))
        }
        return below(root)
    }
}
