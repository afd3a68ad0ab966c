#include "cli/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/time.h"
#include "base/yaml.h"
#include "cli/config_inputs.h"
#include "cli/config_parts.h"

enum { CONFIG_LIMIT = 1 << 20, MEMORY = 16 << 20 };

/* ---- keys --------------------------------------------------------------------------------------
 */

static enum err take_words(
        struct config *config, const struct yaml_node *node, struct words *out, struct diag *diag)
{
    const struct yaml_node *item = node->kind == YAML_LIST ? node->first : node;
    for (; item; item = node->kind == YAML_LIST ? item->next : NULL) {
        struct slice text;
        TRY(config_parts_text(item, &text, diag));
        text = arena_copy(&config->arena, text);
        if (!text.at || words_add(out, text.at) != OK) {
            return diag_say(diag, ERR_MEMORY, "no memory for the configuration");
        }
    }
    return OK;
}

static enum err read_api(struct config_api *api, const struct yaml_node *node, struct diag *diag)
{
    static const char *const names[] = {"listen", "certificate", "key", NULL};
    struct slice *const values[] = {&api->address, &api->certificate, &api->key};
    TRY(config_parts_keys(node, names, "the api", diag));
    for (size_t i = 0; names[i]; i++) {
        const struct yaml_node *value = yaml_get(node, slice_text(names[i]));
        if (value) {
            TRY(config_parts_text(value, values[i], diag));
        }
    }
    if (api->address.size == 0) {
        return config_parts_wrong(node, diag, "the api needs an address to listen at");
    }
    return (api->certificate.size == 0) == (api->key.size == 0)
                   ? OK
                   : config_parts_wrong(node, diag, "a certificate and its key go together");
}

/* How long events may be under way. */
static enum err read_correlation(
        struct config *config, const struct yaml_node *node, struct diag *diag)
{
    static const char *const names[] = {"lateness", "wait", NULL};
    int64_t *const values[] = {&config->lateness_ns, &config->wait_ns};
    TRY(config_parts_keys(node, names, "the correlation", diag));
    for (size_t i = 0; names[i]; i++) {
        const struct yaml_node *value = yaml_get(node, slice_text(names[i]));
        if (value) {
            TRY(config_parts_span(value, values[i], diag));
        }
        if (value && *values[i] > TIME_DAY) {
            return config_parts_wrong(value, diag, "at most a day");
        }
    }
    return OK;
}

/* Who is silent: after how long that is said, and after how long he is no source any more. */
static enum err read_sources(struct config *config, const struct yaml_node *node, struct diag *diag)
{
    static const char *const names[] = {"silent_after", "forget_after", NULL};
    int64_t *const values[] = {&config->silent_ns, &config->forget_ns};
    TRY(config_parts_keys(node, names, "the sources", diag));
    for (size_t i = 0; names[i]; i++) {
        const struct yaml_node *value = yaml_get(node, slice_text(names[i]));
        if (value) {
            TRY(config_parts_span(value, values[i], diag));
        }
    }
    return OK;
}

/* Nobody is forgotten before he was silent. */
static enum err check_silences(
        const struct config *config, const struct yaml_node *root, struct diag *diag)
{
    int64_t most = config->silent_ns;
    for (size_t i = 0; i < config->input_count; i++) {
        most = config->inputs[i].silent_ns > most ? config->inputs[i].silent_ns : most;
    }
    const struct yaml_node *node = yaml_get(root, SLICE("sources"));
    return most < config->forget_ns ? OK
                                    : config_parts_wrong(node ? node : root, diag,
                                              "forget_after is longer than each silent_after");
}

/* ---- the whole ---------------------------------------------------------------------------------
 */

static enum err read_root(struct config *config, const struct yaml_node *root, struct diag *diag)
{
    static const char *const keys[] = {"data", "rules", "taxonomy", "tenant", "inputs", "api",
            "segment_size", "reserve", "retention", "outputs", "correlation", "tenants", "sources",
            NULL};
    const struct yaml_node *node;
    struct slice tenant = SLICE("default"), text;
    TRY(config_parts_keys(root, keys, "the configuration", diag));
    if ((node = yaml_get(root, SLICE("data")))) {
        TRY(config_parts_text(node, &text, diag));
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
        TRY(config_parts_tenant(node, &tenant, diag));
    }
    if ((node = yaml_get(root, SLICE("segment_size")))) {
        TRY(config_parts_size(node, &config->segment_bytes, diag));
    }
    if ((node = yaml_get(root, SLICE("reserve")))) {
        TRY(config_parts_size(node, &config->reserve_bytes, diag));
    }
    if ((node = yaml_get(root, SLICE("retention")))) {
        TRY(config_retention_read(&config->retention, &config->arena, node, diag));
    }
    if ((node = yaml_get(root, SLICE("outputs")))) {
        TRY(config_outputs_read(&config->outputs, &config->arena, node, diag));
    }
    if ((node = yaml_get(root, SLICE("tenants")))) {
        TRY(config_tenants_read(&config->tenants, &config->arena, node, diag));
    }
    if ((node = yaml_get(root, SLICE("correlation")))) {
        TRY(read_correlation(config, node, diag));
    }
    if ((node = yaml_get(root, SLICE("inputs")))) {
        TRY(config_inputs_read(config, node, tenant, diag));
    }
    if ((node = yaml_get(root, SLICE("sources")))) {
        TRY(read_sources(config, node, diag));
    }
    TRY(check_silences(config, root, diag));
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
    config->lateness_ns = 60 * TIME_SECOND;
    config->wait_ns = TIME_SECOND;
    config->silent_ns = 3600 * TIME_SECOND;
    config->forget_ns = 30 * TIME_DAY;
    config->inputs = ARENA_ARRAY(&config->arena, struct intake_input, DEFAULTS);
    if (!config->inputs) {
        return diag_say(diag, ERR_MEMORY, "no memory for the configuration");
    }
    for (size_t i = 0; i < DEFAULTS; i++) {
        config->inputs[i] = (struct intake_input){.name = slice_text(defaults[i][0]),
                .kind = slice_text(defaults[i][0]),
                .address = slice_text(defaults[i][1]),
                .tenant = SLICE("default"),
                .record_bytes = CONFIG_INPUTS_RECORD,
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
