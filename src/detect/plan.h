/* plan: which tests of a class are looked for in every event, so that the rest need not be.
 *
 *     a rule  Image|endswith '\certutil.exe' and CommandLine|contains 'urlcache'
 *     needs both: the rarer is its witness; the rule is a candidate only where it is found
 *
 * A witness is a set of tests of which one holds whenever the rule holds: of a conjunction the
 * cheapest child's, of a disjunction all children's, of a negation none (the rule is then always a
 * candidate). What a test costs depends on how often it holds (a guess at first, counted later) and
 * on what is left to evaluate when it does. The choice changes speed, never the answer. Immutable
 * after plan_build. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "detect/anchor.h"
#include "detect/class.h"
#include "detect/keyword.h"
#include "detect/literal.h"

/* Something to be found in a value. */
struct trigger {
    uint32_t test;  /* the test it belongs to; where none of a test's triggers is found, the test
                       does not hold */
    bool exact;     /* found means that it holds; otherwise it must be run */
    uint32_t first; /* rules that become candidates: class rule indexes in plan->wakes */
    uint32_t count;
};

/* The searches of one field. */
struct field_plan {
    uint32_t field;
    const struct anchor_set *anchors;      /* or NULL */
    const struct literal_set *literals;    /* of ASCII texts, or NULL */
    const struct literal_set *other_texts; /* with characters beyond ASCII: only where the value
                                              has some; or NULL */
};

/* A test that is run on every event (a comparison, a regex without literals...). */
struct direct {
    uint32_t test;
    uint32_t first;
    uint32_t count;
};

struct plan {
    struct arena arena;
    const struct class *class;
    uint64_t id; /* of all plans, for caches */
    struct trigger *triggers;
    uint32_t trigger_count;
    struct field_plan *fields;
    uint32_t field_count;
    uint64_t *field_bits; /* which event fields have a field_plan */
    uint32_t *words;      /* those of field_bits with a bit */
    uint32_t word_count;
    uint16_t *field_at; /* event field -> index into fields */
    uint32_t *wakes;
    struct direct *directs;
    uint32_t direct_count;
    uint32_t *always; /* class rules without a witness */
    uint32_t always_count;
    uint64_t *known;                    /* bitmap of tests: one exact trigger decides the test */
    const struct keyword_set *keywords; /* searched for in the whole record, or NULL */
    uint32_t *keyword_triggers;         /* all of them */
    uint32_t keyword_trigger_count;
    uint32_t *bare; /* keyword triggers whose part may stand in a value that is no text: where the
                       record is not text throughout, they count as found */
    uint32_t bare_count;
};

/* What was seen in some events: how often tests held, what texts were made of. */
struct plan_facts {
    const float *frequencies; /* by test; negative: not counted */
    const struct literal_census *census;
};

/* facts: NULL where nothing was seen yet. event_fields: size of the
 * event's field table. Owner of *out: the caller, by plan_free. */
enum err plan_build(const struct class *class, const struct plan_facts *facts,
        uint32_t event_fields, struct plan **out) MUST_CHECK;
void plan_free(struct plan *plan);
