#include <stdlib.h>
#include <string.h>

#include "base/unpack.h"

/* Unpacks with rooms of `room` bytes until the end, an error or `most` bytes; returns a hash of
 * what came out, 0 on an error: libzstd gives nothing of a damaged frame that fits into the room
 * whole, and what precedes the damage otherwise. */
static uint64_t run(struct slice packed, size_t room, uint64_t most)
{
    static char space[1 << 16];
    struct unpack *u;
    struct diag diag = {0};
    uint64_t hash = 1469598103934665603u, given = 0;
    const struct unpack_format *format = unpack_recognise(packed);
    if (!format || unpack_new(format, &u, &diag) != OK) {
        return 0;
    }
    enum err e = OK;
    while (e == OK && given < most) {
        struct unpack_room to = {space, room, 0};
        e = unpack_run(u, &packed, true, &to, &diag);
        if (to.used > room || (e == OK && to.used < room)) {
            abort(); /* all input was offered: OK means that the room is full */
        }
        if (e != OK && e != ERR_END && diag.words[0] == 0) {
            abort(); /* an error has words */
        }
        for (size_t i = 0; i < to.used; i++, given++) {
            if (given < most) {
                hash = (hash ^ (unsigned char)space[i]) * 1099511628211u;
            }
        }
    }
    unpack_free(u);
    return given >= most || e == ERR_END ? hash : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The answer does not depend on the size of the rooms. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice packed = {(const char *)data, size};
    if (run(packed, 1 << 16, 1 << 20) != run(packed, 777, 1 << 20)) {
        abort();
    }
    return 0;
}
