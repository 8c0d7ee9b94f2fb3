// SPDX-License-Identifier: Apache-2.0
// What a handler sees of a request and what it gives back. Nothing here does I/O; the connection behind it does.

import Core
import JSON

package enum HTTPMethod: String, Sendable, CaseIterable {
    case get = "GET", head = "HEAD", post = "POST", put = "PUT", patch = "PATCH", delete = "DELETE", options = "OPTIONS"
    case copy = "COPY", report = "REPORT"

    /// As `rawValue`, without making a String.
    package var text: StaticString {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .copy: "COPY"
        case .report: "REPORT"
        }
    }
}

package struct HTTPStatus: Sendable, Equatable {
    package let code: Int
    package let reason: StaticString

    package init(_ code: Int, _ reason: StaticString) {
        self.code = code
        self.reason = reason
    }
    package static func == (a: HTTPStatus, b: HTTPStatus) -> Bool { a.code == b.code }

    package static let switchingProtocols = HTTPStatus(101, "Switching Protocols")
    package static let ok = HTTPStatus(200, "OK")
    package static let created = HTTPStatus(201, "Created")
    package static let accepted = HTTPStatus(202, "Accepted")
    package static let noContent = HTTPStatus(204, "No Content")
    package static let partialContent = HTTPStatus(206, "Partial Content")
    package static let multipleChoices = HTTPStatus(300, "Multiple Choices")
    package static let found = HTTPStatus(302, "Found")
    package static let notModified = HTTPStatus(304, "Not Modified")
    package static let badRequest = HTTPStatus(400, "Bad Request")
    package static let unauthorized = HTTPStatus(401, "Unauthorized")
    package static let forbidden = HTTPStatus(403, "Forbidden")
    package static let notFound = HTTPStatus(404, "Not Found")
    package static let methodNotAllowed = HTTPStatus(405, "Method Not Allowed")
    package static let notAcceptable = HTTPStatus(406, "Not Acceptable")
    package static let requestTimeout = HTTPStatus(408, "Request Timeout")
    package static let conflict = HTTPStatus(409, "Conflict")
    package static let gone = HTTPStatus(410, "Gone")
    package static let preconditionFailed = HTTPStatus(412, "Precondition Failed")
    package static let contentTooLarge = HTTPStatus(413, "Content Too Large")
    package static let unsupportedMediaType = HTTPStatus(415, "Unsupported Media Type")
    package static let rangeNotSatisfiable = HTTPStatus(416, "Range Not Satisfiable")
    package static let tooManyRequests = HTTPStatus(429, "Too Many Requests")
    package static let headersTooLarge = HTTPStatus(431, "Request Header Fields Too Large")
    package static let internalServerError = HTTPStatus(500, "Internal Server Error")
    package static let notImplemented = HTTPStatus(501, "Not Implemented")
    package static let serviceUnavailable = HTTPStatus(503, "Service Unavailable")
    package static let gatewayTimeout = HTTPStatus(504, "Gateway Timeout")
    package static let insufficientStorage = HTTPStatus(507, "Insufficient Storage")
}

/// The head of a request as it arrived: one buffer, and ranges into it.
package final class RequestHead: Sendable {
    package struct Field: Sendable {
        package let name: Range<Int>
        package let value: Range<Int>
        package init(name: Range<Int>, value: Range<Int>) {
            self.name = name
            self.value = value
        }
    }
    package let bytes: [UInt8]
    package let method: HTTPMethod
    /// Path and query, still percent-encoded; always begins with "/".
    package let path: Range<Int>
    package let query: Range<Int>
    package let fields: [Field]

    package init(bytes: [UInt8], method: HTTPMethod, path: Range<Int>, query: Range<Int>, fields: [Field]) {
        self.bytes = bytes
        self.method = method
        self.path = path
        self.query = query
        self.fields = fields
    }

    /// The first field of that name; `name` must be in lower case.
    package func value(_ name: StaticString) -> String? {
        range(name).map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    /// Where the field's value lies in `bytes`, for those who need no String of it.
    package func range(_ name: StaticString) -> Range<Int>? {
        let count = name.utf8CodeUnitCount
        for field in fields where field.name.count == count && matches(field.name.lowerBound, name, count) {
            return field.value
        }
        return nil
    }

    @inline(__always)
    private func matches(_ start: Int, _ name: StaticString, _ count: Int) -> Bool {
        for i in 0..<count {
            let byte = bytes[start + i]
            let lower = byte &- 0x41 < 26 ? byte | 0x20 : byte
            if lower != name.utf8Start[i] { return false }
        }
        return true
    }

    package var pathText: String { String(decoding: bytes[path], as: UTF8.self) }
    package var queryText: String { String(decoding: bytes[query], as: UTF8.self) }
}

/// A body that arrives while the handler runs. Implemented by the connection; pulled, so the client is slowed to our
/// pace.
package protocol RequestBody: Sendable {
    /// The declared length; nil for chunked.
    var length: Int? { get }
    /// The next piece, never larger than a read; nil at the end. Throws when the client breaks off or stalls.
    func next() async throws -> [UInt8]?
}

package struct Request: Sendable {
    package let head: RequestHead
    package let body: any RequestBody
    /// The client's address, after trusted proxies were taken off: "192.0.2.7".
    package let peer: String
    package let isSecure: Bool
    /// "req-" and a UUID; sent back, logged, and passed on.
    package let id: String

    package init(head: RequestHead, body: any RequestBody, peer: String, isSecure: Bool, id: String) {
        self.head = head
        self.body = body
        self.peer = peer
        self.isSecure = isSecure
        self.id = id
    }
    package var method: HTTPMethod { head.method }
}

/// Query parameters, decoded; a name may come several times.
package struct QueryParameters: Sendable {
    package let items: [(name: String, value: String)]
    package init(_ items: [(name: String, value: String)]) { self.items = items }
    package subscript(name: String) -> String? { items.first { $0.name == name }?.value }
    package func contains(_ name: String) -> Bool { items.contains { $0.name == name } }
    package func all(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }
    /// A flag as Keystone reads it: present without a value or with anything but 0, false, no, off is true.
    package func flag(_ name: String) -> Bool {
        guard let value = self[name] else { return false }
        return !["0", "false", "no", "off"].contains(value.lowercased())
    }
}

/// Part of an open file, sent with sendfile; closed when sent.
package struct FileSlice: Sendable {
    package let descriptor: Int32
    package let offset: Int
    package let count: Int
    package init(descriptor: Int32, offset: Int, count: Int) {
        self.descriptor = descriptor
        self.offset = offset
        self.count = count
    }
}

/// Where a streaming handler writes; returns when the client has taken enough of it.
package protocol ResponseBodyWriter: Sendable {
    func write(_ bytes: [UInt8]) async throws
}

/// One end of a WebSocket, after the upgrade.
package enum WebSocketMessage: Sendable, Equatable { case text(String), binary([UInt8]) }
package protocol WebSocket: Sendable {
    /// The next message; nil when the peer closed.
    func receive() async throws -> WebSocketMessage?
    func send(_ message: WebSocketMessage) async throws
    func close(code: UInt16, reason: String) async
}

package struct Response: Sendable {
    package enum Body: Sendable {
        case empty
        case bytes([UInt8])
        case file(FileSlice)
        /// `length` nil: chunked.
        case stream(length: Int?, @Sendable (any ResponseBodyWriter) async throws -> Void)
        case webSocket(protocol: String?, @Sendable (any WebSocket) async throws -> Void)
    }
    package var status: HTTPStatus
    package var headers: [(name: String, value: String)]
    package var body: Body

    package init(_ status: HTTPStatus, headers: [(name: String, value: String)] = [], body: Body = .empty) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package static let noContent = Response(.noContent)

    package static func json(
        _ status: HTTPStatus = .ok, capacity: Int = 1024, _ write: (inout JSONWriter) -> Void
    ) -> Response {
        Response(status, body: .bytes(JSONWriter.bytes(capacity: capacity, write))).with(
            "Content-Type", "application/json")
    }

    package static func json(_ status: HTTPStatus = .ok, rendered bytes: [UInt8]) -> Response {
        Response(status, body: .bytes(bytes)).with("Content-Type", "application/json")
    }

    package static func text(_ status: HTTPStatus = .ok, _ text: String, type: String = "text/plain; charset=utf-8")
        -> Response
    {
        Response(status, body: .bytes(Array(text.utf8))).with("Content-Type", type)
    }

    package func with(_ name: String, _ value: String) -> Response {
        var copy = self
        copy.headers.append((name, value))
        return copy
    }
}
