/* Whatever a file of a hunt book holds: results can be written into it, twice, and nothing else
 * differs. */
#include <assert.h>

#include "hunt/notebook.h"

static void write_twice(struct slice text, const struct notebook *book, struct arena *arena)
{
    static struct notebook again;
    struct slice regions[NOTEBOOK_BLOCKS];
    struct buf once = {0}, twice = {0};
    struct diag diag = {0};
    for (size_t i = 0; i < NOTEBOOK_BLOCKS; i++) {
        regions[i] = SLICE("| a |\n");
    }
    notebook_write(text, book, regions, &once);
    /* Only a file near the limit grows over it. */
    enum err e = notebook_read(arena, buf_slice(&once), &again, &diag);
    assert(e == OK || e == ERR_LIMIT || e == ERR_MEMORY);
    if (e == OK) {
        assert(again.count == book->count);
        notebook_write(buf_slice(&once), &again, regions, &twice);
        assert(slice_equal(buf_slice(&once), buf_slice(&twice)));
    }
    buf_fini(&once);
    buf_fini(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct notebook book;
    struct slice text = slice_of((const char *)data, size);
    struct arena arena;
    struct diag diag = {0};
    struct buf out = {0};
    arena_init(&arena, 8 << 20);
    if (notebook_read(&arena, text, &book, &diag) == OK) {
        write_twice(text, &book, &arena);
    } else {
        assert(diag.words[0]);
    }
    notebook_escape(text, &out);
    for (size_t i = 0; i < out.size; i++) {
        assert(out.at[i] != '|' && out.at[i] != '\n' && out.at[i] != '<' && out.at[i] != '`');
    }
    buf_fini(&out);
    arena_fini(&arena);
    return 0;
}
