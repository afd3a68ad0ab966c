/* report_rule: the findings of a page, a group a rule, with what the page's script filters by.
 *
 *     report_rule_write_all(report, rules, count, &out);    // rules in the order of the page */
#pragma once

#include "cli/report_parts.h"

/* Findings of a rule that stand open; the others are one click away. */
enum { REPORT_RULE_OPEN = 3 };

void report_rule_write_all(
        struct report *report, const struct rule *const *rules, size_t count, struct buf *out);
