/* config_tenants: which rules hold for whom, and each tenant's exceptions.
 *
 *     tenants:
 *       - tenant: sg/health              # and those below it
 *         rules: {exclude: ["Noisy *"], include: ["tag:attack.t1059*"], level: medium}
 *         exceptions: [/etc/merlon/health.yml]     # Sigma filters
 *
 *     config_tenants_write(&tenants, &out);        // lines for a book: TENANT tab KIND tab VALUE
 *     config_tenants_parse(text, &arena, &tenants) // and back */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/yaml.h"
#include "sigma/rule.h"

enum { CONFIG_TENANTS = 1000, CONFIG_TENANTS_WORDS = 10000 };

struct config_tenant {
    struct slice tenant;
    const struct slice *include, *exclude; /* words that choose rules; no include: all */
    size_t include_count, exclude_count;
    enum level level;               /* LEVEL_NONE: all */
    const struct slice *exceptions; /* files, each with a NUL behind it */
    size_t exception_count;
};

struct config_tenants {
    struct config_tenant *at;
    size_t count;
};

enum err config_tenants_read(struct config_tenants *out, struct arena *arena,
        const struct yaml_node *list, struct diag *diag) MUST_CHECK;
/* All but the exceptions, whose texts stand beside it. */
void config_tenants_write(const struct config_tenants *tenants, struct buf *out);
enum err config_tenants_parse(struct slice text, struct arena *arena, struct config_tenants *out,
        struct diag *diag) MUST_CHECK;
/* Does the tenant's row leave this rule in? */
bool config_tenants_takes(const struct config_tenant *row, const struct rule *rule);
