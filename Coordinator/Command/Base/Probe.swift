// SPDX-License-Identifier: Apache-2.0
// Asks a coordinator whether it is well, over a plain blocking socket with a deadline: GET /healthcheck. Over TLS the
// certificate is not checked here: this asks whether the service answers, and `martlet doctor` looks at the
// certificate.

import COpenSSL
import CSystem
import Core
import Glibc

enum Probe {
    enum Health: Equatable { case healthy, unhealthy(String), silent }

    static func health(_ config: Config, seconds: Int) -> Health {
        guard let socket = connect(config.listen, seconds: seconds) else { return .silent }
        defer { close(socket) }
        let request = "GET /healthcheck HTTP/1.1\r\nHost: \(config.listen.text)\r\nConnection: close\r\n\r\n"
        let answer = config.isSecure ? exchangeSecurely(request, socket) : exchange(request, socket)
        guard let answer, answer.hasPrefix("HTTP/1.1 ") else { return .silent }
        let status = answer.dropFirst(9).prefix { $0 != "\r" }
        return status.hasPrefix("200") ? .healthy : .unhealthy(String(status))
    }

    /// Zero when a server could take the address, else why not.
    static func bindError(_ address: Config.Address) -> Int32 {
        var result: Int32 = EADDRNOTAVAIL
        forEach(address, isPassive: true) { family, pointer, count in
            let socket = Glibc.socket(family, Int32(SOCK_STREAM.rawValue), 0)
            guard socket >= 0 else { return false }
            defer { close(socket) }
            var one: Int32 = 1
            setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &one, 4)
            result = bind(socket, pointer, count) == 0 && listen(socket, 1) == 0 ? 0 : errno
            return result == 0
        }
        return result
    }

    private static func connect(_ address: Config.Address, seconds: Int) -> Int32? {
        var target = address
        if target.host == "0.0.0.0" { target.host = "127.0.0.1" }
        if target.host == "::" { target.host = "::1" }
        var connected: Int32?
        forEach(target, isPassive: false) { family, pointer, count in
            let socket = Glibc.socket(family, Int32(SOCK_STREAM.rawValue), 0)
            guard socket >= 0 else { return false }
            var limit = timeval(tv_sec: seconds, tv_usec: 0)
            setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            guard Glibc.connect(socket, pointer, count) == 0 else {
                close(socket)
                return false
            }
            connected = socket
            return true
        }
        return connected
    }

    /// Until the closure says it is content.
    private static func forEach(
        _ address: Config.Address, isPassive: Bool, _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Bool
    ) {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = isPassive ? AI_PASSIVE | AI_NUMERICSERV : AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address.host, String(address.port), &hints, &list) == 0 else { return }
        defer { freeaddrinfo(list) }
        var entry = list
        while let item = entry {
            if let pointer = item.pointee.ai_addr, body(item.pointee.ai_family, pointer, item.pointee.ai_addrlen) {
                return
            }
            entry = item.pointee.ai_next
        }
    }

    private static func exchange(_ request: String, _ socket: Int32) -> String? {
        let bytes = Array(request.utf8)
        guard send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { return nil }
        return gather { recv(socket, $0, $1, 0) }
    }

    private static func exchangeSecurely(_ request: String, _ socket: Int32) -> String? {
        guard let context = SSL_CTX_new(TLS_client_method()) else { return nil }
        defer { SSL_CTX_free(context) }
        guard let session = SSL_new(context) else { return nil }
        defer { SSL_free(session) }
        let bytes = Array(request.utf8)
        guard SSL_set_fd(session, socket) == 1, SSL_connect(session) == 1,
            SSL_write(session, bytes, Int32(bytes.count)) == Int32(bytes.count)
        else { return nil }
        return gather { Int(SSL_read(session, $0, Int32($1))) }
    }

    /// The beginning of the answer: enough for its status line.
    private static func gather(_ read: (UnsafeMutablePointer<UInt8>, Int) -> Int) -> String? {
        var piece = [UInt8](repeating: 0, count: 2048)
        let count = piece.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.map { read($0, buffer.count) } ?? 0
        }
        return count > 0 ? String(decoding: piece[..<count], as: UTF8.self) : nil
    }
}
