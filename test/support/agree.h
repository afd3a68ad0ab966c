/* agree: do the fields of an event and the fields of its own JSON agree?
 *
 *     struct agree agree;
 *     TRY(agree_init(&agree, names, count));          // names of fields
 *     reader_new(agree.paths, ...); next(...)
 *     if (!agree_check(&agree, &event)) ... agree.words
 *     agree_fini(&agree);
 *
 * A rule must not care whether it sees a record or an export of it. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "event/decoder.h"
#include "event/event.h"
#include "event/paths.h"

struct agree {
    struct fields *fields;
    struct paths *paths;   /* for the decoder under test */
    struct reader *reader; /* of JSON */
    struct event other;
    struct buf json;
    struct buf mine, theirs;
    struct buf words; /* what differs */
};

enum err agree_init(struct agree *agree, const struct slice *names, size_t count) MUST_CHECK;
void agree_fini(struct agree *agree);
bool agree_check(struct agree *agree, const struct event *event);
