/* point: named places of the program where tests end a process, as a crash would.
 *
 *     point_pass("commit.before_sync");
 *
 *     MERLON_POINT=commit.before_sync:3 merlon serve ...   # SIGKILL at the third passing
 *
 * Nothing but a comparison where the variable is not set. */
#pragma once

#include <stdbool.h>

extern bool point_armed;

/* Reads the environment; once, at the program's start. */
void point_arm(void);
void point_reach(const char *name);

static inline void point_pass(const char *name)
{
    if (__builtin_expect(point_armed, false)) {
        point_reach(name);
    }
}
