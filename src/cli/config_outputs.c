#include "cli/config_outputs.h"

#include <stddef.h>
#include <string.h>

#include "cli/config_parts.h"

struct output_key {
    const char *name;
    size_t at; /* in struct config_output, of a slice */
    enum err (*take)(const struct yaml_node *node, struct slice *out, struct diag *diag);
};

static enum err take_kind(const struct yaml_node *node, struct slice *out, struct diag *diag)
{
    TRY(config_parts_text(node, out, diag));
    return slice_equal(*out, SLICE("webhook")) || slice_equal(*out, SLICE("syslog")) ||
                           slice_equal(*out, SLICE("file"))
                   ? OK
                   : config_parts_wrong(node, diag, "kind is webhook, syslog or file");
}

static enum err take_form(const struct yaml_node *node, struct slice *out, struct diag *diag)
{
    TRY(config_parts_text(node, out, diag));
    return slice_equal(*out, SLICE("json")) || slice_equal(*out, SLICE("cef"))
                   ? OK
                   : config_parts_wrong(node, diag, "form is json or cef");
}

static enum err take_level(const struct yaml_node *node, struct slice *out, struct diag *diag)
{
    static const char *const levels[] = {"informational", "low", "medium", "high", "critical"};
    TRY(config_parts_text(node, out, diag));
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (slice_equal(*out, slice_text(levels[i]))) {
            return OK;
        }
    }
    return config_parts_wrong(node, diag, "level is informational, low, medium, high or critical");
}

static const struct output_key keys[] = {
        {"name", offsetof(struct config_output, name), config_parts_text},
        {"kind", offsetof(struct config_output, kind), take_kind},
        {"url", offsetof(struct config_output, url), config_parts_text},
        {"path", offsetof(struct config_output, url), config_parts_text},
        {"tenant", offsetof(struct config_output, tenant), config_parts_tenant},
        {"level", offsetof(struct config_output, level), take_level},
        {"form", offsetof(struct config_output, form), take_form},
        {"secret", offsetof(struct config_output, secret), config_parts_text},
        {"authority", offsetof(struct config_output, authority), config_parts_text},
        {"certificate", offsetof(struct config_output, certificate), config_parts_text},
        {"key", offsetof(struct config_output, key), config_parts_text},
};
enum { KEYS = sizeof keys / sizeof *keys };

/* It is a file's name in DATA/cursors. */
static bool is_name(struct slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.at[i];
        if (!slice_is_digit(c) && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' &&
                c != '_') {
            return false;
        }
    }
    return name.size > 0 && name.size < SENT_NAME;
}

static bool starts_with_one(struct slice url, const char *const *schemes)
{
    for (size_t i = 0; schemes[i]; i++) {
        if (slice_starts(url, slice_text(schemes[i]))) {
            return true;
        }
    }
    return false;
}

static enum err check_url(
        const struct yaml_node *node, const struct config_output *output, struct diag *diag)
{
    static const char *const hooks[] = {"http://", "https://", NULL};
    static const char *const syslogs[] = {"tcp://", "tls://", "udp://", NULL};
    bool path = yaml_get(node, SLICE("path")) != NULL,
         file = slice_equal(output->kind, SLICE("file"));
    if (file) {
        return path && output->url.size > 1 && output->url.at[0] == '/'
                       ? OK
                       : config_parts_wrong(node, diag, "a file needs a path from / on");
    }
    if (path || yaml_get(node, SLICE("size"))) {
        return config_parts_wrong(node, diag, "path and size are those of a file");
    }
    if (slice_equal(output->kind, SLICE("webhook"))) {
        return starts_with_one(output->url, hooks)
                       ? OK
                       : config_parts_wrong(node, diag, "a webhook needs a url: https://...");
    }
    return starts_with_one(output->url, syslogs)
                   ? OK
                   : config_parts_wrong(
                             node, diag, "syslog needs a url: tls://HOST:PORT, tcp or udp");
}

static enum err read_output(
        const struct yaml_node *node, struct config_output *out, struct diag *diag)
{
    static const char *const names[] = {"name", "kind", "url", "path", "tenant", "level", "form",
            "secret", "authority", "certificate", "key", "size", NULL};
    const struct yaml_node *value;
    *out = (struct config_output){.form = SLICE("json")};
    TRY(config_parts_keys(node, names, "an output", diag));
    for (size_t i = 0; i < KEYS; i++) {
        value = yaml_get(node, slice_text(keys[i].name));
        if (value) {
            TRY(keys[i].take(value, (struct slice *)(void *)((char *)out + keys[i].at), diag));
        }
    }
    value = yaml_get(node, SLICE("size"));
    if (value) {
        TRY(config_parts_size(value, &out->rotate_bytes, diag));
    }
    if (!is_name(out->name)) {
        return config_parts_wrong(
                node, diag, "an output needs a name of letters, digits, - and _, at most 63");
    }
    if (out->kind.size == 0) {
        return config_parts_wrong(node, diag, "an output needs a kind");
    }
    if ((out->certificate.size == 0) != (out->key.size == 0)) {
        return config_parts_wrong(node, diag, "a certificate and its key go together");
    }
    return check_url(node, out, diag);
}

enum err config_outputs_read(struct config_outputs *out, struct arena *arena,
        const struct yaml_node *list, struct diag *diag)
{
    if (list->kind != YAML_LIST || list->count > SENT_OUTPUTS) {
        return config_parts_wrong(list, diag, "outputs is a list of at most 64");
    }
    out->at = ARENA_ARRAY(arena, struct config_output, list->count);
    if (!out->at) {
        return diag_say(diag, ERR_MEMORY, "no memory for the configuration");
    }
    for (const struct yaml_node *node = list->first; node; node = node->next) {
        TRY(read_output(node, &out->at[out->count], diag));
        for (size_t i = 0; i < out->count; i++) {
            if (slice_equal(out->at[i].name, out->at[out->count].name)) {
                return config_parts_wrong(node, diag, "another output has the same name");
            }
        }
        out->count++;
    }
    return OK;
}
