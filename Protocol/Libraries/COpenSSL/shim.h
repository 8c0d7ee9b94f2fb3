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
