// SPDX-License-Identifier: Apache-2.0
// Waits for NOTIFY on a connection and a thread of its own. A notification is a hint that saves waiting for the next
// poll: one that is lost with a connection costs a delay and nothing else, so after each reconnect the handler is
// called once.

import CPostgres
import EventLoop
import Glibc
import Synchronization

final class PostgresListener: Sendable {
    private let isStopped = Atomic<Bool>(false)

    init(_ location: String, _ channel: String, _ handler: @escaping @Sendable () -> Void) {
        startThread(name: "pg-listen") { [self] in
            while !isStopped.load(ordering: .relaxed) {
                do {
                    try listen(location, channel, handler)
                } catch {
                    Monotonic.sleep(milliseconds: Int.random(in: 500...1500))
                }
            }
        }
    }

    /// The thread ends within a second.
    func stop() { isStopped.store(true, ordering: .relaxed) }

    private func listen(
        _ location: String, _ channel: String, _ handler: @Sendable () -> Void
    ) throws(DatabaseError) {
        let wire = try PostgresWire(location)
        try wire.send("LISTEN \(channel)")
        _ = try wire.results(until: Monotonic.after(seconds: 5))
        handler()
        while !isStopped.load(ordering: .relaxed) {
            if try wire.waitForNotification(until: Monotonic.after(seconds: 1)) { handler() }
        }
    }
}
