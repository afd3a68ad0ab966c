#include "hunt/beacon.h"

#include <stdlib.h>

enum { WHOLE = 1000000 };

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void sort(int64_t *numbers, size_t count)
{
    qsort(numbers, count, sizeof *numbers, by_number);
}

static size_t keep_different(int64_t *sorted, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || sorted[kept - 1] != sorted[i]) {
            sorted[kept++] = sorted[i];
        }
    }
    return kept;
}

/* part / whole in millionths; times of events lie far enough apart for over 64 bits. */
static int64_t share(__int128_t part, __int128_t whole)
{
    __int128_t share = part * WHOLE / whole;
    return share > INT64_MAX ? INT64_MAX : (int64_t)share;
}

bool beacon_measure(int64_t *times, size_t count, struct beacon *out)
{
    sort(times, count);
    count = keep_different(times, count);
    *out = (struct beacon){.moments = count};
    if (count < BEACON_TIMES) {
        return false;
    }
    __int128_t all = (__int128_t)times[count - 1] - times[0];
    size_t n = count - 1;
    for (size_t i = 0; i < n; i++) {
        __int128_t interval = (__int128_t)times[i + 1] - times[i];
        times[i] = interval > INT64_MAX ? INT64_MAX : (int64_t)interval;
    }
    sort(times, n);
    int64_t median = times[(n - 1) / 2];
    out->median_ns = median;
    out->mean_ns = (int64_t)(all / (__int128_t)n);
    for (size_t i = 0; i < n; i++) {
        times[i] = times[i] < median ? median - times[i] : times[i] - median;
    }
    sort(times, n);
    out->jitter = share(times[(n - 1) / 2], median);
    int64_t calm = out->jitter > WHOLE ? 0 : WHOLE - out->jitter;
    __int128_t beats = (__int128_t)median * (__int128_t)n;
    int64_t steady = beats < all ? share(beats, all) : share(all, beats);
    out->score = calm * steady / WHOLE;
    return true;
}
