#include "net/http_watch.h"

#include <sys/socket.h>

#include "base/memory.h"
#include "net/http.h"

static const int64_t MS = 1000000;

void http_watch_init(struct http_watch *watch)
{
    *watch = (struct http_watch){0};
    pthread_mutex_init(&watch->mutex, NULL);
}

void http_watch_fini(struct http_watch *watch)
{
    while (watch->first) {
        http_watch_remove(watch, watch->first);
    }
    pthread_mutex_destroy(&watch->mutex);
}

struct http_watch_entry *http_watch_add(struct http_watch *watch, int fd, int64_t now_ns)
{
    struct http_watch_entry *entry = memory_alloc(sizeof *entry);
    if (!entry) {
        return NULL;
    }
    pthread_mutex_lock(&watch->mutex);
    *entry = (struct http_watch_entry){.fd = fd, .since_ns = now_ns, .next = watch->first};
    if (entry->next) {
        entry->next->previous = entry;
    }
    watch->first = entry;
    watch->count++;
    pthread_mutex_unlock(&watch->mutex);
    return entry;
}

void http_watch_set(struct http_watch *watch, struct http_watch_entry *entry,
        enum http_watch_phase phase, int64_t now_ns)
{
    if (!entry) {
        return;
    }
    pthread_mutex_lock(&watch->mutex);
    entry->phase = phase;
    entry->since_ns = now_ns;
    entry->bytes = 0;
    pthread_mutex_unlock(&watch->mutex);
}

void http_watch_grow(struct http_watch *watch, struct http_watch_entry *entry, uint64_t bytes)
{
    if (entry) {
        pthread_mutex_lock(&watch->mutex);
        entry->bytes += bytes;
        pthread_mutex_unlock(&watch->mutex);
    }
}

void http_watch_remove(struct http_watch *watch, struct http_watch_entry *entry)
{
    if (!entry) {
        return;
    }
    pthread_mutex_lock(&watch->mutex);
    *(entry->previous ? &entry->previous->next : &watch->first) = entry->next;
    if (entry->next) {
        entry->next->previous = entry->previous;
    }
    watch->count--;
    pthread_mutex_unlock(&watch->mutex);
    memory_free(entry);
}

static int64_t allowed_ms(const struct http_watch_entry *entry)
{
    switch (entry->phase) {
    case HTTP_WATCH_FIRST:
        return HTTP_HEADER_MS;
    case HTTP_WATCH_BODY:
        return HTTP_BODY_MS + (int64_t)(entry->bytes * 1000 / HTTP_BODY_RATE);
    case HTTP_WATCH_NEXT:
        return HTTP_IDLE_MS + HTTP_HEADER_MS;
    default:
        return INT64_MAX / MS;
    }
}

void http_watch_sweep(struct http_watch *watch, int64_t now_ns)
{
    pthread_mutex_lock(&watch->mutex);
    for (struct http_watch_entry *e = watch->first; e; e = e->next) {
        if (now_ns - e->since_ns > allowed_ms(e) * MS) {
            shutdown(e->fd, SHUT_RDWR);
            e->phase = HTTP_WATCH_WORK; /* not counted again */
            watch->slow++;
        }
    }
    pthread_mutex_unlock(&watch->mutex);
}
