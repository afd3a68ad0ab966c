#include "support/one_file.h"

#include <string.h>

static enum err one_open(const struct disk *disk, const char *path, int *file, struct diag *diag)
{
    (void)disk, (void)path, (void)diag;
    *file = 0;
    return OK;
}

static void one_close(const struct disk *disk, int file)
{
    (void)disk, (void)file;
}

static enum err one_size(const struct disk *disk, int file, uint64_t *size, struct diag *diag)
{
    (void)file, (void)diag;
    *size = ((const struct one_file *)disk->context)->bytes.size;
    return OK;
}

static enum err one_read(
        const struct disk *disk, int file, uint64_t at, struct disk_read *read, struct diag *diag)
{
    (void)file, (void)diag;
    struct slice bytes = ((const struct one_file *)disk->context)->bytes;
    size_t left = at < bytes.size ? bytes.size - at : 0;
    read->got = read->size < left ? read->size : left;
    if (read->got) {
        memcpy(read->to, bytes.at + at, read->got);
    }
    return OK;
}

struct disk one_file_disk(struct one_file *file)
{
    return (struct disk){
            .context = file,
            .open = one_open,
            .close = one_close,
            .size = one_size,
            .read = one_read,
    };
}
