#include "event/sent.h"

#include <sys/mman.h>

enum err sent_new(struct sent **out, struct diag *diag)
{
    struct sent *sent =
            mmap(NULL, sizeof *sent, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (sent == MAP_FAILED) {
        return diag_say(diag, ERR_MEMORY, "no memory for the figures of outputs");
    }
    *out = sent;
    return OK;
}

void sent_free(struct sent *sent)
{
    if (sent) {
        munmap(sent, sizeof *sent);
    }
}

uint64_t sent_least(const struct sent *sent)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < sent->count; i++) {
        uint64_t at = atomic_load(&sent->at[i].cursor);
        least = at < least ? at : least;
    }
    return least;
}
