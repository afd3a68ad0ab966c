#include "cli/output.h"

#include <string.h>

#include "base/memory.h"
#include "cli/output_csv.h"
#include "cli/output_json.h"
#include "cli/output_table.h"

const char output_names[] = "table, json, csv or summary";

static const struct output_format output_summary = {.name = "summary"};

static const struct output_format *const formats[] = {
        &output_table, &output_json, &output_csv, &output_summary};

const struct output_format *output_find(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (strcmp(formats[i]->name, name) == 0) {
            return formats[i];
        }
    }
    return NULL;
}

/* All rules' texts in one buffer, then the slices into it. */
static enum err write_rules(struct output *o)
{
    const struct ruleset *set = o->setting.set;
    if (!o->format->rule || set->rule_count == 0) {
        return OK;
    }
    o->rule_text = memory_alloc_array(set->rule_count, sizeof *o->rule_text);
    if (!o->rule_text) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < set->rule_count; i++) {
        size_t start = o->texts.size;
        o->format->rule(o, set->rules[i], &o->texts);
        o->rule_text[i].size = o->texts.size - start;
    }
    if (o->texts.failed) {
        return ERR_MEMORY;
    }
    const char *at = o->texts.at;
    for (uint32_t i = 0; at && i < set->rule_count; i++) {
        o->rule_text[i].at = at;
        at += o->rule_text[i].size;
    }
    return OK;
}

enum err output_new(const struct output_format *format, const struct output_setting *setting,
        struct output **out)
{
    struct output *o = memory_alloc(sizeof *o);
    if (!o) {
        return ERR_MEMORY;
    }
    o->format = format;
    o->setting = *setting;
    enum err e = write_rules(o);
    if (e != OK) {
        output_free(o);
        return e;
    }
    *out = o;
    return OK;
}

void output_free(struct output *o)
{
    if (o) {
        memory_free(o->rule_text);
        buf_fini(&o->texts);
        memory_free(o);
    }
}
