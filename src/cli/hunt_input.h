/* hunt_input: what verbs that hunt are to read: files, or a part of a centre's
 * log or of an archive.
 *
 *     enum { STATE_LIMIT, ..., INPUT };                 // the verb's own options come first
 *     static const struct option_row options[] = {..., HUNT_INPUT_ROWS, {0}};
 *
 *     struct hunt_input input = HUNT_INPUT_ALL;
 *     option < INPUT ? ... : hunt_input_take(&input, option - INPUT, value, diag)
 *     hunt_input_check(&input, diag)                    // when all words are taken
 *     words_fini(&input.paths), words_fini(&input.taxonomies) */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "cli/option.h"
#include "cli/replay.h"
#include "cli/words.h"
#include "event/decoder.h"

struct hunt_input {
    struct words paths; /* none: the log of a centre, or the archive */
    struct words taxonomies;
    const struct decoder *decoder; /* --format; NULL: recognised by content */
    struct decode_limits limits;
    const char *archive; /* --archive, a directory; NULL: none is read */
    /* Of the log. */
    const char *data; /* --data; NULL: as cli/data.h says */
    /* Of both. */
    const char *tenant; /* NULL: all */
    struct replay_place from, to;
    /* An option that was given, and that one of them alone has; of_stored: the log or an archive.
     */
    const char *of_files, *of_log, *of_stored;
};

#define HUNT_INPUT_ALL                                                                             \
    {                                                                                              \
        .limits = DECODE_LIMITS, .to = {.offset = UINT64_MAX }                                     \
    }

enum {
    HUNT_INPUT_FORMAT,
    HUNT_INPUT_ZONE,
    HUNT_INPUT_YEAR,
    HUNT_INPUT_TAXONOMY,
    HUNT_INPUT_MAX_RECORD,
    HUNT_INPUT_ARCHIVE,
    HUNT_INPUT_DATA,
    HUNT_INPUT_TENANT,
    HUNT_INPUT_FROM,
    HUNT_INPUT_TO,
};

/* Rows of a table of options, in that order: the first one's place is what `option` below counts
 * from. */
#define HUNT_INPUT_ROWS                                                                            \
    {"format", 0, "FORMAT", "take the inputs for this: evtx, json, syslog..."},                    \
            {"zone", 0, "ZONE", "of syslog times that name none: +02:00, CET (UTC)"},              \
            {"year", 0, "YEAR", "of syslog times that name none (by the file's own time)"},        \
            {"taxonomy", 0, "FILE", "further logsources and fields; may be repeated"},             \
            {"max-record", 0, "SIZE", "reject longer records (16M)"},                              \
            {"archive", 0, "DIR", "search the sealed files of this archive (DATA/archive)"},       \
            {"data", 0, "DIR", "where the centre keeps everything (MERLON_DATA, ./merlon-data)"},  \
            {"tenant", 0, "TENANT", "only this tenant's, and those of tenants below it"},          \
            {"from", 0, "PLACE", "records from this offset on, or received since this time"},      \
    {                                                                                              \
        "to", 0, "PLACE", "records before this offset, or received before this time"               \
    }

/* `option` as numbered above. ERR_USAGE: diag says what is wrong with the value. */
enum err hunt_input_take(
        struct hunt_input *input, int option, const char *value, struct diag *diag) MUST_CHECK;
/* ERR_USAGE: an option is not of what is to be read. */
enum err hunt_input_check(const struct hunt_input *input, struct diag *diag) MUST_CHECK;
