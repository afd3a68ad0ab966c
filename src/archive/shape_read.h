/* shape_read: the shapes of a sealed file, as its footer has them, for shape_join.
 *
 *     {"columns":["User","Port"],
 *      "literals":["{\"User\":\"","\",\"Port\":","}"],
 *      "shapes":[[0,1,1,64,2]]}
 *
 *     TRY(shape_read(text, &set, diag));
 *     const uint32_t *holes = shape_holes(set, 0, &count);  // 0, 1: shape_column(set, 0).path User
 *     TRY(shape_join(set, 0, texts, &out));                 // {"User":"eve","Port":22}
 *
 * A shape is literal, hole, literal ... literal, by number. A hole is 64 times its column, and how
 * its text is written (shape_escape.h): here User as JSON, Port as it stands. */
#pragma once

#include "archive/shape.h"

/* Paths of columns are the names in the file, `place` is 1. The set takes no records: nothing but
 * shape_count, shape_columns, shape_column, shape_holes, shape_join and shape_free. ERR_SYNTAX: it
 * is none of ours; ERR_LIMIT: a bound of shape.h is exceeded; ERR_MEMORY. */
enum err shape_read(struct slice text, struct shape_set **out, struct diag *diag) MUST_CHECK;
