/* kept: how much is kept of each tenant, in memory that all processes share; the log's process
 * writes, whoever wants reads.
 *
 *     TRY(kept_new(&kept, diag));                              // before fork
 *     struct kept_tenant *t = kept_tenant(kept, SLICE("sg/moh"));
 *     atomic_store(&t->kinds[KEPT_RECORDS].bytes, n);
 *     kept_at(kept, i)                                         // i < kept_size(kept)
 *
 * Tenants over the limit share one place, "(others)"; a place once made stays. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"

enum { KEPT_TENANTS = 1024, KEPT_NAME = 120 };

enum kept_kind { KEPT_RECORDS, KEPT_QUARANTINE, KEPT_FINDINGS, KEPT_MATCHES, KEPT_KINDS };

struct kept_tenant {
    char name[KEPT_NAME]; /* with a NUL; longer names are cut */
    struct {
        _Atomic uint64_t bytes, records;
        _Atomic uint64_t beyond;   /* bytes past its limits, that share segments with others' */
        _Atomic int64_t oldest_ns; /* receipt; 0: there is none */
    } kinds[KEPT_KINDS];
};

struct kept;

enum err kept_new(struct kept **out, struct diag *diag) MUST_CHECK;
void kept_free(struct kept *kept);
/* Finds or makes; never NULL. One thread at a time. */
struct kept_tenant *kept_tenant(struct kept *kept, struct slice name);
size_t kept_size(const struct kept *kept);
const struct kept_tenant *kept_at(const struct kept *kept, size_t i);
/* "records", "quarantine", "findings", "matches". */
const char *kept_kind_name(enum kept_kind kind);
