/* groups: the groups of all correlations, found by their values, and dropped by their age.
 *
 *     struct group *g = groups_find(&groups, unit, hash, key);      // NULL: a new one
 *     TRY(groups_add(&groups, &made, &g));
 *     groups_touch(&groups, g, now);             // the newest of its unit, and of all
 *     groups_charge(&groups, g, bytes);          // what it holds now
 *
 * A key is the folded values, each with its length; a group shows the values as they first came. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "correlate/evidence.h"
#include "correlate/state.h"

/* A finding that further events may extend. */
struct group_open {
    struct evidence evidence;
    int64_t time_ns; /* when the condition became true */
    int64_t to_ns;   /* the last event */
    double value;
    struct match_id trigger;
    bool inexact;
    uint8_t host_size;
    char host[MATCH_HOST];
};

struct group {
    struct group *chain;          /* of the same slot */
    struct group *older, *newer;  /* of the unit, by last_ns */
    struct group *before, *after; /* of all, by when they were touched */
    uint64_t hash;
    uint32_t unit;
    uint32_t epoch;  /* of the unit, when this group was last known to be exact */
    int64_t last_ns; /* its last event */
    int64_t held_ns; /* the last at which the condition was true */
    bool holding;    /* it was true at the last event */
    size_t own;      /* bytes of itself, its key and what it shows */
    size_t bytes;    /* charged */
    struct state state;
    struct group_open *open; /* or NULL */
    struct slice key;
    struct slice *shown; /* by name of group-by; .at NULL: the event has none */
};

struct groups_list {
    struct group *oldest, *newest;
};

struct groups {
    struct group **slots; /* power of two */
    size_t slot_count, count;
    struct groups_list *units; /* by unit */
    struct group *oldest, *newest;
    size_t bytes;
};

bool groups_init(struct groups *groups, uint32_t units) __attribute__((warn_unused_result));
/* All groups are removed before. */
void groups_fini(struct groups *groups);
struct group *groups_find(
        const struct groups *groups, uint32_t unit, uint64_t hash, struct slice key);
/* What a new group is made of; all is copied. */
struct groups_new {
    uint32_t unit;
    uint64_t hash;
    struct slice key;
    const struct slice *shown;
    uint32_t shown_count;
};
/* NULL: no memory. */
struct group *groups_add(struct groups *groups, const struct groups_new *made);
/* Frees it; its finding is closed before. */
void groups_remove(struct groups *groups, const struct correlation *c, struct group *g);
void groups_touch(struct groups *groups, struct group *g, int64_t now_ns);
/* What the group holds besides itself, its key and what it shows. */
void groups_charge(struct groups *groups, struct group *g, size_t bytes);
