/* ioc_csv: indicators in a table with a line of column names (RFC 4180; blanks around quotes).
 *
 *     type,value,valid_until,comment               a kind and a value (MISP's export, ThreatFox...)
 *     first_seen,sha256_hash,md5_hash,file_name    columns that are named for kinds (abuse.ch...)
 *
 * The names may stand in a comment right before the first row, as abuse.ch writes them. Where there
 * is a column to_ids, rows with 0 or false in it are passed over. */
#pragma once

#include "intel/ioc_load.h"

enum { IOC_CSV_COLUMNS = 64 }; /* the others of a row are passed over */

/* Is this a table? */
bool ioc_csv_is(struct slice bytes);
enum err ioc_csv_read(struct ioc_load *load, struct slice bytes, struct diag *diag) MUST_CHECK;
