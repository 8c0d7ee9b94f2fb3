// SPDX-License-Identifier: Apache-2.0
// Arguments in PostgreSQL's text form, in one run of bytes. The server works out their types from where they stand;
// where it cannot ("SELECT $1"), the statement is prepared again with the types of the values.

import CPostgres
import Core

struct PostgresParameters {
    private var arena: [CChar] = []
    private var starts: [Int] = []
    let types: [Oid]

    init(_ arguments: [SQLValue]) throws(DatabaseError) {
        types = arguments.map {
            switch $0 {
            case .int: PostgresResult.bigint
            case .real: PostgresResult.double
            case .blob: PostgresResult.bytea
            case .text, .null: PostgresResult.text
            }
        }
        for argument in arguments {
            switch argument {
            case .null: starts.append(-1)
            case .int(let value): add("\(value)")
            case .real(let value): add("\(value)")
            case .blob(let bytes): add("\\x" + Hex.text(bytes))
            case .text(let text):
                if text.utf8.contains(0) { throw DatabaseError(.badValue, "a text holds a NUL character") }
                add(text)
            }
        }
    }

    var count: Int { starts.count }

    private mutating func add(_ text: String) {
        starts.append(arena.count)
        arena.append(contentsOf: text.utf8.lazy.map { CChar(bitPattern: $0) })
        arena.append(0)
    }

    func withPointers<T>(_ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> T) -> T {
        arena.withUnsafeBufferPointer { arena in
            let pointers = starts.map { start in start < 0 ? nil : arena.baseAddress.map { $0 + start } }
            return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
        }
    }
}
