// SPDX-License-Identifier: Apache-2.0
import Core
import Glibc
import HTTP
import JSON
import Testing

@Suite struct AccessLogTests {
    /// Runs requests against a server that logs into a pipe; returns the log's lines and the metrics page.
    private func record(_ requests: @escaping @Sendable (RawClient) throws -> Void) async throws -> (
        lines: [JSON], metrics: String
    ) {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let log = Log(file: ends[1])
        let metrics = Metrics()
        var options = Dispatcher.Options()
        options.around = { handle in
            await handle()
            return 3
        }
        let dispatcher = try makeDispatcher(options: options, log: log, metrics: metrics)
        let server = try HTTPServer(HTTPServer.Options(), dispatcher: dispatcher, log: log, metrics: metrics)
        server.start()
        let port = server.port
        let page = try await onThread {
            let client = try RawClient(port: port)
            try requests(client)
            return try RawClient(port: port).get("/metrics").text
        }
        await server.drain(seconds: 1)
        log.flush()
        close(ends[1])
        let readEnd = ends[0]
        let text = try await onThread {
            var all: [UInt8] = []
            var bytes = [UInt8](repeating: 0, count: 65536)
            while true {
                let got = read(readEnd, &bytes, bytes.count)
                if got <= 0 { break }
                all += bytes[..<got]
            }
            close(readEnd)
            return String(decoding: all, as: UTF8.self)
        }
        return (try text.split(separator: "\n").map { try JSON.parse(Array($0.utf8)) }, page)
    }

    @Test func aRequestIsOneLineThatNamesItAndHidesItsQuery() async throws {
        let (lines, _) = try await record { client in
            let response = try client.get(
                "/test/mine?secret=1",
                "X-Auth-Token: admin\r\nX-OpenStack-Request-ID: req-01234567-89ab-4def-8123-456789abcdef\r\n")
            #expect(response.status == 200)
            _ = try client.get("/test/things/a%22b")
        }
        let line = try #require(lines.first { $0["path"]?.string == "/test/mine" })
        #expect(line["message"]?.string == "request")
        #expect(line["level"]?.string == "info")
        #expect(line["method"]?.string == "GET")
        #expect(line["service"]?.string == "test")
        #expect(line["route"]?.string == "/test/mine")
        #expect(line["status"]?.int == 200)
        #expect(line["statements"]?.int == 3)
        #expect(line["user"]?.string == "u1")
        #expect(line["project"]?.string == "p1")
        #expect(line["peer"]?.string == "127.0.0.1")
        #expect(line["global_request_id"]?.string == "req-01234567-89ab-4def-8123-456789abcdef")
        #expect(line["request_id"]?.string?.hasPrefix("req-") == true)
        #expect((line["bytes"]?.int ?? 0) > 100)
        #expect((line["ms"]?.double ?? -1) >= 0)
        #expect(Instant(text: line["time"]?.string ?? "") != nil)
        #expect(!lines.contains { $0.text.contains("secret") })
        #expect(lines.contains { $0["route"]?.string == "/test/things/{thing_id}" })
    }

    @Test func aRefusalIsALineToo() async throws {
        let (lines, _) = try await record { client in _ = try client.exchange("GET / HTTP/1.1\r\n\r\n") }
        let line = try #require(lines.first { $0["message"]?.string == "refused" })
        #expect(line["status"]?.int == 400)
        #expect(line["reason"]?.string == "The request has no Host header.")
    }

    @Test func requestsAreCountedByServiceAndClass() async throws {
        let (_, metrics) = try await record { client in
            for _ in 0..<3 { _ = try client.get("/test/small") }
            _ = try client.get("/test/nothing")
            _ = try client.get("/test/mine")
        }
        #expect(metrics.contains(#"martlet_http_requests_total{service="test",status="2xx"} 3"#))
        #expect(metrics.contains(#"martlet_http_requests_total{service="test",status="4xx"} 1"#))
        #expect(metrics.contains(#"martlet_http_requests_total{service="none",status="4xx"} 1"#))
        #expect(metrics.contains(#"martlet_http_request_seconds_count{service="test"} 4"#))
        #expect(metrics.contains("martlet_http_connections "))
    }
}
