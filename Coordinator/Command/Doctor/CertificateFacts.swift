// SPDX-License-Identifier: Apache-2.0
// What a certificate on the disk says of itself, and whether the private key beside it is its own.

import COpenSSL
import Core
import Glibc

struct CertificateFacts {
    let expires: Instant

    init(certificatePath: String, keyPath: String) throws {
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw CloudError.internalError("no TLS context") }
        defer { SSL_CTX_free(context) }
        guard SSL_CTX_use_certificate_chain_file(context, certificatePath) == 1,
            let certificate = SSL_CTX_get0_certificate(context)
        else { throw CloudError.badRequest("\(certificatePath) is not a PEM certificate that can be read.") }
        guard SSL_CTX_use_PrivateKey_file(context, keyPath, SSL_FILETYPE_PEM) == 1,
            SSL_CTX_check_private_key(context) == 1
        else {
            throw CloudError.badRequest("\(keyPath) is not the private key of \(certificatePath), or cannot be read.")
        }
        var date = tm()
        guard ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &date) == 1 else {
            throw CloudError.badRequest("\(certificatePath) has no date of expiry.")
        }
        expires = Instant(seconds: Int64(timegm(&date)))
    }
}
