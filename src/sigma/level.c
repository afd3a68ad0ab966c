#include "sigma/rule.h"

static const struct slice names[LEVEL_COUNT] = {
        [LEVEL_NONE] = {"", 0},
        [LEVEL_INFORMATIONAL] = {"informational", 13},
        [LEVEL_LOW] = {"low", 3},
        [LEVEL_MEDIUM] = {"medium", 6},
        [LEVEL_HIGH] = {"high", 4},
        [LEVEL_CRITICAL] = {"critical", 8},
};

struct slice level_name(enum level level)
{
    return names[level];
}

bool level_parse(struct slice text, enum level *out)
{
    for (int i = LEVEL_INFORMATIONAL; i < LEVEL_COUNT; i++) {
        if (slice_equal_nocase(text, names[i])) {
            *out = (enum level)i;
            return true;
        }
    }
    return false;
}
