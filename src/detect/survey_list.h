/* survey_list: what a survey counted, as lists for people.
 *
 *     struct survey_field *fields; size_t count;
 *     TRY(survey_list_fields(survey, &fields, &count));
 *     memory_free(fields); */
#pragma once

#include "detect/survey.h"

/* One field of the records, by its path as the record has it. */
struct survey_field {
    struct slice path;
    uint64_t there;  /* records that have it */
    uint64_t filled; /* records where some value of it is neither null nor empty */
    unsigned kinds;  /* SURVEY_KIND bits */
};

/* How many records a logsource takes. */
struct survey_source {
    const struct logsource *logsource;
    uint64_t events;
};

/* Events that no logsource of the taxonomy takes. */
uint64_t survey_list_unmapped(const struct survey *survey);
/* The logsources that the taxonomy lists and that took events, most first. Owner: the caller, by
 * memory_free; what it points to is the taxonomy's. */
enum err survey_list_sources(
        const struct survey *survey, struct survey_source **out, size_t *count) MUST_CHECK;
/* All fields, most filled first, then by path. Owner: the caller, by memory_free; the paths are the
 * survey's, until survey_clear. */
enum err survey_list_fields(
        const struct survey *survey, struct survey_field **out, size_t *count) MUST_CHECK;
