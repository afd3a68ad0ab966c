/* api_parts: what the resources share; for the files of src/api alone.
 *
 *     struct api_figures f = api_parts_figures(api);
 *     if (!api_parts_number(r, "limit", &limit)) return;       // was refused */
#pragma once

#include <pthread.h>

#include "api/api.h"

struct api_client;
struct api_reloading;

struct api {
    struct api_options options;
    pthread_mutex_t mutex;    /* of what follows */
    struct api_client *first; /* who waits, or reads a stream */
    size_t client_count;
    struct api_reloading *reloading; /* who waits for the rules */
    size_t reloading_count;
    uint64_t seen;   /* findings and records that were there at the last turn */
    int64_t beat_ns; /* of streams, the last */
    _Atomic uint64_t beats;
    _Atomic uint64_t ends; /* streams that began before the last of them end */
};

struct api_figures api_parts_figures(const struct api *api);
/* The query's number; *out stays where there is none. false: refused with 400. */
bool api_parts_number(struct http_request *r, const char *name, uint64_t *out);
/* A number in digits. */
bool api_parts_read_number(struct slice text, uint64_t *out);
/* The token is of the whole tree. */
bool api_parts_sees_all(const struct http_request *r);
bool api_parts_covers(const struct http_request *r, const struct counts_source *source);

/* A source's figures at one moment: what is in flight is never negative. */
struct api_source {
    uint64_t received, received_bytes, stored, in_flight;
    uint64_t rejected[COUNTS_REJECTIONS], dropped[COUNTS_DROPS];
    uint64_t all_rejected, all_dropped;
    int64_t last_ns, skew_ns;
    bool skew_known;
    bool silent; /* for the counters */
};
struct api_source api_parts_source(const struct counts_source *source);
/* After how long without a record it is silent; and whether it is, at this time. Of whom nothing
 * was ever heard nothing is expected. */
int64_t api_parts_silent_after(const struct api *api, const struct counts_source *source);
bool api_parts_is_silent(const struct api *api, const struct counts_source *source, int64_t now_ns);
