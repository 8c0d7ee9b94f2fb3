// SPDX-License-Identifier: Apache-2.0
// The filters of a list that is small enough to be searched in memory, as the catalog's are: "type=image",
// "name__icontains=nova". A filter on an attribute that the list does not offer is ignored, as Keystone does.

import Core
import HTTP

struct TextFilters: Sendable {
    private enum Comparison: String, Sendable { case equals, contains, startswith, endswith }

    private struct Filter: Sendable {
        let attribute: String
        let comparison: Comparison
        let value: String
        let ignoresCase: Bool

        func matches(_ text: String) -> Bool {
            let text = ignoresCase ? text.lowercased() : text
            return switch comparison {
            case .equals: text == value
            case .startswith: text.hasPrefix(value)
            case .endswith: text.hasSuffix(value)
            case .contains: value.isEmpty || Self.holds(Array(text.utf8), Array(value.utf8))
            }
        }

        private static func holds(_ text: [UInt8], _ part: [UInt8]) -> Bool {
            guard text.count >= part.count else { return false }
            return (0...text.count - part.count).contains { text[$0..<$0 + part.count].elementsEqual(part) }
        }
    }
    private let filters: [Filter]

    init(_ query: QueryParameters, on attributes: [String]) {
        filters = query.items.compactMap { item in
            guard let attribute = attributes.first(where: { item.name == $0 || item.name.hasPrefix($0 + "__") })
            else { return nil }
            guard item.name != attribute else {
                return Filter(attribute: attribute, comparison: .equals, value: item.value, ignoresCase: false)
            }
            let word = String(item.name.dropFirst(attribute.count + 2))
            if let comparison = Comparison(rawValue: word) {
                return Filter(attribute: attribute, comparison: comparison, value: item.value, ignoresCase: false)
            }
            guard word.hasPrefix("i"), let comparison = Comparison(rawValue: String(word.dropFirst())) else {
                return nil
            }
            return Filter(
                attribute: attribute, comparison: comparison, value: item.value.lowercased(), ignoresCase: true)
        }
    }

    /// Whether a thing passes every filter; `value` gives its attribute, nil when it has none.
    func match(_ value: (String) -> String?) -> Bool {
        filters.allSatisfy { filter in value(filter.attribute).map(filter.matches) ?? false }
    }
}

extension PageRequest {
    /// The rows of this page and one more if there is one, of a list that is in memory whole.
    func cut<Element>(_ elements: [Element], id: (Element) -> String) -> [Element] {
        let sorted = elements.sorted { id($0) < id($1) }
        guard let marker else { return Array(sorted.prefix(limit + 1)) }
        return Array(sorted.drop { id($0) <= marker }.prefix(limit + 1))
    }
}
