#include "cli/config_retention.h"

#include "cli/config_parts.h"
#include "net/authorize.h"

static enum err read_limits(const struct yaml_node *map, struct config_retention_row *row,
        enum holdings_kind kind, struct diag *diag)
{
    const struct yaml_node *age = yaml_get(map, SLICE("age")), *size = yaml_get(map, SLICE("size"));
    if (age) {
        TRY(config_parts_span(age, &row->limits[kind].age_ns, diag));
        row->age_given[kind] = true;
    }
    if (size) {
        TRY(config_parts_size(size, &row->limits[kind].bytes, diag));
        row->size_given[kind] = true;
    }
    return OK;
}

static enum err read_row(const struct yaml_node *map, struct config_retention_row *row,
        struct slice tenant, struct diag *diag)
{
    static const char *const names[] = {"age", "size", NULL};
    *row = (struct config_retention_row){.tenant = tenant};
    TRY(read_limits(map, row, HOLDINGS_RECORDS, diag));
    for (enum holdings_kind kind = HOLDINGS_QUARANTINE; kind < HOLDINGS_KINDS; kind++) {
        const char *name = holdings_kind_name(kind);
        const struct yaml_node *node = yaml_get(map, slice_text(name));
        if (node) {
            TRY(config_parts_keys(node, names, name, diag));
            TRY(read_limits(node, row, kind, diag));
        }
    }
    return OK;
}

static enum err read_tenants(
        struct config_retention *out, const struct yaml_node *tenants, struct diag *diag)
{
    static const char *const names[] = {"age", "size", "quarantine", "findings", NULL};
    for (const struct yaml_node *node = tenants->first; node; node = node->next) {
        struct slice tenant;
        TRY(config_parts_tenant(node->key, &tenant, diag));
        TRY(config_parts_keys(node, names, "a tenant's retention", diag));
        TRY(read_row(node, &out->rows[out->count], tenant, diag));
        out->count++;
    }
    return OK;
}

enum err config_retention_read(struct config_retention *out, struct arena *arena,
        const struct yaml_node *node, struct diag *diag)
{
    static const char *const names[] = {"age", "size", "quarantine", "findings", "tenants", NULL};
    TRY(config_parts_keys(node, names, "retention", diag));
    const struct yaml_node *tenants = yaml_get(node, SLICE("tenants"));
    if (tenants && (tenants->kind != YAML_MAP || tenants->count > CONFIG_RETENTION_TENANTS)) {
        return config_parts_wrong(tenants, diag, "tenants is a map of at most 1,000");
    }
    out->rows = ARENA_ARRAY(arena, struct config_retention_row, 1 + (tenants ? tenants->count : 0));
    if (!out->rows) {
        return diag_say(diag, ERR_MEMORY, "no memory for the configuration");
    }
    TRY(read_row(node, &out->rows[0], (struct slice){0}, diag));
    out->count = 1;
    return tenants ? read_tenants(out, tenants, diag) : OK;
}

/* Of the rows that cover the tenant, the nearest that has a kind's age, or size. */
static const struct config_retention_row *nearest(const struct config_retention *retention,
        struct slice tenant, enum holdings_kind kind, bool size)
{
    const struct config_retention_row *best = NULL;
    for (size_t i = 0; i < retention->count; i++) {
        const struct config_retention_row *row = &retention->rows[i];
        bool given = size ? row->size_given[kind] : row->age_given[kind];
        if (given && authorize_covers(row->tenant, tenant) &&
                (!best || row->tenant.size >= best->tenant.size)) {
            best = row;
        }
    }
    return best;
}

static struct retain_limit limit_of(
        const struct config_retention *retention, struct slice tenant, enum holdings_kind kind)
{
    const struct config_retention_row *age = nearest(retention, tenant, kind, false);
    const struct config_retention_row *size = nearest(retention, tenant, kind, true);
    return (struct retain_limit){
            age ? age->limits[kind].age_ns : 0, size ? size->limits[kind].bytes : 0};
}

struct retain_limit config_retention_limit(
        const void *context, struct slice tenant, enum holdings_kind kind)
{
    struct retain_limit limit = limit_of(context, tenant, kind);
    if (kind != HOLDINGS_QUARANTINE || limit.age_ns > 0 || limit.bytes > 0) {
        return limit;
    }
    return limit_of(context, tenant, HOLDINGS_RECORDS);
}

int64_t config_retention_least_age(const struct config_retention *retention, bool findings)
{
    int64_t least = 0;
    for (size_t i = 0; i < retention->count; i++) {
        for (enum holdings_kind kind = 0; kind < HOLDINGS_KINDS; kind++) {
            int64_t age = retention->rows[i].limits[kind].age_ns;
            bool ours = (kind == HOLDINGS_FINDINGS) == findings;
            least = ours && age > 0 && (least == 0 || age < least) ? age : least;
        }
    }
    return least;
}
