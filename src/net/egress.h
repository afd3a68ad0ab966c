/* egress: the one way in which anything leaves the program: to a receiver that the configuration
 * names, and to no other.
 *
 *     struct egress_options options = {.kind = EGRESS_HTTP, .url = "https://hooks.example/in"};
 *     TRY(egress_open(&options, &egress, diag));      // before the seal: names are resolved here
 *     e = egress_deliver(egress, &load, diag);        // OK: the receiver has it
 *     egress_close(egress);
 *
 * HTTP and TLS are libcurl's: certificates are verified, proxies and redirections of the
 * environment and of receivers are not followed. Each egress is one thread's. */
#pragma once

#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"

enum egress_kind {
    EGRESS_HTTP,     /* a POST; delivered when it is answered with 2xx */
    EGRESS_STREAM,   /* TCP, or TLS; delivered when the system has taken it: nobody answers */
    EGRESS_DATAGRAM, /* UDP; each load is one */
    EGRESS_FILE,     /* appended; delivered when it is on disk */
};

enum {
    EGRESS_TIMEOUT_MS = 30000,
    EGRESS_DATAGRAM_BYTES = 65000,
    EGRESS_HEADERS = 8,
};

struct egress_options {
    enum egress_kind kind;
    const char *url;       /* http, https; tcp://HOST:PORT, tls://..., udp://...; file: the path */
    const char *authority; /* PEM text that certificates are verified by; NULL: the system's */
    const char *certificate; /* PEM texts of our own; NULL: none */
    const char *key;
    uint64_t rotate_bytes; /* of a file: above it the next one begins; 0: never */
};

struct egress_load {
    struct slice bytes;
    const char *headers[EGRESS_HEADERS]; /* "Name: value"; the first NULL ends them */
    uint64_t number;                     /* of the first in it: what a full file is named by */
};

struct egress;

/* Once, before any egress, any thread and the seal. */
enum err egress_start(struct diag *diag) MUST_CHECK;
/* ERR_NOT_FOUND: the name cannot be resolved now. ERR_SYNTAX: the URL. */
enum err egress_open(
        const struct egress_options *options, struct egress **out, struct diag *diag) MUST_CHECK;
/* The only function by which bytes leave. ERR_IO: not delivered, or not known to be: again later.
 * ERR_LIMIT: too large for a datagram, and so for ever. */
enum err egress_deliver(
        struct egress *egress, const struct egress_load *load, struct diag *diag) MUST_CHECK;
/* A file is opened anew: somebody has renamed it. */
void egress_reopen(struct egress *egress);
void egress_close(struct egress *egress);
