// SPDX-License-Identifier: Apache-2.0
// Servers that misbehave: one that accepts and never answers, and one that passes everything on until it is cut.
import Glibc
import Synchronization

struct SocketFailure: Error {}

func openListener() throws -> (file: Int32, port: UInt16) {
    let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let done = withUnsafeMutableBytes(of: &address) { raw in
        let pointer = raw.assumingMemoryBound(to: sockaddr.self).baseAddress
        return bind(file, pointer, size) == 0 && Glibc.listen(file, 64) == 0 && getsockname(file, pointer, &size) == 0
    }
    guard done else { throw SocketFailure() }
    return (file, UInt16(bigEndian: address.sin_port))
}

/// The kernel accepts for it; nothing ever reads, except to give one answer if there is one.
final class HangingServer: Sendable {
    let port: UInt16
    private let file: Int32

    init(answer: [UInt8]? = nil) throws {
        (file, port) = try openListener()
        guard let answer else { return }
        startRelayThread { [file] in
            while true {
                let client = accept(file, nil, nil)
                if client < 0 { return }
                var request = [UInt8](repeating: 0, count: 1024)
                _ = read(client, &request, request.count)
                _ = write(client, answer, answer.count)
            }
        }
    }

    deinit {
        shutdown(file, Int32(SHUT_RDWR))
        close(file)
    }
}

/// Passes bytes between its clients and a server; `cut` closes all connections.
final class Relay: Sendable {
    let port: UInt16
    private let listener: Int32
    private let open = Mutex<[Int32]>([])

    init(to url: String) throws {
        (listener, port) = try openListener()
        let target = UInt16(url.split(separator: ":").last.map(String.init) ?? "") ?? 0
        startRelayThread { [self] in
            while true {
                let client = accept(listener, nil, nil)
                if client < 0 { return }
                let server = connect(to: target)
                open.withLock { $0 += [client, server] }
                startRelayThread { Self.pass(client, server) }
                startRelayThread { Self.pass(server, client) }
            }
        }
    }

    func cut() {
        for file in open.withLock({
            let all = $0; $0 = []; return all
        }) { shutdown(file, Int32(SHUT_RDWR)) }
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        cut()
    }

    private func connect(to port: UInt16) -> Int32 {
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        _ = withUnsafeBytes(of: &address) {
            Glibc.connect(file, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t($0.count))
        }
        return file
    }

    private static func pass(_ from: Int32, _ to: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(from, &buffer, buffer.count)
            if count <= 0 || write(to, buffer, count) != count { break }
        }
        shutdown(to, Int32(SHUT_RDWR))
    }
}

private func startRelayThread(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void; init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    pthread_create(
        &thread, nil,
        { raw in
            if let raw { Unmanaged<Box>.fromOpaque(raw).takeRetainedValue().body() }
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    pthread_detach(thread)
}
