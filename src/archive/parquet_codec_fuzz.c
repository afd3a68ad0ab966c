/* Any bytes as each encoding of values: nothing is read outside of them (the sanitizers watch), and
 * what was read comes back from its own writing. The first byte tells which, the second how many.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "archive/parquet_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1024 };

static int64_t numbers[MOST], numbers_back[MOST];
static uint32_t indexes[MOST], indexes_back[MOST];
static struct slice texts[MOST], texts_back[MOST];

static void try_levels(struct slice in, uint32_t count, struct buf *out)
{
    uint64_t bits[MOST / 64 + 1] = {0}, back[MOST / 64 + 1] = {0};
    uint32_t ones = 0, ones_back = 0, from = count / 3;
    if (parquet_codec_take_levels(&in, bits, from, count, &ones)) {
        parquet_codec_put_levels(out, bits, from, count);
        struct slice own = buf_slice(out);
        bool good = parquet_codec_take_levels(&own, back, from, count, &ones_back);
        assert(good && own.size == 0 && ones == ones_back);
        assert(memcmp(bits, back, sizeof bits) == 0);
    }
}

static void try_indexes(struct slice in, uint32_t count, struct buf *out)
{
    uint32_t entries = 1 + count * 3;
    if (parquet_codec_take_indexes(in, indexes, count, entries)) {
        for (uint32_t i = 0; i < count; i++) {
            assert(indexes[i] < entries);
        }
        parquet_codec_put_indexes(out, indexes, count, entries);
        bool good = parquet_codec_take_indexes(buf_slice(out), indexes_back, count, entries);
        assert(good && memcmp(indexes, indexes_back, count * sizeof *indexes) == 0);
    }
}

static void try_delta(struct slice in, uint32_t count, unsigned bits, struct buf *out)
{
    if (parquet_codec_take_delta(&in, numbers, count, bits)) {
        parquet_codec_put_delta(out, numbers, count, bits);
        struct slice own = buf_slice(out);
        bool good = parquet_codec_take_delta(&own, numbers_back, count, bits);
        assert(good && own.size == 0);
        assert(memcmp(numbers, numbers_back, count * sizeof *numbers) == 0);
    }
}

static void try_texts(struct slice in, uint32_t count, bool plain, struct buf *out)
{
    bool good = plain ? parquet_codec_take_plain(in, texts, count)
                      : parquet_codec_take_texts(in, texts, count, numbers);
    if (!good) {
        return;
    }
    if (plain) {
        parquet_codec_put_plain(out, texts, count);
        good = parquet_codec_take_plain(buf_slice(out), texts_back, count);
    } else {
        parquet_codec_put_texts(out, texts, count, numbers);
        good = parquet_codec_take_texts(buf_slice(out), texts_back, count, numbers);
    }
    assert(good);
    for (uint32_t i = 0; i < count; i++) {
        assert(slice_equal(texts[i], texts_back[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    char *copy = malloc(size - 2 + 1); /* so that one byte too far is seen */
    assert(copy);
    memcpy(copy, data + 2, size - 2);
    copy = realloc(copy, size > 2 ? size - 2 : 1);
    struct slice in = slice_of(copy, size - 2);
    uint32_t count = 1 + data[1] * 4u;
    struct buf out = {0};
    switch (data[0] % 6) {
    case 0:
        try_levels(in, count, &out);
        break;
    case 1:
        try_indexes(in, count, &out);
        break;
    case 2:
        try_delta(in, count, 32, &out);
        break;
    case 3:
        try_delta(in, count, 64, &out);
        break;
    case 4:
        try_texts(in, count, true, &out);
        break;
    default:
        try_texts(in, count, false, &out);
        break;
    }
    buf_fini(&out);
    free(copy);
    return 0;
}
