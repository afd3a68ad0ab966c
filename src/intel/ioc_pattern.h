/* ioc_pattern: the indicators in a STIX pattern (STIX 2.1 section 9).
 *
 *     [domain-name:value = 'evil.example' OR ipv4-addr:value IN ('192.0.2.1', '192.0.2.2')]
 *
 * Observations and comparisons joined by OR, of the operators =, IN and (addresses) ISSUBSET.
 * Everything that asks for more than one thing, or for something else, is refused by its name: AND,
 * FOLLOWEDBY, NOT, LIKE, MATCHES, WITHIN... One comparison of several that is of something that is
 * not looked for is refused alone. */
#pragma once

#include "intel/ioc_load.h"

enum { IOC_PATTERN_BYTES = 1 << 20 };

/* ioc->text: the pattern; its label, line and time are those of all that stands in it. */
enum err ioc_pattern_read(
        struct ioc_load *load, const struct ioc *ioc, struct diag *diag) MUST_CHECK;
