/* stage: one stage of a run: rows come in, rows go on to the next, some at once, some at the end.
 *
 *     stage_give(stage, cells, diag)      // a row comes in
 *     stage_end(stage, diag)              // no more will; what was kept goes on
 *
 * ERR_END from giving says that no more rows are wanted. What a stage keeps is limited by
 * shared->memory_bytes each: over it the run ends with ERR_LIMIT, and the words name the stage. */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "hunt/query_plan.h"
#include "hunt/row.h"

/* What the stages of a run share. */
struct stage_shared {
    size_t memory_bytes; /* each stage */
    struct slice text;   /* the query, to name places */
    struct buf notes;    /* lines for the person: what was left out, and why */
    uint64_t untimed;    /* rows that since or until left out since they have no time */
    uint64_t undetermined;
    bool partial; /* some note tells of events that were left out */
};

struct stage {
    const struct stage_form *form;
    const struct stage_plan *plan;
    struct stage_shared *shared;
    struct stage *next;
    size_t used; /* bytes kept */
};

struct stage_form {
    /* cells: plan->width of them, borrowed. */
    enum err (*give)(struct stage *s, const struct row_cell *cells, struct diag *diag);
    enum err (*end)(struct stage *s, struct diag *diag); /* NULL: nothing is kept */
    void (*free)(struct stage *s);                       /* NULL: as memory_free */
};

/* Where rows come out. Not ERR_END. */
typedef enum err stage_sink(
        void *context, const struct row_cell *cells, uint32_t width, struct diag *diag);

/* Makes the stage of a plan. Owner of *out: the caller, by stage_free. */
enum err stage_new(const struct stage_plan *plan, struct stage_shared *shared, struct stage **out,
        struct diag *diag) MUST_CHECK;
/* The end of a chain. */
enum err stage_new_sink(
        stage_sink *sink, void *context, uint32_t width, struct stage **out) MUST_CHECK;
void stage_free(struct stage *s);

static inline enum err stage_give(struct stage *s, const struct row_cell *cells, struct diag *diag)
{
    return s->form->give(s, cells, diag);
}
enum err stage_end(struct stage *s, struct diag *diag) MUST_CHECK;

/* Counts bytes that the stage is about to keep. ERR_LIMIT with words. */
enum err stage_take(struct stage *s, size_t bytes, struct diag *diag) MUST_CHECK;
enum err stage_no_memory(struct diag *diag);
/* The stage's word in the query: "stack". */
struct slice stage_word(const struct stage *s);
