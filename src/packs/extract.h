/* extract: the rule files of an archive: tar, as it is or with gzip or zstd; zip.
 *
 *     TRY(extract_archive(bytes, &content, diag));
 *
 * By libarchive, from memory to memory: nothing is written, so no path of an archive ever reaches a
 * file system. Only regular files named as rules are read; links, devices and others are counted.
 * A path that leads out refuses the whole archive by name. What it unpacks to is limited by
 * content.h's limits, and all of it, other entries included, by EXTRACT_BYTES. */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"
#include "packs/content.h"

enum { EXTRACT_ENTRIES = 1000000 };
#define EXTRACT_PACKED ((size_t)256 << 20) /* a larger archive is not read */
#define EXTRACT_BYTES ((uint64_t)1 << 30)

/* Do the bytes begin as such an archive does? */
bool extract_recognise(struct slice bytes);
enum err extract_archive(struct slice bytes, struct content *content, struct diag *diag) MUST_CHECK;
