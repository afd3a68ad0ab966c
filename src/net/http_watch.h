/* http_watch: connections and how long each may take for what it is doing: one that sends a byte
 * now and then must not hold a place for ever.
 *
 *     struct http_watch_entry *entry = http_watch_add(&watch, fd, now);
 *     http_watch_set(&watch, entry, HTTP_WATCH_BODY, now);
 *     http_watch_sweep(&watch, now);                       // shuts down who is over time
 *     http_watch_remove(&watch, entry);                    // before fd is closed */
#pragma once

#include <pthread.h>
#include <stdint.h>

enum http_watch_phase {
    HTTP_WATCH_FIRST, /* nothing has come whole yet */
    HTTP_WATCH_BODY,
    HTTP_WATCH_WORK, /* ours to do: no limit here */
    HTTP_WATCH_NEXT, /* between requests, or in the headers of the next */
};

struct http_watch_entry {
    struct http_watch_entry *next, *previous;
    int fd;
    enum http_watch_phase phase;
    int64_t since_ns; /* of this phase */
    uint64_t bytes;   /* of the body so far */
};

struct http_watch {
    pthread_mutex_t mutex; /* guards all entries */
    struct http_watch_entry *first;
    uint64_t count;
    uint64_t slow; /* how many were shut down */
};

void http_watch_init(struct http_watch *watch);
void http_watch_fini(struct http_watch *watch);
/* NULL: no memory; the other functions take that and do nothing. */
struct http_watch_entry *http_watch_add(struct http_watch *watch, int fd, int64_t now_ns);
void http_watch_set(struct http_watch *watch, struct http_watch_entry *entry,
        enum http_watch_phase phase, int64_t now_ns);
void http_watch_grow(struct http_watch *watch, struct http_watch_entry *entry, uint64_t bytes);
void http_watch_remove(struct http_watch *watch, struct http_watch_entry *entry);
void http_watch_sweep(struct http_watch *watch, int64_t now_ns);
