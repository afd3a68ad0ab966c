/* route: which of the taxonomy's entries an event belongs to.
 *
 *     count = route_key(router, judge_memory, event, texts, key);   // one small number a route
 *     route_symbols(router, key, count, symbols);
 *     route_active(router, symbols, active);              // per entry: which of its cases holds
 *
 * A route's value matters only as far as some entry asks for it: it is one of the texts that
 * entries name, or it has the longest of the prefixes that they name, or it is just there. That
 * number is its symbol: all events of the same symbols belong to the same entries. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "detect/texts.h"
#include "event/event.h"
#include "event/taxonomy.h"

enum { ROUTE_LIMIT = 128 }; /* routes of all taxonomy files */
enum { ROUTE_MEMO = 160 };  /* bytes of a value that are remembered */
#define ROUTE_INACTIVE 0xFF /* no case of the entry holds */

struct router;

/* Values of each route seen last, and their symbols: one a judge. */
enum { ROUTE_REMEMBERED = 8 };
struct route_memory {
    uint16_t symbol;
    uint8_t size, kind, form;
    char bytes[ROUTE_MEMO];
};
struct route_memo {
    struct route_memory last[ROUTE_LIMIT][ROUTE_REMEMBERED];
};

/* Interns the routes' fields. Owner: the caller. ERR_LIMIT: over ROUTE_LIMIT routes, over 254
 * cases of an entry. */
enum err route_new(const struct taxonomy *taxonomy, struct fields *fields, struct router **out,
        struct diag *diag) MUST_CHECK;
void route_free(struct router *router);
size_t route_count(const struct router *router);
size_t route_entry_count(const struct router *router);
/* The routes of which the event has a value, with its symbol: route << 16 | symbol, in the order of
 * their fields. Writes up to ROUTE_LIMIT, returns how many. */
size_t route_key(const struct router *router, struct route_memo *memo, const struct event *event,
        struct texts *texts, uint32_t *key);
/* The same as route_count symbols. */
void route_symbols(
        const struct router *router, const uint32_t *key, size_t count, uint16_t *symbols);
/* Writes, for each entry, its first case that holds, or ROUTE_INACTIVE. */
void route_active(const struct router *router, const uint16_t *symbols, uint8_t *active);
/* Does a route's value stand in one of the fields of the bitmap? */
bool route_reads(const struct router *router, const uint64_t *bits);
/* The field in which a route's value stands. */
uint32_t route_field(const struct router *router, size_t route);
