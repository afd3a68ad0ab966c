/* http_parts: what the files of the server share; for http*.c only.
 *
 *     struct http_request *r = ...;      // made by http.c, answered through http_request.c */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <microhttpd.h>

#include "net/http.h"
#include "net/http_body.h"
#include "net/http_watch.h"

struct http_header {
    const char *name, *value; /* in the arena */
};

struct http_request {
    struct http *http;
    struct MHD_Connection *connection;
    struct http_watch_entry *watch; /* of the connection; NULL: not watched */
    struct http_request *next, *previous;
    const struct http_route *route; /* NULL: none fits */
    const struct http_table *table; /* that has it */
    enum http_method method;
    struct slice parts[HTTP_PATH_PARTS]; /* of the path, decoded */
    size_t part_count;
    char peer[48];
    struct authorize_actor actor;
    struct http_body body;
    size_t charged;   /* bytes of the body counted in http->bodies */
    bool leaving;     /* counted in http->leaving */
    size_t discarded; /* bytes of a body that is refused */
    bool refused;     /* before the handler: the body is not kept */
    bool handled;     /* the handler was called */
    struct arena arena;
    struct buf out;
    struct http_header headers[HTTP_REQUEST_HEADERS];
    size_t header_count;
    int status;
    const char *type;
    void (*end)(void *kept);
    void *kept;
    bool streaming;
    struct http_stream stream;
    pthread_mutex_t mutex; /* guards what follows */
    bool answered;
    bool claimed; /* somebody is about to answer */
    bool waiting; /* suspended until it is answered */
    bool asleep;  /* a stream that is suspended */
    bool woken;   /* since it was read last */
    bool ended;   /* a stream that is to end */
};

struct http {
    struct MHD_Daemon *daemon;
    struct http_options options;
    struct http_watch watch;
    pthread_mutex_t mutex; /* guards tokens and requests */
    struct tokens *tokens;
    struct http_request *requests;
    size_t leaving; /* requests that http_stop has answered and that are not sent yet */
    pthread_cond_t left;
    _Atomic size_t bodies; /* bytes */
    _Atomic uint64_t served, refused;
};
