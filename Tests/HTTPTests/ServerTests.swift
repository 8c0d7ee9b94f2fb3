// SPDX-License-Identifier: Apache-2.0
import Core
import Glibc
import HTTP
import Testing

@Suite struct ServerTests {
    @Test func aConnectionServesRequestAfterRequest() async throws {
        try await withServer { server in
            let client = try RawClient(port: server.port)
            for _ in 0..<5 {
                let response = try client.get("/test/small")
                #expect(response.status == 200)
                #expect(response.text == #"{"ok":true}"#)
                #expect(response["content-type"] == "application/json")
                #expect(response["x-openstack-request-id"]?.hasPrefix("req-") == true)
                #expect(response["date"]?.hasSuffix("GMT") == true)
            }
        }
    }

    @Test func everyRequestHasAnIDOfItsOwnWithTheFormOfAUUID() async throws {
        try await withServer { server in
            let client = try RawClient(port: server.port)
            var ids: Set<String> = []
            for _ in 0..<200 {
                let id = try #require(try client.get("/test/small")["x-openstack-request-id"])
                ids.insert(id)
                let groups = id.split(separator: "-")
                #expect(groups.map(\.count) == [3, 8, 4, 4, 4, 12])
                #expect(groups[3].first == "4")
                #expect(["8", "9", "a", "b"].contains(groups[4].first))
                #expect(groups.dropFirst().joined().allSatisfy { "0123456789abcdef".contains($0) })
            }
            #expect(ids.count == 200)
        }
    }

    @Test func aConnectionThatWasQuietForAWhileIsServedAgain() async throws {
        try await withServer { server in
            let client = try RawClient(port: server.port)
            for _ in 0..<3 {
                #expect(try client.get("/test/small").status == 200)
                usleep(1_300_000)
            }
            #expect(try client.get("/test/small").status == 200)
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        try await withServer { server in
            let client = try RawClient(port: server.port)
            let requests = (0..<200).map { "GET /test/things/t\($0) HTTP/1.1\r\nHost: test\r\n\r\n" }.joined()
            try client.send(requests)
            for i in 0..<200 { #expect(try client.readResponse().text == "t\(i) 2.1") }
        }
    }

    @Test func aHeadMayArriveByteByByte() async throws {
        try await withServer { server in
            let client = try RawClient(port: server.port)
            for byte in "GET /test/small HTTP/1.1\r\nHost: test\r\nX-Some: thing\r\n\r\n".utf8 {
                try client.send([byte])
            }
            #expect(try client.readResponse().status == 200)
        }
    }

    @Test func aLargeAnswerArrivesWhole() async throws {
        try await withServer { server in
            let client = try RawClient(port: server.port)
            #expect(try client.get("/test/large").body.count == 3_000_000)
            #expect(try client.get("/test/small").status == 200)
        }
    }

    @Test func aHeadRequestGetsTheGetsHeadersAndNoBody() async throws {
        try await withServer { server in
            let client = try RawClient(port: server.port)
            let response = try client.exchange("HEAD /test/small HTTP/1.1\r\nHost: test\r\n\r\n")
            #expect(response.status == 200)
            #expect(response["content-length"] == "11")
            #expect(try client.get("/test/small").text == #"{"ok":true}"#)
        }
    }

    @Test func fixedAndChunkedBodiesAreRead() async throws {
        try await withServer { server in
            let client = try RawClient(port: server.port)
            let fixed = try client.exchange("POST /test/echo HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello")
            #expect(fixed.text == "hello")
            #expect(fixed["x-length"] == "5")
            let chunked = try client.exchange(
                "POST /test/echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "3;name=value\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: x\r\n\r\n")
            #expect(chunked.text == "hello")
            #expect(chunked["x-length"] == "chunked")
            #expect(try client.get("/test/small").status == 200)
        }
    }

    @Test func theClientIsToldToContinueOnlyWhenTheBodyIsWanted() async throws {
        try await withServer { server in
            let client = try RawClient(port: server.port)
            try client.send(
                "POST /test/echo HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
            #expect(try client.readHead().status == 100)
            try client.send("hello")
            #expect(try client.readResponse().text == "hello")
            try client.send(
                "POST /test/refuse HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
            let refused = try client.readResponse()
            #expect(refused.status == 403)
            #expect(refused["connection"] == "close")
        }
    }

    @Test func aStreamIsChunkedOrHasItsLength() async throws {
        try await withServer { server in
            let client = try RawClient(port: server.port)
            let chunked = try client.get("/test/stream?pieces=3")
            #expect(chunked["transfer-encoding"] == "chunked")
            #expect(chunked.text == "piece 0\npiece 1\npiece 2\n")
            let fixed = try client.get("/test/stream?pieces=2&length=16")
            #expect(fixed["content-length"] == "16")
            #expect(fixed.text == "piece 0\npiece 1\n")
        }
    }

    @Test func anAnswerThatMayHaveNoBodyHasNone() async throws {
        let routes = [
            Route(.get, "/none", open: .open) { _ in Response(.noContent, body: .bytes(Array("surprise".utf8))) },
            Route(.get, "/same", open: .open) { _ in
                Response(.notModified, body: .stream(length: nil) { try await $0.write(Array("surprise".utf8)) })
            },
        ]
        try await withServer(routes: routes) { server in
            let client = try RawClient(port: server.port)
            for (path, status) in [("/test/none", 204), ("/test/same", 304), ("/test/none", 204)] {
                let response = try client.get(path)
                #expect(response.status == status)
                #expect(response["content-length"] == nil)
                #expect(response["transfer-encoding"] == nil)
            }
            #expect(try client.get("/test/small").text == #"{"ok":true}"#)
        }
    }

    @Test func aClientThatEndsItsHalfStillGetsItsAnswer() async throws {
        try await withServer { server in
            let client = try RawClient(port: server.port)
            try client.send("POST /test/echo HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello")
            client.endSending()
            #expect(try client.readResponse().text == "hello")
            #expect(client.isEnded())
        }
    }

    @Test func aResponseHeaderCannotBeSplit() async throws {
        try await withServer { server in
            let response = try RawClient(port: server.port).get("/test/split")
            #expect(response["x-injected"] == nil)
            #expect(response["x-value"] == "a  X-Injected: b")
        }
    }
}
