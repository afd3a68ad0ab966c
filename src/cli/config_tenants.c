#include "cli/config_tenants.h"

#include <string.h>

#include "cli/config_parts.h"
#include "cli/load.h"

static enum err no_memory(struct diag *diag)
{
    return diag_say(diag, ERR_MEMORY, "no memory for the configuration");
}

/* ---- from the configuration --------------------------------------------------------------------
 */

struct words_of {
    const struct slice **at;
    size_t *count;
};

/* A text or a list of them; no tabs and line feeds. */
static enum err read_words(
        struct words_of to, struct arena *arena, const struct yaml_node *node, struct diag *diag)
{
    const struct yaml_node *item = node->kind == YAML_LIST ? node->first : node;
    size_t count = node->kind == YAML_LIST ? node->count : 1;
    if (count > CONFIG_TENANTS_WORDS) {
        return config_parts_wrong(node, diag, "at most 10,000 of them");
    }
    struct slice *words = ARENA_ARRAY(arena, struct slice, count);
    for (size_t i = 0; i < count && words; i++, item = item->next) {
        TRY(config_parts_text(item, &words[i], diag));
        if (words[i].size == 0 || memchr(words[i].at, '\t', words[i].size) ||
                memchr(words[i].at, '\n', words[i].size)) {
            return config_parts_wrong(item, diag, "a text of one line is expected here");
        }
        words[i] = arena_copy(arena, words[i]);
        if (!words[i].at) {
            return no_memory(diag);
        }
    }
    *to.at = words;
    *to.count = count;
    return words || count == 0 ? OK : no_memory(diag);
}

static enum err read_rules(struct config_tenant *row, struct arena *arena,
        const struct yaml_node *map, struct diag *diag)
{
    static const char *const names[] = {"include", "exclude", "level", NULL};
    const struct yaml_node *node;
    struct slice level;
    TRY(config_parts_keys(map, names, "a tenant's rules", diag));
    if ((node = yaml_get(map, SLICE("include")))) {
        struct words_of to = {&row->include, &row->include_count};
        TRY(read_words(to, arena, node, diag));
    }
    if ((node = yaml_get(map, SLICE("exclude")))) {
        struct words_of to = {&row->exclude, &row->exclude_count};
        TRY(read_words(to, arena, node, diag));
    }
    if ((node = yaml_get(map, SLICE("level")))) {
        TRY(config_parts_text(node, &level, diag));
        if (!level_parse(level, &row->level)) {
            return config_parts_wrong(
                    node, diag, "level is informational, low, medium, high or critical");
        }
    }
    return OK;
}

static enum err read_row(struct config_tenant *row, struct arena *arena,
        const struct yaml_node *map, struct diag *diag)
{
    static const char *const names[] = {"tenant", "rules", "exceptions", NULL};
    TRY(config_parts_keys(map, names, "a tenant", diag));
    const struct yaml_node *tenant = yaml_get(map, SLICE("tenant"));
    const struct yaml_node *rules = yaml_get(map, SLICE("rules"));
    const struct yaml_node *exceptions = yaml_get(map, SLICE("exceptions"));
    if (!tenant) {
        return config_parts_wrong(map, diag, "whose? tenant is missing");
    }
    TRY(config_parts_tenant(tenant, &row->tenant, diag));
    if (rules) {
        TRY(read_rules(row, arena, rules, diag));
    }
    if (exceptions) {
        struct words_of to = {&row->exceptions, &row->exception_count};
        TRY(read_words(to, arena, exceptions, diag));
    }
    return OK;
}

enum err config_tenants_read(struct config_tenants *out, struct arena *arena,
        const struct yaml_node *list, struct diag *diag)
{
    if (list->kind != YAML_LIST || list->count > CONFIG_TENANTS) {
        return config_parts_wrong(list, diag, "tenants is a list of at most 1,000");
    }
    out->at = ARENA_ARRAY(arena, struct config_tenant, list->count);
    if (!out->at && list->count > 0) {
        return no_memory(diag);
    }
    for (const struct yaml_node *node = list->first; node; node = node->next) {
        TRY(read_row(&out->at[out->count], arena, node, diag));
        for (size_t i = 0; i < out->count; i++) {
            if (slice_equal(out->at[i].tenant, out->at[out->count].tenant)) {
                return config_parts_wrong(node, diag, "another one is of the same tenant");
            }
        }
        out->count++;
    }
    return OK;
}

/* ---- in a book ---------------------------------------------------------------------------------
 */

static void add_row(struct buf *out, struct slice tenant, const char *kind, struct slice value)
{
    buf_add(out, tenant);
    buf_format(out, "\t%s\t", kind);
    buf_add(out, value);
    buf_byte(out, '\n');
}

void config_tenants_write(const struct config_tenants *tenants, struct buf *out)
{
    for (size_t t = 0; t < tenants->count; t++) {
        const struct config_tenant *row = &tenants->at[t];
        add_row(out, row->tenant, "level", level_name(row->level));
        for (size_t i = 0; i < row->include_count; i++) {
            add_row(out, row->tenant, "include", row->include[i]);
        }
        for (size_t i = 0; i < row->exclude_count; i++) {
            add_row(out, row->tenant, "exclude", row->exclude[i]);
        }
    }
}

struct parsing {
    struct slice *include, *exclude; /* room for all lines */
    size_t includes, excludes;
    struct config_tenants *out;
};

static bool take_line(struct parsing *p, struct slice line)
{
    struct slice tenant = slice_cut(&line, '\t'), kind = slice_cut(&line, '\t');
    if (slice_equal(kind, SLICE("level"))) {
        struct config_tenant *row = &p->out->at[p->out->count++];
        *row = (struct config_tenant){.tenant = tenant,
                .include = p->include + p->includes,
                .exclude = p->exclude + p->excludes};
        return line.size == 0 || level_parse(line, &row->level);
    }
    if (p->out->count == 0) {
        return false;
    }
    struct config_tenant *row = &p->out->at[p->out->count - 1];
    if (slice_equal(kind, SLICE("include"))) {
        p->include[p->includes++] = line;
        row->include_count++;
        return true;
    }
    p->exclude[p->excludes++] = line;
    row->exclude_count++;
    return slice_equal(kind, SLICE("exclude"));
}

enum err config_tenants_parse(
        struct slice text, struct arena *arena, struct config_tenants *out, struct diag *diag)
{
    struct parsing p = {.out = out};
    size_t lines = 0;
    for (size_t i = 0; i < text.size; i++) {
        lines += text.at[i] == '\n';
    }
    *out = (struct config_tenants){.at = ARENA_ARRAY(arena, struct config_tenant, lines + 1)};
    p.include = ARENA_ARRAY(arena, struct slice, lines + 1);
    p.exclude = ARENA_ARRAY(arena, struct slice, lines + 1);
    if (!out->at || !p.include || !p.exclude) {
        return diag_say(diag, ERR_MEMORY, "no memory for the rules");
    }
    while (text.size > 0) {
        if (!take_line(&p, slice_cut(&text, '\n'))) {
            return diag_say(diag, ERR_SYNTAX, "a set of rules whose tenants are damaged");
        }
    }
    return OK;
}

/* ---- asking ------------------------------------------------------------------------------------
 */

/* An id or a title as it stands, or a title with * and ?. Steps, not recursion. */
static bool fits(struct slice pattern, struct slice text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, back = 0;
    while (t < text.size) {
        if (p < pattern.size && pattern.at[p] == '*') {
            star = p++;
            back = t;
        } else if (p < pattern.size &&
                   (pattern.at[p] == '?' || slice_equal_nocase(slice_of(pattern.at + p, 1),
                                                    slice_of(text.at + t, 1)))) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++back;
        } else {
            return false;
        }
    }
    while (p < pattern.size && pattern.at[p] == '*') {
        p++;
    }
    return p == pattern.size;
}

static bool has_tag(struct slice pattern, const struct rule *rule)
{
    for (size_t i = 0; i < rule->tag_count; i++) {
        if (fits(pattern, rule->tags[i])) {
            return true;
        }
    }
    return false;
}

/* `tag:attack.t1059*`, `product:windows`; without such a word in front: an id or a title. */
static bool fits_word(struct slice word, const struct rule *rule)
{
    const struct {
        struct slice key, text;
    } parts[] = {{SLICE("product"), rule->logsource.product},
            {SLICE("category"), rule->logsource.category},
            {SLICE("service"), rule->logsource.service}, {SLICE("file"), rule->file}};
    struct slice value = word, key = slice_cut(&value, ':');
    if (key.size == word.size) {
        return fits(word, rule->title) || (rule->id.size > 0 && fits(word, rule->id));
    }
    if (slice_equal(key, SLICE("tag"))) {
        return has_tag(value, rule);
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (slice_equal(key, parts[i].key)) {
            return parts[i].text.size > 0 && fits(value, parts[i].text);
        }
    }
    return fits(word, rule->title);
}

static bool names(const struct slice *words, size_t count, const struct rule *rule)
{
    for (size_t i = 0; i < count; i++) {
        if (fits_word(words[i], rule)) {
            return true;
        }
    }
    return false;
}

bool config_tenants_takes(const struct config_tenant *row, const struct rule *rule)
{
    if (row->level != LEVEL_NONE && !load_level(rule, row->level)) {
        return false;
    }
    if (row->include_count > 0 && !names(row->include, row->include_count, rule)) {
        return false;
    }
    return !names(row->exclude, row->exclude_count, rule);
}
