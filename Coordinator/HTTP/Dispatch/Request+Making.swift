// SPDX-License-Identifier: Apache-2.0
// Requests that came through no socket: services' tests and calls of the coordinator to itself.

import Core
import Synchronization

/// A body that is there already.
package final class FixedBody: RequestBody {
    private let taken = Atomic<Bool>(false)
    private let bytes: [UInt8]
    package init(_ bytes: [UInt8]) { self.bytes = bytes }
    package var length: Int? { bytes.count }
    package func next() async throws -> [UInt8]? {
        bytes.isEmpty || taken.exchange(true, ordering: .relaxed) ? nil : bytes
    }
}

extension Request {
    /// `target` is a path and query as it would stand in the request line.
    package static func make(
        _ method: HTTPMethod, _ target: String, headers: [(String, String)] = [], body: [UInt8] = [],
        peer: String = "127.0.0.1", isSecure: Bool = false, id: String = "req-00000000-0000-4000-8000-000000000000"
    ) -> Request {
        var bytes = Array(target.utf8)
        let question = bytes.firstIndex(of: UInt8(ascii: "?"))
        let path = 0..<(question ?? bytes.count)
        let query = (question.map { $0 + 1 } ?? bytes.count)..<bytes.count
        var fields: [RequestHead.Field] = []
        for (name, value) in headers {
            let start = bytes.count
            bytes += Array(name.utf8)
            let middle = bytes.count
            bytes += Array(value.utf8)
            fields.append(.init(name: start..<middle, value: middle..<bytes.count))
        }
        let head = RequestHead(bytes: bytes, method: method, path: path, query: query, fields: fields)
        return Request(head: head, body: FixedBody(body), peer: peer, isSecure: isSecure, id: id)
    }
}
