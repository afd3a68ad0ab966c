#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "archive/parquet_codec.h"

enum { MOST = 2000 };

static uint64_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 16;
}

static void varints_come_back_and_long_ones_are_refused(void **state)
{
    (void)state;
    struct buf out = {0};
    for (unsigned i = 0; i < 64; i++) {
        uint64_t value = UINT64_MAX >> i, back = 0;
        buf_clear(&out);
        parquet_codec_put_varint(&out, value);
        struct slice in = buf_slice(&out);
        assert_true(parquet_codec_take_varint(&in, &back) && back == value && in.size == 0);
        in = slice_of(out.at, out.size - 1);
        assert_false(parquet_codec_take_varint(&in, &back));
    }
    struct slice longer = SLICE("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02");
    uint64_t value;
    assert_false(parquet_codec_take_varint(&longer, &value));
    buf_fini(&out);
    static const int64_t numbers[] = {0, -1, 1, INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < 5; i++) {
        assert_true(parquet_codec_unzigzag(parquet_codec_zigzag(numbers[i])) == numbers[i]);
    }
    assert_int_equal(parquet_codec_zigzag(-2), 3);
}

/* By the text of Encodings.md: 8 bits packed, lowest first; a run. */
static void levels_are_those_of_the_specification(void **state)
{
    (void)state;
    struct buf out = {0};
    uint64_t bits[2] = {0x0D, 0};
    parquet_codec_put_levels(&out, bits, 0, 4);
    assert_int_equal(out.size, 6);
    assert_memory_equal(out.at, "\x02\0\0\0\x03\x0D", 6);
    buf_clear(&out);
    bits[0] = bits[1] = UINT64_MAX;
    parquet_codec_put_levels(&out, bits, 0, 100);
    assert_int_equal(out.size, 7);
    assert_memory_equal(out.at, "\x03\0\0\0\xC8\x01\x01", 7);
    buf_fini(&out);
}

static void levels_come_back(void **state)
{
    (void)state;
    struct buf out = {0};
    uint64_t random = 1;
    for (unsigned round = 0; round < 500; round++) {
        uint64_t bits[MOST / 64 + 1] = {0}, back[MOST / 64 + 1] = {0};
        uint32_t to = 1 + (uint32_t)(next(&random) % MOST), from = (uint32_t)(next(&random) % to);
        uint32_t ones = 0, found = 0;
        for (uint32_t at = 0; at < to;) { /* runs of all lengths */
            uint32_t run = 1 + (uint32_t)(next(&random) % (1u << round % 9));
            for (uint64_t value = next(&random) & 1; run && at < to; run--, at++) {
                bits[at / 64] |= value << at % 64;
                ones += at >= from && value;
            }
        }
        buf_clear(&out);
        parquet_codec_put_levels(&out, bits, from, to);
        struct slice in = buf_slice(&out);
        assert_true(parquet_codec_take_levels(&in, back, from, to, &found));
        assert_int_equal(in.size, 0);
        assert_int_equal(found, ones);
        for (uint32_t at = 0; at < MOST; at++) {
            uint64_t want = at >= from && at < to ? bits[at / 64] >> at % 64 & 1 : 0;
            assert_true((back[at / 64] >> at % 64 & 1) == want);
        }
        for (size_t cut = 0; cut < out.size; cut += 1 + cut / 8) {
            in = slice_of(out.at, cut);
            assert_false(parquet_codec_take_levels(&in, back, from, to, &found));
        }
    }
    buf_fini(&out);
}

static void levels_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static const struct slice bad[] = {
            {"\x02\0\0\0\x10\x02", 6},                  /* a level of 2 */
            {"\x02\0\0\0\x14\x01", 6},                  /* 10 of 8 rows */
            {"\x02\0\0\0\x0E\x01", 6},                  /* 7 of 8 rows */
            {"\x03\0\0\0\x05\xFF\xFF", 7},              /* 16 packed for 8 */
            {"\x03\0\0\0\x03\xFF\x00", 7},              /* a byte is left */
            {"\x02\0\0\0\x00\x01", 6},                  /* a run of none */
            {"\x01\0\0\0\x03", 5},                      /* packed bits, but none there */
            {"\xFF\xFF\xFF\xFF\x03\xFF", 6},            /* larger than what is there */
            {"\x06\0\0\0\xFF\xFF\xFF\xFF\x0F\xFF", 10}, /* very many groups */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t bits = 0;
        uint32_t ones = 77;
        struct slice in = bad[i];
        assert_false(parquet_codec_take_levels(&in, &bits, 0, 8, &ones));
        assert_int_equal(ones, 77);
    }
}

static void indexes_come_back(void **state)
{
    (void)state;
    static const uint32_t entries[] = {1, 2, 3, 200, 256, 257, 4096, 65536, 100000};
    static uint32_t from[MOST], back[MOST];
    struct buf out = {0};
    uint64_t random = 2;
    for (unsigned round = 0; round < 900; round++) {
        uint32_t most = entries[round % 9];
        size_t count = next(&random) % MOST;
        for (size_t at = 0; at < count;) {
            size_t run = 1 + next(&random) % (1u << round % 7);
            uint32_t value = (uint32_t)(next(&random) % most);
            for (; run && at < count; run--) {
                from[at++] = value;
            }
        }
        buf_clear(&out);
        parquet_codec_put_indexes(&out, from, count, most);
        assert_true(parquet_codec_take_indexes(buf_slice(&out), back, count, most));
        assert_true(count == 0 || memcmp(from, back, count * sizeof *from) == 0);
        assert_false(count &&
                     parquet_codec_take_indexes(slice_of(out.at, out.size - 1), back, count, most));
        buf_byte(&out, 0);
        assert_false(parquet_codec_take_indexes(buf_slice(&out), back, count, most));
    }
    buf_fini(&out);
}

static void indexes_behind_the_dictionary_are_refused(void **state)
{
    (void)state;
    uint32_t back[16];
    struct slice run = SLICE("\x02\x10\x02"), packed = SLICE("\x02\x03\xAA\xEA");
    assert_true(parquet_codec_take_indexes(run, back, 8, 3));
    assert_false(parquet_codec_take_indexes(SLICE("\x02\x10\x03"), back, 8, 3));
    assert_true(parquet_codec_take_indexes(SLICE("\x02\x03\xAA\xAA"), back, 8, 3));
    assert_false(parquet_codec_take_indexes(packed, back, 8, 3));
    assert_false(parquet_codec_take_indexes(SLICE("\x03\x10\x02"), back, 8, 3)); /* width */
    assert_false(parquet_codec_take_indexes(run, back, 8, 0));
}

/* The example of Encodings.md: 1, 2, 3, 4, 5 are their first value and differences of 1. */
static void differences_are_those_of_the_specification(void **state)
{
    (void)state;
    struct buf out = {0};
    static const int64_t values[] = {1, 2, 3, 4, 5};
    parquet_codec_put_delta(&out, values, 5, 64);
    assert_int_equal(out.size, 10);
    assert_memory_equal(out.at, "\x80\x01\x04\x05\x02\x02\0\0\0\0", 10);
    buf_fini(&out);
}

static void check_delta(const int64_t *values, size_t count, unsigned bits)
{
    static int64_t back[MOST + 1];
    struct buf out = {0};
    parquet_codec_put_delta(&out, values, count, bits);
    buf_byte(&out, 'x');
    struct slice in = buf_slice(&out);
    back[count] = 4711;
    assert_true(parquet_codec_take_delta(&in, back, count, bits));
    assert_true(count == 0 || memcmp(values, back, count * sizeof *values) == 0);
    assert_true(in.size == 1 && in.at[0] == 'x' && back[count] == 4711);
    for (size_t cut = 0; cut < out.size - 1; cut += 1 + cut / 16) {
        in = slice_of(out.at, cut);
        assert_false(parquet_codec_take_delta(&in, back, count, bits));
    }
    in = buf_slice(&out);
    assert_false(parquet_codec_take_delta(&in, back, count + 1, bits));
    buf_fini(&out);
}

static void differences_come_back(void **state)
{
    (void)state;
    static int64_t values[MOST];
    uint64_t random = 3;
    for (unsigned round = 0; round < 520; round++) {
        unsigned bits = round % 2 ? 32 : 64, width = round / 2 % 65;
        size_t count = round < 270 ? round : next(&random) % MOST;
        for (size_t i = 0; i < count; i++) {
            uint64_t value = next(&random) << 40 ^ next(&random);
            value = width ? value >> (64 - width) : 0;
            values[i] = bits == 32 ? (int32_t)(uint32_t)value : (int64_t)value;
        }
        if (count > 2 && round % 3 == 0) { /* wraps around */
            values[0] = bits == 32 ? INT32_MIN : INT64_MIN;
            values[1] = bits == 32 ? INT32_MAX : INT64_MAX;
        }
        check_delta(values, count, bits);
    }
}

static void other_blocks_and_widths_are_refused(void **state)
{
    (void)state;
    int64_t back[4];
    static const struct slice bad[] = {
            {"\x80\x02\x04\x02\x02\x02\0\0\0\0", 10},     /* blocks of 256 */
            {"\x80\x01\x02\x02\x02\x02\0\0\0\0", 10},     /* 2 miniblocks */
            {"\x80\x01\x04\x03\x02\x02\0\0\0\0", 10},     /* 3 values */
            {"\x80\x01\x04\x02\x02\x02\x41\0\0\0", 10},   /* 65 bits */
            {"\x80\x01\x04\x02\x02\x02\x01\0\0\0\0", 11}, /* cut short */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct slice in = bad[i];
        assert_false(parquet_codec_take_delta(&in, back, 2, 64));
    }
    char wide[10 + 33 * 4] = "\x80\x01\x04\x02\x02\x02\x21"; /* 33 bits */
    struct slice in = slice_of(wide, sizeof wide);
    assert_false(parquet_codec_take_delta(&in, back, 2, 32));
    in = slice_of(wide, sizeof wide);
    assert_true(parquet_codec_take_delta(&in, back, 2, 64));
}

static void texts_come_back_and_lengths_are_checked(void **state)
{
    (void)state;
    static const struct slice texts[] = {{"", 0}, {"Hello", 5}, {"a\0b", 3}, {"World!", 6}};
    struct slice back[4];
    int64_t lengths[4];
    struct buf out = {0};
    parquet_codec_put_texts(&out, texts, 4, lengths);
    assert_true(parquet_codec_take_texts(buf_slice(&out), back, 4, lengths));
    for (size_t i = 0; i < 4; i++) {
        assert_true(slice_equal(texts[i], back[i]));
    }
    assert_false(parquet_codec_take_texts(slice_of(out.at, out.size - 1), back, 4, lengths));
    buf_byte(&out, 'x');
    assert_false(parquet_codec_take_texts(buf_slice(&out), back, 4, lengths));
    buf_clear(&out);
    static const int64_t negative[] = {3, -1, 3, 3};
    parquet_codec_put_delta(&out, negative, 4, 32);
    buf_add(&out, SLICE("abcdefgh"));
    assert_false(parquet_codec_take_texts(buf_slice(&out), back, 4, lengths));
    buf_clear(&out);
    parquet_codec_put_plain(&out, texts, 4);
    assert_memory_equal(out.at, "\0\0\0\0\x05\0\0\0Hello\x03\0\0\0a\0b", 20);
    assert_true(parquet_codec_take_plain(buf_slice(&out), back, 4));
    assert_true(slice_equal(back[3], texts[3]) && back[3].at == out.at + 24);
    assert_false(parquet_codec_take_plain(slice_of(out.at, out.size - 1), back, 4));
    assert_false(parquet_codec_take_plain(buf_slice(&out), back, 3));
    assert_false(parquet_codec_take_plain(buf_slice(&out), back, 5));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(varints_come_back_and_long_ones_are_refused),
            cmocka_unit_test(levels_are_those_of_the_specification),
            cmocka_unit_test(levels_come_back),
            cmocka_unit_test(levels_that_do_not_fit_are_refused),
            cmocka_unit_test(indexes_come_back),
            cmocka_unit_test(indexes_behind_the_dictionary_are_refused),
            cmocka_unit_test(differences_are_those_of_the_specification),
            cmocka_unit_test(differences_come_back),
            cmocka_unit_test(other_blocks_and_widths_are_refused),
            cmocka_unit_test(texts_come_back_and_lengths_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
