#include "base/digest.h"

#include <assert.h>
#include <sha2.h>

static_assert(sizeof(SHA2_CTX) <= sizeof(struct digest), "libmd's state fits");
static_assert(SHA256_DIGEST_LENGTH == DIGEST_SIZE, "SHA-256 has 32 bytes");

static SHA2_CTX *context(struct digest *digest)
{
    return (SHA2_CTX *)(void *)digest->state;
}

void digest_init(struct digest *digest)
{
    SHA256Init(context(digest));
}

void digest_add(struct digest *digest, struct slice bytes)
{
    if (bytes.size) {
        SHA256Update(context(digest), (const uint8_t *)bytes.at, bytes.size);
    }
}

void digest_bytes(struct digest *digest, unsigned char out[DIGEST_SIZE])
{
    SHA256Final(out, context(digest));
}

void digest_hex(struct digest *digest, char out[DIGEST_HEX])
{
    unsigned char bytes[DIGEST_SIZE];
    digest_bytes(digest, bytes);
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        out[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    out[DIGEST_HEX - 1] = '\0';
}
