// SPDX-License-Identifier: Apache-2.0
// One prepared statement: its parameters, its columns. SQLite numbers "$2" by where it first stands, not by its
// digits, so the order is read from the names once, when the statement is prepared.

import CSQLite
import Glibc

struct SQLiteStatement {
    let handle: OpaquePointer
    /// For each of SQLite's parameters, which argument it takes.
    private let order: [Int]
    private let argumentCount: Int

    init(_ text: String, _ connection: SQLiteConnection) throws(DatabaseError) {
        var prepared: OpaquePointer?
        var text = text
        let (code, isOne) = text.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) { text in
                var rest: UnsafePointer<CChar>?
                let code = sqlite3_prepare_v3(
                    connection.handle, text.baseAddress, Int32(text.count), UInt32(SQLITE_PREPARE_PERSISTENT),
                    &prepared, &rest)
                let used = rest.flatMap { rest in text.baseAddress.map { rest - $0 } } ?? 0
                return (code, text[used...].allSatisfy { $0 == 0x20 || $0 == 0x0a || $0 == 0x3b })
            }
        }
        guard code == SQLITE_OK else { throw connection.lastError }
        guard let prepared else { throw DatabaseError(.other, "an empty statement") }
        guard isOne else {
            sqlite3_finalize(prepared)
            throw DatabaseError(.other, "one statement at a time: \(text)")
        }
        var order: [Int] = []
        for i in 0..<sqlite3_bind_parameter_count(prepared) {
            let number = sqlite3_bind_parameter_name(prepared, i + 1).map { atoi($0 + 1) } ?? 0
            guard number > 0 else {
                sqlite3_finalize(prepared)
                throw DatabaseError(.other, "parameters are written $1, $2 …: \(text)")
            }
            order.append(Int(number) - 1)
        }
        handle = prepared
        self.order = order
        argumentCount = (order.max() ?? -1) + 1
    }

    func bind(_ arguments: [SQLValue], _ connection: SQLiteConnection) throws(DatabaseError) {
        guard arguments.count == argumentCount else {
            throw DatabaseError(.other, "a statement takes \(argumentCount) values, \(arguments.count) were given")
        }
        for (i, argument) in order.enumerated() {
            guard try bind(arguments[argument], Int32(i + 1)) == SQLITE_OK else { throw connection.lastError }
        }
    }

    private func bind(_ value: SQLValue, _ at: Int32) throws(DatabaseError) -> Int32 {
        switch value {
        case .null: return sqlite3_bind_null(handle, at)
        case .int(let value): return sqlite3_bind_int64(handle, at, value)
        case .real(let value): return sqlite3_bind_double(handle, at, value)
        case .text(var text):
            let code: Int32? = text.withUTF8 { utf8 in
                guard let base = utf8.baseAddress, utf8.count > 0 else {
                    return sqlite_bind_text_copy(handle, at, "", 0)
                }
                if memchr(base, 0, utf8.count) != nil { return nil }
                return utf8.withMemoryRebound(to: CChar.self) {
                    sqlite_bind_text_copy(handle, at, $0.baseAddress, Int32($0.count))
                }
            }
            guard let code else { throw DatabaseError(.badValue, "a text holds a NUL character") }
            return code
        case .blob(let bytes):
            if bytes.isEmpty { return sqlite3_bind_zeroblob(handle, at, 0) }
            return bytes.withUnsafeBytes { sqlite_bind_blob_copy(handle, at, $0.baseAddress, Int32($0.count)) }
        }
    }

    /// The row the statement stands on.
    var row: Row {
        let count = sqlite3_column_count(handle)
        return Row(
            [SQLValue](unsafeUninitializedCapacity: Int(count)) { out, initialized in
                for i in 0..<count { (out.baseAddress.map { $0 + Int(i) })?.initialize(to: column(i)) }
                initialized = Int(count)
            })
    }

    private func column(_ i: Int32) -> SQLValue {
        switch sqlite3_column_type(handle, i) {
        case SQLITE_INTEGER: return .int(sqlite3_column_int64(handle, i))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(handle, i))
        case SQLITE_TEXT:
            let start = sqlite3_column_text(handle, i)
            let bytes = UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, i)))
            return .text(String(decoding: bytes, as: UTF8.self))
        case SQLITE_BLOB:
            let start = sqlite3_column_blob(handle, i)
            return .blob(Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, i)))))
        default: return .null
        }
    }
}
