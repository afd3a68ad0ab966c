#include "event/kept.h"

#include <string.h>
#include <sys/mman.h>

struct kept {
    _Atomic uint32_t size;
    struct kept_tenant tenants[KEPT_TENANTS + 1]; /* the last: all that found no place */
};

const char *kept_kind_name(enum kept_kind kind)
{
    static const char *const names[KEPT_KINDS] = {"records", "quarantine", "findings", "matches"};
    return names[kind];
}

enum err kept_new(struct kept **out, struct diag *diag)
{
    struct kept *kept = mmap(NULL, sizeof *kept, PROT_READ | PROT_WRITE,
            MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (kept == MAP_FAILED) {
        return diag_say(diag, ERR_MEMORY, "no memory for the figures of tenants");
    }
    *out = kept;
    return OK;
}

void kept_free(struct kept *kept)
{
    if (kept) {
        munmap(kept, sizeof *kept);
    }
}

struct kept_tenant *kept_tenant(struct kept *kept, struct slice name)
{
    static const char others[] = "(others)";
    uint32_t size = atomic_load(&kept->size);
    name.size = name.size < KEPT_NAME ? name.size : KEPT_NAME - 1;
    for (uint32_t i = 0; i < size && i < KEPT_TENANTS; i++) {
        if (slice_equal(slice_text(kept->tenants[i].name), name)) {
            return &kept->tenants[i];
        }
    }
    struct kept_tenant *tenant = &kept->tenants[size < KEPT_TENANTS ? size : KEPT_TENANTS];
    if (size >= KEPT_TENANTS) {
        name = SLICE(others);
    }
    if (size <= KEPT_TENANTS) {
        memcpy(tenant->name, name.size ? name.at : "", name.size); /* zero behind it */
        atomic_store(&kept->size, size + 1);
    }
    return tenant;
}

size_t kept_size(const struct kept *kept)
{
    return atomic_load(&kept->size);
}

const struct kept_tenant *kept_at(const struct kept *kept, size_t i)
{
    return &kept->tenants[i];
}
