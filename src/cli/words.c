#include "cli/words.h"

#include <string.h>

#include "base/memory.h"

enum err words_add(struct words *words, const char *word)
{
    if (words->count == words->room) {
        size_t room = words->room ? words->room * 2 : 16;
        void *at = memory_resize(words->at, room * sizeof *words->at);
        if (!at) {
            return ERR_MEMORY;
        }
        words->at = at;
        words->room = room;
    }
    words->at[words->count++] = word;
    return OK;
}

const char *words_take_first(struct words *words)
{
    if (words->count == 0) {
        return NULL;
    }
    const char *first = words->at[0];
    memmove(words->at, words->at + 1, --words->count * sizeof *words->at);
    return first;
}

void words_fini(struct words *words)
{
    memory_free(words->at);
    *words = (struct words){0};
}
