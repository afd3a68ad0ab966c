#include "event/taxonomy.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct taxonomy *t)
{
    size_t count;
    const struct taxonomy_entry *entries = taxonomy_entries(t, &count);
    for (size_t i = 0; i < count; i++) {
        const struct taxonomy_entry *out[TAXONOMY_TERMS];
        assert(taxonomy_resolve(t, &entries[i].logsource, out) == 1 && out[0] == &entries[i]);
    }
    const struct path_pattern *patterns = taxonomy_patterns(t, &count);
    struct fields *fields = field_table_new();
    uint32_t id;
    struct paths *paths = NULL;
    if (fields && field_intern(fields, SLICE("a.b"), &id) == OK &&
            paths_build(fields, patterns, count, &paths) == OK) {
        paths_find(paths, PATHS_ROOT, SLICE("a"));
        paths_free(paths);
    }
    field_table_free(fields);
}

/* A file is taken or refused in words; every entry that was taken is found again, and a second
 * reading gives the same hash. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of((const char *)data, size);
    unsigned char hash[2][32] = {{0}, {1}};
    for (int i = 0; i < 2; i++) {
        struct taxonomy *t = NULL;
        struct diag diag = {0};
        if (taxonomy_new(&t) != OK) {
            return 0;
        }
        enum err e = taxonomy_add(t, SLICE("f"), text, &diag);
        assert(e == OK || diag.words[0]);
        if (e == OK) {
            ask(t);
        }
        taxonomy_hash(t, hash[i]);
        taxonomy_free(t);
    }
    assert(memcmp(hash[0], hash[1], 32) == 0);
    return 0;
}
