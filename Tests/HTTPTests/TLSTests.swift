// SPDX-License-Identifier: Apache-2.0
import COpenSSL
import Crypto
import Glibc
import HTTP
import Testing

/// A blocking TLS client that trusts anyone.
private final class TLSClient: @unchecked Sendable {
    private let plain: RawClient
    private let context: OpaquePointer
    private let connection: OpaquePointer

    init(port: Int, protocols: String = "http/1.1", version: Int32 = TLS1_3_VERSION) throws {
        plain = try RawClient(port: port)
        context = SSL_CTX_new(TLS_client_method())!
        SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
        connection = SSL_new(context)!
        SSL_set_fd(connection, plain.descriptor)
        let offered = [UInt8(protocols.utf8.count)] + Array(protocols.utf8)
        SSL_set_alpn_protos(connection, offered, UInt32(offered.count))
        guard SSL_connect(connection) == 1 else { throw RawClientError.cannotConnect(0) }
    }

    deinit {
        SSL_free(connection)
        SSL_CTX_free(context)
    }

    var version: String { String(cString: SSL_get_version(connection)) }

    var chosenProtocol: String {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(connection, &name, &count)
        return String(decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
    }

    /// The common name of the server's certificate.
    var serverName: String {
        guard let certificate = SSL_get1_peer_certificate(connection) else { return "" }
        defer { X509_free(certificate) }
        var text = [CChar](repeating: 0, count: 256)
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, &text, 256)
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func send(_ bytes: [UInt8]) throws {
        var at = 0
        while at < bytes.count {
            let sent = bytes.withUnsafeBytes { SSL_write(connection, $0.baseAddress! + at, Int32(bytes.count - at)) }
            guard sent > 0 else { throw RawClientError.ended }
            at += Int(sent)
        }
    }

    /// Everything up to the end of the connection.
    func readAll() -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let got = SSL_read(connection, &buffer, 65536)
            if got <= 0 { return all }
            all += buffer[..<Int(got)]
        }
    }

    func get(_ path: String) throws -> String {
        try send(Array("GET \(path) HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".utf8))
        return String(decoding: readAll(), as: UTF8.self)
    }
}

private func write(_ text: String, _ path: String) {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    _ = text.withCString { Glibc.write(file, $0, strlen($0)) }
    close(file)
}

/// A server with a certificate of its own in a directory of its own.
private func withTLSServer(
    routes: [Route] = [], _ body: @escaping @Sendable (HTTPServer, TLSFiles) throws -> Void
) async throws {
    var template = Array("/tmp/martlet-tls-XXXXXX".utf8CString)
    let directory = String(cString: try #require(mkdtemp(&template)))
    let files = TLSFiles(certificate: directory + "/certificate.pem", key: directory + "/key.pem")
    defer {
        unlink(files.certificate)
        unlink(files.key)
        rmdir(directory)
    }
    try install("first", files)
    try await withServer(routes: routes) {
        $0.tls = files
    } _: {
        try body($0, files)
    }
}

private func install(_ name: String, _ files: TLSFiles) throws {
    let pair = try CertificateAuthority.selfSigned(CertificateSubject(name, hostNames: ["localhost"]))
    write(pair.certificate, files.certificate)
    write(pair.key, files.key)
}

@Suite struct TLSTests {
    @Test(arguments: [(TLS1_2_VERSION, "TLSv1.2"), (TLS1_3_VERSION, "TLSv1.3")])
    func bothVersionsAreSpoken(_ version: Int32, _ name: String) async throws {
        try await withTLSServer { server, _ in
            let client = try TLSClient(port: server.port, version: version)
            #expect(client.version == name)
            #expect(client.chosenProtocol == "http/1.1")
            #expect(try client.get("/test/small").hasSuffix(#"{"ok":true}"#))
        }
    }

    @Test func olderVersionsAndOtherProtocolsAreRefused() async throws {
        try await withTLSServer { server, _ in
            #expect(throws: RawClientError.self) { try TLSClient(port: server.port, version: TLS1_1_VERSION) }
            #expect(throws: RawClientError.self) { try TLSClient(port: server.port, protocols: "h2") }
        }
    }

    @Test func aRequestKnowsThatItCameThroughTLS() async throws {
        try await withTLSServer { server, _ in
            let client = try TLSClient(port: server.port)
            #expect(try client.get("/test/peer").hasSuffix("127.0.0.1 true"))
        }
    }

    @Test func aNewCertificateIsTakenWithoutARestartAndOpenConnectionsGoOn() async throws {
        try await withTLSServer { server, files in
            let old = try TLSClient(port: server.port)
            #expect(old.serverName == "first")
            try install("second", files)
            server.reloadCertificate()
            let new = try TLSClient(port: server.port)
            #expect(new.serverName == "second")
            #expect(try old.get("/test/small").hasSuffix(#"{"ok":true}"#))
        }
    }

    @Test func aBrokenCertificateLeavesTheOldOneInUse() async throws {
        try await withTLSServer { server, files in
            write("nonsense", files.certificate)
            server.reloadCertificate()
            let client = try TLSClient(port: server.port)
            #expect(client.serverName == "first")
        }
    }

    @Test func aServerDoesNotStartWithoutItsCertificate() async throws {
        await #expect(throws: (any Error).self) {
            try await withServer {
                $0.tls = TLSFiles(certificate: "/nonexistent", key: "/nonexistent")
            } _: { _ in
            }
        }
    }

    @Test func largeBodiesGoBothWays() async throws {
        try await withTLSServer { server, _ in
            let client = try TLSClient(port: server.port)
            try client.send(Array("POST /test/count HTTP/1.1\r\nHost: test\r\nContent-Length: 3000000\r\n\r\n".utf8))
            try client.send([UInt8](repeating: 1, count: 3_000_000))
            let answers = try client.get("/test/large")
            #expect(answers.contains("\r\n\r\n3000000HTTP/1.1 200 OK"))
            #expect(answers.utf8.count > 3_000_000)
        }
    }

    @Test func aFileIsSentThroughTLS() async throws {
        let file = Route(.get, "/file", open: .open) { call in
            let descriptor = temporaryFile()
            let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            _ = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            return .file(descriptor, size: bytes.count, for: call.request.head, type: "application/octet-stream")
        }
        try await withTLSServer(routes: [file]) { server, _ in
            let client = try TLSClient(port: server.port)
            try client.send(Array("GET /test/file HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".utf8))
            #expect(
                client.readAll().suffix(1_000_000) == (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }[...])
        }
    }

    @Test func plainTextOnATLSPortIsLetGo() async throws {
        try await withTLSServer { server, _ in
            let client = try RawClient(port: server.port)
            try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            #expect(client.isEnded())
        }
    }
}
