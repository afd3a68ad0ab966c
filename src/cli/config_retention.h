/* config_retention: how long what is kept stays, by tenant and kind.
 *
 *     retention:
 *       age: 90d                     # of records, of tenants that are not named
 *       size: 100G
 *       quarantine: {age: 30d}       # without it: as the records
 *       findings: {age: 730d}        # without it: for ever
 *       tenants:
 *         sg/health: {age: 365d}     # and of those below it; what it leaves out is as above
 *
 *     config_retention_limit(retention, SLICE("sg/health/moh"), HOLDINGS_RECORDS).age_ns */
#pragma once

#include "base/arena.h"
#include "base/yaml.h"
#include "wal/retain.h"

enum { CONFIG_RETENTION_TENANTS = 1000 };

struct config_retention_row {
    struct slice tenant; /* and those below; empty: all */
    struct retain_limit limits[HOLDINGS_KINDS];
    bool age_given[HOLDINGS_KINDS], size_given[HOLDINGS_KINDS];
};

struct config_retention {
    struct config_retention_row *rows; /* the first is of all */
    size_t count;                      /* 0: nothing is ever removed */
};

enum err config_retention_read(struct config_retention *out, struct arena *arena,
        const struct yaml_node *node, struct diag *diag) MUST_CHECK;
/* Of the row that names the tenant or the nearest one above it, what it leaves out from those
 * further above; `context` is the struct config_retention. */
struct retain_limit config_retention_limit(
        const void *context, struct slice tenant, enum holdings_kind kind);
/* The least age of records and quarantine, or of findings; 0: none. */
int64_t config_retention_least_age(const struct config_retention *retention, bool findings);
