#include "cli/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/yaml.h"
#include "cli/formats.h"
#include "cli/option.h"
#include "net/authorize.h"

enum { CONFIG_LIMIT = 1 << 20, MEMORY = 16 << 20, KINDS = 4, RECORD = 16 << 20 };

static const char *const kinds[KINDS + 1] = {
        "syslog-udp", "syslog-tcp", "syslog-tls", "http", NULL};

/* ---- values ------------------------------------------------------------------------------------
 */

static enum err wrong(const struct yaml_node *node, struct diag *diag, const char *what)
{
    return diag_set(diag, ERR_SYNTAX, node->line, node->column, "%s", what);
}

static enum err take_text(const struct yaml_node *node, struct slice *out, struct diag *diag)
{
    if (node->kind == YAML_LIST || node->kind == YAML_MAP || node->kind == YAML_NULL ||
            memchr(node->text.at, 0, node->text.size)) {
        return wrong(node, diag, "a text is expected here");
    }
    *out = node->text;
    return OK;
}

/* A size in bytes: 1048576, 64M, 2G. */
static enum err take_size(const struct yaml_node *node, uint64_t *out, struct diag *diag)
{
    struct slice text;
    char words[32] = {0};
    unsigned long bytes;
    TRY(take_text(node, &text, diag));
    if (text.size >= sizeof words) {
        return wrong(node, diag, "a size is expected here: 64M");
    }
    memcpy(words, text.at, text.size);
    if (!option_bytes(words, UINT64_C(1) << 50, &bytes)) {
        return wrong(node, diag, "a size is expected here: 64M");
    }
    *out = bytes;
    return OK;
}

static enum err take_words(
        struct config *config, const struct yaml_node *node, struct words *out, struct diag *diag)
{
    const struct yaml_node *item = node->kind == YAML_LIST ? node->first : node;
    for (; item; item = node->kind == YAML_LIST ? item->next : NULL) {
        struct slice text;
        TRY(take_text(item, &text, diag));
        text = arena_copy(&config->arena, text);
        if (!text.at || words_add(out, text.at) != OK) {
            return diag_say(diag, ERR_MEMORY, "no memory for the configuration");
        }
    }
    return OK;
}

static enum err take_tenant(const struct yaml_node *node, struct slice *out, struct diag *diag)
{
    TRY(take_text(node, out, diag));
    return out->size > 0 && authorize_tenant_valid(*out)
                   ? OK
                   : wrong(node, diag, "a tenant is expected here, such as sg/health/moh");
}

/* ---- keys --------------------------------------------------------------------------------------
 */

/* `keys`: the known ones, ended by NULL. */
static enum err check_keys(
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

static enum err take_kind(const struct yaml_node *node, struct slice *out, struct diag *diag)
{
    TRY(take_text(node, out, diag));
    for (size_t i = 0; i < KINDS; i++) {
        if (slice_equal(*out, slice_text(kinds[i]))) {
            return OK;
        }
    }
    return wrong(node, diag, "kind is syslog-udp, syslog-tcp, syslog-tls or http");
}

static enum err take_format(const struct yaml_node *node, struct slice *out, struct diag *diag)
{
    char word[64] = {0};
    TRY(take_text(node, out, diag));
    if (out->size < sizeof word) {
        memcpy(word, out->at, out->size);
    }
    return formats_find(word) ? OK : wrong(node, diag, "there is no format of that name");
}

struct input_key {
    const char *name;
    size_t at; /* in struct intake_input, of a slice */
    enum err (*take)(const struct yaml_node *node, struct slice *out, struct diag *diag);
};

static const struct input_key input_keys[] = {
        {"name", offsetof(struct intake_input, name), take_text},
        {"kind", offsetof(struct intake_input, kind), take_kind},
        {"listen", offsetof(struct intake_input, address), take_text},
        {"tenant", offsetof(struct intake_input, tenant), take_tenant},
        {"format", offsetof(struct intake_input, format), take_format},
        {"certificate", offsetof(struct intake_input, certificate), take_text},
        {"key", offsetof(struct intake_input, key), take_text},
        {"authority", offsetof(struct intake_input, authority), take_text},
};
enum { INPUT_KEYS = sizeof input_keys / sizeof *input_keys };

static enum err check_input(
        const struct yaml_node *node, const struct intake_input *input, struct diag *diag)
{
    if (input->name.size == 0 || input->name.size > 60 ||
            memchr(input->name.at, '/', input->name.size)) {
        return wrong(node, diag, "an input needs a name of at most 60 bytes, without '/'");
    }
    if (input->kind.size == 0 || input->address.size == 0) {
        return wrong(node, diag, "an input needs a kind, and an address to listen at");
    }
    if (slice_equal(input->kind, SLICE("syslog-tls")) &&
            (input->certificate.size == 0 || input->key.size == 0)) {
        return wrong(node, diag, "syslog-tls needs a certificate and its key");
    }
    return OK;
}

static enum err read_input(const struct yaml_node *node, struct slice tenant,
        struct intake_input *out, struct diag *diag)
{
    static const char *const names[] = {"name", "kind", "listen", "tenant", "format", "certificate",
            "key", "authority", "max_record", NULL};
    struct intake_input input = {.tenant = tenant, .record_bytes = RECORD, .listener = -1};
    TRY(check_keys(node, names, "an input", diag));
    for (size_t i = 0; i < INPUT_KEYS; i++) {
        const struct yaml_node *value = yaml_get(node, slice_text(input_keys[i].name));
        if (value) {
            TRY(input_keys[i].take(
                    value, (struct slice *)(void *)((char *)&input + input_keys[i].at), diag));
        }
    }
    const struct yaml_node *most = yaml_get(node, SLICE("max_record"));
    if (most) {
        uint64_t bytes;
        TRY(take_size(most, &bytes, diag));
        if (bytes == 0 || bytes > INTAKE_RECORD) {
            return wrong(most, diag, "max_record is at most 18M");
        }
        input.record_bytes = bytes;
    }
    TRY(check_input(node, &input, diag));
    *out = input;
    return OK;
}

static enum err read_inputs(
        struct config *config, const struct yaml_node *list, struct slice tenant, struct diag *diag)
{
    if (list->kind != YAML_LIST || list->count > CONFIG_INPUTS) {
        return wrong(list, diag, "inputs is a list of at most 1,000");
    }
    config->inputs = ARENA_ARRAY(&config->arena, struct intake_input, list->count);
    if (!config->inputs) {
        return diag_say(diag, ERR_MEMORY, "no memory for the configuration");
    }
    config->input_count = 0;
    for (const struct yaml_node *node = list->first; node; node = node->next) {
        struct intake_input *input = &config->inputs[config->input_count];
        TRY(read_input(node, tenant, input, diag));
        for (size_t i = 0; i < config->input_count; i++) {
            if (slice_equal(config->inputs[i].name, input->name)) {
                return wrong(node, diag, "another input has the same name");
            }
        }
        config->input_count++;
    }
    return OK;
}

static enum err read_api(struct config_api *api, const struct yaml_node *node, struct diag *diag)
{
    static const char *const names[] = {"listen", "certificate", "key", NULL};
    struct slice *const values[] = {&api->address, &api->certificate, &api->key};
    TRY(check_keys(node, names, "the api", diag));
    for (size_t i = 0; names[i]; i++) {
        const struct yaml_node *value = yaml_get(node, slice_text(names[i]));
        if (value) {
            TRY(take_text(value, values[i], diag));
        }
    }
    if (api->address.size == 0) {
        return wrong(node, diag, "the api needs an address to listen at");
    }
    return (api->certificate.size == 0) == (api->key.size == 0)
                   ? OK
                   : wrong(node, diag, "a certificate and its key go together");
}

/* ---- the whole ---------------------------------------------------------------------------------
 */

static enum err read_root(struct config *config, const struct yaml_node *root, struct diag *diag)
{
    static const char *const keys[] = {"data", "rules", "taxonomy", "tenant", "inputs", "api",
            "segment_size", "reserve", NULL};
    const struct yaml_node *node;
    struct slice tenant = SLICE("default"), text;
    TRY(check_keys(root, keys, "the configuration", diag));
    if ((node = yaml_get(root, SLICE("data")))) {
        TRY(take_text(node, &text, diag));
        config->data = arena_copy(&config->arena, text).at;
        if (!config->data) {
            return diag_say(diag, ERR_MEMORY, "no memory for the configuration");
        }
    }
    if ((node = yaml_get(root, SLICE("rules")))) {
        TRY(take_words(config, node, &config->rules, diag));
    }
    if ((node = yaml_get(root, SLICE("taxonomy")))) {
        TRY(take_words(config, node, &config->taxonomies, diag));
    }
    if ((node = yaml_get(root, SLICE("tenant")))) {
        TRY(take_tenant(node, &tenant, diag));
    }
    if ((node = yaml_get(root, SLICE("segment_size")))) {
        TRY(take_size(node, &config->segment_bytes, diag));
    }
    if ((node = yaml_get(root, SLICE("reserve")))) {
        TRY(take_size(node, &config->reserve_bytes, diag));
    }
    if ((node = yaml_get(root, SLICE("inputs")))) {
        TRY(read_inputs(config, node, tenant, diag));
    }
    node = yaml_get(root, SLICE("api"));
    return node ? read_api(&config->api, node, diag) : OK;
}

/* Name, kind and address of what listens where nothing else is said. */
static const char *const defaults[][2] = {{"syslog-udp", "127.0.0.1:5514"},
        {"syslog-tcp", "127.0.0.1:5514"}, {"http", "127.0.0.1:8088"}};
enum { DEFAULTS = sizeof defaults / sizeof *defaults };

static enum err set_defaults(struct config *config, struct diag *diag)
{
    const char *data = getenv("MERLON_DATA");
    config->data = data && *data ? data : "merlon-data";
    config->reserve_bytes = 256 << 20;
    config->inputs = ARENA_ARRAY(&config->arena, struct intake_input, DEFAULTS);
    if (!config->inputs) {
        return diag_say(diag, ERR_MEMORY, "no memory for the configuration");
    }
    for (size_t i = 0; i < DEFAULTS; i++) {
        config->inputs[i] = (struct intake_input){.name = slice_text(defaults[i][0]),
                .kind = slice_text(defaults[i][0]),
                .address = slice_text(defaults[i][1]),
                .tenant = SLICE("default"),
                .record_bytes = RECORD,
                .listener = -1};
    }
    config->input_count = DEFAULTS;
    return OK;
}

static enum err read_file(struct config *config, const char *path, struct diag *diag)
{
    struct yaml_limits limits = YAML_LIMITS;
    struct yaml_document *docs = NULL;
    struct buf text = {0};
    limits.bytes = CONFIG_LIMIT;
    enum err e = files_read(path, CONFIG_LIMIT, &text, diag);
    if (e == OK) {
        struct slice kept = arena_copy(&config->arena, buf_slice(&text));
        e = kept.at ? yaml_read(&config->arena, kept, &limits, &docs, diag) : ERR_MEMORY;
    }
    if (e == OK && docs && docs->root) {
        e = read_root(config, docs->root, diag);
    }
    buf_fini(&text);
    return e;
}

enum err config_read(struct config *config, const char *path, struct diag *diag)
{
    *config = (struct config){.api.listener = -1};
    arena_init(&config->arena, MEMORY);
    enum err e = set_defaults(config, diag);
    if (!path) {
        config->api.address = SLICE("127.0.0.1:8080");
    }
    if (e == OK && path) {
        e = read_file(config, path, diag);
    }
    if (e != OK) {
        config_fini(config);
    }
    return e;
}

void config_fini(struct config *config)
{
    words_fini(&config->rules);
    words_fini(&config->taxonomies);
    arena_fini(&config->arena);
}
