#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/unpack.h"

static struct buf gzip_of(struct slice text)
{
    struct buf out = {0};
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t most = deflateBound(&z, text.size) + 64;
    assert_non_null(buf_reserve(&out, most));
    z.next_in = (Bytef *)(uintptr_t)text.at;
    z.avail_in = (uInt)text.size;
    z.next_out = (Bytef *)out.at;
    z.avail_out = (uInt)most;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.size = most - z.avail_out;
    deflateEnd(&z);
    return out;
}

static struct buf zstd_of(struct slice text)
{
    struct buf out = {0};
    size_t most = ZSTD_compressBound(text.size);
    assert_non_null(buf_reserve(&out, most));
    size_t n = ZSTD_compress(out.at, most, text.at, text.size, 3);
    assert_false(ZSTD_isError(n));
    out.size = n;
    return out;
}

/* Unpacks `packed` offered `step` bytes at a time into rooms of `room` bytes. */
static enum err unpack_all(
        struct slice packed, size_t step, size_t room, struct buf *out, struct diag *diag)
{
    struct unpack *u;
    const struct unpack_format *format = unpack_recognise(packed);
    assert_non_null(format);
    assert_int_equal(unpack_new(format, &u, diag), OK);
    enum err e = OK;
    size_t given = 0;
    struct slice in = {packed.at, 0};
    while (e == OK) {
        if (in.size == 0) {
            size_t more = packed.size - given < step ? packed.size - given : step;
            in = slice_of(packed.at + given, more);
            given += more;
        }
        struct unpack_room to = {buf_reserve(out, room), room, 0};
        e = unpack_run(u, &in, given == packed.size, &to, diag);
        out->size += to.used;
    }
    unpack_free(u);
    return e;
}

typedef struct buf packer(struct slice text);
static packer *const packers[] = {gzip_of, zstd_of};

static void a_stream_comes_back_whatever_the_pieces(void **state)
{
    (void)state;
    struct buf text = {0};
    for (unsigned i = 0; i < 20000; i++) {
        buf_format(&text, "{\"line\":%u}\n", i * 2654435761u);
    }
    static const size_t steps[] = {1, 7, 4096, 1 << 20};
    for (size_t p = 0; p < 2; p++) {
        struct buf packed = packers[p](buf_slice(&text));
        for (size_t s = 0; s < 4; s++) {
            struct buf out = {0};
            assert_int_equal(unpack_all(buf_slice(&packed), steps[s], 5000, &out, NULL), ERR_END);
            assert_true(slice_equal(buf_slice(&out), buf_slice(&text)));
            buf_fini(&out);
        }
        buf_fini(&packed);
    }
    buf_fini(&text);
}

static void members_and_frames_are_one_stream(void **state)
{
    (void)state;
    for (size_t p = 0; p < 2; p++) {
        struct buf a = packers[p](SLICE("one\n")), b = packers[p](SLICE("two\n")), out = {0};
        buf_add(&a, buf_slice(&b));
        assert_int_equal(unpack_all(buf_slice(&a), 3, 100, &out, NULL), ERR_END);
        assert_true(slice_equal(buf_slice(&out), SLICE("one\ntwo\n")));
        buf_fini(&a);
        buf_fini(&b);
        buf_fini(&out);
    }
}

static void an_empty_stream_is_no_error(void **state)
{
    (void)state;
    for (size_t p = 0; p < 2; p++) {
        struct buf a = packers[p](SLICE("")), out = {0};
        assert_int_equal(unpack_all(buf_slice(&a), 100, 100, &out, NULL), ERR_END);
        assert_int_equal(out.size, 0);
        buf_fini(&a);
        buf_fini(&out);
    }
}

static void every_cut_is_named_and_what_came_before_it_is_good(void **state)
{
    (void)state;
    struct buf text = {0};
    for (unsigned i = 0; i < 300; i++) {
        buf_format(&text, "%u,", i * 2654435761u);
    }
    for (size_t p = 0; p < 2; p++) {
        struct buf packed = packers[p](buf_slice(&text));
        for (size_t n = UNPACK_HEAD; n < packed.size; n++) {
            struct buf out = {0};
            struct diag diag = {0};
            assert_int_equal(unpack_all(slice_of(packed.at, n), 64, 512, &out, &diag), ERR_SYNTAX);
            assert_non_null(strstr(diag.words, "cut short"));
            assert_true(slice_starts(buf_slice(&text), buf_slice(&out)));
            buf_fini(&out);
        }
        buf_fini(&packed);
    }
    buf_fini(&text);
}

static void gzip_padding_is_fine_and_rubbish_is_not(void **state)
{
    (void)state;
    struct diag diag = {0};
    struct buf a = gzip_of(SLICE("x\n")), out = {0};
    buf_add(&a, slice_of("\0\0\0\0\0\0\0", 7));
    assert_int_equal(unpack_all(buf_slice(&a), 2, 10, &out, &diag), ERR_END);
    buf_add(&a, SLICE("rubbish"));
    assert_int_equal(unpack_all(buf_slice(&a), 2, 10, &out, &diag), ERR_SYNTAX);
    assert_non_null(strstr(diag.words, "after the last member"));
    buf_fini(&a);
    buf_fini(&out);
}

/* One member of `size` zero bytes: 1,000 times smaller. */
static struct buf bomb(packer *pack, size_t size)
{
    char *zeros = calloc(1, size);
    assert_non_null(zeros);
    struct buf packed = pack(slice_of(zeros, size));
    free(zeros);
    return packed;
}

static enum err drain(struct slice packed, unsigned times, uint64_t *given, struct diag *diag)
{
    struct unpack *u;
    static char room[1 << 16];
    assert_int_equal(unpack_new(unpack_recognise(packed), &u, diag), OK);
    enum err e = OK;
    *given = 0;
    struct slice in = packed;
    for (unsigned i = 0; e == OK;) {
        if (in.size == 0 && i + 1 < times) {
            in = packed;
            i++;
        }
        struct unpack_room to = {room, sizeof room, 0};
        e = unpack_run(u, &in, i + 1 == times, &to, diag);
        *given += to.used;
    }
    unpack_free(u);
    return e;
}

static void a_bomb_is_refused_by_name_behind_the_free_bytes(void **state)
{
    (void)state;
    for (size_t p = 0; p < 2; p++) {
        struct buf packed = bomb(packers[p], 16 << 20);
        struct diag diag = {0};
        uint64_t given;
        assert_int_equal(drain(buf_slice(&packed), 16, &given, &diag), ERR_END);
        assert_int_equal(given, UNPACK_FREE_BYTES);
        assert_int_equal(drain(buf_slice(&packed), 17, &given, &diag), ERR_LIMIT);
        assert_non_null(strstr(diag.words, "bomb"));
        assert_true(given > UNPACK_FREE_BYTES && given < UNPACK_FREE_BYTES + (1 << 17));
        buf_fini(&packed);
    }
}

static void a_zstd_window_over_the_limit_is_refused(void **state)
{
    (void)state;
    /* Frame header (RFC 8878, 3.1.1.1): no single segment, window descriptor exponent e: 10+e. */
    char frame[] = "\x28\xB5\x2F\xFD\x00\x00\x01\x00\x00";
    struct diag diag = {0};
    struct buf out = {0};
    frame[5] = (char)((UNPACK_WINDOW_LOG - 10) << 3);
    assert_int_equal(unpack_all(slice_of(frame, 9), 9, 10, &out, &diag), ERR_END);
    frame[5] = (char)((UNPACK_WINDOW_LOG + 1 - 10) << 3);
    assert_int_equal(unpack_all(slice_of(frame, 9), 9, 10, &out, &diag), ERR_LIMIT);
    assert_non_null(strstr(diag.words, "128 MiB"));
    buf_fini(&out);
}

static void other_bytes_are_not_packed(void **state)
{
    (void)state;
    assert_null(unpack_recognise(SLICE("")));
    assert_null(unpack_recognise(SLICE("\x1F\x8B")));
    assert_null(unpack_recognise(SLICE("{\"a\":1}")));
    assert_null(unpack_recognise(SLICE("ElfFile")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_stream_comes_back_whatever_the_pieces),
            cmocka_unit_test(members_and_frames_are_one_stream),
            cmocka_unit_test(an_empty_stream_is_no_error),
            cmocka_unit_test(every_cut_is_named_and_what_came_before_it_is_good),
            cmocka_unit_test(gzip_padding_is_fine_and_rubbish_is_not),
            cmocka_unit_test(a_bomb_is_refused_by_name_behind_the_free_bytes),
            cmocka_unit_test(a_zstd_window_over_the_limit_is_refused),
            cmocka_unit_test(other_bytes_are_not_packed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
