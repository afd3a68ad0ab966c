#include "archive/parquet_codec.h"

#include <endian.h>

/* Runs from which on a run is shorter than its values packed, and its two headers. */
enum { LEVEL_RUN = 32, INDEX_RUN = 16 };
/* DELTA_BINARY_PACKED: values of a block and of its miniblocks. */
enum { BLOCK = 128, MINIBLOCK = 32, MINIBLOCKS = BLOCK / MINIBLOCK };

static uint64_t load64(const char *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
    return le64toh(word);
}

static uint32_t load32(const char *at)
{
    uint32_t word;
    memcpy(&word, at, 4);
    return le32toh(word);
}

static void store32(char *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, 4);
}

static void store64(char *at, uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, 8);
}

void parquet_codec_put_varint(struct buf *out, uint64_t value)
{
    char *to = buf_reserve(out, 10);
    if (!to) {
        return;
    }
    size_t n = 0;
    for (; value >= 0x80; value >>= 7) {
        to[n++] = (char)(value | 0x80);
    }
    to[n++] = (char)value;
    out->size += n;
}

bool parquet_codec_take_varint(struct slice *in, uint64_t *value)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < 10 && i < in->size; i++) {
        unsigned char byte = (unsigned char)in->at[i];
        if (i == 9 && byte > 1) {
            return false;
        }
        bits |= (uint64_t)(byte & 0x7F) << 7 * i;
        if (byte < 0x80) {
            *in = slice_from(*in, i + 1);
            *value = bits;
            return true;
        }
    }
    return false;
}

/* ---- levels --------------------------------------------------------------------------------- */

/* How many bits from `from` on are as that one. */
static uint32_t run_of_bits(const uint64_t *bits, uint32_t from, uint32_t to)
{
    uint64_t flip = bits[from / 64] >> from % 64 & 1 ? UINT64_MAX : 0;
    uint64_t differ = (bits[from / 64] ^ flip) >> from % 64;
    uint32_t at = from;
    while (differ == 0) {
        at = (at / 64 + 1) * 64;
        if (at >= to) {
            return to - from;
        }
        differ = bits[at / 64] ^ flip;
    }
    at += (uint32_t)__builtin_ctzll(differ);
    return (at < to ? at : to) - from;
}

/* 64 bits from `from` on; those from `to` on are 0. */
static uint64_t bits_at(const uint64_t *bits, uint32_t from, uint32_t to)
{
    unsigned shift = from % 64;
    uint64_t word = bits[from / 64] >> shift;
    if (shift && from / 64 + 1 <= (to - 1) / 64) {
        word |= bits[from / 64 + 1] << (64 - shift);
    }
    return to - from >= 64 ? word : word & ((UINT64_C(1) << (to - from)) - 1);
}

static void put_packed_bits(struct buf *out, const uint64_t *bits, uint32_t from, uint32_t to)
{
    if (from == to) {
        return;
    }
    uint32_t bytes = (to - from + 7) / 8;
    parquet_codec_put_varint(out, (uint64_t)bytes << 1 | 1);
    for (; from < to; from += to - from < 64 ? to - from : 64) {
        char word[8];
        store64(word, bits_at(bits, from, to));
        buf_add(out, slice_of(word, bytes < 8 ? bytes : 8));
        bytes -= bytes < 8 ? bytes : 8;
    }
}

void parquet_codec_put_levels(struct buf *out, const uint64_t *bits, uint32_t from, uint32_t to)
{
    size_t head = out->size;
    buf_add(out, slice_of("\0\0\0\0", 4));
    uint32_t packed = from; /* from here on nothing is put yet */
    while (from < to) {
        uint32_t run = run_of_bits(bits, from, to);
        uint32_t fill = -(from - packed) & 7; /* packed bits come by eights */
        if (run >= fill + LEVEL_RUN) {
            put_packed_bits(out, bits, packed, from + fill);
            parquet_codec_put_varint(out, (uint64_t)(run - fill) << 1);
            buf_byte(out, (char)(bits[from / 64] >> from % 64 & 1));
            packed = from + run;
        }
        from += run;
    }
    put_packed_bits(out, bits, packed, to);
    if (!out->failed) {
        store32(out->at + head, (uint32_t)(out->size - head - 4));
    }
}

static void set_bits(uint64_t *bits, uint32_t from, uint32_t to)
{
    while (from < to) {
        uint32_t n = 64 - from % 64;
        n = n < to - from ? n : to - from;
        bits[from / 64] |= (n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1) << from % 64;
        from += n;
    }
}

/* The first to - from bits of `in`, which has them. How many are 1. */
static uint32_t copy_bits(const char *in, uint64_t *bits, uint32_t from, uint32_t to)
{
    uint32_t ones = 0;
    while (from < to) {
        uint32_t n = to - from < 64 ? to - from : 64;
        uint64_t word = 0;
        if (n == 64) {
            word = load64(in);
            in += 8;
        } else {
            char bytes[8] = {0};
            memcpy(bytes, in, (n + 7) / 8);
            word = load64(bytes) & ((UINT64_C(1) << n) - 1);
        }
        ones += (uint32_t)__builtin_popcountll(word);
        bits[from / 64] |= word << from % 64;
        if (from % 64 && from % 64 + n > 64) {
            bits[from / 64 + 1] |= word >> (64 - from % 64);
        }
        from += n;
    }
    return ones;
}

bool parquet_codec_take_levels(
        struct slice *in, uint64_t *bits, uint32_t from, uint32_t to, uint32_t *ones)
{
    if (in->size < 4 || load32(in->at) > in->size - 4) {
        return false;
    }
    struct slice left = slice_of(in->at + 4, load32(in->at));
    *in = slice_from(*in, 4 + left.size);
    uint32_t found = 0;
    while (from < to) {
        uint64_t head;
        if (!parquet_codec_take_varint(&left, &head) || head >> 1 == 0 || left.size == 0) {
            return false;
        }
        uint64_t count = head >> 1;
        if (head & 1) {
            if (count > left.size || count * 8 - 7 > to - from) {
                return false;
            }
            uint32_t end = count * 8 < to - from ? from + (uint32_t)count * 8 : to;
            found += copy_bits(left.at, bits, from, end);
            left = slice_from(left, count);
            from = end;
        } else {
            if (count > to - from || (unsigned char)left.at[0] > 1) {
                return false;
            }
            if (left.at[0]) {
                set_bits(bits, from, from + (uint32_t)count);
                found += (uint32_t)count;
            }
            left = slice_from(left, 1);
            from += (uint32_t)count;
        }
    }
    if (left.size) {
        return false;
    }
    *ones = found;
    return true;
}

/* ---- indexes -------------------------------------------------------------------------------- */

/* The width of an index. */
static unsigned index_bits(uint32_t entries)
{
    return entries <= 2 ? 1 : 32 - (unsigned)__builtin_clz(entries - 1);
}

static void put_packed_indexes(
        struct buf *out, const uint32_t *indexes, size_t count, unsigned bits)
{
    size_t groups = (count + 7) / 8, size = groups * bits;
    if (count == 0) {
        return;
    }
    parquet_codec_put_varint(out, groups << 1 | 1);
    char *to = buf_reserve(out, size + 16);
    if (!to) {
        return;
    }
    out->size += size;
    uint64_t word = 0;
    unsigned used = 0;
    for (size_t i = 0; i < count; i++) {
        word |= (uint64_t)indexes[i] << used;
        used += bits;
        if (used >= 32) {
            store32(to, (uint32_t)word);
            to += 4;
            word >>= 32;
            used -= 32;
        }
    }
    memset(to, 0, (size_t)(out->at + out->size + 8 - to));
    store64(to, word);
}

void parquet_codec_put_indexes(
        struct buf *out, const uint32_t *indexes, size_t count, uint32_t entries)
{
    unsigned bits = index_bits(entries);
    buf_byte(out, (char)bits);
    size_t packed = 0, at = 0;
    while (at < count) {
        size_t run = 1;
        while (at + run < count && indexes[at + run] == indexes[at]) {
            run++;
        }
        size_t fill = -(at - packed) & 7;
        if (run >= fill + INDEX_RUN) {
            put_packed_indexes(out, indexes + packed, at + fill - packed, bits);
            parquet_codec_put_varint(out, (run - fill) << 1);
            char value[4];
            store32(value, indexes[at]);
            buf_add(out, slice_of(value, (bits + 7) / 8));
            packed = at + run;
        }
        at += run;
    }
    put_packed_indexes(out, indexes + packed, count - packed, bits);
}

/* Values of so many bits; the largest of them. */
static uint32_t unpack(struct slice in, unsigned bits, uint32_t *to, size_t count)
{
    uint32_t most = 0;
    uint64_t mask = (UINT64_C(1) << bits) - 1;
    size_t i = 0;
    for (; i < count && i * bits / 8 + 8 <= in.size; i++) {
        to[i] = (uint32_t)(load64(in.at + i * bits / 8) >> i * bits % 8 & mask);
        most = to[i] > most ? to[i] : most;
    }
    for (; i < count; i++) { /* less than 8 bytes are left */
        char bytes[8] = {0};
        memcpy(bytes, in.at + i * bits / 8, in.size - i * bits / 8);
        to[i] = (uint32_t)(load64(bytes) >> i * bits % 8 & mask);
        most = to[i] > most ? to[i] : most;
    }
    return most;
}

bool parquet_codec_take_indexes(struct slice in, uint32_t *indexes, size_t count, uint32_t entries)
{
    unsigned bits = index_bits(entries);
    if (in.size == 0 || in.at[0] != (char)bits) {
        return false;
    }
    in = slice_from(in, 1);
    for (size_t at = 0; at < count;) {
        uint64_t head;
        if (!parquet_codec_take_varint(&in, &head) || head >> 1 == 0) {
            return false;
        }
        uint64_t run = head >> 1;
        size_t left = count - at;
        uint32_t value;
        if (head & 1) {
            if (run > in.size / bits || run * 8 - 7 > left) {
                return false;
            }
            size_t taken = run * 8 < left ? run * 8 : left;
            if (unpack(slice_of(in.at, run * bits), bits, indexes + at, taken) >= entries) {
                return false;
            }
            in = slice_from(in, run * bits);
            at += taken;
        } else {
            size_t bytes = (bits + 7) / 8;
            if (run > left || in.size < bytes ||
                    unpack(slice_of(in.at, bytes), bits, &value, 1) >= entries) {
                return false;
            }
            in = slice_from(in, bytes);
            for (size_t end = at + run; at < end; at++) {
                indexes[at] = value;
            }
        }
    }
    return in.size == 0;
}

/* ---- differences ---------------------------------------------------------------------------- */

/* Differences wrap around in the type's own width (Encodings.md, "Delta Encoding"). */
static int64_t wrap(uint64_t value, unsigned bits)
{
    return bits == 32 ? (int32_t)(uint32_t)value : (int64_t)value;
}

static void put_miniblock(struct buf *out, const uint64_t *values, unsigned width)
{
    char *to = buf_reserve(out, MINIBLOCK / 8 * width + 8);
    if (!to) {
        return;
    }
    memset(to, 0, MINIBLOCK / 8 * width + 8);
    for (size_t i = 0; i < MINIBLOCK; i++) {
        size_t bit = i * width;
        char *at = to + bit / 8;
        store64(at, load64(at) | values[i] << bit % 8);
        if (bit % 8 + width > 64) {
            at[8] = (char)(values[i] >> (64 - bit % 8));
        }
    }
    out->size += MINIBLOCK / 8 * width;
}

static void put_block(struct buf *out, const int64_t *deltas, size_t count, unsigned bits)
{
    int64_t least = deltas[0];
    for (size_t i = 1; i < count; i++) {
        least = deltas[i] < least ? deltas[i] : least;
    }
    uint64_t values[BLOCK] = {0};
    char widths[MINIBLOCKS] = {0};
    for (size_t i = 0; i < count; i++) {
        values[i] = (uint64_t)deltas[i] - (uint64_t)least;
        values[i] = bits == 32 ? (uint32_t)values[i] : values[i];
    }
    for (size_t m = 0; m < MINIBLOCKS; m++) {
        uint64_t all = 0;
        for (size_t i = 0; i < MINIBLOCK; i++) {
            all |= values[m * MINIBLOCK + i];
        }
        widths[m] = (char)(all ? 64 - __builtin_clzll(all) : 0);
    }
    parquet_codec_put_varint(out, parquet_codec_zigzag(least));
    buf_add(out, slice_of(widths, MINIBLOCKS));
    for (size_t m = 0; m < MINIBLOCKS && m * MINIBLOCK < count; m++) {
        put_miniblock(out, values + m * MINIBLOCK, (unsigned char)widths[m]);
    }
}

void parquet_codec_put_delta(struct buf *out, const int64_t *values, size_t count, unsigned bits)
{
    parquet_codec_put_varint(out, BLOCK);
    parquet_codec_put_varint(out, MINIBLOCKS);
    parquet_codec_put_varint(out, count);
    parquet_codec_put_varint(out, parquet_codec_zigzag(count ? values[0] : 0));
    int64_t deltas[BLOCK];
    for (size_t at = 1; at < count; at += BLOCK) {
        size_t n = count - at < BLOCK ? count - at : BLOCK;
        for (size_t i = 0; i < n; i++) {
            deltas[i] = wrap((uint64_t)values[at + i] - (uint64_t)values[at + i - 1], bits);
        }
        put_block(out, deltas, n, bits);
    }
}

struct deltas {
    struct slice in;
    uint64_t last;
    uint64_t least;
    unsigned bits;
};

static bool take_miniblock(struct deltas *d, unsigned width, int64_t *values, size_t count)
{
    size_t size = MINIBLOCK / 8 * width;
    if (width > d->bits || size > d->in.size) {
        return false;
    }
    char bytes[MINIBLOCK / 8 * 64 + 9]; /* with room for what the last value's words reach over */
    memcpy(bytes, d->in.at, size);
    memset(bytes + size, 0, 9);
    d->in = slice_from(d->in, size);
    uint64_t mask = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
    uint64_t last = d->last;
    for (size_t i = 0; i < count; i++) {
        size_t bit = i * width;
        uint64_t value = load64(bytes + bit / 8) >> bit % 8;
        if (width > 56 && bit % 8) {
            value |= (uint64_t)(unsigned char)bytes[bit / 8 + 8] << (64 - bit % 8);
        }
        last += d->least + (value & mask);
        values[i] = wrap(last, d->bits);
    }
    d->last = last;
    return true;
}

static bool take_block(struct deltas *d, int64_t *values, size_t count)
{
    uint64_t least;
    if (!parquet_codec_take_varint(&d->in, &least) || d->in.size < MINIBLOCKS) {
        return false;
    }
    d->least = (uint64_t)parquet_codec_unzigzag(least);
    const char *widths = d->in.at;
    d->in = slice_from(d->in, MINIBLOCKS);
    for (size_t m = 0; m < MINIBLOCKS && m * MINIBLOCK < count; m++) {
        size_t left = count - m * MINIBLOCK;
        if (!take_miniblock(d, (unsigned char)widths[m], values + m * MINIBLOCK,
                    left < MINIBLOCK ? left : MINIBLOCK)) {
            return false;
        }
    }
    return true;
}

bool parquet_codec_take_delta(struct slice *in, int64_t *values, size_t count, unsigned bits)
{
    struct deltas d = {.in = *in, .bits = bits};
    uint64_t block, miniblocks, total, first;
    if (!parquet_codec_take_varint(&d.in, &block) || block != BLOCK ||
            !parquet_codec_take_varint(&d.in, &miniblocks) || miniblocks != MINIBLOCKS ||
            !parquet_codec_take_varint(&d.in, &total) || total != count ||
            !parquet_codec_take_varint(&d.in, &first)) {
        return false;
    }
    d.last = (uint64_t)parquet_codec_unzigzag(first);
    if (count) {
        values[0] = wrap(d.last, bits);
    }
    for (size_t at = 1; at < count; at += BLOCK) {
        if (!take_block(&d, values + at, count - at < BLOCK ? count - at : BLOCK)) {
            return false;
        }
    }
    *in = d.in;
    return true;
}

/* ---- texts ---------------------------------------------------------------------------------- */

void parquet_codec_put_texts(
        struct buf *out, const struct slice *texts, size_t count, int64_t *lengths)
{
    for (size_t i = 0; i < count; i++) {
        lengths[i] = (int64_t)texts[i].size;
    }
    parquet_codec_put_delta(out, lengths, count, 32);
    for (size_t i = 0; i < count; i++) {
        buf_add(out, texts[i]);
    }
}

void parquet_codec_put_plain(struct buf *out, const struct slice *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char size[4];
        store32(size, (uint32_t)texts[i].size);
        buf_add(out, slice_of(size, 4));
        buf_add(out, texts[i]);
    }
}

bool parquet_codec_take_texts(struct slice in, struct slice *texts, size_t count, int64_t *lengths)
{
    if (!parquet_codec_take_delta(&in, lengths, count, 32)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if ((uint64_t)lengths[i] > in.size) { /* as is a negative one */
            return false;
        }
        texts[i] = slice_of(in.at, (size_t)lengths[i]);
        in = slice_from(in, (size_t)lengths[i]);
    }
    return in.size == 0;
}

bool parquet_codec_take_plain(struct slice in, struct slice *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (in.size < 4 || load32(in.at) > in.size - 4) {
            return false;
        }
        texts[i] = slice_of(in.at + 4, load32(in.at));
        in = slice_from(in, 4 + texts[i].size);
    }
    return in.size == 0;
}
