#include "base/point.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

bool point_armed;
static char wanted[64];
static unsigned long left;

void point_arm(void)
{
    const char *text = getenv("MERLON_POINT");
    const char *colon = text ? strrchr(text, ':') : NULL;
    size_t size = colon ? (size_t)(colon - text) : 0;
    if (size == 0 || size >= sizeof wanted) {
        return;
    }
    memcpy(wanted, text, size);
    left = strtoul(colon + 1, NULL, 10);
    point_armed = left > 0;
}

void point_reach(const char *name)
{
    if (strcmp(name, wanted) == 0 && --left == 0) {
        raise(SIGKILL); /* by tgkill, which seals allow */
    }
}
