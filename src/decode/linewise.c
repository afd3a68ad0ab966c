#include "decode/linewise.h"

#include "base/memory.h"

struct reader {
    const struct linewise *kind;
    struct fields_reader fields[LINEWISE_FORMS];
    struct decode_limits limits;
    struct slice block;
    size_t at;
};

enum err linewise_new(const struct linewise *kind, const struct paths *paths,
        const struct decode_limits *limits, struct reader **out)
{
    struct reader *r = memory_alloc(sizeof *r);
    if (!r) {
        return ERR_MEMORY;
    }
    r->kind = kind;
    r->limits = *limits;
    for (size_t i = 0; i < LINEWISE_FORMS && kind->forms[i]; i++) {
        enum err e = fields_init(&r->fields[i], kind->forms[i], paths, NULL);
        if (e != OK) {
            linewise_free(r);
            return e;
        }
    }
    *out = r;
    return OK;
}

void linewise_free(struct reader *r)
{
    for (size_t i = 0; r && i < LINEWISE_FORMS; i++) {
        fields_fini(&r->fields[i]);
    }
    memory_free(r);
}

void linewise_begin(struct reader *r, struct slice block, struct slice header)
{
    (void)header;
    r->block = block;
    r->at = 0;
}

enum err linewise_next(struct reader *r, struct event *event, struct diag *diag)
{
    struct slice line;
    if (!lines_next(r->block, &r->at, &line)) {
        return ERR_END;
    }
    enum err e = lines_check(line, &r->limits, diag);
    if (e != OK) {
        event_begin(event, line);
        return e;
    }
    size_t form = r->kind->choose ? r->kind->choose(line) : 0;
    return fields_read(&r->fields[form], line, event, diag);
}

int linewise_sure(struct slice head, bool whole, bool (*is)(struct slice line))
{
    int share = lines_share(head, whole, is);
    return share >= 80 ? 90 : share >= 50 ? 60 : 0;
}
