// SPDX-License-Identifier: Apache-2.0
// What /metrics tells of one service: requests by class of status, and how long they took.

import Core

package final class ServiceTraffic: Sendable {
    private let classes: [Counter]
    private let seconds: Histogram

    init(_ service: String, _ metrics: Metrics) {
        classes = (1...5).map { digit in
            metrics.counter(
                "martlet_http_requests_total", help: "Requests answered, by service and class of status.",
                labels: "service=\"\(service)\",status=\"\(digit)xx\"")
        }
        seconds = metrics.histogram(
            "martlet_http_request_seconds", help: "Time from the request's head to the end of its answer.",
            labels: "service=\"\(service)\"")
    }

    func record(status: Int, microseconds: Int) {
        classes[min(max(status / 100, 1), 5) - 1].add()
        seconds.record(microseconds: microseconds)
    }
}
