/* regex_bytes: a class of code points as a small automaton over the bytes of UTF-8.
 *
 *     é or ê, bytes C3 A9 and C3 AA:   node 0 --C3--> node 1 --A9-AA--> accept
 *
 * Equal classes share one automaton, of which every use in a program is a copy by number. Texts
 * are valid UTF-8 when they reach it (regex_search sees to that), so sequences that cannot occur
 * may be accepted: `.` is four nodes. An invalid byte arrives as REGEX_BYTES_INVALID. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "sigma/regex_class.h"

enum { REGEX_BYTES_INVALID = 0xFF };

struct regex_arc {
    uint8_t low, high;
    uint16_t to; /* node of the same automaton, by its number there; 0: accept */
};

struct regex_node {
    uint32_t arcs; /* index of its first */
    uint16_t count;
    uint16_t local; /* its number in its automaton */
};

/* All automata of one program. {0} is empty. */
struct regex_nodes {
    struct regex_arc *arcs;
    struct regex_node *at;
    uint32_t arc_count, arc_room;
    uint32_t count, room;
};

/* Appends the automaton of an ordered class, `*count` nodes. ERR_LIMIT: more than `most`, which is
 * at most 65535. */
enum err regex_bytes_build(struct arena *arena, struct regex_nodes *nodes,
        const struct regex_class *set, uint32_t most, uint32_t *count) MUST_CHECK;
/* Fewest bytes of a member. */
uint32_t regex_bytes_least(const struct regex_class *set);
