#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "decode/evtx_values.h"

enum { COUNT = 23, ROOM = 4096, ROUNDS = 20000 };

static uint32_t seed = 1;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)seed * below >> 32);
}

/* Types that real templates have, a few that are rare, and one that is none. */
static const uint8_t types[] = {EVTX_STRING, EVTX_UINT8, EVTX_UINT16, EVTX_UINT32, EVTX_HEX64,
        EVTX_FILETIME, EVTX_GUID, EVTX_SID, EVTX_BINXML, EVTX_BINARY, EVTX_BOOL, EVTX_ANSI,
        EVTX_SIZE, EVTX_ARRAY | EVTX_STRING, EVTX_ARRAY | EVTX_UINT32, 0x16};

static uint32_t usual_size(uint8_t type)
{
    static const uint8_t sizes[256] = {[EVTX_STRING] = 10,
            [EVTX_UINT8] = 1,
            [EVTX_UINT16] = 2,
            [EVTX_UINT32] = 4,
            [EVTX_HEX64] = 8,
            [EVTX_FILETIME] = 8,
            [EVTX_GUID] = 16,
            [EVTX_SID] = 12,
            [EVTX_BINXML] = 20,
            [EVTX_BINARY] = 7,
            [EVTX_BOOL] = 4,
            [EVTX_ANSI] = 3,
            [EVTX_SIZE] = 8,
            [EVTX_ARRAY | EVTX_STRING] = 12,
            [EVTX_ARRAY | EVTX_UINT32] = 12};
    return sizes[type];
}

/* An instance of the template whose slots have `slots` as types; now and then a value is unset, or
 * of another type or size. Returns the end of its values. */
static uint32_t make_instance(char *chunk, const uint8_t slots[COUNT])
{
    uint32_t at = 4 * COUNT;
    uint32_t odd = draw(8); /* of eight instances one has odd values */
    for (uint32_t i = 0; i < COUNT; i++) {
        uint8_t type = slots[i];
        uint32_t size = usual_size(type);
        if (draw(6) == 0) {
            size = 0;
            type = draw(2) ? EVTX_NULL : type;
        } else if (odd == 0 && draw(20) == 0) {
            type = types[draw(sizeof types)];
            size = draw(2) ? usual_size(type) : draw(30);
        }
        chunk[4 * i] = (char)size;
        chunk[4 * i + 1] = 0;
        chunk[4 * i + 2] = (char)type;
        chunk[4 * i + 3] = 0;
        memset(chunk + at, 1, size); /* a SID of one part */
        at += size;
    }
    return at;
}

static void a_layout_places_what_is_placed_without_one(void **unused)
{
    (void)unused;
    static char chunk[ROOM];
    static struct evtx_value with[COUNT + EVTX_VALUES_SLACK], without[COUNT + EVTX_VALUES_SLACK];
    uint32_t agreed = 0, refused = 0;
    for (uint32_t round = 0; round < ROUNDS / 100; round++) {
        uint8_t slots[COUNT];
        for (uint32_t i = 0; i < COUNT; i++) {
            slots[i] = types[draw(round % 2 ? sizeof types - 1 : 11)];
        }
        struct evtx_layout *layout = memory_alloc(evtx_values_layout_size(COUNT));
        assert_non_null(layout);
        evtx_values_layout(layout, COUNT);
        for (uint32_t i = 0; i < 100; i++) {
            uint32_t end = make_instance(chunk, slots);
            end -= draw(16) == 0;
            struct evtx_placing in = {
                    .chunk = slice_of(chunk, end), .end = end, .count = COUNT, .values = without};
            struct evtx_placed a = {0}, b = {0};
            struct evtx_fault fault = {0}, same = {0};
            bool placed = evtx_values_place(&in, &a, &fault);
            in.layout = layout;
            in.values = with;
            assert_int_equal(evtx_values_place(&in, &b, &same), placed);
            agreed += placed;
            refused += !placed;
            if (!placed) {
                assert_string_equal(fault.what, same.what);
                assert_int_equal(fault.at, same.at);
                continue;
            }
            assert_int_equal(a.end, b.end);
            assert_int_equal(a.fragments, b.fragments);
            assert_int_equal(a.arrays, b.arrays);
            assert_int_equal(a.ansi, b.ansi);
            assert_memory_equal(with, without, COUNT * sizeof *with);
        }
        memory_free(layout);
    }
    assert_true(agreed > ROUNDS / 2);
    assert_true(refused > ROUNDS / 50);
}

static void a_value_over_the_end_is_refused_by_name(void **unused)
{
    (void)unused;
    char chunk[64] = {4, 0, EVTX_UINT32, 0, 3, 0, EVTX_BINARY, 0};
    struct evtx_value values[2 + EVTX_VALUES_SLACK];
    struct evtx_placing in = {
            .chunk = slice_of(chunk, 15), .end = 15, .count = 2, .values = values};
    struct evtx_placed placed;
    struct evtx_fault fault;
    assert_true(evtx_values_place(&in, &placed, &fault));
    assert_int_equal(placed.end, 15);
    assert_int_equal(values[1].at, 12);
    in.end = 14;
    assert_false(evtx_values_place(&in, &placed, &fault));
    assert_int_equal(fault.at, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_layout_places_what_is_placed_without_one),
            cmocka_unit_test(a_value_over_the_end_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
