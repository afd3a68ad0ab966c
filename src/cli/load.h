/* load: the rules and the taxonomy of a command line, with every problem said.
 *
 *     struct load_request request = {.rules = paths};
 *     struct loaded loaded;
 *     TRY(load_rules(&request, &loaded, diag));
 *     if (loaded.unreadable) ... the exit code is VERB_SOME
 *     load_fini(&loaded); */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "cli/words.h"
#include "event/taxonomy.h"
#include "sigma/ruleset.h"

enum { LOAD_FILE_LIMIT = 16 << 20, LOAD_HOSTS = 4, LOAD_USERS = 24 };

struct load_request {
    struct words rules;      /* files and directories */
    struct words taxonomies; /* files, besides those built in */
    const char *placeholders;
    bool users;       /* find whoever did it, too */
    const char *data; /* --data: where packs are kept, or NULL */
    bool packs;       /* where `rules` is empty: those of the installed packs */
    unsigned threads;
};

struct loaded {
    struct ruleset *set;
    struct taxonomy *taxonomy;
    struct buf placeholders; /* borrowed by the set */
    struct buf tenants;      /* which rules are whose (cli/config_tenants.h) */
    size_t unreadable;       /* paths of rules that could not be read, each named on stderr */
    uint32_t time_field;     /* where an engine of this set puts an event's time */
    uint32_t host_fields[LOAD_HOSTS]; /* and its host: the first that is present */
    uint32_t user_fields[LOAD_USERS]; /* and its user; none unless asked for */
    size_t user_count;
};

/* Fails only where nothing sensible can follow: no memory, a taxonomy or placeholder file that
 * cannot be read. */
enum err load_rules(
        const struct load_request *request, struct loaded *out, struct diag *diag) MUST_CHECK;
enum load_kind { LOAD_RULE, LOAD_TAXONOMY, LOAD_EXCEPTION, LOAD_TENANTS };
/* A file's text. An exception's name is the tenant, a blank and the file's. */
struct load_text {
    enum load_kind kind;
    struct slice name, bytes; /* borrowed during the call */
};
/* The same of texts, and of nothing else: no taxonomy is built in. What is of LOAD_TENANTS goes to
 * loaded->tenants. */
enum err load_texts(const struct load_text *texts, size_t count, struct loaded *out,
        struct diag *diag) MUST_CHECK;
void load_fini(struct loaded *loaded);
/* Adds a line for each rule that an exception names and that is not there. */
void load_missing(const struct ruleset *set, struct buf *out);
/* Names each rule that was refused on stderr. */
void load_say_problems(const struct ruleset *set);
/* Words of a diag with their place: ":12:3: what" or ": what". */
void load_place(const struct diag *diag, struct buf *out);

/* Is the rule of this level or above? A rule without a level counts as informational. */
bool load_level(const struct rule *rule, enum level least);
