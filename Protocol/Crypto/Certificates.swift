// SPDX-License-Identifier: Apache-2.0
// Certificates made in-process: the cloud's own authority, server and node certificates under it, and self-signed
// ones for tests. Keys are P-256, signatures ECDSA with SHA-256; everything goes in and out as PEM text.

import COpenSSL

package enum CertificateError: Error, Equatable, Sendable {
    /// A name or an address that cannot stand in a certificate.
    case badName(String)
    /// Text that is no certificate or key in PEM form.
    case unreadable(String)
    case failed(String)
}

/// A certificate and the private key that belongs to it.
package struct CertifiedKey: Sendable {
    package let certificate: String
    package let key: String
}

/// Whom a certificate is for.
package struct CertificateSubject: Sendable {
    package var commonName: String
    package var hostNames: [String]
    /// IPv4 or IPv6, in text.
    package var addresses: [String]
    package var days: Int

    package init(_ commonName: String, hostNames: [String] = [], addresses: [String] = [], days: Int = 365) {
        self.commonName = commonName
        self.hostNames = hostNames
        self.addresses = addresses
        self.days = days
    }

    /// "DNS:a.example.org,IP:10.0.0.1". Its text form gives commas and colons a meaning: names must not have them.
    var alternativeNames: String {
        get throws(CertificateError) {
            for name in hostNames where !Self.isHostName(name) { throw .badName(name) }
            for address in addresses where !Self.isAddress(address) { throw .badName(address) }
            return (hostNames.map { "DNS:\($0)" } + addresses.map { "IP:\($0)" }).joined(separator: ",")
        }
    }

    private static func isHostName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 253
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x2a: true
                default: false
                }
            }
    }

    private static func isAddress(_ text: String) -> Bool {
        guard let address = a2i_IPADDRESS(text) else { return false }
        ASN1_OCTET_STRING_free(address)
        return true
    }
}

/// The authority that signs the others.
package struct CertificateAuthority: Sendable {
    /// PEM; `certificate` is what clients are given to trust.
    package let identity: CertifiedKey

    package init(identity: CertifiedKey) { self.identity = identity }

    package init(name: String, days: Int = 3650) throws(CertificateError) {
        identity = try CertificateMaker.make(CertificateSubject(name, days: days), kind: .authority, signedBy: nil)
    }

    package func issue(_ subject: CertificateSubject) throws(CertificateError) -> CertifiedKey {
        try CertificateMaker.make(subject, kind: .endEntity, signedBy: identity)
    }

    /// A server's certificate that nobody vouches for.
    package static func selfSigned(_ subject: CertificateSubject) throws(CertificateError) -> CertifiedKey {
        try CertificateMaker.make(subject, kind: .endEntity, signedBy: nil)
    }
}
