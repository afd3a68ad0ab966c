/* query_join: `join on FIELD [= OTHER] ( another query )` read.
 *
 *     join on SourceIp = IpAddress (EventID: 4625 | count by IpAddress | where count|gt: 10) */
#pragma once

#include "base/err.h"
#include "hunt/query_plan.h"

/* Up to the open bracket; sets q->join. */
enum err query_join_read(struct query_reader *q, size_t at) MUST_CHECK;
/* Joined: pipe `number`, read to its end. The lexer stands at the bracket's end. */
enum err query_join_end(
        struct query_reader *q, const struct query_pipe *joined, uint32_t number) MUST_CHECK;
