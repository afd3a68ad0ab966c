#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <zstd.h>

#include "archive/parquet_page.h"

static struct parquet_meta_page put(struct slice raw, struct buf *out)
{
    struct ZSTD_CCtx_s *zstd = ZSTD_createCCtx();
    struct parquet_meta_page page = {.has = PARQUET_META_HAS_DATA,
            .data = {0, 3, PARQUET_META_DELTA_BINARY_PACKED, PARQUET_META_RLE, PARQUET_META_RLE}};
    assert_int_equal(parquet_page_put(zstd, &page, raw, out, NULL), OK);
    ZSTD_freeCCtx(zstd);
    return page;
}

static void a_page_comes_back(void **state)
{
    (void)state;
    struct buf out = {0};
    struct slice raw = SLICE("abcabcabcabcabcabcabcabcabcabcabcabc"), packed;
    struct parquet_meta_page page;
    struct diag diag = {0};
    char to[64];
    put(raw, &out);
    put(SLICE(""), &out);
    struct slice in = buf_slice(&out);
    struct ZSTD_DCtx_s *zstd = ZSTD_createDCtx();
    assert_int_equal(parquet_page_take(&in, &page, &packed, &diag), OK);
    assert_true(page.data.values == 3 && page.unpacked == (int32_t)raw.size);
    assert_int_equal(parquet_page_unpack(zstd, packed, to, raw.size, &diag), OK);
    assert_memory_equal(to, raw.at, raw.size);
    assert_int_equal(parquet_page_unpack(zstd, packed, to, raw.size - 1, &diag), ERR_SYNTAX);
    assert_int_equal(parquet_page_unpack(zstd, packed, to, raw.size + 1, &diag), ERR_SYNTAX);
    assert_int_equal(parquet_page_take(&in, &page, &packed, &diag), OK);
    assert_int_equal(parquet_page_unpack(zstd, packed, to, 0, &diag), OK);
    assert_int_equal(in.size, 0);
    assert_int_equal(parquet_page_take(&in, &page, &packed, &diag), ERR_SYNTAX);
    ZSTD_freeDCtx(zstd);
    buf_fini(&out);
}

static void what_is_more_than_one_frame_is_refused(void **state)
{
    (void)state;
    char to[64], frames[200];
    struct diag diag = {0};
    size_t first = ZSTD_compress(frames, sizeof frames, "abc", 3, 1);
    size_t both = first + ZSTD_compress(frames + first, sizeof frames - first, "", 0, 1);
    struct ZSTD_DCtx_s *zstd = ZSTD_createDCtx();
    assert_int_equal(parquet_page_unpack(zstd, slice_of(frames, first), to, 3, &diag), OK);
    assert_int_equal(parquet_page_unpack(zstd, slice_of(frames, both), to, 3, &diag), ERR_SYNTAX);
    assert_int_equal(
            parquet_page_unpack(zstd, slice_of(frames, first - 1), to, 3, &diag), ERR_SYNTAX);
    assert_int_equal(parquet_page_unpack(zstd, SLICE("not zstd"), to, 3, &diag), ERR_SYNTAX);
    assert_string_equal(diag.words, "the page is not one zstd frame");
    ZSTD_freeDCtx(zstd);
}

static enum err take_header(struct parquet_meta_page *page, struct diag *diag)
{
    struct buf out = {0};
    parquet_thrift_write(&parquet_meta_page_table, page, &out);
    struct slice in = buf_slice(&out), packed;
    enum err e = parquet_page_take(&in, page, &packed, diag);
    assert_true(e == OK || in.at == out.at);
    buf_fini(&out);
    return e;
}

static void headers_that_lie_are_refused(void **state)
{
    (void)state;
    static const struct {
        int32_t packed, unpacked, crc;
        enum err e;
    } cases[] = {{0, 0, 0, OK}, {1, 0, 0, ERR_SYNTAX}, {-1, 0, 0, ERR_SYNTAX},
            {0, -1, 0, ERR_SYNTAX}, {INT32_MAX, 5, 0, ERR_SYNTAX}, {0, 0, 1, ERR_SYNTAX}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parquet_meta_page page = {.has = PARQUET_META_HAS_DATA,
                .packed = cases[i].packed,
                .unpacked = cases[i].unpacked,
                .crc = cases[i].crc};
        struct diag diag = {0};
        assert_int_equal(take_header(&page, &diag), cases[i].e);
        assert_true((diag.words[0] == '\0') == (cases[i].e == OK));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_page_comes_back),
            cmocka_unit_test(what_is_more_than_one_frame_is_refused),
            cmocka_unit_test(headers_that_lie_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
