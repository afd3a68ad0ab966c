/* A byte of flags, a pattern, and a text after the first NUL. The automaton,
 * the one that forgets, and the simulation answer alike; what matches has a needed literal. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fold.h"
#include "base/memory.h"
#include "sigma/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
    if (!ok) {
        abort();
    }
}

static void check_literals(const struct regex *re, struct slice text)
{
    size_t count;
    const struct slice *literals = regex_literals(re, &count);
    char *folded = memory_alloc(2 * text.size + 1);
    if (count == 0 || !folded) {
        memory_free(folded);
        return;
    }
    struct slice fold = slice_of(folded, fold_text(text, folded));
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        check(literals[i].size > 0);
        found += slice_find(fold, literals[i]) != SIZE_MAX;
    }
    check(found > 0);
    memory_free(folded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 4096) {
        return 0;
    }
    const uint8_t *zero = memchr(data + 1, 0, size - 1);
    const uint8_t *end = data + size;
    struct slice pattern =
            slice_of((const char *)data + 1, (size_t)((zero ? zero : end) - data - 1));
    struct slice text =
            zero ? slice_of((const char *)zero + 1, (size_t)(end - zero - 1)) : slice_of("", 0);
    struct arena arena;
    arena_init(&arena, 64 << 20);
    struct regex *re = NULL;
    struct diag diag = {0};
    enum err e = regex_compile(&arena, pattern, data[0] & 7u, &re, &diag);
    if (e == OK) {
        static const size_t BYTES[] = {0, 2500, 1 << 20};
        enum verdict first = VERDICT_NO;
        for (int i = 0; i < 6; i++) {
            struct regex_cache *cache = regex_cache_new(BYTES[i / 2]);
            check(cache != NULL);
            enum verdict v = regex_search(re, cache, text);
            first = i == 0 ? v : first;
            check(v == first && regex_search(re, cache, text) == first);
            regex_cache_free(cache);
        }
        if (first == VERDICT_YES) {
            check_literals(re, text);
        }
    } else {
        check(re == NULL && diag.column <= pattern.size + 1 && diag.words[0]);
    }
    arena_fini(&arena);
    return 0;
}
