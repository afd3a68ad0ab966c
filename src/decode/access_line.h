/* access_line: a line of an access log taken apart.
 *
 *     struct access_line l;
 *     if (!access_line_parse(line, &l)) ... none: no [time] "request" status in it
 *
 * All is borrowed from the line; what is not there or "-" is empty. */
#pragma once

#include <stdbool.h>

#include "base/slice.h"

struct access_line {
    struct slice vhost;     /* before the client, with its port */
    struct slice client;    /* the first of several */
    struct slice forwarded; /* a list of addresses, before the rest or in quotes at the end */
    struct slice ident, user;
    struct slice time;
    struct slice request; /* inside of the quotes */
    struct slice status, bytes, referer, agent;
    bool combined;     /* referer and agent are there, maybe as "-" */
    struct slice rest; /* what follows */
};

bool access_line_parse(struct slice line, struct access_line *out);

/* "GET /path HTTP/1.1": false: no method; *version empty: it ends with the target. Blanks may stand
 * in the target. */
bool access_line_request(
        struct slice request, struct slice *method, struct slice *target, struct slice *version);

/* Squid's code and hierarchy at the end of the line; false: they are not there. */
bool access_line_squid(struct slice line, struct slice *code, struct slice *hierarchy);
