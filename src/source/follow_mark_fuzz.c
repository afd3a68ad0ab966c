/* Any bytes as a key. Held true: what is taken for one keeps to its limits; a mark over any bytes
 * writes a key that is read back as it is, however the bytes came. */
#include <stdint.h>
#include <stdlib.h>

#include "source/follow_mark.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = slice_of((const char *)data, size);
    struct follow_place place;
    if (follow_mark_read(bytes, &place) == OK) {
        check(place.from < place.to && place.head_size <= FOLLOW_MARK_HEAD);
    }
    if (size < 2) {
        return 0;
    }
    struct follow_mark whole = {.generation = size}, pieces = whole;
    struct buf a = {0}, b = {0};
    size_t step = 1u + data[0];
    follow_mark_add(&whole, bytes);
    for (size_t at = 0; at < size; at += step) {
        follow_mark_add(&pieces, slice_of(bytes.at + at, step < size - at ? step : size - at));
    }
    follow_mark_write(&whole, data[1] % size, &a);
    follow_mark_write(&pieces, data[1] % size, &b);
    check(slice_equal(buf_slice(&a), buf_slice(&b)));
    check(follow_mark_read(buf_slice(&a), &place) == OK);
    check(place.generation == size && place.to == size && place.from == data[1] % size);
    buf_fini(&a);
    buf_fini(&b);
    return 0;
}
