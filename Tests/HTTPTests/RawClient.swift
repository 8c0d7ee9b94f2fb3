// SPDX-License-Identifier: Apache-2.0
// A client that sends exactly the bytes it is told, and blocks: what a test of a server needs. Run it on `onThread`.

import EventLoop
import Glibc

struct RawResponse {
    var status: Int
    var headers: [(name: String, value: String)]
    var body: [UInt8]
    var text: String { String(decoding: body, as: UTF8.self) }
    subscript(name: String) -> String? { headers.first { $0.name == name.lowercased() }?.value }
}

enum RawClientError: Error { case cannotConnect(Int32), timedOut, ended, notHTTP(String) }

final class RawClient: @unchecked Sendable {
    let descriptor: Int32
    private var received: [UInt8] = []

    init(port: Int, receiveBuffer: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if var size = receiveBuffer { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = UInt16(port).bigEndian
        place.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw RawClientError.cannotConnect(errno) }
        setTimeout(seconds: 20)
    }

    deinit { close(descriptor) }

    func setTimeout(seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var at = 0
        while at < bytes.count {
            let sent = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + at, bytes.count - at, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { throw errno == EAGAIN ? RawClientError.timedOut : .ended }
            at += sent
        }
    }

    /// Sends what the kernel takes at once.
    func sendSome(_ bytes: [UInt8]) -> Int {
        bytes.withUnsafeBytes {
            Glibc.send(descriptor, $0.baseAddress!, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
        }
    }

    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Reads once; false at the end.
    func fill() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let got = recv(descriptor, &buffer, buffer.count, 0)
        if got < 0 { throw errno == EAGAIN ? RawClientError.timedOut : .ended }
        received += buffer[..<got]
        return got > 0
    }

    /// True when the server ended the connection, a reset included.
    func isEnded() -> Bool {
        do {
            while try fill() {}
            return true
        } catch RawClientError.ended {
            return true
        } catch {
            return false
        }
    }

    func readHead() throws -> RawResponse {
        while true {
            if let end = Self.find([13, 10, 13, 10], in: received) {
                let lines = String(decoding: received[..<end], as: UTF8.self).split(separator: "\r\n")
                received.removeFirst(end + 4)
                let words = lines[0].split(separator: " ")
                guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else {
                    throw RawClientError.notHTTP(String(lines[0]))
                }
                let headers = lines.dropFirst().map { line in
                    let colon = line.firstIndex(of: ":")!
                    return (name: line[..<colon].lowercased(), value: String(line[line.index(colon, offsetBy: 2)...]))
                }
                return RawResponse(status: status, headers: headers, body: [])
            }
            guard try fill() else { throw RawClientError.ended }
        }
    }

    func read(_ count: Int) throws -> [UInt8] {
        while received.count < count { guard try fill() else { throw RawClientError.ended } }
        defer { received.removeFirst(count) }
        return Array(received[..<count])
    }

    func readLine() throws -> String {
        while true {
            if let end = Self.find([13, 10], in: received) {
                defer { received.removeFirst(end + 2) }
                return String(decoding: received[..<end], as: UTF8.self)
            }
            guard try fill() else { throw RawClientError.ended }
        }
    }

    func readResponse(isHead: Bool = false) throws -> RawResponse {
        var response = try readHead()
        if isHead || response.status == 204 || response.status == 304 || response.status < 200 { return response }
        if let length = response["content-length"].flatMap({ Int($0) }) {
            response.body = try read(length)
        } else if response["transfer-encoding"] == "chunked" {
            while true {
                guard let size = Int(try readLine(), radix: 16) else { throw RawClientError.notHTTP("chunk") }
                response.body += try read(size)
                _ = try readLine()
                if size == 0 { break }
            }
        } else {
            while try fill() {}
            response.body = received
            received = []
        }
        return response
    }

    /// One request, one answer.
    func exchange(_ request: String) throws -> RawResponse {
        try send(request)
        return try readResponse(isHead: request.hasPrefix("HEAD "))
    }

    func get(_ path: String, _ headers: String = "") throws -> RawResponse {
        try exchange("GET \(path) HTTP/1.1\r\nHost: test\r\n\(headers)\r\n")
    }

    private static func find(_ pattern: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= pattern.count else { return nil }
        return (0...(bytes.count - pattern.count)).first { at in
            pattern.indices.allSatisfy { bytes[at + $0] == pattern[$0] }
        }
    }
}

/// Runs a blocking body on a thread of its own.
func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    let thread = ThreadExecutor(name: "client")
    defer { thread.stop() }
    return try await Task(executorPreference: thread) { try body() }.value
}

/// An open file without a name.
func temporaryFile() -> Int32 {
    var template = Array("/tmp/martlet-file-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    unlink(template)
    return descriptor
}
