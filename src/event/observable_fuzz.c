/* Both ways of finding marks give the same observables, each stands in the text, and its key is
 * found again in the text as given. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/hash.h"
#include "event/observable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    struct slice text;
    uint64_t sum, count;
};

static bool take(void *context, const struct observable *it)
{
    struct seen *seen = context;
    bool inside = it->given.at >= seen->text.at &&
                  it->given.at + it->given.size <= seen->text.at + seen->text.size;
    if (!inside || it->key.size == 0 || it->given.size == 0) {
        abort();
    }
    seen->sum = hash_bytes(it->key, seen->sum + it->kind);
    seen->count++;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct observable_scan scan;
    struct slice text = slice_of((const char *)data, size), key;
    struct seen a = {text, 0, 0}, b = a, c = a;
    scan.wants = OBSERVABLE_ALL;
    scan.take = take;
    scan.escaped = false;
    scan.marks = NULL;
    scan.context = &a;
    observable_scan(&scan, text);
    scan.marks = observable_marks_plain;
    scan.context = &b;
    observable_scan(&scan, text);
    scan.escaped = true;
    scan.context = &c;
    observable_scan(&scan, text);
    if (a.sum != b.sum || a.count != b.count || c.count < b.count) {
        abort();
    }
    for (int kind = 0; kind < OBSERVABLE_ACCOUNT; kind++) {
        if (observable_key(&scan, (enum observable_kind)kind, text, &key) && a.count == 0) {
            abort();
        }
    }
    return 0;
}
