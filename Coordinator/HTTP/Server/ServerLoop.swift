// SPDX-License-Identifier: Apache-2.0
// What the connections of one event loop share: scratch memory, the date, request ids, the log lines, the list of
// connections. Confined to the loop's thread, so none of it needs a lock.

import Core
import EventLoop
import Glibc
import Synchronization

final class ServerLoop: @unchecked Sendable {
    // Safe: created before its loop starts, then used on the loop's thread only; the constants may be read anywhere.
    static let scratchBytes = 64 * 1024

    let loop: EventLoop
    let dispatcher: Dispatcher
    let limits: HTTPLimits
    let proxies: TrustedProxies
    let traffic: ServerTraffic
    let accessLog: AccessLog
    let input = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: scratchBytes)
    let output = ByteBuffer(capacity: scratchBytes)
    private(set) var connections: [Connection] = []
    private(set) var isDraining = false
    private let given = Atomic<Int>(0)
    private var ids: RequestIDs
    private var dateSecond: Int64 = -1
    private var dateLine: [UInt8] = []

    init(
        _ loop: EventLoop, _ dispatcher: Dispatcher, _ limits: HTTPLimits, _ proxies: TrustedProxies,
        _ traffic: ServerTraffic, _ log: Log
    ) {
        self.loop = loop
        self.dispatcher = dispatcher
        self.limits = limits
        self.proxies = proxies
        self.traffic = traffic
        accessLog = AccessLog(log, loop)
        ids = RequestIDs(SystemEntropy())
    }

    deinit { input.deallocate() }

    func nextID() -> String { ids.next() }

    /// "Date: …", made anew once a second.
    func appendDate(_ now: Instant) {
        if now.seconds != dateSecond {
            dateSecond = now.seconds
            dateLine = Array("\r\nDate: \(HTTPDate.text(now))".utf8)
        }
        output.append(dateLine)
    }

    // MARK: Connections

    /// Connections given to this loop, told apart from `connections` because those may still be on their way.
    var load: Int { given.load(ordering: .relaxed) }
    func willAdd() { given.add(1, ordering: .relaxed) }

    func add(_ connection: Connection) {
        connection.place = connections.count
        connections.append(connection)
    }

    func remove(_ connection: Connection) {
        guard let last = connections.popLast() else { return }
        if last !== connection {
            connections[connection.place] = last
            last.place = connection.place
        }
        didClose()
    }

    /// Gives a connection's place free.
    func didClose() {
        given.subtract(1, ordering: .relaxed)
        traffic.closed()
    }

    /// Idle connections end at once, the others after the answer under way.
    func drain() {
        isDraining = true
        for connection in connections { connection.drain() }
    }

    func closeAll() {
        for connection in connections { connection.close() }
        accessLog.close()
    }
}
