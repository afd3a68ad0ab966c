/* certificates: made on the spot, for tests of TLS.
 *
 *     struct certificate authority, server;
 *     assert_true(certificate_make(&authority, "authority", NULL));
 *     assert_true(certificate_make(&server, "localhost", &authority));
 *     server.pem, server.key_pem                 // PEM texts, with a NUL behind
 *     certificate_fini(&server);
 */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "base/buf.h"

struct certificate {
    X509 *x509;
    EVP_PKEY *key;
    struct buf pem, key_pem;
};

/* Of the common name, valid for a day; signed by `issuer`, or by itself (NULL: an authority). */
bool certificate_make(struct certificate *out, const char *name, const struct certificate *issuer);
void certificate_fini(struct certificate *certificate);
