#include <string.h>

#include "base/fold.h"
#include "base/memory.h"
#include "event/taxonomy_model.h"

struct reading {
    struct taxonomy *t;
    struct slice file;
    struct diag *diag;
    bool *extends;
};

/* ---- helpers --------------------------------------------------------------------------------- */

static enum err bad(
        const struct reading *r, const struct yaml_node *at, const char *words, struct slice what)
{
    return diag_set(r->diag, ERR_SYNTAX, at->line, at->column, "%.*s: %s%s%.*s%s",
            SLICE_ARG(r->file), words, what.size ? " '" : "", SLICE_ARG(what),
            what.size ? "'" : "");
}

static enum err no_memory(const struct reading *r)
{
    return diag_say(r->diag, ERR_MEMORY, "%.*s: no memory, or over TAXONOMY_MEMORY (%d bytes)",
            SLICE_ARG(r->file), TAXONOMY_MEMORY);
}

static bool is_scalar(const struct yaml_node *node)
{
    return node->kind != YAML_NULL && node->kind != YAML_LIST && node->kind != YAML_MAP;
}

/* One scalar is a list of one. */
static const struct yaml_node *items(const struct yaml_node *node, size_t *count)
{
    bool list = node->kind == YAML_LIST;
    *count = list ? node->count : 1;
    return list ? node->first : node;
}

/* The item after `item` of what items() began. */
static const struct yaml_node *item_next(const struct yaml_node *node, const struct yaml_node *item)
{
    return node->kind == YAML_LIST ? item->next : NULL;
}

static struct slice keep(const struct reading *r, struct slice text)
{
    return arena_copy(&r->t->arena, text);
}

static struct slice keep_folded(const struct reading *r, struct slice text)
{
    char *to = arena_alloc(&r->t->arena, text.size * 2 + 1, 1);
    return to ? slice_of(to, fold_text(text, to)) : (struct slice){0};
}

/* "\x01" and the name: no rule can name it. */
static struct slice inner_name(const struct reading *r, struct slice name)
{
    char *to = arena_alloc(&r->t->arena, name.size + 1, 1);
    if (!to) {
        return (struct slice){0};
    }
    to[0] = '\x01';
    memcpy(to + 1, name.at, name.size);
    return slice_of(to, name.size + 1);
}

/* ---- patterns -------------------------------------------------------------------------------- */

static enum err pattern_check(
        const struct reading *r, const struct yaml_node *at, struct slice name)
{
    if (!is_scalar(at) || at->text.size == 0) {
        return bad(r, at, "expected a pattern, keys joined by dots", SLICE(""));
    }
    struct slice rest = at->text;
    bool star = false;
    while (rest.size) {
        if (star) {
            return bad(r, at, "'*' may stand in the last place only:", at->text);
        }
        star = slice_equal(slice_cut(&rest, '.'), SLICE("*"));
    }
    if (star != slice_equal(name, SLICE("*"))) {
        return bad(
                r, at, "a pattern ends with '*' where its field is '*', and only there:", at->text);
    }
    return OK;
}

/* The patterns of one name: a scalar or a list. */
static enum err patterns_read(
        const struct reading *r, const struct yaml_node *node, struct slice name, bool weak)
{
    struct taxonomy *t = r->t;
    size_t count;
    for (const struct yaml_node *i = items(node, &count); i; i = item_next(node, i)) {
        TRY(pattern_check(r, i, name));
        if (!memory_grow(
                    &t->patterns, &t->pattern_room, t->pattern_count + 1, sizeof *t->patterns)) {
            return no_memory(r);
        }
        struct slice pattern = keep(r, i->text);
        if (!pattern.at) {
            return no_memory(r);
        }
        t->patterns[t->pattern_count++] =
                (struct path_pattern){.pattern = pattern, .name = name, .weak = weak};
    }
    return OK;
}

static enum err expect_map(const struct reading *r, const struct yaml_node *node)
{
    return node->kind == YAML_MAP ? OK : bad(r, node, "expected a map", SLICE(""));
}

static enum err fields_read(const struct reading *r, const struct yaml_node *map, bool weak)
{
    TRY(expect_map(r, map));
    for (const struct yaml_node *i = map->first; i; i = i->next) {
        struct slice name = keep(r, i->key->text);
        if (!name.at) {
            return no_memory(r);
        }
        if (name.size == 0 || name.at[0] == '\x01') {
            return bad(r, i->key, "expected a field's name", SLICE(""));
        }
        TRY(patterns_read(r, i, name, weak));
    }
    return OK;
}

static enum err paths_read(const struct reading *r, const struct yaml_node *node)
{
    return fields_read(r, node, false);
}

static enum err weak_read(const struct reading *r, const struct yaml_node *node)
{
    return fields_read(r, node, true);
}

static enum err time_read(const struct reading *r, const struct yaml_node *node)
{
    return patterns_read(r, node, taxonomy_time_field(), true);
}

/* ---- routes ---------------------------------------------------------------------------------- */

static size_t route_find(const struct taxonomy *t, struct slice name)
{
    size_t i = 0;
    while (i < t->route_count && !slice_equal(t->routes[i].name, name)) {
        i++;
    }
    return i;
}

static enum err route_put(const struct reading *r, const struct yaml_node *key, size_t *route)
{
    struct taxonomy *t = r->t;
    *route = route_find(t, key->text);
    if (*route < t->route_count) {
        return OK;
    }
    if (t->route_count >= TAXONOMY_ROUTES) {
        return diag_set(r->diag, ERR_LIMIT, key->line, key->column,
                "%.*s: over TAXONOMY_ROUTES (%d) routes", SLICE_ARG(r->file), TAXONOMY_ROUTES);
    }
    struct slice inner = inner_name(r, key->text);
    if (!inner.at ||
            !memory_grow(&t->routes, &t->route_room, t->route_count + 1, sizeof *t->routes)) {
        return no_memory(r);
    }
    t->routes[t->route_count++].name = slice_of(inner.at + 1, inner.size - 1);
    return OK;
}

static enum err routes_read(const struct reading *r, const struct yaml_node *map)
{
    TRY(expect_map(r, map));
    for (const struct yaml_node *i = map->first; i; i = i->next) {
        if (i->key->text.size == 0 || slice_equal(i->key->text, SLICE("fields")) ||
                slice_equal(i->key->text, SLICE("time"))) {
            return bad(r, i->key, "not a name for a route:", i->key->text);
        }
        size_t route;
        TRY(route_put(r, i->key, &route));
        TRY(patterns_read(r, i, taxonomy_route_field(r->t, route), true));
    }
    return OK;
}

/* ---- entries --------------------------------------------------------------------------------- */

static enum err value_read(
        const struct reading *r, const struct yaml_node *node, struct route_value *out)
{
    if (!is_scalar(node) || node->text.size == 0) {
        return bad(r, node, "expected a value", SLICE(""));
    }
    struct slice text = node->text;
    out->match = ROUTE_EQUAL;
    if (text.at[text.size - 1] == '*') {
        text.size--;
        out->match = text.size ? ROUTE_PREFIX : ROUTE_PRESENT;
    }
    if (slice_find_byte(text, '*') < text.size) {
        return bad(r, node, "'*' may stand at the end only:", node->text);
    }
    out->text = keep_folded(r, text);
    return out->text.at ? OK : no_memory(r);
}

static enum err term_read(
        const struct reading *r, const struct yaml_node *node, struct route_term *out)
{
    size_t route = route_find(r->t, node->key->text);
    if (route == r->t->route_count) {
        return bad(r, node->key, "no file so far has a route of the name", node->key->text);
    }
    size_t count;
    const struct yaml_node *item = items(node, &count);
    if (count == 0) {
        return bad(r, node, "expected a value", SLICE(""));
    }
    struct route_value *values = ARENA_ARRAY(&r->t->arena, struct route_value, count);
    if (!values) {
        return no_memory(r);
    }
    for (size_t i = 0; item; item = item_next(node, item)) {
        TRY(value_read(r, item, &values[i++]));
    }
    *out = (struct route_term){(uint32_t)route, values, count};
    return OK;
}

static enum err alias_from_read(
        const struct reading *r, const struct yaml_node *node, struct field_alias *out)
{
    size_t count;
    const struct yaml_node *item = items(node, &count);
    struct slice *from = count ? ARENA_ARRAY(&r->t->arena, struct slice, count) : NULL;
    if (!from) {
        return count ? no_memory(r) : bad(r, node, "expected a field's name", SLICE(""));
    }
    for (size_t i = 0; item; item = item_next(node, item)) {
        if (!is_scalar(item) || item->text.size == 0) {
            return bad(r, item, "expected a field's name", SLICE(""));
        }
        from[i] = keep(r, item->text);
        if (!from[i++].at) {
            return no_memory(r);
        }
    }
    out->from = from;
    out->from_count = count;
    return OK;
}

static enum err alias_map_read(
        const struct reading *r, const struct yaml_node *node, struct field_alias *out)
{
    TRY(expect_map(r, node));
    struct slice *pairs = ARENA_ARRAY(&r->t->arena, struct slice, (size_t)node->count * 2);
    if (!pairs) {
        return no_memory(r);
    }
    size_t count = 0;
    for (const struct yaml_node *i = node->first; i; i = i->next, count++) {
        if (!is_scalar(i)) {
            return bad(r, i, "expected a value", SLICE(""));
        }
        pairs[count * 2] = keep_folded(r, i->key->text);
        pairs[count * 2 + 1] = keep(r, i->text);
        if (!pairs[count * 2].at || !pairs[count * 2 + 1].at) {
            return no_memory(r);
        }
    }
    out->map = pairs;
    out->map_count = count;
    return OK;
}

static enum err alias_read(
        const struct reading *r, const struct yaml_node *node, struct field_alias *out)
{
    out->name = keep(r, node->key->text);
    if (!out->name.at) {
        return no_memory(r);
    }
    if (node->kind != YAML_MAP) {
        return alias_from_read(r, node, out);
    }
    const struct yaml_node *field = NULL;
    for (const struct yaml_node *i = node->first; i; i = i->next) {
        if (slice_equal(i->key->text, SLICE("field"))) {
            field = i;
            TRY(alias_from_read(r, i, out));
        } else if (slice_equal(i->key->text, SLICE("map"))) {
            TRY(alias_map_read(r, i, out));
        } else {
            return bad(r, i->key, "expected 'field' or 'map', not", i->key->text);
        }
    }
    return field ? OK : bad(r, node, "expected 'field'", SLICE(""));
}

static enum err aliases_read(
        const struct reading *r, const struct yaml_node *map, struct taxonomy_case *out)
{
    TRY(expect_map(r, map));
    struct field_alias *aliases = ARENA_ARRAY(&r->t->arena, struct field_alias, map->count);
    if (!aliases) {
        return no_memory(r);
    }
    for (const struct yaml_node *i = map->first; i; i = i->next) {
        TRY(alias_read(r, i, &aliases[out->alias_count++]));
    }
    out->aliases = aliases;
    return OK;
}

static enum err case_read(
        const struct reading *r, const struct yaml_node *map, struct taxonomy_case *out)
{
    TRY(expect_map(r, map));
    struct route_term *terms = ARENA_ARRAY(&r->t->arena, struct route_term, map->count);
    if (!terms) {
        return no_memory(r);
    }
    for (const struct yaml_node *i = map->first; i; i = i->next) {
        if (slice_equal(i->key->text, SLICE("fields"))) {
            TRY(aliases_read(r, i, out));
        } else {
            TRY(term_read(r, i, &terms[out->count++]));
        }
    }
    if (out->count == 0) {
        return bad(r, map, "expected a route and its value: no event is told apart", SLICE(""));
    }
    out->all_of = terms;
    return OK;
}

static enum err when_read(
        const struct reading *r, const struct yaml_node *node, struct taxonomy_entry *out)
{
    size_t count;
    const struct yaml_node *item = items(node, &count);
    struct taxonomy_case *cases =
            count ? ARENA_ARRAY(&r->t->arena, struct taxonomy_case, count) : NULL;
    if (!cases) {
        return count ? no_memory(r) : bad(r, node, "expected alternatives", SLICE(""));
    }
    for (; item; item = item_next(node, item)) {
        TRY(case_read(r, item, &cases[out->count++]));
    }
    out->any_of = cases;
    return OK;
}

static enum err part_read(const struct reading *r, const struct yaml_node *node, struct slice *out)
{
    if (!is_scalar(node) || node->text.size == 0) {
        return bad(r, node, "expected a name", SLICE(""));
    }
    *out = keep_folded(r, node->text);
    return out->at ? OK : no_memory(r);
}

static enum err entry_part(const struct reading *r, const struct yaml_node *node,
        struct taxonomy_entry *entry, bool *extends)
{
    struct slice key = node->key->text;
    if (slice_equal(key, SLICE("product"))) {
        return part_read(r, node, &entry->logsource.product);
    }
    if (slice_equal(key, SLICE("category"))) {
        return part_read(r, node, &entry->logsource.category);
    }
    if (slice_equal(key, SLICE("service"))) {
        return part_read(r, node, &entry->logsource.service);
    }
    if (slice_equal(key, SLICE("when"))) {
        return when_read(r, node, entry);
    }
    if (slice_equal(key, SLICE("extend")) && node->kind == YAML_BOOL) {
        *extends = node->integer != 0;
        return OK;
    }
    return bad(r, node->key,
            "expected product, category, service, when, or extend: true or false, not", key);
}

static enum err entry_read(const struct reading *r, const struct yaml_node *map)
{
    struct taxonomy *t = r->t;
    TRY(expect_map(r, map));
    struct taxonomy_entry entry = {.file = keep(r, r->file), .line = map->line};
    bool extends = false;
    for (const struct yaml_node *i = map->first; i; i = i->next) {
        TRY(entry_part(r, i, &entry, &extends));
    }
    if (!entry.count) {
        return bad(r, map, "expected 'when'", SLICE(""));
    }
    const struct logsource *l = &entry.logsource;
    if (!l->product.at && !l->category.at && !l->service.at) {
        return bad(r, map, "expected product, category or service", SLICE(""));
    }
    if (t->entry_count >= TAXONOMY_ENTRIES) {
        return diag_set(r->diag, ERR_LIMIT, map->line, map->column,
                "%.*s: over TAXONOMY_ENTRIES (%d) logsources", SLICE_ARG(r->file),
                TAXONOMY_ENTRIES);
    }
    if (!entry.file.at ||
            !memory_grow(&t->entries, &t->entry_room, t->entry_count + 1, sizeof *t->entries)) {
        return no_memory(r);
    }
    r->extends[t->entry_count] = extends;
    t->entries[t->entry_count++] = entry;
    return OK;
}

static enum err logsources_read(const struct reading *r, const struct yaml_node *list)
{
    if (list->kind != YAML_LIST) {
        return bad(r, list, "expected a list of logsources", SLICE(""));
    }
    for (const struct yaml_node *i = list->first; i; i = i->next) {
        TRY(entry_read(r, i));
    }
    return OK;
}

/* ---- the file -------------------------------------------------------------------------------- */

/* In this order, whatever the file's: entries need the routes. */
static const struct section {
    const char *name;
    enum err (*read)(const struct reading *r, const struct yaml_node *node);
} sections[] = {
        {"paths", paths_read},
        {"weak", weak_read},
        {"route", routes_read},
        {"time", time_read},
        {"logsources", logsources_read},
};
enum { SECTIONS = sizeof sections / sizeof *sections };

static enum err names_check(const struct reading *r, const struct yaml_node *root)
{
    for (const struct yaml_node *i = root->first; i; i = i->next) {
        size_t s = 0;
        while (s < SECTIONS && !slice_equal(i->key->text, slice_text(sections[s].name))) {
            s++;
        }
        if (s == SECTIONS) {
            return bad(r, i->key, "expected paths, weak, route, time or logsources, not",
                    i->key->text);
        }
    }
    return OK;
}

enum err taxonomy_read(struct taxonomy *t, struct slice file, const struct yaml_node *root,
        bool *extends, struct diag *diag)
{
    const struct reading r = {t, file, diag, extends};
    TRY(expect_map(&r, root));
    TRY(names_check(&r, root));
    for (size_t i = 0; i < SECTIONS; i++) {
        const struct yaml_node *node = yaml_get(root, slice_text(sections[i].name));
        if (node) {
            TRY(sections[i].read(&r, node));
        }
    }
    return OK;
}
