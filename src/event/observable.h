/* observable: addresses, host names, URLs, hashes and e-mail addresses that stand in a text, each
 * in one form however it is written there.
 *
 *     struct observable_scan scan = {.wants = OBSERVABLE_ALL, .take = take, .context = it};
 *     observable_scan(&scan, SLICE("MD5=D41D8CD98F00B204E9800998ECF8427E"));
 *
 *     address    4 bytes, or 16: ::ffff:192.0.2.1 is 192.0.2.1 (RFC 4291 section 2.5.5.2)
 *     domain     lower case, no dot at the end; a name of one label is none
 *     URL        scheme and host in lower case, the scheme's own port and the fragment dropped, an
 *                empty path is "/"; all else as it stands
 *     hash       16 (MD5), 20 (SHA-1), 32 (SHA-256) or 64 (SHA-512) bytes, by its length
 *     e-mail     lower case, the part before the @ as well: no provider tells them apart
 *     account    lower case; never found by a scan: whoever knows the field makes it
 *
 * One pass over the bytes, nothing allocated. What stands in a text is bounded by bytes that cannot
 * be part of it: `a1.2.3.4` and `1.2.3.4.5` hold no address, `x1234...` no hash. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "event/observable_address.h"
#include "event/observable_marks.h"

enum observable_kind {
    OBSERVABLE_ADDRESS,
    OBSERVABLE_DOMAIN,
    OBSERVABLE_URL,
    OBSERVABLE_HASH,
    OBSERVABLE_EMAIL,
    OBSERVABLE_ACCOUNT,
    OBSERVABLE_KINDS,
};

enum {
    OBSERVABLE_ALL = (1 << OBSERVABLE_KINDS) - 1,
    OBSERVABLE_HOST_BYTES = 255,  /* RFC 1035 section 3.1 */
    OBSERVABLE_LOCAL_BYTES = 64,  /* RFC 5321 section 4.5.3.1.1 */
    OBSERVABLE_URL_BYTES = 8192,  /* a longer one is none */
    OBSERVABLE_URLS_INSIDE = 16,  /* of one URL; further ones are not seen */
    OBSERVABLE_HASH_DIGITS = 128, /* most */
    OBSERVABLE_TOPS = 4096,
};

struct observable {
    enum observable_kind kind;
    struct slice key;   /* the one form; gone with the next */
    struct slice given; /* as it stands in the text */
};

struct observable_scan {
    /* Set before. */
    uint32_t wants; /* 1 << enum observable_kind */
    /* The text holds values with JSON's escapes in it: a name behind \n may be given with the n and
     * without it. */
    bool escaped;
    /* NULL: all; otherwise a bit for each observable_top() of which domains are given. */
    const uint64_t *tops;
    bool (*take)(void *context, const struct observable *observable); /* false: enough */
    void *context;
    /* Private. */
    observable_marks_way *marks; /* NULL: the best */
    struct slice text;
    size_t six_seen, run_seen, hash_seen, url_seen; /* bytes before them were looked at */
    uint32_t urls;                                  /* inside of the one that is seen */
    size_t run_dots;
    size_t six_start, six_end; /* the last IPv6 address */
    bool done;
    char key[OBSERVABLE_URL_BYTES + 2];
};

void observable_scan(struct observable_scan *scan, struct slice text);
/* The key of a text that is one observable of this kind from end to end, in scan->key; false: it is
 * none. Of a URL in brackets or with marks behind it the text itself counts. */
bool observable_key(struct observable_scan *scan, enum observable_kind kind, struct slice text,
        struct slice *key);
/* An account's key: the name in lower case, at most OBSERVABLE_HOST_BYTES. */
bool observable_account(struct observable_scan *scan, struct slice text, struct slice *key);
/* Is a value at this path the name of an account? A key of it holds "user", "account", "login",
 * "logon" or "principal". */
bool observable_path_of_account(struct slice path);
/* A number below OBSERVABLE_TOPS for the last label of a name, in either case. */
uint32_t observable_top(struct slice name);
/* "address". */
const char *observable_name(enum observable_kind kind);
