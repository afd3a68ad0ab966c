/* Whatever frame_read takes for a frame, written again, is the same bytes, and its records fill it.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "event/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = slice_of((const char *)data, size);
    struct frame_records records = {0};
    struct frame_walk walk = {0};
    struct frame frame;
    struct buf out = {0};
    size_t taken = 0, sum = 0;
    /* The sums would keep the fuzzer out: the bytes become a frame's content first. */
    frame_records_add(&records, bytes);
    struct frame made = {.kind = FRAME_RECORDS, .receipt_ns = (int64_t)size};
    if (frame_take(&made, &records) != OK) {
        abort();
    }
    if (size > 4) {
        made.count = data[0];
        made.sizes = slice_of(bytes.at + 1, data[1] < size - 1 ? data[1] : size - 1);
        made.lines = slice_from(bytes, 1 + made.sizes.size);
    }
    if (frame_write(&made, &out, NULL) != OK) {
        abort();
    }
    if (frame_read(buf_slice(&out), &frame, &taken, NULL) == OK) {
        struct buf again = {0};
        while (frame_next(&frame, &walk)) {
            sum += walk.record.size + 1;
        }
        if (taken != out.size || sum != frame.lines.size ||
                frame_write(&frame, &again, NULL) != OK ||
                !slice_equal(buf_slice(&out), buf_slice(&again))) {
            abort();
        }
        buf_fini(&again);
    }
    struct frame_search any = {.below = UINT64_MAX};
    if (frame_search(bytes, 0, &any) > size) {
        abort();
    }
    frame_records_fini(&records);
    buf_fini(&out);
    return 0;
}
