/* http_splunk: Splunk's HTTP event collector, as its senders know it.
 *
 *     POST /services/collector/event   {"event":"...","time":1.5}{"event":{...}}
 *     POST /services/collector/raw     lines
 *     POST /services/collector/ack     {"acks":[0,1]}
 *     GET  /services/collector/health
 *
 * A record is the envelope as received: what stands in `event` is found by the decoder of JSON. A
 * request whose events are not all well formed is not stored; it goes to quarantine whole. The
 * answer always waits for the disk. Where a channel is named it has an ackId, too, and asking for
 * it says true: it was not given out before. */
#pragma once

#include "source/http_batch.h"

enum {
    HTTP_SPLUNK_CHANNELS = 4096, /* that are remembered */
    HTTP_SPLUNK_ACKS = 10000,    /* asked for in one request */
};

extern const struct http_route http_splunk_routes[];
extern const size_t http_splunk_route_count;

struct http_splunk;
enum err http_splunk_new(struct http_splunk **out) MUST_CHECK;
void http_splunk_free(struct http_splunk *s);

/* What is wrong with a batch of events: Splunk's code and text. */
struct http_splunk_fault {
    int code;
    size_t event; /* its number from 0 */
    const char *words;
};
/* Calls `use` for each envelope; false: stops, and *fault says why. */
bool http_splunk_read(struct slice body, void (*use)(void *context, struct slice envelope),
        void *context, struct http_splunk_fault *fault);
