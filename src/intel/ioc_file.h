/* ioc_file: one file of indicators, whatever its format: STIX and MISP (intel/ioc_json.h), a table
 * (intel/ioc_csv.h), or text, one a line (intel/ioc_text.h).
 *
 *     TRY(ioc_file_read(&load, "feed.txt", diag));     // intel/ioc_load.h */
#pragma once

#include "intel/ioc_load.h"

enum { IOC_FILE_LIMIT = 1 << 30 };

/* OK: its indicators were added, or refused and told. */
enum err ioc_file_read(struct ioc_load *load, const char *path, struct diag *diag) MUST_CHECK;
/* The same of bytes. */
enum err ioc_file_bytes(struct ioc_load *load, struct slice bytes, struct diag *diag) MUST_CHECK;
