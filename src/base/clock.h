/* clock: the system's clocks, in nanoseconds.
 *
 *     int64_t until = clock_steady_ns() + 5 * TIME_SECOND;     // timers
 *     frame.receipt_ns = clock_wall_ns();                      // what people are shown
 *
 * Where tests need another, the caller takes a function of this type. */
#pragma once

#include <stdint.h>

/* Since 1970 UTC; may be set back. */
int64_t clock_wall_ns(void);
/* Since some moment; never goes back. */
int64_t clock_steady_ns(void);
