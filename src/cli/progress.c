#include "cli/progress.h"
#include "base/clock.h"

#include <stdio.h>
#include <unistd.h>

void progress_begin(struct progress *p, bool draw, uint64_t total_bytes, bool unknown)
{
    int64_t now = clock_steady_ns();
    *p = (struct progress){.shown_ever = draw,
            .unknown = unknown || total_bytes == 0,
            .total_bytes = total_bytes,
            .begun_ns = now,
            .drawn_ns = now};
}

static void draw(const char *text, size_t size)
{
    /* A terminal that is gone is no reason to stop. */
    ssize_t n = write(STDERR_FILENO, text, size);
    (void)n;
}

void progress_tick(struct progress *p, uint64_t bytes, uint64_t events)
{
    if (!p->shown_ever) {
        return;
    }
    int64_t now = clock_steady_ns();
    if (now - p->drawn_ns < (int64_t)PROGRESS_MS * 1000000) {
        return;
    }
    p->drawn_ns = now;
    double seconds = (double)(now - p->begun_ns) / 1e9;
    double rate = (double)events / seconds;
    char line[160];
    int n;
    if (p->unknown) {
        n = snprintf(line, sizeof line, "\r%.1f MB  %.0f events  %.0f events/s\x1b[K",
                (double)bytes / 1e6, (double)events, rate);
    } else {
        double part = (double)bytes / (double)p->total_bytes;
        part = part > 1 ? 1 : part;
        double left = part > 0 ? seconds / part - seconds : 0;
        n = snprintf(line, sizeof line,
                "\r%3.0f %%  %.1f of %.1f MB  %.0f events/s  %.0f s left\x1b[K", part * 100,
                (double)bytes / 1e6, (double)p->total_bytes / 1e6, rate, left);
    }
    if (n > 0) {
        draw(line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
        p->shown = true;
    }
}

void progress_wipe(struct progress *p)
{
    if (p->shown) {
        draw("\r\x1b[K", 4);
        p->shown = false;
    }
}
