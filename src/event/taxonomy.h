/* taxonomy: what a logsource means: which events belong to it, and where its fields stand.
 *
 *     struct taxonomy *t;
 *     TRY(taxonomy_new(&t));
 *     TRY(taxonomy_add(t, SLICE("windows.yml"), text, diag));  // the built-in files, then the
 *                                                          // user's
 *     size_t n = taxonomy_resolve(t, &logsource, terms);   // the entries a rule's logsource needs
 *
 * A file holds maps of a field's name to the patterns where it stands (event/paths.h), and entries:
 *   paths:      the fields of rules; the field `*` is any name, in the pattern's last place
 *   weak:       the same, for values that give way to what `paths` finds; the first one present
 *   route:      routing values (channel, event_id...); the first one present
 *   time:       a list of patterns: the event's time; the first one present
 *   logsources: an entry: {product, category, service} as rules write them; `when`: alternatives,
 *               each a conjunction of route name -> value or list of values (compared without case;
 *               `*`: present; a last `*`: prefix), each with an optional `fields` map: the rule's
 *               field -> the event's field (or a list: the first that is present; or {field, map:
 *               {value: value}}). The first alternative that holds is the one that counts.
 * A later file's entry of the same logsource replaces the earlier one, or with `extend: true` adds
 * alternatives to it. Patterns of later files come after those of earlier ones. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"
#include "event/field.h"
#include "event/paths.h"

struct taxonomy;

struct logsource {
    struct slice product; /* .at NULL: not given */
    struct slice category;
    struct slice service;
};

/* A route value that must hold. */
enum route_match { ROUTE_EQUAL, ROUTE_PREFIX, ROUTE_PRESENT };
struct route_value {
    enum route_match match;
    struct slice text; /* folded (base/fold.h) */
};
struct route_term {
    uint32_t route; /* index into taxonomy_routes */
    const struct route_value *any_of;
    size_t count;
};

/* The rule's field is the first of the event's fields `from` that is present. */
struct field_alias {
    struct slice name;
    const struct slice *from;
    size_t from_count;
    const struct slice *map; /* pairs: event's value (folded), value the rule sees */
    size_t map_count;        /* pairs */
};

struct taxonomy_case {
    const struct route_term *all_of; /* a conjunction; count 0: always */
    size_t count;
    const struct field_alias *aliases;
    size_t alias_count;
};

struct taxonomy_entry {
    struct logsource logsource;
    const struct taxonomy_case *any_of;
    size_t count;
    struct slice file; /* where it was written */
    uint32_t line;
};

struct taxonomy_route {
    struct slice name;
};

enum {
    TAXONOMY_FILE_BYTES = 4 << 20,
    TAXONOMY_ROUTES = 128,   /* of all files together */
    TAXONOMY_ENTRIES = 4096, /* of all files together */
    TAXONOMY_MEMORY = 256 << 20,
};

enum err taxonomy_new(struct taxonomy **out) MUST_CHECK;
void taxonomy_free(struct taxonomy *t);
/* Reads one file's text (copied as far as needed). The words of `diag` name the file. Entries and
 * patterns handed out before are no longer valid. */
enum err taxonomy_add(
        struct taxonomy *t, struct slice file, struct slice text, struct diag *diag) MUST_CHECK;
/* All files built into the program. */
enum err taxonomy_add_builtin(struct taxonomy *t, struct diag *diag) MUST_CHECK;

/* Path patterns of all files: fields and routes (a route's field name is '\x01' and its name, so
 * that no rule can name it). */
const struct path_pattern *taxonomy_patterns(const struct taxonomy *t, size_t *count);
const struct taxonomy_route *taxonomy_routes(const struct taxonomy *t, size_t *count);
/* The field name under which a route's value stands in an event: "\x01channel". */
struct slice taxonomy_route_field(const struct taxonomy *t, size_t route);
/* The field name under which an event's time stands: "\x01", "time". */
struct slice taxonomy_time_field(void);

/* The entries whose conjunction is what a rule's logsource asks for: the one for the whole
 * logsource where it is listed as such; else one for each given part, (product, category) or
 * (category), (product, service) or (service), and one for the product alone where none of these
 * had it. A category or service that stands only with products means all of these where the rule
 * gives no product. Returns how many (1 to 3), 0 when a given part is mapped by nothing: the rule
 * is unroutable. A logsource without any part has one entry that always holds. Compared folded. */
enum { TAXONOMY_TERMS = 3 };
size_t taxonomy_resolve(const struct taxonomy *t, const struct logsource *logsource,
        const struct taxonomy_entry *out[TAXONOMY_TERMS]);
/* All that taxonomy_resolve can give: the listed ones, those it stands for where a rule gives no
 * product, and the one that always holds. */
const struct taxonomy_entry *taxonomy_entries(const struct taxonomy *t, size_t *count);
/* How many of these, at the front, are listed in files. */
size_t taxonomy_listed(const struct taxonomy *t);
/* SHA-256 over all files' texts, in order: part of a rule's hash. */
void taxonomy_hash(const struct taxonomy *t, unsigned char out[32]);
