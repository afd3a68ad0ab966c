/* config_parts: values and keys of the configuration, for the files that read its parts.
 *
 *     TRY(config_parts_keys(node, names, "an input", diag));       // names ends with NULL
 *     TRY(config_parts_text(yaml_get(node, SLICE("listen")), &text, diag)); */
#pragma once

#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/yaml.h"

/* ERR_SYNTAX with the node's place. */
enum err config_parts_wrong(const struct yaml_node *node, struct diag *diag, const char *what);
enum err config_parts_text(
        const struct yaml_node *node, struct slice *out, struct diag *diag) MUST_CHECK;
/* A size in bytes: 1048576, 64M, 2G. */
enum err config_parts_size(
        const struct yaml_node *node, uint64_t *out, struct diag *diag) MUST_CHECK;
/* 90d, 12h, 30m, 10s: at most 36,500 days. */
enum err config_parts_span(const struct yaml_node *node, int64_t *ns, struct diag *diag) MUST_CHECK;
enum err config_parts_tenant(
        const struct yaml_node *node, struct slice *out, struct diag *diag) MUST_CHECK;
/* A map with no other keys than these, ended by NULL. `what` has them, in words. */
enum err config_parts_keys(const struct yaml_node *map, const char *const *keys, const char *what,
        struct diag *diag) MUST_CHECK;
