#include "event/taxonomy.h"

#include "base/fold.h"
#include "base/memory.h"
#include "event/taxonomy_data.h"
#include "event/taxonomy_model.h"

static const struct taxonomy_case always_case = {.count = 0};
static const struct taxonomy_entry always = {.any_of = &always_case, .count = 1, .file = {"", 0}};

enum err taxonomy_new(struct taxonomy **out)
{
    struct taxonomy *t = memory_alloc(sizeof *t);
    if (!t) {
        return ERR_MEMORY;
    }
    arena_init(&t->arena, TAXONOMY_MEMORY);
    digest_init(&t->digest);
    if (!memory_grow(&t->entries, &t->entry_room, 1, sizeof *t->entries)) {
        memory_free(t);
        return ERR_MEMORY;
    }
    t->entries[t->all_count++] = always;
    *out = t;
    return OK;
}

void taxonomy_free(struct taxonomy *t)
{
    if (t) {
        memory_free(t->patterns);
        memory_free(t->routes);
        memory_free(t->entries);
        arena_fini(&t->arena);
        memory_free(t);
    }
}

static bool part_equal(struct slice a, struct slice b)
{
    return (a.at != NULL) == (b.at != NULL) && slice_equal(a, b);
}

static bool logsource_equal(const struct logsource *a, const struct logsource *b)
{
    return part_equal(a->product, b->product) && part_equal(a->category, b->category) &&
           part_equal(a->service, b->service);
}

/* The place of a logsource's entry; count when there is none. */
static size_t find(
        const struct taxonomy_entry *entries, size_t count, const struct logsource *logsource)
{
    size_t i = 0;
    while (i < count && !logsource_equal(&entries[i].logsource, logsource)) {
        i++;
    }
    return i;
}

/* ---- adding a file --------------------------------------------------------------------------- */

/* `to` gets the alternatives of `from` behind its own. */
static enum err entry_join(
        struct taxonomy *t, struct taxonomy_entry *to, const struct taxonomy_entry *from)
{
    struct taxonomy_case *cases =
            ARENA_ARRAY(&t->arena, struct taxonomy_case, to->count + from->count);
    if (!cases) {
        return ERR_MEMORY;
    }
    if (to->count) {
        memcpy(cases, to->any_of, to->count * sizeof *cases);
    }
    memcpy(cases + to->count, from->any_of, from->count * sizeof *cases);
    to->any_of = cases;
    to->count += from->count;
    return OK;
}

/* Puts the entries from `first` on into their places: over an older one, behind its alternatives,
 * or at the end. */
static enum err entries_place(
        struct taxonomy *t, size_t first, const bool *extends, struct diag *diag)
{
    size_t count = first;
    for (size_t i = first; i < t->entry_count; i++) {
        struct taxonomy_entry entry = t->entries[i];
        size_t at = find(t->entries, count, &entry.logsource);
        struct taxonomy_entry *old = &t->entries[at];
        if (at == count) {
            t->entries[count++] = entry;
        } else if (extends[i]) {
            if (entry_join(t, old, &entry) != OK) {
                return diag_say(diag, ERR_MEMORY, "no memory for the taxonomy");
            }
        } else if (at >= first) {
            return diag_set(diag, ERR_SYNTAX, entry.line, 0,
                    "%.*s: the logsource stands already in line %u", SLICE_ARG(entry.file),
                    old->line);
        } else {
            *old = entry;
        }
    }
    t->entry_count = count;
    return OK;
}

/* Adds an entry's alternatives to those of its category or service without the product. */
static enum err generic_put(
        struct taxonomy *t, const struct taxonomy_entry *entry, const struct logsource *logsource)
{
    size_t at = find(t->entries, t->all_count, logsource);
    if (at < t->entry_count) {
        return OK;
    }
    if (at < t->all_count) {
        return entry_join(t, &t->entries[at], entry);
    }
    t->entries[t->all_count] = *entry;
    t->entries[t->all_count++].logsource = *logsource;
    return OK;
}

/* Makes the entries behind the listed ones anew. */
static enum err generic_make(struct taxonomy *t)
{
    t->all_count = t->entry_count;
    if (!memory_grow(&t->entries, &t->entry_room, t->entry_count * 2 + 1, sizeof *t->entries)) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < t->entry_count; i++) {
        const struct taxonomy_entry entry = t->entries[i];
        struct logsource rest = entry.logsource;
        if (rest.product.at && (rest.category.at || rest.service.at)) {
            rest.product = (struct slice){0};
            TRY(generic_put(t, &entry, &rest));
        }
    }
    t->entries[t->all_count++] = always;
    return OK;
}

static void digest_file(struct digest *digest, struct slice file, struct slice text)
{
    char size[24];
    uint64_t left = text.size;
    size_t n = 0;
    do {
        size[n++] = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    digest_add(digest, file);
    digest_add(digest, slice_of("\0", 1));
    digest_add(digest, slice_of(size, n));
    digest_add(digest, slice_of("\0", 1));
    digest_add(digest, text);
}

static enum err add_document(struct taxonomy *t, struct slice file, const struct yaml_node *root,
        bool *extends, struct diag *diag)
{
    size_t patterns = t->pattern_count, routes = t->route_count;
    size_t entries = t->entry_count, all = t->all_count;
    /* Entries of earlier files may be written over: they come back if this fails. */
    struct taxonomy_entry *saved = ARENA_ARRAY(&t->arena, struct taxonomy_entry, all);
    if (!saved) {
        return diag_say(diag, ERR_MEMORY, "no memory for the taxonomy");
    }
    memcpy(saved, t->entries, all * sizeof *saved);
    enum err e = taxonomy_read(t, file, root, extends, diag);
    if (e == OK) {
        e = entries_place(t, entries, extends, diag);
    }
    if (e == OK) {
        e = generic_make(t);
    }
    if (e != OK) {
        t->pattern_count = patterns;
        t->route_count = routes;
        t->entry_count = entries;
        t->all_count = all;
        memcpy(t->entries, saved, all * sizeof *saved);
    }
    return e;
}

/* Puts the file's name in front of what YAML's reader said. */
static enum err name_file(struct diag *diag, enum err e, struct slice file)
{
    if (!diag) {
        return e;
    }
    struct diag told = *diag;
    return diag_set(diag, e, told.line, told.column, "%.*s: %s", SLICE_ARG(file), told.words);
}

enum err taxonomy_add(struct taxonomy *t, struct slice file, struct slice text, struct diag *diag)
{
    const struct yaml_limits limits = {.bytes = TAXONOMY_FILE_BYTES, .depth = 16, .nodes = 500000};
    struct arena arena;
    arena_init(&arena, TAXONOMY_MEMORY);
    struct yaml_document *documents = NULL;
    enum err e = yaml_read(&arena, text, &limits, &documents, diag);
    bool *extends = memory_alloc_array(TAXONOMY_ENTRIES, sizeof *extends);
    if (e != OK) {
        e = name_file(diag, e, file);
    } else if (!extends) {
        e = diag_say(diag, ERR_MEMORY, "no memory for the taxonomy");
    } else if (!documents || !documents->root || documents->next) {
        e = diag_say(diag, ERR_SYNTAX, "%.*s: expected one document", SLICE_ARG(file));
    } else {
        e = add_document(t, file, documents->root, extends, diag);
    }
    if (e == OK) {
        digest_file(&t->digest, file, text);
    }
    memory_free(extends);
    arena_fini(&arena);
    return e;
}

enum err taxonomy_add_builtin(struct taxonomy *t, struct diag *diag)
{
    for (size_t i = 0; i < taxonomy_data_file_count; i++) {
        const struct taxonomy_data_file *file = &taxonomy_data_files[i];
        TRY(taxonomy_add(t, slice_text(file->name), slice_of(file->bytes, file->size), diag));
    }
    return OK;
}

/* ---- asking ---------------------------------------------------------------------------------- */

const struct path_pattern *taxonomy_patterns(const struct taxonomy *t, size_t *count)
{
    *count = t->pattern_count;
    return t->patterns;
}

const struct taxonomy_route *taxonomy_routes(const struct taxonomy *t, size_t *count)
{
    *count = t->route_count;
    return t->routes;
}

struct slice taxonomy_route_field(const struct taxonomy *t, size_t route)
{
    /* The name was written behind its \x01. */
    struct slice name = t->routes[route].name;
    return slice_of(name.at - 1, name.size + 1);
}

struct slice taxonomy_time_field(void)
{
    return SLICE("\x01"
                 "time");
}

const struct taxonomy_entry *taxonomy_entries(const struct taxonomy *t, size_t *count)
{
    *count = t->all_count;
    return t->entries;
}

size_t taxonomy_listed(const struct taxonomy *t)
{
    return t->entry_count;
}

static const struct taxonomy_entry *entry_for(
        const struct taxonomy *t, struct slice product, struct slice category, struct slice service)
{
    const struct logsource wanted = {product, category, service};
    size_t at = find(t->entries, t->all_count, &wanted);
    return at < t->all_count ? &t->entries[at] : NULL;
}

/* The entry for a category or service (the other is empty): with the product, or without. */
static bool add_part(const struct taxonomy *t, const struct logsource *part,
        const struct taxonomy_entry **out, size_t *count, bool *product_known)
{
    const struct slice none = {0};
    const struct taxonomy_entry *entry = entry_for(t, part->product, part->category, part->service);
    if (entry) {
        *product_known = *product_known || part->product.at;
    } else {
        const struct logsource without = {none, part->category, part->service};
        size_t at = find(t->entries, t->entry_count, &without);
        entry = at < t->entry_count ? &t->entries[at] : NULL;
    }
    if (entry) {
        out[(*count)++] = entry;
    }
    return entry != NULL;
}

static size_t resolve(const struct taxonomy *t, const struct logsource *l,
        const struct taxonomy_entry *out[TAXONOMY_TERMS])
{
    const struct slice none = {0};
    out[0] = entry_for(t, l->product, l->category, l->service);
    if (out[0]) {
        return 1;
    }
    size_t count = 0;
    bool product_known = false;
    const struct logsource category = {l->product, l->category, none};
    const struct logsource service = {l->product, none, l->service};
    if ((l->category.at && !add_part(t, &category, out, &count, &product_known)) ||
            (l->service.at && !add_part(t, &service, out, &count, &product_known))) {
        return 0;
    }
    if (l->product.at && !product_known) {
        out[count] = entry_for(t, l->product, none, none);
        return out[count] ? count + 1 : 0;
    }
    return count;
}

size_t taxonomy_resolve(const struct taxonomy *t, const struct logsource *logsource,
        const struct taxonomy_entry *out[TAXONOMY_TERMS])
{
    /* Names of logsources are short: a longer one is in no file. */
    enum { NAME = 256 };
    char folded[3][NAME * 2];
    struct logsource l = *logsource;
    struct slice *parts[3] = {&l.product, &l.category, &l.service};
    for (int i = 0; i < 3; i++) {
        if (parts[i]->at && parts[i]->size > NAME) {
            return 0;
        }
        if (parts[i]->at) {
            *parts[i] = slice_of(folded[i], fold_text(*parts[i], folded[i]));
        }
    }
    return resolve(t, &l, out);
}

void taxonomy_hash(const struct taxonomy *t, unsigned char out[32])
{
    struct digest digest = t->digest;
    digest_bytes(&digest, out);
}
