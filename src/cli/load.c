#include "cli/load.h"

#include <string.h>

#include "base/files.h"
#include "cli/packs.h"
#include "cli/verb.h"
#include "event/field.h"

void load_place(const struct diag *diag, struct buf *out)
{
    if (diag->line > 0) {
        buf_format(out, ":%u", diag->line);
        if (diag->column > 0) {
            buf_format(out, ":%u", diag->column);
        }
    }
    buf_format(out, ": %s", diag->words);
}

/* The words, with the file before them, once. */
static enum err name_file(const char *path, enum err e, struct diag *diag)
{
    struct buf place = {0};
    struct diag bare = {.line = diag->line, .column = diag->column};
    size_t size = strlen(path);
    bool named = strncmp(diag->words, path, size) == 0 && strncmp(diag->words + size, ": ", 2) == 0;
    diag_set(&bare, e, diag->line, diag->column, "%s", diag->words + (named ? size + 2 : 0));
    load_place(&bare, &place);
    diag_say(diag, e, "%s%.*s", path, SLICE_ARG(buf_slice(&place)));
    buf_fini(&place);
    return e;
}

static enum err add_taxonomy(struct taxonomy *taxonomy, const char *path, struct diag *diag)
{
    struct buf text = {0};
    enum err e = files_read(path, LOAD_FILE_LIMIT, &text, diag);
    if (e == OK) {
        e = taxonomy_add(taxonomy, slice_text(path), buf_slice(&text), diag);
    }
    buf_fini(&text);
    return e == OK ? OK : name_file(path, e, diag);
}

static enum err load_taxonomy(
        const struct load_request *request, struct loaded *out, struct diag *diag)
{
    if (taxonomy_new(&out->taxonomy) != OK) {
        return diag_say(diag, ERR_MEMORY, "no memory for the taxonomy");
    }
    TRY(taxonomy_add_builtin(out->taxonomy, diag));
    for (size_t i = 0; i < request->taxonomies.count; i++) {
        TRY(add_taxonomy(out->taxonomy, request->taxonomies.at[i], diag));
    }
    return OK;
}

static enum err load_set(const struct load_request *request, struct loaded *out, struct diag *diag)
{
    struct ruleset_options options = {.threads = request->threads};
    if (request->placeholders) {
        enum err e = files_read(request->placeholders, LOAD_FILE_LIMIT, &out->placeholders, diag);
        if (e != OK) {
            return name_file(request->placeholders, e, diag);
        }
        options.placeholders = buf_slice(&out->placeholders);
    }
    TRY(ruleset_new(&options, &out->set, diag));
    for (size_t i = 0; i < request->rules.count; i++) {
        enum err e = ruleset_load(out->set, request->rules.at[i], diag);
        if (e == ERR_MEMORY) {
            return diag_say(diag, e, "no memory for the rules");
        }
        if (e != OK) {
            name_file(request->rules.at[i], e, diag);
            verb_say("%s", diag->words);
            out->unreadable++;
        }
    }
    if (request->packs && request->rules.count == 0) {
        TRY(packs_load_all(request->data, out->set, &out->unreadable, diag));
    }
    return ruleset_finish(out->set, diag);
}

/* What output shows of every event is numbered like the fields of rules. */
static enum err add_shown_fields(const struct load_request *request, struct loaded *out)
{
    /* Who acts before whom it is done to; Windows, then clouds, then the rest. */
    static const char *const users[] = {"User", "SubjectUserName", "TargetUserName", "AccountName",
            "user.name", "userIdentity.arn", "userIdentity.userName", "userIdentity.principalId",
            "actor.alternateId", "actor.email", "UserId", "userPrincipalName",
            "properties.userPrincipalName", "initiatedBy.user.userPrincipalName", "user.username",
            "protoPayload.authenticationInfo.principalEmail", "caller", "actor", "cs-username",
            "acct", "username", "user"};
    static const char *const hosts[LOAD_HOSTS] = {"Computer", "host.name", "hostname", "host"};
    TRY(field_intern(out->set->fields, taxonomy_time_field(), &out->time_field));
    for (size_t i = 0; i < LOAD_HOSTS; i++) {
        TRY(field_intern(out->set->fields, slice_text(hosts[i]), &out->host_fields[i]));
    }
    size_t count = request->users ? sizeof users / sizeof *users : 0;
    for (size_t i = 0; i < count; i++) {
        TRY(field_intern(out->set->fields, slice_text(users[i]), &out->user_fields[i]));
    }
    out->user_count = count;
    return OK;
}

enum err load_rules(const struct load_request *request, struct loaded *out, struct diag *diag)
{
    struct loaded loaded = {0};
    enum err e = load_taxonomy(request, &loaded, diag);
    if (e == OK) {
        e = load_set(request, &loaded, diag);
    }
    if (e == OK && add_shown_fields(request, &loaded) != OK) {
        e = diag_say(diag, ERR_MEMORY, "no memory for the rules");
    }
    if (e != OK) {
        load_fini(&loaded);
        return e;
    }
    *out = loaded;
    return OK;
}

static enum err add_text(const struct load_text *t, struct loaded *out, struct diag *diag)
{
    struct slice name = t->name, tenant;
    switch (t->kind) {
    case LOAD_TAXONOMY:
        return taxonomy_add(out->taxonomy, name, t->bytes, diag);
    case LOAD_EXCEPTION:
        tenant = slice_cut(&name, ' ');
        return ruleset_load_exceptions(out->set, tenant, name, t->bytes, diag);
    case LOAD_TENANTS:
        buf_add(&out->tenants, t->bytes);
        return out->tenants.failed ? diag_say(diag, ERR_MEMORY, "no memory for the rules") : OK;
    default:
        return ruleset_load_text(out->set, name, t->bytes, diag);
    }
}

static enum err add_texts(
        const struct load_text *texts, size_t count, struct loaded *out, struct diag *diag)
{
    const struct ruleset_options options = {0};
    TRY(ruleset_new(&options, &out->set, diag));
    if (taxonomy_new(&out->taxonomy) != OK) {
        return diag_say(diag, ERR_MEMORY, "no memory for the taxonomy");
    }
    for (size_t i = 0; i < count; i++) {
        TRY(add_text(&texts[i], out, diag));
    }
    return ruleset_finish(out->set, diag);
}

enum err load_texts(
        const struct load_text *texts, size_t count, struct loaded *out, struct diag *diag)
{
    const struct load_request plain = {0};
    struct loaded loaded = {0};
    enum err e = add_texts(texts, count, &loaded, diag);
    if (e == OK && add_shown_fields(&plain, &loaded) != OK) {
        e = diag_say(diag, ERR_MEMORY, "no memory for the rules");
    }
    if (e != OK) {
        load_fini(&loaded);
        return e;
    }
    *out = loaded;
    return OK;
}

void load_fini(struct loaded *loaded)
{
    ruleset_free(loaded->set);
    taxonomy_free(loaded->taxonomy);
    buf_fini(&loaded->placeholders);
    buf_fini(&loaded->tenants);
    *loaded = (struct loaded){0};
}

void load_say_problems(const struct ruleset *set)
{
    for (uint32_t i = 0; i < set->problem_count; i++) {
        const struct ruleset_problem *p = &set->problems[i];
        if (p->line > 0) {
            verb_say("%.*s:%u:%u: rule refused: %.*s", SLICE_ARG(p->file), p->line, p->column,
                    SLICE_ARG(p->reason));
        } else {
            verb_say("%.*s: rule refused: %.*s", SLICE_ARG(p->file), SLICE_ARG(p->reason));
        }
    }
}

void load_missing(const struct ruleset *set, struct buf *out)
{
    for (uint32_t i = 0; i < set->rule_count; i++) {
        const struct rule *e = set->rules[i];
        for (size_t k = 0; e->exception.at && k < e->missing_count; k++) {
            buf_format(out, "%.*s:%u: an exception of %.*s names no rule: %.*s\n",
                    SLICE_ARG(e->file), e->line, SLICE_ARG(e->exception), SLICE_ARG(e->missing[k]));
        }
    }
}

bool load_level(const struct rule *rule, enum level least)
{
    enum level level = rule->level == LEVEL_NONE ? LEVEL_INFORMATIONAL : rule->level;
    return level >= least;
}
