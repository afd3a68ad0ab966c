/* one_file: a disk that holds one file, for reading: whatever its name, it has the bytes at hand.
 *
 *     struct one_file file = {.bytes = buf_slice(&bytes)};
 *     struct disk disk = one_file_disk(&file);
 *     TRY(parquet_read_open(&disk, "any", &r, diag));
 *
 * The bytes may change between the calls. Only open, close, size and read are there. */
#pragma once

#include "base/disk.h"

struct one_file {
    struct slice bytes;
};

struct disk one_file_disk(struct one_file *file);
