// SPDX-License-Identifier: Apache-2.0
// The steps of making one certificate with OpenSSL; every object is freed on every path.

import COpenSSL

enum CertificateMaker {
    enum Kind { case authority, endEntity }

    /// Clocks differ: a certificate is valid from a little before it was made.
    private static let backdatedSeconds = -300

    static func make(
        _ subject: CertificateSubject, kind: Kind, signedBy issuer: CertifiedKey?
    ) throws(CertificateError) -> CertifiedKey {
        let names = try subject.alternativeNames
        guard let key = openssl_p256() else { throw .failed("no key could be made") }
        defer { EVP_PKEY_free(key) }
        guard let certificate = X509_new() else { throw .failed("out of memory") }
        defer { X509_free(certificate) }
        let signer = try issuer.map { identity throws(CertificateError) in try Signer(identity) }
        try fill(certificate, subject, key, signer?.certificate ?? certificate)
        try extend(certificate, signer?.certificate ?? certificate, kind, names)
        guard X509_sign(certificate, signer?.key ?? key, DigestAlgorithm.sha256.handle) > 0 else {
            throw .failed("the certificate cannot be signed")
        }
        return CertifiedKey(
            certificate: try text { PEM_write_bio_X509($0, certificate) },
            key: try text { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) })
    }

    private static func fill(
        _ certificate: OpaquePointer, _ subject: CertificateSubject, _ key: OpaquePointer, _ issuer: OpaquePointer
    ) throws(CertificateError) {
        X509_set_version(certificate, 2)
        var serial = Random.bytes(16)
        serial[0] &= 0x7f
        let number = BN_bin2bn(serial, Int32(serial.count), nil)
        defer { BN_free(number) }
        let name = X509_get_subject_name(certificate)
        let common = Array(subject.commonName.utf8)
        let isNamed =
            X509_NAME_add_entry_by_NID(
                name, NID_commonName, MBSTRING_FLAG, common, Int32(common.count), -1, 0) == 1
        if !isNamed { throw .badName(subject.commonName) }
        let days = min(max(subject.days, 1), 36_500)
        guard BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil,
            X509_gmtime_adj(X509_getm_notBefore(certificate), backdatedSeconds) != nil,
            X509_time_adj_ex(X509_getm_notAfter(certificate), Int32(days), 0, nil) != nil,
            X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1,
            X509_set_pubkey(certificate, key) == 1
        else { throw .failed("the certificate cannot be filled in") }
    }

    private static func extend(
        _ certificate: OpaquePointer, _ issuer: OpaquePointer, _ kind: Kind, _ names: String
    ) throws(CertificateError) {
        var extensions: [(Int32, String)] =
            switch kind {
            case .authority:
                [(NID_basic_constraints, "critical,CA:TRUE"), (NID_key_usage, "critical,keyCertSign,cRLSign")]
            case .endEntity:
                [
                    (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature"),
                    (NID_ext_key_usage, "serverAuth,clientAuth"),
                ]
            }
        extensions.append((NID_subject_key_identifier, "hash"))
        // A self-signed one has no other key to point at.
        if issuer != certificate { extensions.append((NID_authority_key_identifier, "keyid:always")) }
        if !names.isEmpty { extensions.append((NID_subject_alt_name, names)) }
        for (id, text) in extensions where openssl_extend(certificate, issuer, id, text) != 1 {
            throw .failed("the extension \(text) is refused")
        }
    }

    private static func text(_ write: (OpaquePointer) -> Int32) throws(CertificateError) -> String {
        guard let memory = BIO_new(BIO_s_mem()) else { throw .failed("out of memory") }
        defer { BIO_free(memory) }
        var start: UnsafeMutablePointer<CChar>?
        guard write(memory) == 1 else { throw .failed("the certificate cannot be written") }
        let count = openssl_memory(memory, &start)
        return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// The authority's certificate and key, read from PEM.
    private final class Signer {
        let certificate: OpaquePointer
        let key: OpaquePointer

        init(_ identity: CertifiedKey) throws(CertificateError) {
            let certificate = Self.read(identity.certificate) { PEM_read_bio_X509($0, nil, nil, nil) }
            let key = Self.read(identity.key) { PEM_read_bio_PrivateKey($0, nil, nil, nil) }
            guard let certificate, let key, X509_check_private_key(certificate, key) == 1 else {
                X509_free(certificate)
                EVP_PKEY_free(key)
                throw .unreadable("the authority's certificate or key")
            }
            self.certificate = certificate
            self.key = key
        }

        deinit {
            X509_free(certificate)
            EVP_PKEY_free(key)
        }

        private static func read(_ text: String, _ parse: (OpaquePointer) -> OpaquePointer?) -> OpaquePointer? {
            text.utf8.withBytes { bytes in
                guard let memory = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
                defer { BIO_free(memory) }
                return parse(memory)
            }
        }
    }
}
