// SPDX-License-Identifier: Apache-2.0
// What all of identity's answers share: links, list envelopes, paging.

import Core
import HTTP
import JSON

package struct IdentityLinks: Sendable {
    /// "http://127.0.0.1:5000/identity/v3"
    package let base: String
    package init(_ settings: IdentitySettings) { base = settings.publicURL + "/identity/v3" }

    /// "links": {"self": …}
    package func write(_ w: inout JSONWriter, _ path: String...) {
        w.object("links") { w in w.field("self", base + path.joined()) }
    }

    /// Where the next page of a list is.
    static func next(_ url: String, _ query: QueryParameters, marker: String, _ limit: Int) -> String {
        var items = query.items.filter { $0.name != "marker" && $0.name != "limit" }
        items.append(("limit", String(limit)))
        items.append(("marker", marker))
        return url + "?"
            + items.map { PercentEncoding.query($0.name) + "=" + PercentEncoding.query($0.value) }.joined(
                separator: "&")
    }
}

/// A page of a list: keyset paging by id, so that a page costs what it returns.
package struct PageRequest: Sendable {
    package let limit: Int
    /// The id of the last row of the page before.
    package let marker: String?
    /// A client that sets no limit gets all rows, in pages only when there are more than the largest page.
    package let isExplicit: Bool

    /// As much as one answer may hold, from the start.
    static let whole = PageRequest()

    private init() { (limit, marker, isExplicit) = (Limits.largestPageRows, nil, false) }

    package init(_ call: Call) throws {
        marker = call.query["marker"]
        guard let text = call.query["limit"] else {
            limit = Limits.largestPageRows
            isExplicit = false
            return
        }
        guard let value = Int(text), value > 0 else {
            throw CloudError.badRequest("Invalid input for field 'limit': it must be a whole number above 0.")
        }
        limit = min(value, Limits.largestPageRows)
        isExplicit = true
    }
}

extension PageRequest {
    /// This page, and one element more when there are more, of elements that are all at hand.
    func cut<Element>(_ elements: [Element], _ id: (Element) -> String) -> [Element] {
        let sorted = elements.map { (id($0), $0) }.sorted { $0.0 < $1.0 }
        let rest = marker.map { marker in sorted.drop { $0.0 <= marker } } ?? sorted[...]
        return rest.prefix(limit + 1).map(\.1)
    }
}

extension Response {
    /// {"users": [...], "links": {"next", "self", "previous"}}: rows beyond the page's limit tell that there is a
    /// next one, so stores ask for one row more than the limit.
    package static func list<Element>(
        _ name: StaticString, _ elements: [Element], page: PageRequest, call: Call, links: IdentityLinks,
        id: (Element) -> String, _ write: (inout JSONWriter, Element) -> Void
    ) -> Response {
        let hasMore = elements.count > page.limit
        let shown = hasMore ? elements[..<page.limit] : elements[...]
        let path = call.request.head.pathText
        let selfURL = links.base + String(path.dropFirst("/identity/v3".count))
        return .json(capacity: 256 + shown.count * 320) { w in
            w.object { w in
                w.array(name) { w in for element in shown { write(&w, element) } }
                w.object("links") { w in
                    w.field(
                        "next",
                        orNull: hasMore
                            ? shown.last.map { IdentityLinks.next(selfURL, call.query, marker: id($0), page.limit) }
                            : nil)
                    w.field("self", call.query.items.isEmpty ? selfURL : selfURL + "?" + call.request.head.queryText)
                    w.field("previous", orNull: String?.none)
                }
                if hasMore { w.field("truncated", true) }
            }
        }
    }
}

package enum PercentEncoding {
    /// Everything but unreserved characters is escaped.
    package static func query(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e:
                out.unicodeScalars.append(Unicode.Scalar(byte))
            default: out += "%" + Hex.text([byte]).uppercased()
            }
        }
        return out
    }
}
