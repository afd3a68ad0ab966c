#include "detect/survey_list.h"

#include <stdlib.h>

#include "base/memory.h"
#include "detect/survey_parts.h"

static uint64_t events_of(const struct survey *s, size_t entry)
{
    uint64_t events = 0;
    for (uint32_t c = 0; c < s->engine->class_count; c++) {
        if (s->engine->classes[c]->active[entry] != ROUTE_INACTIVE) {
            events += s->classes[c].events;
        }
    }
    return events;
}

static int by_events(const void *a, const void *b)
{
    const struct survey_source *x = a, *y = b;
    if (x->events != y->events) {
        return x->events < y->events ? 1 : -1;
    }
    int order = slice_compare(x->logsource->product, y->logsource->product);
    order = order ? order : slice_compare(x->logsource->category, y->logsource->category);
    return order ? order : slice_compare(x->logsource->service, y->logsource->service);
}

enum err survey_list_sources(const struct survey *survey, struct survey_source **out, size_t *count)
{
    size_t all, entries = taxonomy_listed(survey->engine->taxonomy);
    const struct taxonomy_entry *entry = taxonomy_entries(survey->engine->taxonomy, &all);
    struct survey_source *list = memory_alloc_array(entries + 1, sizeof *list);
    if (!list) {
        return ERR_MEMORY;
    }
    size_t n = 0;
    for (size_t i = 0; i < entries; i++) {
        uint64_t events = events_of(survey, i);
        if (events > 0) {
            list[n++] = (struct survey_source){&entry[i].logsource, events};
        }
    }
    qsort(list, n, sizeof *list, by_events);
    *out = list;
    *count = n;
    return OK;
}

uint64_t survey_list_unmapped(const struct survey *survey)
{
    size_t entries = taxonomy_listed(survey->engine->taxonomy);
    uint64_t events = 0;
    for (uint32_t c = 0; c < survey->engine->class_count; c++) {
        bool mapped = false;
        for (size_t i = 0; i < entries && !mapped && survey->classes[c].events > 0; i++) {
            mapped = survey->engine->classes[c]->active[i] != ROUTE_INACTIVE;
        }
        events += mapped ? 0 : survey->classes[c].events;
    }
    return events;
}

static int by_filled(const void *a, const void *b)
{
    const struct survey_field *x = a, *y = b;
    if (x->filled != y->filled) {
        return x->filled < y->filled ? 1 : -1;
    }
    return slice_compare(x->path, y->path);
}

enum err survey_list_fields(const struct survey *survey, struct survey_field **out, size_t *count)
{
    size_t n = survey->paths.count;
    struct survey_field *list = memory_alloc_array(n + 1, sizeof *list);
    if (!list) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < survey->pair_count; i++) {
        const struct survey_pair *p = &survey->pairs[i];
        struct survey_field *f = &list[p->path];
        f->path = intern_text(&survey->paths, p->path);
        f->there += p->there;
        f->filled += p->filled;
        f->kinds |= p->kinds;
    }
    qsort(list, n, sizeof *list, by_filled);
    *out = list;
    *count = n;
    return OK;
}
