#include "cli/formats.h"

#include <string.h>

#include "cli/option.h"
#include "decode/syslog_time.h"

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

enum err formats_zone(const char *value, struct decode_limits *limits, struct diag *diag)
{
    if (syslog_time_zone(slice_text(value), &limits->zone_east)) {
        return OK;
    }
    return diag_say(diag, ERR_USAGE, "--zone: '%.80s' is no zone; write +02:00, UTC or CET", value);
}

enum err formats_year(const char *value, struct decode_limits *limits, struct diag *diag)
{
    long year;
    if (!option_number(value, 1970, 2200, &year)) {
        return diag_say(diag, ERR_USAGE, "--year: '%.80s' is no year from 1970 to 2200", value);
    }
    limits->year = (int32_t)year;
    return OK;
}
