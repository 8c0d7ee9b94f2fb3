// SPDX-License-Identifier: Apache-2.0
// A list's filter on the column `name`, as Keystone's query parameters have it: name=x, name__contains=x,
// name__startswith=x, name__endswith=x, and each of the last three with an i before the word to leave the case aside.
//
// The conditions are portable: LIKE minds the case on PostgreSQL and not on SQLite, so none is used.

import Database
import HTTP

struct NameFilter: Sendable {
    enum Comparison: String, Sendable { case equals, contains, startswith, endswith }

    struct Condition: Sendable, Equatable {
        let comparison: Comparison
        let value: String
        let mindsCase: Bool
    }

    let conditions: [Condition]

    init(_ query: QueryParameters) {
        conditions = query.items.compactMap { item in
            if item.name == "name" { return Condition(comparison: .equals, value: item.value, mindsCase: true) }
            guard item.name.hasPrefix("name__"), !item.value.isEmpty else { return nil }
            let word = String(item.name.dropFirst("name__".count))
            if let comparison = Comparison(rawValue: word), comparison != .equals {
                return Condition(comparison: comparison, value: item.value, mindsCase: true)
            }
            guard word.hasPrefix("i"), let comparison = Comparison(rawValue: String(word.dropFirst())),
                comparison != .equals
            else { return nil }
            return Condition(comparison: comparison, value: item.value.lowercased(), mindsCase: false)
        }
    }

    /// The one name that can match, when it is asked for as a whole.
    var exactName: String? { conditions.first { $0.comparison == .equals }?.value }

    func apply(to query: inout Query) {
        for condition in conditions {
            let value = SQLValue.text(condition.value)
            switch (condition.comparison, condition.mindsCase) {
            case (.equals, _): query.filter("name = ?", value)
            case (.contains, true): query.filter("replace(name, CAST(? AS TEXT), '') <> name", value)
            case (.contains, false): query.filter("replace(lower(name), CAST(? AS TEXT), '') <> lower(name)", value)
            case (.startswith, true): query.filter("substr(name, 1, length(CAST(? AS TEXT))) = ?", value, value)
            case (.startswith, false): query.filter("substr(lower(name), 1, length(CAST(? AS TEXT))) = ?", value, value)
            case (.endswith, true):
                query.filter(
                    """
                    length(name) >= length(CAST(? AS TEXT))
                    AND substr(name, length(name) - length(CAST(? AS TEXT)) + 1) = ?
                    """, value, value, value)
            case (.endswith, false):
                query.filter(
                    """
                    length(name) >= length(CAST(? AS TEXT))
                    AND substr(lower(name), length(name) - length(CAST(? AS TEXT)) + 1) = ?
                    """, value, value, value)
            }
        }
    }

    /// The same for a name that comes from elsewhere than our tables.
    func matches(_ name: String) -> Bool {
        conditions.allSatisfy { condition in
            let name = condition.mindsCase ? name : name.lowercased()
            return switch condition.comparison {
            case .equals: name == condition.value
            case .contains: name.contains(condition.value)
            case .startswith: name.hasPrefix(condition.value)
            case .endswith: name.hasSuffix(condition.value)
            }
        }
    }
}
