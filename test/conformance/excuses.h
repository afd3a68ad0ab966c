/* excuses: a list of known differences, one a line: KEY... REASON, `#` begins a comment.
 *
 *     struct excuses list;
 *     TRY(excuses_read(&list, "ambiguous.txt", 1, diag));       // the first word is the key
 *     if (excuses_take(&list, key)) ...
 *     excuses_unused(&list, tally);                              // each line must excuse something
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"
#include "conformance/conformance.h"

struct excuse {
    struct slice key;
    struct slice reason;
    bool used;
};

struct excuses {
    const char *name;
    struct buf text;
    struct excuse *lines;
    size_t count;
};

/* conformance_file of that name. The key is a line's first `words` words. A line without a reason
 * is refused. */
enum err excuses_read(
        struct excuses *list, const char *name, int words, struct diag *diag) MUST_CHECK;
void excuses_fini(struct excuses *list);
bool excuses_take(struct excuses *list, struct slice key);
void excuses_unused(const struct excuses *list, struct tally *tally);
