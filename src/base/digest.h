/* digest: SHA-256 (FIPS 180-4), by libmd.
 *
 *     struct digest d;
 *     digest_init(&d);
 *     digest_add(&d, SLICE("abc"));
 *     char hex[DIGEST_HEX];
 *     digest_hex(&d, hex);          // ends it: init before the next use */
#pragma once

#include <stdalign.h>

#include "base/slice.h"

enum { DIGEST_SIZE = 32, DIGEST_HEX = 65 };

struct digest {
    alignas(16) unsigned char state[256]; /* libmd's, see digest.c */
};

void digest_init(struct digest *digest);
void digest_add(struct digest *digest, struct slice bytes);
/* Ends it and writes the 32 bytes. */
void digest_bytes(struct digest *digest, unsigned char out[DIGEST_SIZE]);
/* Ends it and writes 64 lower case hex digits and a NUL. */
void digest_hex(struct digest *digest, char out[DIGEST_HEX]);
