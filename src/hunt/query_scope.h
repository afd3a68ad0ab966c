/* query_scope: which columns there are at a stage, and what new ones are called.
 *
 *     TRY(query_scope_find(q, SLICE("Image"), at, &slot));     // open: a new slot; closed: or an
 *                                                              // error with a near name */
#pragma once

#include "base/err.h"
#include "hunt/query_plan.h"

/* The slot of a name. Where rows are closed it must be there. */
enum err query_scope_find(
        struct query_reader *q, struct slice name, size_t at, uint32_t *slot) MUST_CHECK;
/* FIELD_NONE where rows are closed and have no such column of times. */
enum err query_scope_time(struct query_reader *q, size_t at, uint32_t *slot) MUST_CHECK;
/* A slot of open rows that a join fills. */
enum err query_scope_add(struct query_reader *q, const struct row_column *column, size_t at,
        uint32_t *slot) MUST_CHECK;
/* The column of a slot. */
const struct row_column *query_scope_column(const struct query_reader *q, uint32_t slot);
/* From here on rows are these (copied). Two of one name are an error. */
enum err query_scope_close(struct query_reader *q, const struct row_column *columns, uint32_t count,
        size_t at) MUST_CHECK;
