/* web: what logs of web servers and proxies share: a request's target and text in quotes.
 *
 *     struct web_target t = web_target(SLICE("http://example.org:8080/a/b.exe?c=d"));
 *     // host example.org, port 8080, path /a/b.exe, query c=d, extension exe
 *     struct slice text = web_unescape(arena, SLICE("a\\x22b"), &made);     // a"b */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"

/* Parts that are not there are empty. */
struct web_target {
    struct slice scheme;
    struct slice host; /* without the brackets of an IPv6 address */
    struct slice port;
    struct slice path;
    struct slice query;     /* without '?' */
    bool has_query;         /* there is a '?' */
    struct slice extension; /* behind the last dot of the path's last part */
};

/* Any target: of a server (/path), of a proxy (http://host/path, host:port), of CONNECT. */
struct web_target web_target(struct slice target);

/* Resolves \xHH, \", \\, \b, \n, \r, \t and \v, as Apache and nginx write them in quotes. `made`:
 * the text is not the given one. .at NULL: no memory. */
struct slice web_unescape(struct arena *arena, struct slice text, bool *made);

/* An IPv4 or IPv6 address by its letters, without a look at its numbers. */
bool web_is_address(struct slice text);

/* The text in double quotes at the front of *rest, which is then behind the quotes and one blank.
 * A quote ends it that no backslash precedes and behind which the line ends or a blank stands; one
 * that never ends goes to the end of the line. */
struct slice web_quoted(struct slice *rest);
