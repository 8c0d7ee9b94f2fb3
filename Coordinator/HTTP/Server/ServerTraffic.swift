// SPDX-License-Identifier: Apache-2.0
// What all loops of a server count together.

import Core
import Synchronization

final class ServerTraffic: Sendable {
    private let open = Atomic<Int>(0)
    private let accepted: Counter
    private let refused: Counter
    let received: Counter
    let sent: Counter

    init(_ metrics: Metrics) {
        accepted = metrics.counter("martlet_http_connections_total", help: "Connections accepted.")
        refused = metrics.counter(
            "martlet_http_connections_refused_total", help: "Connections refused, there being too many.")
        received = metrics.counter("martlet_http_received_bytes_total", help: "Bytes of requests received.")
        sent = metrics.counter("martlet_http_sent_bytes_total", help: "Bytes of answers sent.")
    }

    var connections: Int { open.load(ordering: .relaxed) }

    /// Takes a place for a connection; false when all are taken.
    func take(_ most: Int) -> Bool {
        if open.add(1, ordering: .relaxed).newValue > most {
            open.subtract(1, ordering: .relaxed)
            refused.add()
            return false
        }
        accepted.add()
        return true
    }

    func closed() { open.subtract(1, ordering: .relaxed) }
}
