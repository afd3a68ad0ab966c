#include "app/live_swaps.h"

#include <string.h>

#include "app/choose.h"
#include "app/serve_tenants.h"
#include "base/disk.h"
#include "cli/book.h"
#include "cli/detect.h"

bool live_swaps_note(struct live_swaps *s, struct slice hash, int64_t at_ns)
{
    if (hash.size == 0 || hash.size >= sizeof s->now || slice_equal(hash, slice_text(s->now))) {
        return false;
    }
    bool other = s->now[0];
    if (other) {
        struct live_swap *swap = &s->last[s->count % LIVE_SWAPS];
        if (s->count >= LIVE_SWAPS) {
            s->forgotten_ns = swap->at_ns;
        }
        swap->at_ns = at_ns;
        memcpy(swap->before, s->now, sizeof swap->before);
        s->count++;
    }
    memset(s->now, 0, sizeof s->now);
    memcpy(s->now, hash.at, hash.size);
    return other;
}

static enum err read_before(
        const char *directory, const char *hash, struct loaded *out, struct diag *diag)
{
    struct buf book = {0};
    enum err e = book_read(&disk_real, directory, hash, &book, diag);
    e = e == OK ? book_load(buf_slice(&book), out, diag) : e;
    buf_fini(&book);
    return e;
}

static enum err tell_one(
        const struct live_swap *swap, struct live *live, const char *directory, struct diag *diag)
{
    const struct detect_request request = detect_defaults();
    struct loaded loaded = {0};
    struct choice choice = {0};
    struct serve_tenants *tenants = NULL;
    if (read_before(directory, swap->before, &loaded, diag) != OK) {
        return live_after(live, NULL, swap->at_ns);
    }
    enum err e = choose_rules(&request, loaded.set, &choice, diag);
    e = e == OK ? serve_tenants_new(&loaded, &tenants, diag) : e;
    if (e == OK) {
        const struct live_before before = {loaded.set, choice.needed, tenants};
        e = live_after(live, &before, swap->at_ns);
    }
    serve_tenants_free(tenants);
    choose_fini(&choice);
    load_fini(&loaded);
    return e;
}

enum err live_swaps_tell(
        const struct live_swaps *s, struct live *live, const char *directory, struct diag *diag)
{
    uint64_t first = s->count > LIVE_SWAPS ? s->count - LIVE_SWAPS : 0;
    if (first > 0) {
        TRY(live_after(live, NULL, s->forgotten_ns));
    }
    for (uint64_t i = first; i < s->count; i++) {
        TRY(tell_one(&s->last[i % LIVE_SWAPS], live, directory, diag));
    }
    return OK;
}
