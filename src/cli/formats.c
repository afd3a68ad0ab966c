#include "cli/formats.h"

#include <string.h>

const struct decoder *formats_find(const char *name)
{
    for (size_t i = 0; i < decoders_count; i++) {
        if (strcmp(decoders[i]->name, name) == 0) {
            return decoders[i];
        }
    }
    return NULL;
}

const struct decoder *formats_recognise(struct slice head, bool whole)
{
    const struct decoder *best = NULL;
    int most = 0;
    for (size_t i = 0; i < decoders_count; i++) {
        int sure = decoders[i]->recognise(head, whole);
        if (sure > most) {
            most = sure;
            best = decoders[i];
        }
    }
    return best;
}
