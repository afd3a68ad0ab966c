#include "cli/config_parts.h"

#include <string.h>

#include "base/time.h"
#include "cli/option.h"
#include "net/authorize.h"

enum err config_parts_wrong(const struct yaml_node *node, struct diag *diag, const char *what)
{
    return diag_set(diag, ERR_SYNTAX, node->line, node->column, "%s", what);
}

enum err config_parts_text(const struct yaml_node *node, struct slice *out, struct diag *diag)
{
    if (node->kind == YAML_LIST || node->kind == YAML_MAP || node->kind == YAML_NULL ||
            memchr(node->text.at, 0, node->text.size)) {
        return config_parts_wrong(node, diag, "a text is expected here");
    }
    *out = node->text;
    return OK;
}

/* A size in bytes: 1048576, 64M, 2G. */
enum err config_parts_size(const struct yaml_node *node, uint64_t *out, struct diag *diag)
{
    struct slice text;
    char words[32] = {0};
    unsigned long bytes;
    TRY(config_parts_text(node, &text, diag));
    if (text.size >= sizeof words) {
        return config_parts_wrong(node, diag, "a size is expected here: 64M");
    }
    memcpy(words, text.at, text.size);
    if (!option_bytes(words, UINT64_C(1) << 50, &bytes)) {
        return config_parts_wrong(node, diag, "a size is expected here: 64M");
    }
    *out = bytes;
    return OK;
}

enum err config_parts_tenant(const struct yaml_node *node, struct slice *out, struct diag *diag)
{
    TRY(config_parts_text(node, out, diag));
    return out->size > 0 && authorize_tenant_valid(*out)
                   ? OK
                   : config_parts_wrong(
                             node, diag, "a tenant is expected here, such as sg/health/moh");
}

/* `keys`: the known ones, ended by NULL. */
enum err config_parts_keys(
        const struct yaml_node *map, const char *const *keys, const char *what, struct diag *diag)
{
    if (map->kind != YAML_MAP) {
        return diag_set(
                diag, ERR_SYNTAX, map->line, map->column, "%s: keys and values are expected", what);
    }
    for (const struct yaml_node *child = map->first; child; child = child->next) {
        char word[64] = {0};
        bool known = false;
        for (size_t i = 0; keys[i] && !known; i++) {
            known = slice_equal(child->key->text, slice_text(keys[i]));
        }
        if (known) {
            continue;
        }
        memcpy(word, child->key->text.at,
                child->key->text.size < sizeof word ? child->key->text.size : sizeof word - 1);
        const char *nearest = option_nearest(word, keys);
        return diag_set(diag, ERR_SYNTAX, child->key->line, child->key->column,
                "%s has no key '%s'%s%s%s", what, word, nearest ? "; did you mean '" : "",
                nearest ? nearest : "", nearest ? "'?" : "");
    }
    return OK;
}

enum err config_parts_span(const struct yaml_node *node, int64_t *ns, struct diag *diag)
{
    enum { MOST_DAYS = 36500 };
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    struct slice text;
    char words[16] = {0};
    long count;
    TRY(config_parts_text(node, &text, diag));
    if (text.size >= 2 && text.size < sizeof words) {
        memcpy(words, text.at, text.size - 1);
        for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
            int64_t most = (int64_t)MOST_DAYS * 86400 / units[i].seconds;
            if (text.at[text.size - 1] == units[i].letter &&
                    option_number(words, 1, (long)most, &count)) {
                *ns = count * units[i].seconds * TIME_SECOND;
                return OK;
            }
        }
    }
    return config_parts_wrong(node, diag, "a span of time is expected here: 90d, 12h, 30m, 10s");
}
