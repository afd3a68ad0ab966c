#include "event/field.h"

#include "base/intern.h"
#include "base/memory.h"

struct fields {
    struct intern names;
};

struct fields *field_table_new(void)
{
    struct fields *fields = memory_alloc(sizeof *fields);
    if (fields) {
        intern_init(&fields->names, FIELD_LIMIT);
    }
    return fields;
}

void field_table_free(struct fields *fields)
{
    if (fields) {
        intern_fini(&fields->names);
        memory_free(fields);
    }
}

enum err field_intern(struct fields *fields, struct slice name, uint32_t *id)
{
    return intern_put(&fields->names, name, id, NULL);
}

uint32_t field_find(const struct fields *fields, struct slice name)
{
    return intern_find(&fields->names, name);
}

struct slice field_name(const struct fields *fields, uint32_t id)
{
    return intern_text(&fields->names, id);
}

uint32_t field_count(const struct fields *fields)
{
    return fields->names.count;
}
