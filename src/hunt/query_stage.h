/* query_stage: the stages of a query read, one after the other.
 *
 *     stack CommandLine by Computer     struct stage_plan {STAGE_STACK, fields [0], by [1]} */
#pragma once

#include "base/err.h"
#include "hunt/query_plan.h"

/* Reads the stage whose word the lexer stands at. Where it is a join, q->join is set, the lexer
 * stands behind its open bracket, and the pipe inside is read by the caller, who then calls
 * query_join_end. */
enum err query_stage_read(struct query_reader *q) MUST_CHECK;
/* Ends a pipe: rows that are still events get the columns that are shown, widths are set. */
enum err query_stage_finish(struct query_reader *q) MUST_CHECK;
/* A plan at the pipe's end, for rows as they are now. */
enum err query_stage_add(struct query_reader *q, enum stage_kind kind, size_t at,
        struct stage_plan **out) MUST_CHECK;
