// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Core

struct MetricsTests {
    @Test func `the page is Prometheus text, in order of names`() {
        let metrics = Metrics()
        metrics.counter("requests_total", help: "Requests.", labels: "service=\"identity\"").add(3)
        metrics.counter("requests_total", help: "Requests.", labels: "service=\"image\"").add()
        metrics.gauge("connections", help: "Open connections.") { 12 }
        #expect(
            metrics.text == """
                # HELP connections Open connections.
                # TYPE connections gauge
                connections 12.0
                # HELP requests_total Requests.
                # TYPE requests_total counter
                requests_total{service="identity"} 3
                requests_total{service="image"} 1

                """)
    }

    @Test func `asking again gives the same counter`() {
        let metrics = Metrics()
        let first = metrics.counter("a", help: "A."), again = metrics.counter("a", help: "A.")
        #expect(first === again)
        #expect(metrics.counter("a", help: "A.", labels: "x=\"1\"") !== first)
        #expect(metrics.histogram("h", help: "H.") === metrics.histogram("h", help: "H."))
    }

    @Test func `a histogram counts up to each bound`() {
        let metrics = Metrics()
        let histogram = metrics.histogram("seconds", help: "Durations.", labels: "route=\"a\"")
        for microseconds in [1, 100, 101, 5_000_000, 5_000_001, 100_000_000] {
            histogram.record(microseconds: microseconds)
        }
        let lines = metrics.text.split(separator: "\n").map(String.init)
        #expect(lines.contains("# TYPE seconds histogram"))
        #expect(lines.contains("seconds_bucket{route=\"a\",le=\"0.0001\"} 2"))
        #expect(lines.contains("seconds_bucket{route=\"a\",le=\"0.00025\"} 3"))
        #expect(lines.contains("seconds_bucket{route=\"a\",le=\"5.0\"} 4"))
        #expect(lines.contains("seconds_bucket{route=\"a\",le=\"+Inf\"} 6"))
        #expect(lines.contains("seconds_count{route=\"a\"} 6"))
        #expect(lines.contains { $0.hasPrefix("seconds_sum{route=\"a\"} 110.000") })
        #expect(lines.filter { $0.hasPrefix("seconds_bucket") }.count == Histogram.boundsMicroseconds.count + 1)
    }

    @Test func `counting from many tasks loses nothing`() async {
        let metrics = Metrics()
        let counter = metrics.counter("n", help: "N."), histogram = metrics.histogram("h", help: "H.")
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        counter.add()
                        histogram.record(microseconds: 10)
                    }
                }
            }
        }
        #expect(counter.value == 8000)
        #expect(metrics.text.contains("h_count{} 8000"))
    }
}
