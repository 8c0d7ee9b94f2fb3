// SPDX-License-Identifier: Apache-2.0
// A statement of written-out pieces and bound values, for lists with optional filters. Text of a client can only come
// in as a value. In pieces, "?" stands for the next value.
//
//     var query = Query("SELECT id, name FROM project")
//     query.filter("domain_id = ?", .id(domain))
//     query.append("ORDER BY id LIMIT ?", .int(limit))

package struct Query: Sendable {
    /// UTF-8; a statement is put together for every request that lists, so this is plain copying.
    private var bytes: [UInt8] = []
    package private(set) var arguments: [SQLValue] = []
    private var hasFilter = false

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    package init(_ head: StaticString, _ values: SQLValue...) {
        bytes.reserveCapacity(512)
        add(head, values)
    }

    /// Adds "WHERE …" the first time and "AND …" after.
    package mutating func filter(_ condition: StaticString, _ values: SQLValue...) {
        addConjunction()
        add(condition, values)
    }

    package mutating func append(_ piece: StaticString, _ values: SQLValue...) {
        bytes.append(UInt8(ascii: " "))
        add(piece, values)
    }

    /// Adds "WHERE column IN ($1, …)"; an empty list matches nothing.
    package mutating func filter(_ column: StaticString, in values: [SQLValue]) {
        addConjunction()
        guard !values.isEmpty else { return add("1 = 0", []) }
        add(column, [])
        add(" IN (", [])
        for (i, value) in values.enumerated() {
            if i > 0 { add(", ", []) }
            addParameter(value)
        }
        add(")", [])
    }

    private mutating func addConjunction() {
        add(hasFilter ? " AND " : " WHERE ", [])
        hasFilter = true
    }

    private mutating func addParameter(_ value: SQLValue) {
        arguments.append(value)
        bytes.append(UInt8(ascii: "$"))
        bytes.append(contentsOf: String(arguments.count).utf8)
    }

    private mutating func add(_ piece: StaticString, _ values: [SQLValue]) {
        var rest = values[...]
        piece.withUTF8Buffer { utf8 in
            var start = 0
            while !rest.isEmpty, let mark = utf8[start...].firstIndex(of: UInt8(ascii: "?")),
                let value = rest.popFirst()
            {
                bytes.append(contentsOf: utf8[start..<mark])
                addParameter(value)
                start = mark + 1
            }
            bytes.append(contentsOf: utf8[start...])
        }
        precondition(rest.isEmpty, "more values than '?' in a statement's piece")
    }
}
