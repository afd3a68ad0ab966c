/* regex: answers for test/regex/run, which compares them with another engine's.
 *
 * A line of input is a pattern, flags (REGEX_NOCASE and so on) and texts, all but the flags in hex
 * ("-": empty). A line of output is one of
 *
 *     refused WORDS
 *     YNNY...           a letter a text: Y, N, U, or ! where the ways to search do not agree or a
 *                       match has none of the needed literals */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fold.h"
#include "base/memory.h"
#include "sigma/regex.h"

enum { LINE_LIMIT = 1 << 20, CACHES = 3 };

static struct regex_cache *caches[CACHES];

static struct slice unhex(char *hex)
{
    size_t n = 0;
    if (hex[0] == '-') {
        return slice_of(hex, 0);
    }
    for (size_t i = 0; hex[i] && hex[i + 1]; i += 2) {
        const char pair[3] = {hex[i], hex[i + 1], '\0'};
        hex[n++] = (char)strtoul(pair, NULL, 16);
    }
    return slice_of(hex, n);
}

static bool has_literal(const struct regex *re, struct slice text)
{
    size_t count;
    const struct slice *literals = regex_literals(re, &count);
    char *to = memory_alloc(2 * text.size + 1);
    if (!to) {
        return false;
    }
    struct slice folded = slice_of(to, fold_text(text, to));
    bool found = count == 0;
    for (size_t i = 0; i < count; i++) {
        found = found || slice_find(folded, literals[i]) != SIZE_MAX;
    }
    memory_free(to);
    return found;
}

static char answer(const struct regex *re, struct slice text)
{
    enum verdict v = regex_search(re, caches[0], text);
    for (int i = 1; i < CACHES; i++) {
        if (regex_search(re, caches[i], text) != v) {
            return '!';
        }
    }
    if (v == VERDICT_YES && !has_literal(re, text)) {
        return '!';
    }
    return "NYU"[v];
}

static void take_line(char *line)
{
    char *rest;
    char *pattern = strtok_r(line, " \n", &rest);
    char *flags = strtok_r(NULL, " \n", &rest);
    if (!pattern || !flags) {
        return;
    }
    struct arena arena;
    arena_init(&arena, 64 << 20);
    struct regex *re;
    struct diag diag = {0};
    unsigned bits = (unsigned)strtoul(flags, NULL, 10);
    if (regex_compile(&arena, unhex(pattern), bits, &re, &diag) != OK) {
        printf("refused %s\n", diag.words);
        arena_fini(&arena);
        return;
    }
    char *text;
    while ((text = strtok_r(NULL, " \n", &rest)) != NULL) {
        putchar(answer(re, unhex(text)));
    }
    putchar('\n');
    arena_fini(&arena);
}

int main(void)
{
    /* The automaton, one that forgets all the time, and the simulation. */
    static const size_t BYTES[CACHES] = {1 << 20, 3000, 0};
    char *line = memory_alloc(LINE_LIMIT);
    for (int i = 0; i < CACHES; i++) {
        caches[i] = regex_cache_new(BYTES[i]);
        if (!line || !caches[i]) {
            return 1;
        }
    }
    while (fgets(line, LINE_LIMIT, stdin)) {
        take_line(line);
    }
    for (int i = 0; i < CACHES; i++) {
        regex_cache_free(caches[i]);
    }
    memory_free(line);
    return 0;
}
