// SPDX-License-Identifier: Apache-2.0
// A region: a place that endpoints are in. Clients choose its id, and regions nest.

import Core
import HTTP
import JSON

package struct RegionRecord: Sendable {
    package var id: ID<Region>
    package var description: String
    package var parent: ID<Region>?
    package var extra: JSON.Object

    package init(id: ID<Region>, description: String = "", parent: ID<Region>? = nil, extra: JSON.Object = [:]) {
        self.id = id
        self.description = description
        self.parent = parent
        self.extra = extra
    }

    func write(_ w: inout JSONWriter, _ links: IdentityLinks) {
        w.object { w in
            w.field("id", id.text)
            w.field("description", description)
            w.field("parent_region_id", orNull: parent?.text)
            w.members(extra)
            links.write(&w, "/regions/", PercentEncoding.query(id.text))
        }
    }

    /// Whether putting `child` below `parent` makes a circle; `parents` gives every region's parent.
    static func isCircular(_ child: ID<Region>, below parent: ID<Region>, _ parents: [ID<Region>: ID<Region>]) -> Bool {
        var seen: Set<ID<Region>> = [child]
        var next: ID<Region>? = parent
        while let region = next {
            if !seen.insert(region).inserted { return true }
            next = parents[region]
        }
        return false
    }
}

/// What a request asks of a region; nil where it is silent.
struct RegionDraft: Sendable {
    private static let known: Set<String> = ["id", "description", "parent_region_id", "links"]

    let id: String?
    let description: String?
    let setsParent: Bool
    let parent: ID<Region>?
    let extra: JSON.Object

    init(_ fields: RequestFields) throws {
        id = try Self.id(fields)
        description = fields.isNull("description") ? "" : try fields.optionalString("description")
        setsParent = fields.has("parent_region_id")
        parent = try fields.optionalString("parent_region_id", 1...255).map { ID($0) }
        extra = fields.extras(except: Self.known)
    }

    /// An id stands in URLs, so what would end or change a path is refused.
    private static func id(_ fields: RequestFields) throws -> String? {
        guard let id = try fields.optionalString("id", 0...255), !id.isEmpty else { return nil }
        let isSafe = id.unicodeScalars.allSatisfy {
            $0.value > 0x20 && $0.value != 0x7f && !"/?#%\\".unicodeScalars.contains($0)
        }
        guard isSafe, id != ".", id != ".." else {
            throw fields.invalid(
                "id", "it must be usable in a URL: no spaces, control characters, '/', '?', '#', '%' or '\\'")
        }
        return id
    }
}
