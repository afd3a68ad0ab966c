/* sources_view: one input of `merlon sources` as it is shown.
 *
 *     struct sources_view view = {.file = file, .survey = survey, ...};
 *     sources_view_table(&view, &out);      // a block of lines
 *     sources_view_json(&view, &out);       // one line */
#pragma once

#include "base/buf.h"
#include "cli/look.h"
#include "detect/survey_list.h"

enum { SOURCES_VIEW_GAPS = 3 }; /* shown in a table */

struct sources_view {
    const struct look_file *file;
    const struct survey *survey;
    const struct survey_source *sources;
    size_t source_count;
    const struct survey_field *fields;
    size_t field_count;
    size_t fields_shown; /* in a table */
    bool has_rules;
    uint32_t rules;    /* that were given and loaded */
    uint32_t can_fire; /* of them, on this input */
};

void sources_view_table(const struct sources_view *view, struct buf *out);
void sources_view_json(const struct sources_view *view, struct buf *out);
