// SPDX-License-Identifier: Apache-2.0
// The libpq handle in pipeline mode: several commands are sent together and answered in one round trip. Every wait
// has a deadline; a server that does not answer in time costs the connection, never the thread.

import CPostgres
import Core
import Glibc

final class PostgresWire {
    private let handle: OpaquePointer
    /// Nothing more can be sent: the connection is gone or in an unknown state.
    private(set) var isBroken = false

    /// Blocks for at most a few seconds.
    init(_ location: String) throws(DatabaseError) {
        let options: [(String, String)] = [
            ("dbname", location), ("fallback_application_name", "martlet"), ("connect_timeout", "5"),
            ("client_encoding", "UTF8"), ("keepalives_idle", "30"), ("keepalives_interval", "10"),
            ("keepalives_count", "3"),
            ("tcp_user_timeout", "\(Limits.databaseSeconds * 1000)"),
        ]
        let made = Self.withStrings(options.map(\.0)) { names in
            Self.withStrings(options.map(\.1)) { values in PQconnectdbParams(names, values, 1) }
        }
        guard let made else { throw DatabaseError(.unavailable, "out of memory") }
        handle = made
        guard PQstatus(made) == CONNECTION_OK, PQsetnonblocking(made, 1) == 0, PQenterPipelineMode(made) == 1 else {
            // The object is complete here, so deinit closes the handle.
            throw DatabaseError(.unavailable, Self.message(made))
        }
    }

    deinit { PQfinish(handle) }

    private static func withStrings<T>(_ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> T) -> T {
        let copies = texts.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        let pointers: [UnsafePointer<CChar>?] = copies.map { $0.map { UnsafePointer($0) } } + [nil]
        return pointers.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map(body) ?? withUnsafePointer(to: nil) { body($0) }
        }
    }

    private static func message(_ handle: OpaquePointer) -> String {
        var text = PQerrorMessage(handle).map { String(cString: $0) } ?? "no reason given"
        while text.hasSuffix("\n") { text.removeLast() }
        return text
    }

    private func broken() -> DatabaseError {
        isBroken = true
        return DatabaseError(.unavailable, Self.message(handle))
    }

    var socket: Int32 { PQsocket(handle) }

    // MARK: Sending

    func send(_ command: String) throws(DatabaseError) {
        try sent(PQsendQueryParams(handle, command, 0, nil, nil, nil, nil, 0))
    }

    func sendPrepare(_ name: String, _ text: String, types: [Oid]) throws(DatabaseError) {
        try sent(types.withUnsafeBufferPointer { PQsendPrepare(handle, name, text, Int32($0.count), $0.baseAddress) })
    }

    func sendPrepared(_ name: String, _ parameters: PostgresParameters) throws(DatabaseError) {
        try sent(
            parameters.withPointers { PQsendQueryPrepared(handle, name, Int32(parameters.count), $0, nil, nil, 0) })
    }

    private func sent(_ code: Int32) throws(DatabaseError) { if code != 1 { throw broken() } }

    // MARK: Receiving

    /// Ends the batch and returns one result for each command sent in it.
    func results(until deadline: UInt64) throws(DatabaseError) -> [PostgresResult] {
        try sent(PQpipelineSync(handle))
        try flush(until: deadline)
        var results: [PostgresResult] = []
        while true {
            try waitForResult(until: deadline)
            guard let raw = PQgetResult(handle) else {
                // The end of one command's results, or of everything.
                if PQstatus(handle) == CONNECTION_BAD { throw broken() }
                continue
            }
            let result = PostgresResult(raw)
            if result.status == PGRES_PIPELINE_SYNC { return results }
            results.append(result)
            if PQstatus(handle) == CONNECTION_BAD {
                isBroken = true
                throw result.error
            }
        }
    }

    private func flush(until deadline: UInt64) throws(DatabaseError) {
        while true {
            let left = PQflush(handle)
            if left == 0 { return }
            if left < 0 { throw broken() }
            try wait(for: POLLIN | POLLOUT, until: deadline)
            if PQconsumeInput(handle) == 0 { throw broken() }
        }
    }

    private func waitForResult(until deadline: UInt64) throws(DatabaseError) {
        while PQisBusy(handle) != 0 {
            try wait(for: POLLIN, until: deadline)
            if PQconsumeInput(handle) == 0 { throw broken() }
        }
    }

    private func wait(for events: Int32, until deadline: UInt64) throws(DatabaseError) {
        var descriptor = pollfd(fd: PQsocket(handle), events: Int16(truncatingIfNeeded: events), revents: 0)
        while true {
            let now = Monotonic.now
            guard now < deadline else {
                isBroken = true
                throw DatabaseError(.unavailable, "the server did not answer in time")
            }
            let milliseconds = Int32(clamping: (deadline - now) / 1_000_000 + 1)
            let ready = poll(&descriptor, 1, milliseconds)
            if ready > 0 { return }
            if ready < 0 && errno != EINTR { throw broken() }
        }
    }

    // MARK: Notifications

    /// Waits for one; false when none came before the deadline.
    func waitForNotification(until deadline: UInt64) throws(DatabaseError) -> Bool {
        while true {
            if let note = PQnotifies(handle) {
                PQfreemem(note)
                return true
            }
            var descriptor = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
            let now = Monotonic.now
            guard now < deadline else { return false }
            let ready = poll(&descriptor, 1, Int32(clamping: (deadline - now) / 1_000_000 + 1))
            if ready < 0 && errno != EINTR { throw broken() }
            if ready > 0, PQconsumeInput(handle) == 0 { throw broken() }
        }
    }
}
