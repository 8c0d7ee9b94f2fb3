/* OpenSSL 3, with the macros that Swift cannot import as inline functions. */
#pragma once
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static inline long openssl_context_minimum(SSL_CTX *c, int version) { return SSL_CTX_set_min_proto_version(c, version); }
static inline long openssl_context_mode(SSL_CTX *c, long mode) { return SSL_CTX_set_mode(c, mode); }

static inline EVP_PKEY *openssl_p256(void) { return EVP_EC_gen("P-256"); }
static inline long openssl_memory(BIO *b, char **p) { return BIO_get_mem_data(b, p); }
/* Adds an extension in OpenSSL's text form; 1 on success. */
static inline int openssl_extend(X509 *certificate, X509 *issuer, int kind, const char *text) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, text);
    if (!extension) return 0;
    int done = X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    return done;
}
