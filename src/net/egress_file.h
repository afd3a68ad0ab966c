/* egress_file: the part of egress that writes to a file, for egress.c alone: what it appends is on
 * disk, whole, before it says so; what a crash cut short is cut off at the next opening. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"

struct egress_file {
    const char *path; /* borrowed */
    uint64_t rotate_bytes;
    uint64_t size; /* of what is whole */
    int file;      /* -1: not open */
};

enum err egress_file_append(struct egress_file *file, struct slice bytes, uint64_t number,
        struct diag *diag) MUST_CHECK;
void egress_file_close(struct egress_file *file);
