/* machine_parts: a machine's inside, for its own files: machine.c takes events and keeps order,
 * machine_join.c finds groups and values, machine_fire.c decides and gives findings. */
#pragma once

#include "base/buf.h"
#include "correlate/groups.h"
#include "correlate/machine.h"

/* A rule that holds for the event at hand: a base rule by its match, a correlation by its group. */
struct machine_hit {
    const struct rule *rule;
    const struct match *match;       /* of the base rule at the bottom */
    const struct group *group;       /* NULL: a base rule */
    const struct machine_hit *inner; /* of a correlation: the hit that made it true, and */
    uint32_t part;                   /* of which part */
};

/* A hit that waits for a correlation, and the part it is of. */
struct machine_input {
    uint32_t part;
    uint32_t hit; /* index into machine->hits */
};

/* An event's way into one group. */
struct machine_entry {
    uint64_t hash;
    size_t key_at, key_size; /* in machine->keys */
    size_t shown;            /* in machine->shown */
    uint32_t part;
    uint32_t hit;
    bool done;
};

/* One correlation. */
struct machine_unit {
    const struct rule *rule;
    const struct correlation *c;
    bool visible;
    int32_t **slots; /* by part, then name: place in the base rule's wanted; -1: ask the hit */
    struct machine_input *inputs;
    size_t input_count, input_room;
    int64_t until_ns; /* the end of the last time in which what holds is inexact */
    uint32_t epoch;   /* counts times in which any of its groups may be wrong */
    struct span_list inexact;
    struct machine_report report;
};

/* A base rule or a correlation as a part of a correlation. */
struct machine_edge {
    uint32_t unit;
    uint32_t part;
};

struct machine {
    struct machine_setting setting;
    struct arena arena;
    struct machine_unit *units; /* by rank */
    uint32_t unit_count;
    struct machine_edge *edges; /* those of rule r: [first_edge[r], first_edge[r + 1]) */
    uint32_t *first_edge;
    uint64_t *touched;  /* bitmap of units with inputs */
    uint32_t *in_order; /* units in order of their rules' numbers */
    int64_t *ends;      /* by unit: for mark_inexact */
    bool *reached;
    struct groups groups;
    /* The event at hand. */
    bool has_event;
    bool begun; /* some event was judged */
    struct match_id event;
    struct match_id judged; /* the last one */
    int64_t mark_ns;        /* what comes before is late */
    struct buf records;
    struct match *matches;
    size_t match_count, match_room;
    struct arena hit_memory;
    struct machine_hit **hits; /* all rules of the event that hold */
    size_t hit_count, hit_room;
    /* The correlation at hand. */
    struct buf keys;
    struct slice *shown;
    size_t shown_count, shown_room;
    struct machine_entry *entries;
    size_t entry_count, entry_room;
    struct buf value;
    bool unsure; /* the finding at hand may be one that another goes on with */
};

/* machine_join.c: fills keys, shown and entries from the unit's inputs. */
enum err machine_join(struct machine *m, struct machine_unit *u) MUST_CHECK;
/* Calls `take` for each tuple of values of the condition's fields, folded; none where one is
 * missing. */
typedef enum err machine_take(void *context, struct slice tuple);
enum err machine_join_tuples(struct machine *m, const struct machine_unit *u,
        const struct machine_entry *entry, machine_take *take, void *context) MUST_CHECK;
/* Calls `take` for each text of the condition's only field. */
enum err machine_join_texts(struct machine *m, const struct machine_unit *u,
        const struct machine_entry *entry, machine_take *take, void *context) MUST_CHECK;

/* machine_fire.c: the event enters the group of entries[first] by all entries of that key; *held:
 * the condition is true. *group is NULL where the event was skipped. */
enum err machine_fire(struct machine *m, struct machine_unit *u, size_t first, struct group **group,
        bool *held) MUST_CHECK;
/* Gives the group's finding, if one is open. */
enum err machine_fire_close(struct machine *m, struct group *g) MUST_CHECK;
