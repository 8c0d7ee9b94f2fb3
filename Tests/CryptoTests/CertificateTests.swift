// SPDX-License-Identifier: Apache-2.0
import COpenSSL
import Testing

@testable import Crypto

struct CertificateTests {
    /// Whether a client that trusts `authority` and connects to `name` accepts the certificate.
    private func accepts(_ certificate: String, trusting authority: String, host: String? = nil, address: String? = nil)
        -> Bool
    {
        let store = X509_STORE_new(), context = X509_STORE_CTX_new()
        let root = read(authority), leaf = read(certificate)
        defer {
            X509_STORE_CTX_free(context)
            X509_STORE_free(store)
            X509_free(root)
            X509_free(leaf)
        }
        X509_STORE_add_cert(store, root)
        X509_STORE_CTX_init(context, store, leaf, nil)
        let parameters = X509_STORE_CTX_get0_param(context)
        X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER)
        if let host { X509_VERIFY_PARAM_set1_host(parameters, host, host.utf8.count) }
        if let address { X509_VERIFY_PARAM_set1_ip_asc(parameters, address) }
        return X509_verify_cert(context) == 1
    }

    private func read(_ text: String) -> OpaquePointer? {
        let memory = BIO_new(BIO_s_mem())
        defer { BIO_free(memory) }
        BIO_write(memory, text, Int32(text.utf8.count))
        return PEM_read_bio_X509(memory, nil, nil, nil)
    }

    @Test func `an issued certificate is good for its names under its authority only`() throws {
        let authority = try CertificateAuthority(name: "Test authority")
        let other = try CertificateAuthority(name: "Test authority")
        let issued = try authority.issue(
            CertificateSubject(
                "coordinator", hostNames: ["cloud.example.org", "localhost"], addresses: ["127.0.0.1", "::1"]))
        let root = authority.identity.certificate
        #expect(accepts(issued.certificate, trusting: root))
        #expect(accepts(issued.certificate, trusting: root, host: "cloud.example.org"))
        #expect(accepts(issued.certificate, trusting: root, address: "127.0.0.1"))
        #expect(accepts(issued.certificate, trusting: root, address: "::1"))
        #expect(!accepts(issued.certificate, trusting: root, host: "example.org"))
        #expect(!accepts(issued.certificate, trusting: root, address: "127.0.0.2"))
        #expect(!accepts(issued.certificate, trusting: other.identity.certificate))
        #expect(issued.key.hasPrefix("-----BEGIN PRIVATE KEY-----"))
    }

    @Test func `an authority read back from its text signs as before`() throws {
        let authority = try CertificateAuthority(name: "Test authority", days: 10)
        let again = CertificateAuthority(identity: authority.identity)
        let issued = try again.issue(CertificateSubject("node", hostNames: ["node-1"], days: 1))
        #expect(accepts(issued.certificate, trusting: authority.identity.certificate, host: "node-1"))
        let mixed = CertificateAuthority(
            identity: CertifiedKey(certificate: authority.identity.certificate, key: issued.key))
        #expect(throws: CertificateError.self) { try mixed.issue(CertificateSubject("x")) }
        let nonsense = CertificateAuthority(identity: CertifiedKey(certificate: "x", key: ""))
        #expect(throws: CertificateError.self) { try nonsense.issue(CertificateSubject("x")) }
    }

    @Test func `a self-signed certificate is its own root`() throws {
        let made = try CertificateAuthority.selfSigned(CertificateSubject("localhost", hostNames: ["localhost"]))
        #expect(accepts(made.certificate, trusting: made.certificate, host: "localhost"))
    }

    @Test(arguments: ["", "a,DNS:evil.example.org", "a b", "IP:1.2.3.4", "a\n"])
    func `a host name cannot smuggle another in`(_ name: String) {
        #expect(throws: CertificateError.badName(name)) {
            try CertificateAuthority.selfSigned(CertificateSubject("x", hostNames: [name]))
        }
        #expect(throws: CertificateError.badName(name)) {
            try CertificateAuthority.selfSigned(CertificateSubject("x", addresses: [name]))
        }
    }

    @Test func `a common name has bounds`() {
        let name = String(repeating: "x", count: 65)
        #expect(throws: CertificateError.badName(name)) { try CertificateAuthority(name: name) }
        #expect(throws: CertificateError.badName("")) { try CertificateAuthority(name: "") }
    }
}
