/* api_record: a record as it was stored, told as JSON.
 *
 *     {"offset":4711,"received":"...","tenant":"sg/moh","source":"web/10.1.2.3","record":"..."}
 *
 * `format` is there where the input names it; bytes that are no UTF-8 are `base64` instead of
 * `record`; of what is longer than API_RECORD_SHOWN the beginning is shown, and `size` says how
 * long it is. */
#pragma once

#include "base/buf.h"
#include "event/frame.h"

enum { API_RECORD_SHOWN = 1 << 20 }; /* bytes */

void api_record_json(
        const struct frame *frame, uint64_t offset, struct slice record, struct buf *out);
