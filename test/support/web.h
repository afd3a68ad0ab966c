/* web: a plain HTTP client for tests: bytes out, one answer in.
 *
 *     int fd = web_connect(port);
 *     web_send(fd, SLICE("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
 *     struct web_answer a = {0};
 *     assert_true(web_read(fd, &a));       // a.status, web_body(&a), web_header(&a, "Retry-After")
 *     web_fini(&a);
 *
 * Reading waits at most WEB_WAIT_S seconds, so that a test fails instead of hanging. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

enum { WEB_WAIT_S = 20 };

struct web_answer {
    int status;
    struct buf bytes; /* head and body, chunks joined */
    size_t body;      /* where it begins */
};

/* A listening socket on loopback; *port is its number. */
int web_listen(int *port);
int web_connect(int port);
/* From another address of loopback: "127.0.0.2". */
int web_connect_from(int port, const char *address);
bool web_send(int fd, struct slice bytes);
/* A whole request; `headers` are lines with CRLF each. */
bool web_request(int fd, const char *line, const char *headers, struct slice body);
/* false: the connection ended or nothing came. `answer` is emptied before. */
bool web_read(int fd, struct web_answer *answer);
/* The head alone: of streams. */
bool web_read_head(int fd, struct web_answer *answer);
/* On a connection of its own. */
bool web_ask(int port, const char *line, const char *headers, struct slice body,
        struct web_answer *answer);
struct slice web_body(const struct web_answer *answer);
/* .at NULL: absent. */
struct slice web_header(const struct web_answer *answer, const char *name);
/* The other side has closed; reads up to there. */
bool web_closed(int fd);
void web_fini(struct web_answer *answer);
