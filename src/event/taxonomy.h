/* taxonomy: what a logsource means: which events belong to it, and where its fields stand.
 *
 *     struct taxonomy *t;
 *     TRY(taxonomy_new(&t));
 *     TRY(taxonomy_add(t, SLICE("windows.yml"), text, diag));  // the built-in files, then the
 * user's size_t n = taxonomy_resolve(t, &logsource, terms, TERMS) // the entries a rule's logsource
 * needs
 *
 * A file holds three lists:
 *   paths:      pattern -> field name (event/paths.h)
 *   route:      name -> the patterns where a routing value stands (channel, event_id...)
 *   logsources: an entry: {product, category, service} as rules write them, `when`: alternatives,
 *               each a conjunction of route name -> value or list of values (compared without case;
 *               `*`: present; a last `*`: prefix), each with an optional `fields` map: the rule's
 *               field -> the event's field (or a list: the first that is present; or {field, map:
 *               {value: value}}).
 * A user's entry of the same logsource replaces the built-in one. */
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

enum err taxonomy_new(struct taxonomy **out) MUST_CHECK;
void taxonomy_free(struct taxonomy *t);
/* Reads one file's text (copied as far as needed). */
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

/* The entries whose conjunction is what a rule's logsource asks for: one for the whole
 * logsource where it is listed as such; else one for (product, category) or (category), one for
 * (product, service) or (service), or one for the product alone. Returns how many (1 or 2), 0 when
 * a given part is mapped by nothing: the rule is unroutable. The text compared is folded. */
enum { TAXONOMY_TERMS = 3 };
size_t taxonomy_resolve(const struct taxonomy *t, const struct logsource *logsource,
        const struct taxonomy_entry *out[TAXONOMY_TERMS]);
const struct taxonomy_entry *taxonomy_entries(const struct taxonomy *t, size_t *count);
/* SHA-256 over all files' texts, in order: part of a rule's hash. */
void taxonomy_hash(const struct taxonomy *t, unsigned char out[32]);
