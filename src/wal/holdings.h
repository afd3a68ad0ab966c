/* holdings: how much each segment of a log holds of whom, and from when, and which sets of rules
 * it names: what retention goes by.
 *
 *     TRY(holdings_new("data/log", &disk_real, &h, diag));
 *     TRY(holdings_turn(h, committed, 4096, &more, diag));  // beside the writer, again and again
 *     h->segments[0].at[i]                                  // of one tenant, of one kind
 *     holdings_free(h);
 *
 * It reads what the log has, once; of a finished segment it keeps the sums beside it, in BASE.held,
 * so that a restart need not read all again. Such a file can be made again and is believed only
 * where its own sum is right. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/disk.h"
#include "wal/names.h"
#include "wal/reader.h"

enum holdings_kind {
    HOLDINGS_RECORDS,
    HOLDINGS_QUARANTINE,
    HOLDINGS_FINDINGS,
    HOLDINGS_MATCHES, /* what correlations are made of */
    HOLDINGS_KINDS,
};

/* Of one tenant and kind. */
struct holding {
    uint32_t tenant; /* place in holdings.tenants */
    enum holdings_kind kind;
    uint64_t bytes, records; /* bytes of the frames */
    int64_t oldest_ns, newest_ns;
};

struct holdings_segment {
    uint64_t base;
    struct holding *at;
    size_t count, room;
    uint32_t *named; /* places in holdings.rulesets: those that its frames name */
    size_t named_count, named_room;
    bool counted; /* finished, and all of it is in `at` and `named` */
};

struct holdings_tenant {
    char *name; /* with a NUL */
    size_t size;
    uint64_t bytes[HOLDINGS_KINDS], records[HOLDINGS_KINDS]; /* in all segments */
};

/* A set of rules that frames name. */
struct holdings_ruleset {
    char hash[DIGEST_HEX];
    size_t segments; /* in how many */
};

struct holdings {
    const struct disk *disk;
    char *directory;
    struct names names; /* as last looked at */
    struct holdings_segment *segments;
    size_t segment_count, segment_room;
    struct holdings_tenant *tenants;
    size_t tenant_count, tenant_room;
    struct holdings_ruleset *rulesets;
    size_t ruleset_count, ruleset_room;
    struct wal_reader *reader;
    int64_t newest_ns; /* the receipt time that came last */
    bool looked;       /* files of segments that went before this began are gone */
};

/* The log must be there. */
enum err holdings_new(const char *directory, const struct disk *disk, struct holdings **out,
        struct diag *diag) MUST_CHECK;
void holdings_free(struct holdings *h);
/* Looks at the directory, and counts up to so many frames below `committed`, which the caller has
 * read before. *more: some are left. Segments that are gone are forgotten, with their .held. */
enum err holdings_turn(struct holdings *h, uint64_t committed, size_t frames, bool *more,
        struct diag *diag) MUST_CHECK;
/* Does a frame name that set of rules? */
bool holdings_names(const struct holdings *h, const char *hash);
/* "records", "quarantine", "findings", "matches". */
const char *holdings_kind_name(enum holdings_kind kind);
