/* field: interned field names. A ruleset numbers the names that its rules use; decoders and
 * matchers speak numbers.
 *
 *     uint32_t id;
 *     TRY(field_intern(fields, SLICE("CommandLine"), &id));
 *
 * Names are case-sensitive (Sigma Rules Specification 2.1, "Field names"). */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

#define FIELD_NONE UINT32_MAX
enum { FIELD_LIMIT = 65000 }; /* names in one table */

struct fields;

/* NULL when there is no memory. Owner: the caller. */
struct fields *field_table_new(void);
void field_table_free(struct fields *fields);
/* The name's number; a new one when it was not there: 0, 1, 2... ERR_LIMIT, ERR_MEMORY. The bytes
 * are copied. */
enum err field_intern(struct fields *fields, struct slice name, uint32_t *id) MUST_CHECK;
/* FIELD_NONE when it is not there. */
uint32_t field_find(const struct fields *fields, struct slice name);
/* Borrowed until field_table_free. */
struct slice field_name(const struct fields *fields, uint32_t id);
uint32_t field_count(const struct fields *fields);
