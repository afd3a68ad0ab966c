/* formats: the decoders by name and by content.
 *
 *     const struct decoder *d = formats_recognise(head, whole);     // NULL: not one of ours */
#pragma once

#include <stdbool.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"
#include "event/decoder.h"

enum { FORMATS_HEAD = 64 << 10 }; /* first bytes of a stream that recognising may look at */

/* The decoder of a name, as in --format; NULL: there is none. */
const struct decoder *formats_find(const char *name);
/* The decoder that is surest of the stream's first bytes; `whole`: these are all. */
const struct decoder *formats_recognise(struct slice head, bool whole);
/* What --zone and --year say of timestamps that name none. `diag` says what is wrong with it. */
enum err formats_zone(
        const char *value, struct decode_limits *limits, struct diag *diag) MUST_CHECK;
enum err formats_year(
        const char *value, struct decode_limits *limits, struct diag *diag) MUST_CHECK;
