// SPDX-License-Identifier: Apache-2.0
// What every coordinator answers beside its services: the list of them at "/", /healthcheck and /metrics.

import Core
import JSON
import Synchronization

/// Whether this coordinator should be sent requests. Checks are asked with every /healthcheck, so they must be cheap.
package final class Health: Sendable {
    /// Returns nil when well, otherwise a sentence that says what is wrong.
    package typealias Check = @Sendable () async -> String?

    private let checks: [Check]
    private let draining = Atomic<Bool>(false)

    package init(checks: [Check] = []) { self.checks = checks }

    func drain() { draining.store(true, ordering: .relaxed) }

    /// What is wrong; empty when all is well.
    package func reasons() async -> [String] {
        if draining.load(ordering: .relaxed) { return ["The coordinator is shutting down."] }
        var reasons: [String] = []
        for check in checks {
            if let reason = await check() { reasons.append(reason) }
        }
        return reasons
    }
}

struct BuiltInRoutes: Service {
    let services: [ServiceDescription]
    let publicURL: String
    let health: Health
    let metrics: Metrics

    let description = ServiceDescription(name: "coordinator", type: "coordinator", mount: "", faults: .plain)

    var routes: [Route] {
        [
            Route(.get, "/", open: .open, index),
            Route(.get, "/healthcheck", open: .open, healthcheck),
            Route(.get, "/metrics", open: .open) { [metrics] _ in
                .text(.ok, metrics.text, type: "text/plain; version=0.0.4; charset=utf-8")
            },
        ]
    }

    @Sendable private func index(_ call: Call) async throws -> Response {
        .json { w in
            w.object { w in
                w.array("services") { w in
                    for service in services {
                        w.object { w in
                            w.field("name", service.name)
                            w.field("type", service.type)
                            w.field("url", publicURL + service.mount)
                        }
                    }
                }
            }
        }
    }

    @Sendable private func healthcheck(_ call: Call) async throws -> Response {
        let reasons = await health.reasons()
        let status = reasons.isEmpty ? HTTPStatus.ok : .serviceUnavailable
        guard call.request.head.value("accept")?.contains("application/json") ?? false else {
            return .text(status, reasons.isEmpty ? "OK" : reasons.joined(separator: "\n"))
        }
        return .json(status) { w in
            w.object { w in
                w.field("detailed", false)
                w.field("reasons", reasons.isEmpty ? ["OK"] : reasons)
            }
        }
    }
}
