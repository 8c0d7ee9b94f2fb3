// SPDX-License-Identifier: Apache-2.0
// The listening socket. One loop accepts for all and gives each connection to the loop that has the fewest, so that two
// long-lived clients never share one loop while another is idle. Above the limit a client is told 503 and let go; when
// the process is out of descriptors one is held back for just that.

import CSystem
import Core
import EventLoop
import Glibc

final class Acceptor: EventHandler, @unchecked Sendable {
    // Safe: confined to the first loop's thread after `start`; the port never changes.
    private static let perRound = 64
    private static let backlog: Int32 = 4096

    let port: Int
    private let descriptor: Int32
    private let place: (Int32, String) -> Void
    private let mayAccept: () -> Bool
    private let isPlain: Bool
    private var reserve: Int32
    private var slot: Int?
    private weak var loop: EventLoop?

    /// `place` gets each connection and its address; `mayAccept` is asked before.
    init(
        address: String, port: UInt16, isPlain: Bool, mayAccept: @escaping () -> Bool,
        place: @escaping (Int32, String) -> Void
    ) throws {
        descriptor = try Self.listen(address, port)
        self.port = Self.boundPort(descriptor)
        self.isPlain = isPlain
        self.mayAccept = mayAccept
        self.place = place
        reserve = open("/dev/null", O_RDONLY | O_CLOEXEC)
    }

    private static func listen(_ address: String, _ port: UInt16) throws -> Int32 {
        let name = address.isEmpty || address == "*" ? "::" : address == "localhost" ? "127.0.0.1" : address
        let isV6 = name.contains(":")
        let descriptor = socket(
            isV6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure("no socket for \(address)") }
        var one: Int32 = 1, zero: Int32 = 0
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        if isV6 { setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &zero, 4) }
        let bound = isV6 ? bind6(descriptor, name, port) : bind4(descriptor, name, port)
        guard bound == 0, Glibc.listen(descriptor, backlog) == 0 else {
            let error = failure("cannot listen on \(address) port \(port)")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func bind4(_ descriptor: Int32, _ address: String, _ port: UInt16) -> Int32 {
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = port.bigEndian
        guard inet_pton(AF_INET, address, &place.sin_addr) == 1 else {
            errno = EINVAL
            return -1
        }
        return withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private static func bind6(_ descriptor: Int32, _ address: String, _ port: UInt16) -> Int32 {
        var place = sockaddr_in6()
        place.sin6_family = sa_family_t(AF_INET6)
        place.sin6_port = port.bigEndian
        guard inet_pton(AF_INET6, address, &place.sin6_addr) == 1 else {
            errno = EINVAL
            return -1
        }
        return withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    }

    private static func failure(_ what: String) -> CloudError {
        CloudError(.unavailable, "\(what): \(String(cString: strerror(errno)))")
    }

    private static func boundPort(_ descriptor: Int32) -> Int {
        var place = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = withUnsafeMutablePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        // The port lies at the same place in both families.
        return withUnsafeBytes(of: &place) { Int($0[2]) << 8 | Int($0[3]) }
    }

    /// On the loop.
    func start(on loop: EventLoop) {
        self.loop = loop
        slot = loop.register(descriptor, events: EPOLLIN.rawValue, self)
    }

    /// On the loop: what waits in the backlog is taken, then no more.
    func stop() {
        guard let slot else { return }
        ready(0)
        loop?.unregister(slot)
        close(descriptor)
        if reserve >= 0 { close(reserve) }
        self.slot = nil
    }

    func ready(_ events: UInt32) {
        var address = sockaddr_storage()
        for _ in 0..<Self.perRound {
            let connection = csystem_accept(descriptor, &address)
            if connection < 0 {
                if errno == EMFILE || errno == ENFILE { turnAway() }
                if errno == ECONNABORTED || errno == EINTR { continue }
                return
            }
            if mayAccept() {
                place(connection, Self.text(address))
            } else {
                refuse(connection)
            }
        }
    }

    private func refuse(_ connection: Int32) {
        if isPlain {
            let answer: StaticString = """
                HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n
                """
            send(connection, answer.utf8Start, answer.utf8CodeUnitCount, Int32(MSG_NOSIGNAL))
            shutdown(connection, Int32(SHUT_WR))
        }
        close(connection)
    }

    /// Out of descriptors: the one held back lets a client be closed rather than left to wait.
    private func turnAway() {
        if reserve >= 0 { close(reserve) }
        let connection = accept(descriptor, nil, nil)
        if connection >= 0 { close(connection) }
        reserve = open("/dev/null", O_RDONLY | O_CLOEXEC)
        errno = EAGAIN
    }

    private static func text(_ address: sockaddr_storage) -> String {
        var address = address
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let isV6 = address.ss_family == sa_family_t(AF_INET6)
        withUnsafeBytes(of: &address) { raw in
            guard let base = raw.baseAddress else { return }
            _ = inet_ntop(Int32(isV6 ? AF_INET6 : AF_INET), base + (isV6 ? 8 : 4), &text, socklen_t(INET6_ADDRSTRLEN))
        }
        let name = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return name.hasPrefix("::ffff:") && name.contains(".") ? String(name.dropFirst(7)) : name
    }
}
