// SPDX-License-Identifier: Apache-2.0
// The server's side of TLS 1.2 and 1.3 with OpenSSL: certificate and key from files, read anew when they change, so
// that a renewed certificate needs no restart. Connections keep the certificate they began with.

import COpenSSL
import Core
import Glibc
import Synchronization

package struct TLSFiles: Sendable {
    /// PEM: the server's certificate, then those between it and the root.
    package let certificate: String
    package let key: String
    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

final class TLSContext: Sendable {
    /// Safe: OpenSSL counts references to a context with atomics, and a context is not changed once it is published.
    private struct Pointer: @unchecked Sendable { let raw: OpaquePointer }
    private struct Stamp: Equatable {
        var certificate: [Int]
        var key: [Int]
    }
    private struct State {
        var context: Pointer
        var stamp: Stamp
    }

    private let files: TLSFiles
    private let state: Mutex<State>

    init(_ files: TLSFiles) throws {
        self.files = files
        let stamp = Self.stamp(files)
        let context = try Self.load(files)
        state = Mutex(State(context: context, stamp: stamp))
    }

    deinit { state.withLock { SSL_CTX_free($0.context.raw) } }

    /// A new connection's end, or nil when memory is short. It holds the context it was made from.
    func connection(_ descriptor: Int32) -> OpaquePointer? {
        let connection = state.withLock { SSL_new($0.context.raw) }
        guard let connection else { return nil }
        SSL_set_fd(connection, descriptor)
        SSL_set_accept_state(connection)
        return connection
    }

    /// Reads the files again if they changed; when they cannot be used the old ones stay. Returns whether they were
    /// taken.
    @discardableResult
    func reload() throws -> Bool {
        let stamp = Self.stamp(files)
        guard stamp != state.withLock({ $0.stamp }) else { return false }
        let context = try Self.load(files)
        let old = state.withLock { state in
            let old = state.context
            state = State(context: context, stamp: stamp)
            return old
        }
        SSL_CTX_free(old.raw)
        return true
    }

    private static func stamp(_ files: TLSFiles) -> Stamp {
        func read(_ path: String) -> [Int] {
            var info = stat()
            guard stat(path, &info) == 0 else { return [] }
            return [info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_size, Int(info.st_ino)]
        }
        return Stamp(certificate: read(files.certificate), key: read(files.key))
    }

    private static func load(_ files: TLSFiles) throws -> Pointer {
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw failure("OpenSSL gives no TLS context") }
        do {
            try set(up: context, files)
            return Pointer(raw: context)
        } catch {
            SSL_CTX_free(context)
            throw error
        }
    }

    private static func set(up context: OpaquePointer, _ files: TLSFiles) throws {
        _ = openssl_context_minimum(context, TLS1_2_VERSION)
        // The buffer of a half-sent record may move, and an idle connection gives its buffers back.
        _ = openssl_context_mode(
            context,
            Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS))
        guard SSL_CTX_use_certificate_chain_file(context, files.certificate) == 1 else {
            throw failure("the TLS certificate \(files.certificate) cannot be read")
        }
        guard SSL_CTX_use_PrivateKey_file(context, files.key, SSL_FILETYPE_PEM) == 1 else {
            throw failure("the TLS key \(files.key) cannot be read")
        }
        guard SSL_CTX_check_private_key(context) == 1 else {
            throw failure("the TLS key \(files.key) does not belong to the certificate \(files.certificate)")
        }
        SSL_CTX_set_alpn_select_cb(context, chooseProtocol, nil)
    }

    private static func failure(_ what: String) -> CloudError {
        var text = [CChar](repeating: 0, count: 256)
        ERR_error_string_n(ERR_get_error(), &text, text.count)
        ERR_clear_error()
        let reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return .badRequest("\(what): \(reason)")
    }
}

/// HTTP/1.1 or nothing; a client that offers no protocol at all is not asked.
private let chooseProtocol:
    @convention(c) (
        OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt8>?,
        UnsafePointer<UInt8>?, UInt32, UnsafeMutableRawPointer?
    ) -> Int32 = { _, chosen, chosenLength, offered, length, _ in
        guard let chosen, let chosenLength, let offered else { return SSL_TLSEXT_ERR_NOACK }
        let name: StaticString = "http/1.1"
        var at = 0
        while at < Int(length) {
            let count = Int(offered[at])
            guard at + 1 + count <= Int(length) else { break }
            if count == name.utf8CodeUnitCount, memcmp(offered + at + 1, name.utf8Start, count) == 0 {
                chosen.pointee = offered + at + 1
                chosenLength.pointee = UInt8(count)
                return SSL_TLSEXT_ERR_OK
            }
            at += 1 + count
        }
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }
