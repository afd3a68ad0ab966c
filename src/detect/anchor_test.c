/* Anchors against the plain question, over texts of a small alphabet, so that much is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "detect/anchor.h"

enum { ENTRIES = 300, VALUES = 4000, LONGEST = 24 };

static uint64_t state = 88172645463325252u;

static unsigned dice(unsigned sides)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state % sides);
}

static struct slice make_text(struct arena *arena, unsigned least)
{
    unsigned n = least + dice(dice(3) ? 6 : LONGEST);
    char *at = arena_alloc(arena, n + 1, 1);
    for (unsigned i = 0; i < n; i++) {
        at[i] = "ab\\."[dice(4)];
    }
    return slice_of(at, n);
}

static int holds(const struct anchor_entry *e, struct slice v)
{
    switch (e->kind) {
    case ANCHOR_PREFIX:
        return slice_starts(v, e->text);
    case ANCHOR_SUFFIX:
        return slice_ends(v, e->text);
    case ANCHOR_EQUAL:
        return slice_equal(v, e->text);
    default:
        return 0;
    }
}

static void finds_what_a_plain_comparison_finds(void **unused)
{
    struct arena arena;
    struct anchor_entry entries[ENTRIES];
    uint32_t stamps[ENTRIES] = {0}, ids[ENTRIES];
    struct scan scan = {.stamps = stamps, .ids = ids, .room = ENTRIES};
    const struct anchor_set *set;
    size_t found = 0;
    (void)unused;
    arena_init(&arena, 16 << 20);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        enum anchor_kind kind = (enum anchor_kind)dice(3);
        entries[i] = (struct anchor_entry){kind, make_text(&arena, kind != ANCHOR_EQUAL), 0, i};
    }
    assert_int_equal(anchor_build(&arena, entries, ENTRIES, &set), OK);
    for (int n = 0; n < VALUES; n++) {
        struct slice v = make_text(&arena, 0);
        scan_start(&scan);
        anchor_scan(set, v, &scan);
        for (uint32_t i = 0; i < ENTRIES; i++) {
            assert_int_equal(stamps[i] == scan.epoch, holds(&entries[i], v));
        }
        found += scan.count;
    }
    assert_true(found > VALUES);
    arena_fini(&arena);
}

static void numbers_are_found_however_they_are_written(void **unused)
{
    static const struct {
        const char *text;
        int found;
    } cases[] = {{"4688", 1}, {"4688.0", 1}, {"04688", 1}, {"4.688e3", 1}, {"46880", 0},
            {"4688x", 0}, {"", 0}, {"-4688", 0}, {" 4688", 0}};
    struct arena arena;
    const struct anchor_set *set;
    uint32_t stamps[1] = {0}, ids[1];
    struct scan scan = {.stamps = stamps, .ids = ids, .room = 1};
    struct anchor_entry e = {ANCHOR_NUMBER, {0}, 4688, 0};
    (void)unused;
    arena_init(&arena, 1 << 20);
    assert_int_equal(anchor_build(&arena, &e, 1, &set), OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scan_start(&scan);
        anchor_scan(set, slice_text(cases[i].text), &scan);
        assert_int_equal(scan.count, cases[i].found);
    }
    arena_fini(&arena);
}

static void no_entries_are_no_set(void **unused)
{
    struct arena arena;
    const struct anchor_set *set = (const struct anchor_set *)&arena;
    (void)unused;
    arena_init(&arena, 1 << 20);
    assert_int_equal(anchor_build(&arena, NULL, 0, &set), OK);
    assert_null(set);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(finds_what_a_plain_comparison_finds),
            cmocka_unit_test(numbers_are_found_however_they_are_written),
            cmocka_unit_test(no_entries_are_no_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
