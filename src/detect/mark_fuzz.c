/* A byte for the op and the case, the test's text, a NUL, the value. What is marked stands in the
 * value, in order and apart; something is marked just where the test holds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fold.h"
#include "base/memory.h"
#include "detect/mark.h"
#include "sigma/literal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 512 };

static void check(int ok)
{
    if (!ok) {
        abort();
    }
}

static void check_order(const struct mark_list *marks, struct slice value)
{
    size_t at = 0;
    for (size_t i = 0; i < marks->count; i++) {
        check(marks->parts[i].size > 0);
        check(i == 0 || marks->parts[i].at > at);
        at = marks->parts[i].at + marks->parts[i].size;
        check(at <= value.size);
    }
}

static bool says_something(const struct predicate *p)
{
    for (size_t i = 0; i < p->text.size; i++) {
        if (p->op != OP_PATTERN || p->text.at[i] != PATTERN_MANY) {
            return true;
        }
    }
    return false;
}

static void check_marks(const struct predicate *p, struct slice value, struct regex_cache *regexes)
{
    char *folded = memory_alloc(2 * value.size + 1);
    struct buf scratch = {0};
    struct mark_list marks = {0};
    struct mark_tools tools = {regexes, &scratch};
    check(folded != NULL);
    struct slice fold = slice_of(folded, fold_text(value, folded));
    enum verdict verdict = predicate_test_text(p, value, fold, regexes);
    mark_add(&marks, p, value, &tools);
    mark_finish(&marks);
    check_order(&marks, value);
    if (verdict != VERDICT_UNDETERMINED) {
        check(marks.count == 0 || verdict == VERDICT_YES);
        check(marks.count > 0 || verdict == VERDICT_NO || value.size == 0 || !says_something(p) ||
                p->op == OP_REGEX); /* a regex may match nothing between two characters */
    }
    buf_fini(&scratch);
    memory_free(folded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[2 * MOST];
    const uint8_t *zero = size > 2 && size < MOST ? memchr(data + 1, 0, size - 1) : NULL;
    if (!zero) {
        return 0;
    }
    struct slice given = slice_of((const char *)data + 1, (size_t)(zero - data - 1));
    struct slice value = slice_of((const char *)zero + 1, size - given.size - 2);
    struct predicate p = {.op = (enum op)(data[0] % (OP_REGEX + 1)), .cased = data[0] & 0x80};
    struct arena arena;
    struct regex *regex = NULL;
    struct regex_cache *regexes = regex_cache_new(1 << 20);
    check(regexes != NULL);
    arena_init(&arena, 16 << 20);
    if (p.op == OP_REGEX) {
        p.text = given;
        p.cased = false;
        if (regex_compile(&arena, given, 0, &regex, NULL) == OK) {
            p.regex = regex;
            check_marks(&p, value, regexes);
        }
    } else if (given.size > 0) {
        size_t n = p.cased ? given.size : fold_text(given, text);
        if (p.cased) {
            memcpy(text, given.at, n);
        }
        p.text = p.op == OP_PATTERN ? literal_squeeze(text, n) : slice_of(text, n);
        check_marks(&p, value, regexes);
    }
    regex_cache_free(regexes);
    arena_fini(&arena);
    return 0;
}
