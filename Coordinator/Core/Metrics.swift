// SPDX-License-Identifier: Apache-2.0
// Counters, gauges and histograms in Prometheus' text format. A metric is registered once and then held by whoever
// counts with it: counting is one atomic addition, no look-up by name.

import Synchronization

package final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    package func add(_ amount: Int = 1) { count.add(amount, ordering: .relaxed) }
    package var value: Int { count.load(ordering: .relaxed) }
}

/// Durations in power-of-two buckets of microseconds.
package final class Histogram: Sendable {
    package static let boundsMicroseconds = [
        100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000,
    ]
    private let buckets = Mutex([Int](repeating: 0, count: boundsMicroseconds.count + 1))
    private let sum = Atomic<Int>(0)

    package func record(microseconds: Int) {
        let slot = Self.boundsMicroseconds.firstIndex { microseconds <= $0 } ?? Self.boundsMicroseconds.count
        buckets.withLock { $0[slot] += 1 }
        sum.add(microseconds, ordering: .relaxed)
    }

    func write(_ name: String, _ labels: String, into out: inout String) {
        let counts = buckets.withLock { $0 }
        var total = 0
        let comma = labels.isEmpty ? "" : ","
        for (bound, count) in zip(Self.boundsMicroseconds, counts) {
            total += count
            out += "\(name)_bucket{\(labels)\(comma)le=\"\(Double(bound) / 1e6)\"} \(total)\n"
        }
        total += counts.last ?? 0
        out += "\(name)_bucket{\(labels)\(comma)le=\"+Inf\"} \(total)\n"
        out +=
            "\(name)_sum{\(labels)} \(Double(sum.load(ordering: .relaxed)) / 1e6)\n\(name)_count{\(labels)} \(total)\n"
    }
}

package final class Metrics: Sendable {
    private enum Kind { case counter(Counter), histogram(Histogram), gauge(@Sendable () -> Double) }
    private struct Family { var help: String, type: String, members: [(labels: String, kind: Kind)] }
    private let families = Mutex<[String: Family]>([:])

    package init() {}

    /// `labels` is the inside of the braces: "service=\"identity\"". Asking again for the same one gives the same
    /// counter.
    package func counter(_ name: String, help: String, labels: String = "") -> Counter {
        let new = Counter()
        if case .counter(let old) = add(name, help, "counter", labels, .counter(new)) { return old }
        return new
    }

    package func histogram(_ name: String, help: String, labels: String = "") -> Histogram {
        let new = Histogram()
        if case .histogram(let old) = add(name, help, "histogram", labels, .histogram(new)) { return old }
        return new
    }

    /// Read when the metrics are asked for.
    package func gauge(_ name: String, help: String, labels: String = "", _ read: @escaping @Sendable () -> Double) {
        _ = add(name, help, "gauge", labels, .gauge(read))
    }

    private func add(_ name: String, _ help: String, _ type: String, _ labels: String, _ kind: Kind) -> Kind? {
        families.withLock { families in
            if let known = families[name]?.members.first(where: { $0.labels == labels }) { return known.kind }
            families[name, default: Family(help: help, type: type, members: [])].members.append((labels, kind))
            return nil
        }
    }

    /// The whole page at /metrics.
    package var text: String {
        let families = families.withLock { $0 }
        var out = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            out += "# HELP \(name) \(family.help)\n# TYPE \(name) \(family.type)\n"
            for (labels, kind) in family.members {
                let braces = labels.isEmpty ? "" : "{\(labels)}"
                switch kind {
                case .counter(let counter): out += "\(name)\(braces) \(counter.value)\n"
                case .gauge(let read): out += "\(name)\(braces) \(read())\n"
                case .histogram(let histogram): histogram.write(name, labels, into: &out)
                }
            }
        }
        return out
    }
}
