#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/sum.h"

enum { MOST = 700 };

static void fill(char *bytes, size_t size)
{
    uint32_t state = 1;
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525 + 1013904223;
        bytes[i] = (char)(state >> 24);
    }
}

static void the_check_value_of_crc_32_comes_out(void **unused)
{
    (void)unused;
    assert_int_equal(sum_add(0, SLICE("123456789")), 0xCBF43926);
    assert_int_equal(sum_add_plain(0, SLICE("123456789")), 0xCBF43926);
}

static void folding_agrees_with_the_table_for_every_size_and_offset(void **unused)
{
    (void)unused;
    char bytes[MOST + 16];
    fill(bytes, sizeof bytes);
    for (size_t offset = 0; offset < 16; offset++) {
        for (size_t size = 0; size <= MOST; size++) {
            struct slice s = slice_of(bytes + offset, size);
            assert_int_equal(sum_add(77, s), sum_add_plain(77, s));
            assert_int_equal(sum_add_folding(77, s), sum_add_plain(77, s));
        }
    }
}

static void a_sum_can_be_made_in_pieces(void **unused)
{
    (void)unused;
    char bytes[MOST];
    fill(bytes, sizeof bytes);
    uint32_t whole = sum_add(0, slice_of(bytes, MOST));
    for (size_t cut = 0; cut <= MOST; cut += 7) {
        uint32_t first = sum_add(0, slice_of(bytes, cut));
        assert_int_equal(sum_add(first, slice_of(bytes + cut, MOST - cut)), whole);
    }
}

static void a_flipped_bit_changes_the_sum(void **unused)
{
    (void)unused;
    char bytes[MOST];
    fill(bytes, sizeof bytes);
    uint32_t whole = sum_add(0, slice_of(bytes, MOST));
    for (size_t i = 0; i < MOST; i++) {
        bytes[i] ^= 0x10;
        assert_int_not_equal(sum_add(0, slice_of(bytes, MOST)), whole);
        bytes[i] ^= 0x10;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_check_value_of_crc_32_comes_out),
            cmocka_unit_test(folding_agrees_with_the_table_for_every_size_and_offset),
            cmocka_unit_test(a_sum_can_be_made_in_pieces),
            cmocka_unit_test(a_flipped_bit_changes_the_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
