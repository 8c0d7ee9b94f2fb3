// SPDX-License-Identifier: Apache-2.0
// A statement of written-out pieces and bound values, for lists with optional filters. Text of a client can only come
// in as a value. In pieces, "?" stands for the next value.
//
//     var query = Query("SELECT id, name FROM project")
//     query.filter("domain_id = ?", .id(domain))
//     query.append("ORDER BY id LIMIT ?", .int(limit))

package struct Query: Sendable {
    package private(set) var text: String
    package private(set) var arguments: [SQLValue] = []
    private var hasFilter = false

    package init(_ head: StaticString, _ values: SQLValue...) {
        text = ""
        add(head, values)
    }

    /// Adds "WHERE …" the first time and "AND …" after.
    package mutating func filter(_ condition: StaticString, _ values: SQLValue...) {
        text += hasFilter ? " AND " : " WHERE "
        hasFilter = true
        add(condition, values)
    }

    package mutating func append(_ piece: StaticString, _ values: SQLValue...) {
        text += " "
        add(piece, values)
    }

    /// Adds "WHERE column IN ($1, …)"; an empty list matches nothing.
    package mutating func filter(_ column: StaticString, in values: [SQLValue]) {
        text += hasFilter ? " AND " : " WHERE "
        hasFilter = true
        guard !values.isEmpty else { return text += "1 = 0" }
        text += "\(column) IN ("
        for (i, value) in values.enumerated() {
            arguments.append(value)
            text += i == 0 ? "$\(arguments.count)" : ", $\(arguments.count)"
        }
        text += ")"
    }

    private mutating func add(_ piece: StaticString, _ values: [SQLValue]) {
        var rest = values[...]
        for character in piece.description.unicodeScalars {
            if character == "?", let value = rest.popFirst() {
                arguments.append(value)
                text += "$\(arguments.count)"
            } else {
                text.unicodeScalars.append(character)
            }
        }
        precondition(rest.isEmpty, "more values than '?' in a statement's piece")
    }
}
