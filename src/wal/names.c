#include "wal/names.h"

#include "base/memory.h"
#include "wal/segment.h"

static enum err take(struct names *names, const struct disk_names *list)
{
    size_t count = 0, unfinished = 0;
    if (!memory_grow(&names->at, &names->room, list->count + 1, sizeof *names->at)) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (segment_parse_name(list->at[i], &names->at[count])) {
            count++;
        } else {
            unfinished += slice_ends(slice_text(list->at[i]), SLICE(".new"));
        }
    }
    names->count = count;
    names->unfinished = unfinished;
    return OK;
}

enum err names_list(
        struct names *names, const struct disk *disk, const char *directory, struct diag *diag)
{
    struct arena arena;
    struct disk_names list;
    arena_init(&arena, NAMES_BYTES);
    enum err e = disk->list(disk, directory, &arena, &list, diag);
    if (e == OK) {
        e = take(names, &list);
    }
    arena_fini(&arena);
    return e;
}

void names_fini(struct names *names)
{
    memory_free(names->at);
    *names = (struct names){0};
}

size_t names_find(const struct names *names, uint64_t offset)
{
    size_t low = 0, high = names->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (names->at[middle] <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}
