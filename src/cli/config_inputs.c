#include "cli/config_inputs.h"

#include <stddef.h>
#include <string.h>

#include "cli/config_parts.h"
#include "cli/formats.h"

/* Of the keys that not all kinds have, which a kind must have and which it may. */
enum { LISTEN = 1, TLS = 2, PATHS = 4, DONE = 8, GROUP = 16, SASL = 32 };

static const struct kind {
    const char *name;
    unsigned needs, may;
    const char *needed; /* in words */
} kinds[] = {
        {"syslog-udp", LISTEN, 0, "an address to listen at"},
        {"syslog-tcp", LISTEN, 0, "an address to listen at"},
        {"syslog-tls", LISTEN | TLS, TLS, "an address to listen at, a certificate and its key"},
        {"http", LISTEN, TLS, "an address to listen at"},
        {"file", PATHS, 0, "paths"},
        {"drop", PATHS, DONE, "paths: the folders"},
        {"kafka", LISTEN | PATHS | GROUP, TLS | SASL, "brokers, topics and a group"},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const struct kind *find_kind(struct slice name)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (slice_equal(name, slice_text(kinds[i].name))) {
            return &kinds[i];
        }
    }
    return NULL;
}

static enum err take_kind(const struct yaml_node *node, struct slice *out, struct diag *diag)
{
    TRY(config_parts_text(node, out, diag));
    return find_kind(*out) ? OK
                           : config_parts_wrong(node, diag,
                                     "kind is syslog-udp, syslog-tcp, syslog-tls, http, file, drop "
                                     "or kafka");
}

static enum err take_format(const struct yaml_node *node, struct slice *out, struct diag *diag)
{
    char word[64] = {0};
    TRY(config_parts_text(node, out, diag));
    if (out->size < sizeof word) {
        memcpy(word, out->at, out->size);
    }
    return formats_find(word) ? OK
                              : config_parts_wrong(node, diag, "there is no format of that name");
}

struct input_key {
    const char *name;
    size_t at; /* in struct intake_input, of a slice */
    enum err (*take)(const struct yaml_node *node, struct slice *out, struct diag *diag);
};

static const struct input_key input_keys[] = {
        {"name", offsetof(struct intake_input, name), config_parts_text},
        {"kind", offsetof(struct intake_input, kind), take_kind},
        {"listen", offsetof(struct intake_input, address), config_parts_text},
        {"tenant", offsetof(struct intake_input, tenant), config_parts_tenant},
        {"format", offsetof(struct intake_input, format), take_format},
        {"certificate", offsetof(struct intake_input, certificate), config_parts_text},
        {"key", offsetof(struct intake_input, key), config_parts_text},
        {"brokers", offsetof(struct intake_input, address), config_parts_text},
        {"group", offsetof(struct intake_input, group), config_parts_text},
        {"mechanism", offsetof(struct intake_input, mechanism), config_parts_text},
        {"user", offsetof(struct intake_input, user), config_parts_text},
        {"password", offsetof(struct intake_input, password), config_parts_text},
        {"authority", offsetof(struct intake_input, authority), config_parts_text},
};
enum { INPUT_KEYS = sizeof input_keys / sizeof *input_keys };

static unsigned keys_of(const struct intake_input *input)
{
    bool tls = input->certificate.size > 0 && input->key.size > 0;
    return (input->address.size > 0 ? LISTEN : 0) | (tls ? TLS : 0) |
           (input->path_count > 0 ? PATHS : 0) | (input->remove ? DONE : 0) |
           (input->group.size > 0 ? GROUP : 0) | (input->user.size > 0 ? SASL : 0);
}

static enum err check_input(
        const struct yaml_node *node, const struct intake_input *input, struct diag *diag)
{
    const struct kind *kind = find_kind(input->kind);
    if (input->name.size == 0 || input->name.size > 60 ||
            memchr(input->name.at, '/', input->name.size)) {
        return config_parts_wrong(
                node, diag, "an input needs a name of at most 60 bytes, without '/'");
    }
    if (!kind) {
        return config_parts_wrong(node, diag, "an input needs a kind");
    }
    bool any = input->certificate.size > 0 || input->key.size > 0 || input->authority.size > 0;
    unsigned has = keys_of(input);
    if ((has & kind->needs) != kind->needs) {
        return diag_set(diag, ERR_SYNTAX, node->line, node->column, "%s needs %s", kind->name,
                kind->needed);
    }
    if ((has | (any ? TLS : 0)) & ~(kind->needs | kind->may)) {
        return diag_set(diag, ERR_SYNTAX, node->line, node->column,
                "%s has %s that another kind of input has", kind->name, "a key");
    }
    return OK;
}

static enum err read_words(struct config *config, const struct yaml_node *node,
        struct intake_input *input, struct diag *diag)
{
    const bool list = node->kind == YAML_LIST;
    size_t count = list ? node->count : 1;
    struct slice *words = ARENA_ARRAY(&config->arena, struct slice, count);
    if (!words || count > CONFIG_INPUTS_PATHS) {
        return config_parts_wrong(node, diag, "these are at most 1,000");
    }
    const struct yaml_node *item = list ? node->first : node;
    for (size_t i = 0; i < count; i++, item = item->next) {
        TRY(config_parts_text(item, &words[i], diag));
    }
    input->paths = words;
    input->path_count = count;
    return OK;
}

/* Files, folders and globs, absolute: the working directory is nobody's choice here. */
static enum err read_paths(struct config *config, const struct yaml_node *node,
        struct intake_input *input, struct diag *diag)
{
    TRY(read_words(config, node, input, diag));
    for (size_t i = 0; i < input->path_count; i++) {
        struct slice path = input->paths[i];
        if (path.size == 0 || path.at[0] != '/' || path.size > 4000) {
            return config_parts_wrong(node, diag, "a path begins with '/' here");
        }
    }
    return OK;
}

/* Keys of the same meaning have other names where the thing has another. */
static enum err check_names(const struct yaml_node *node, struct diag *diag)
{
    static const char *const of_kafka[] = {"brokers", "topics"}, *const of_others[] = {
                                                                         "listen", "paths"};
    const struct yaml_node *kind = yaml_get(node, SLICE("kind"));
    const bool kafka = kind && slice_equal(kind->text, SLICE("kafka"));
    for (size_t i = 0; i < 2; i++) {
        const struct yaml_node *other =
                yaml_get(node, slice_text(kafka ? of_others[i] : of_kafka[i]));
        if (other) {
            return config_parts_wrong(other, diag, "another kind of input has this key");
        }
    }
    return OK;
}

static enum err read_most(
        const struct yaml_node *node, struct intake_input *input, struct diag *diag)
{
    const struct yaml_node *most = yaml_get(node, SLICE("max_record"));
    if (most) {
        uint64_t bytes;
        TRY(config_parts_size(most, &bytes, diag));
        if (bytes == 0 || bytes > INTAKE_RECORD) {
            return config_parts_wrong(most, diag, "max_record is at most 18M");
        }
        input->record_bytes = bytes;
    }
    return OK;
}

static enum err read_others(struct config *config, const struct yaml_node *node,
        struct intake_input *input, struct diag *diag)
{
    const struct yaml_node *silent = yaml_get(node, SLICE("silent_after"));
    if (silent) {
        TRY(config_parts_span(silent, &input->silent_ns, diag));
    }
    TRY(read_most(node, input, diag));
    const struct yaml_node *paths = yaml_get(node, SLICE("paths"));
    if (paths) {
        TRY(read_paths(config, paths, input, diag));
    }
    const struct yaml_node *topics = yaml_get(node, SLICE("topics"));
    if (topics) {
        TRY(read_words(config, topics, input, diag));
    }
    const struct yaml_node *done = yaml_get(node, SLICE("done"));
    if (done) {
        input->remove = slice_equal(done->text, SLICE("remove"));
        if (!input->remove && !slice_equal(done->text, SLICE("keep"))) {
            return config_parts_wrong(done, diag, "done is keep or remove");
        }
    }
    return OK;
}

/* Its tenant is that of the configuration, if it names none. */
static enum err read_input(struct config *config, const struct yaml_node *node,
        struct intake_input *input, struct diag *diag)
{
    static const char *const names[] = {"name", "kind", "listen", "paths", "done", "brokers",
            "topics", "group", "mechanism", "user", "password", "tenant", "format", "certificate",
            "key", "authority", "max_record", "silent_after", NULL};
    TRY(config_parts_keys(node, names, "an input", diag));
    TRY(check_names(node, diag));
    for (size_t i = 0; i < INPUT_KEYS; i++) {
        const struct yaml_node *value = yaml_get(node, slice_text(input_keys[i].name));
        if (value) {
            TRY(input_keys[i].take(
                    value, (struct slice *)(void *)((char *)input + input_keys[i].at), diag));
        }
    }
    TRY(read_others(config, node, input, diag));
    return check_input(node, input, diag);
}

enum err config_inputs_read(
        struct config *config, const struct yaml_node *list, struct slice tenant, struct diag *diag)
{
    if (list->kind != YAML_LIST || list->count > CONFIG_INPUTS) {
        return config_parts_wrong(list, diag, "inputs is a list of at most 1,000");
    }
    config->inputs = ARENA_ARRAY(&config->arena, struct intake_input, list->count);
    if (!config->inputs) {
        return diag_say(diag, ERR_MEMORY, "no memory for the configuration");
    }
    config->input_count = 0;
    for (const struct yaml_node *node = list->first; node; node = node->next) {
        struct intake_input *input = &config->inputs[config->input_count];
        *input = (struct intake_input){
                .tenant = tenant, .record_bytes = CONFIG_INPUTS_RECORD, .listener = -1};
        TRY(read_input(config, node, input, diag));
        for (size_t i = 0; i < config->input_count; i++) {
            if (slice_equal(config->inputs[i].name, input->name)) {
                return config_parts_wrong(node, diag, "another input has the same name");
            }
        }
        config->input_count++;
    }
    return OK;
}

void config_inputs_where(const struct intake_input *input, struct buf *out)
{
    if (input->address.size > 0) {
        buf_format(out, "at %.*s%s", SLICE_ARG(input->address), input->path_count > 0 ? " " : "");
    }
    for (size_t i = 0; i < input->path_count; i++) {
        buf_format(out, "%s %.*s", i == 0 ? "of" : ",", SLICE_ARG(input->paths[i]));
    }
}
