// SPDX-License-Identifier: Apache-2.0
// One answer of the server: its state, its rows as values. Booleans read as 0 and 1, sums (numeric) as integers when
// whole, as both are in SQLite.

import CPostgres
import Glibc

final class PostgresResult {
    private let handle: OpaquePointer
    init(_ handle: OpaquePointer) { self.handle = handle }
    deinit { PQclear(handle) }

    var status: ExecStatusType { PQresultStatus(handle) }
    var isGood: Bool { status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK }

    /// "COMMIT", "ROLLBACK", "INSERT 0 1" …
    var command: String { String(cString: PQcmdStatus(handle)) }
    /// Rows touched by an INSERT, UPDATE or DELETE; 0 for the rest.
    var changes: Int { Int(String(cString: PQcmdTuples(handle))) ?? 0 }

    var rows: [Row] {
        let columns = PQnfields(handle)
        let types = (0..<columns).map { PQftype(handle, $0) }
        return (0..<PQntuples(handle)).map { row in
            Row((0..<columns).map { value(row, $0, types[Int($0)]) })
        }
    }

    private func value(_ row: Int32, _ column: Int32, _ type: Oid) -> SQLValue {
        guard PQgetisnull(handle, row, column) == 0, let start = PQgetvalue(handle, row, column) else { return .null }
        let count = Int(PQgetlength(handle, row, column))
        switch type {
        case Self.bigint, Self.smallint, Self.integer: return .int(Int64(atoll(start)))
        case Self.boolean: return .int(start.pointee == CChar(UInt8(ascii: "t")) ? 1 : 0)
        case Self.bytea: return .blob(bytes(start, count))
        case Self.real, Self.double: return .real(strtod(start, nil))
        case Self.numeric:
            let text = String(cString: start)
            return Int64(text).map { .int($0) } ?? .real(strtod(start, nil))
        default:
            return start.withMemoryRebound(to: UInt8.self, capacity: count) {
                .text(String(decoding: UnsafeBufferPointer(start: $0, count: count), as: UTF8.self))
            }
        }
    }

    /// bytea comes as "\x" and hexadecimal digits.
    private func bytes(_ start: UnsafeMutablePointer<CChar>, _ count: Int) -> [UInt8] {
        guard count >= 2 else { return [] }
        func digit(_ at: Int) -> UInt8 {
            let byte = UInt8(bitPattern: start[at])
            return byte < 0x40 ? byte & 15 : (byte & 15) + 9
        }
        return (0..<(count - 2) / 2).map { digit(2 + $0 * 2) << 4 | digit(3 + $0 * 2) }
    }

    static let boolean: Oid = 16, bytea: Oid = 17, bigint: Oid = 20, smallint: Oid = 21, integer: Oid = 23
    static let text: Oid = 25, real: Oid = 700, double: Oid = 701, numeric: Oid = 1700

    // MARK: Errors

    /// The five characters of an error; empty when the connection is gone.
    var state: String { PQresultErrorField(handle, Int32(UInt8(ascii: "C"))).map { String(cString: $0) } ?? "" }

    var error: DatabaseError {
        let state = state
        var message = String(cString: PQresultErrorMessage(handle))
        while message.hasSuffix("\n") { message.removeLast() }
        return DatabaseError(Self.kind(state), "\(message) (PostgreSQL \(state.isEmpty ? "connection" : state))")
    }

    private static func kind(_ state: String) -> DatabaseError.Kind {
        switch state {
        case "23505": .unique
        case "23503": .foreignKey
        // Serialization failure, deadlock; a plan or a prepared statement that the schema outdated.
        case "40001", "40P01", "0A000", "26000": .serialization
        case "53100": .full
        case "22021", "22P05": .badValue
        // Stopped: by the time limit, by an operator, by a shutdown; out of memory, out of connections.
        case "", "57014", "57P01", "57P02", "57P03", "57P05", "25P03", "55P03", "53000", "53200", "53300": .unavailable
        default: state.hasPrefix("08") ? .unavailable : state.hasPrefix("58") ? .unavailable : .other
        }
    }
}
