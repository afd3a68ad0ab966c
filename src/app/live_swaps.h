/* live_swaps: changes of rules that windows reach back over, each with the set that it ended.
 *
 *     live_swaps_note(&swaps, hash, at_ns);        // wherever the log says which set is in force
 *     TRY(live_swaps_tell(&swaps, live, "DATA/rulesets", diag));      // before any frame
 *
 * The sets are read again: what they did not keep is what live cannot know. One that is not there
 * any more, and those before the last LIVE_SWAPS changes, kept nothing that we know of. {0}: none.
 */
#pragma once

#include "app/live.h"
#include "base/diag.h"
#include "base/digest.h"

enum { LIVE_SWAPS = 8 };

struct live_swap {
    char before[DIGEST_HEX];
    int64_t at_ns;
};

struct live_swaps {
    char now[DIGEST_HEX];
    struct live_swap last[LIVE_SWAPS]; /* number n at n % LIVE_SWAPS */
    uint64_t count;
    int64_t forgotten_ns; /* of the latest that is not there any more */
};

/* true: it is another set than before. */
bool live_swaps_note(struct live_swaps *swaps, struct slice hash, int64_t at_ns);
enum err live_swaps_tell(const struct live_swaps *swaps, struct live *live, const char *directory,
        struct diag *diag) MUST_CHECK;
