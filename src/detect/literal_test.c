/* Literals against memmem, over texts of a small alphabet, every length and every place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "detect/literal.h"

enum { ENTRIES = 200, VALUES = 3000 };

static uint64_t state = 88172645463325252u;

static unsigned dice(unsigned sides)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state % sides);
}

static struct slice make_text(struct arena *arena, unsigned n)
{
    char *at = arena_alloc(arena, n + LITERAL_SLACK, 1);
    for (unsigned i = 0; i < n; i++) {
        at[i] = "abc"[dice(3)];
    }
    return slice_of(at, n);
}

static void finds_what_memmem_finds(void **unused)
{
    struct arena arena;
    struct literal_entry entries[ENTRIES];
    uint32_t stamps[ENTRIES] = {0}, ids[ENTRIES];
    struct scan scan = {.stamps = stamps, .ids = ids, .room = ENTRIES};
    const struct literal_set *set;
    size_t found = 0;
    (void)unused;
    arena_init(&arena, 64 << 20);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        entries[i] = (struct literal_entry){make_text(&arena, 1 + i % 12), i};
    }
    assert_int_equal(literal_build(&arena, entries, ENTRIES, NULL, &set), OK);
    for (int n = 0; n < VALUES; n++) {
        struct slice v = make_text(&arena, dice(40));
        scan_start(&scan);
        literal_scan(set, v, &scan);
        for (uint32_t i = 0; i < ENTRIES; i++) {
            int in = slice_find(v, entries[i].text) != SIZE_MAX;
            assert_int_equal(stamps[i] == scan.epoch, in);
        }
        found += scan.count;
    }
    assert_true(found > VALUES);
    arena_fini(&arena);
}

/* Wherever the text stands, whatever its length: the stride must not step over it. */
static void no_place_is_stepped_over(void **unused)
{
    char value[80 + LITERAL_SLACK];
    uint32_t stamps[1] = {0}, ids[1];
    struct scan scan = {.stamps = stamps, .ids = ids, .room = 1};
    (void)unused;
    for (unsigned size = 1; size <= 20; size++) {
        struct arena arena;
        const struct literal_set *set;
        arena_init(&arena, 1 << 20);
        struct literal_entry e = {slice_of("invoke-mimikatz-now!", size), 0};
        assert_int_equal(literal_build(&arena, &e, 1, NULL, &set), OK);
        for (size_t at = 0; at + size <= 80; at++) {
            memset(value, '.', sizeof value);
            memcpy(value + at, e.text.at, size);
            scan_start(&scan);
            literal_scan(set, slice_of(value, 80), &scan);
            assert_int_equal(scan.count, 1);
            scan_start(&scan);
            literal_scan(set, slice_of(value, at + size - 1), &scan);
            assert_int_equal(scan.count, 0);
        }
        arena_fini(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(finds_what_memmem_finds),
            cmocka_unit_test(no_place_is_stepped_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
