#include "cli/figures.h"

#include "base/time.h"

void figures_count(struct buf *out, uint64_t n)
{
    struct buf digits = {0};
    buf_u64(&digits, n);
    for (size_t i = 0; i < digits.size; i++) {
        if (i > 0 && (digits.size - i) % 3 == 0) {
            buf_byte(out, ',');
        }
        buf_byte(out, digits.at[i]);
    }
    out->failed |= digits.failed;
    buf_fini(&digits);
}

void figures_size(struct buf *out, uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    unsigned unit = 0;
    uint64_t rest = 0;
    for (; bytes >= 1024; unit++) {
        rest = bytes % 1024;
        bytes /= 1024;
    }
    buf_format(out, "%llu", (unsigned long long)bytes);
    if (unit > 0) {
        buf_format(out, ".%llu", (unsigned long long)(rest * 10 / 1024));
    }
    buf_format(out, " %s", units[unit]);
}

void figures_span(struct buf *out, int64_t ns)
{
    static const struct {
        int64_t ns;
        const char *name;
    } units[] = {{TIME_DAY, "d"}, {3600 * TIME_SECOND, "h"}, {60 * TIME_SECOND, "min"},
            {TIME_SECOND, "s"}, {1000000, "ms"}, {1, "ns"}};
    enum { UNITS = sizeof units / sizeof *units, SECONDS = 3 };
    size_t at = 0;
    while (at + 1 < UNITS && ns < units[at].ns) {
        at++;
    }
    figures_count(out, (uint64_t)(ns / units[at].ns));
    buf_format(out, " %s", units[at].name);
    if (at < SECONDS && ns % units[at].ns >= units[at + 1].ns) {
        buf_format(out, " %d %s", (int)(ns % units[at].ns / units[at + 1].ns), units[at + 1].name);
    }
}
