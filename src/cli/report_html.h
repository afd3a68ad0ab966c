/* report_html: text of logs and rules as text of a page, where nothing of it can be markup.
 *
 *     report_html_text(&out, SLICE("<b>\n"));    // &lt;b&gt;<i>\x0A</i>
 *
 * What is not seen, turns text around or is no UTF-8 is spelled out (cli/visible.h), between <i>
 * and
 * </i> where markup may stand, so that it cannot be taken for the record's own backslashes. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "detect/mark.h"
#include "sigma/rule.h"

void report_html_text(struct buf *out, struct slice text);
/* The same for an attribute's value between double quotes: without <i>. */
void report_html_attribute(struct buf *out, struct slice text);
/* A value of an event: line ends and tabs stay, the parts in `marks` are marked, at most `most`
 * bytes are shown, the first part among them, and what is left out is said. */
void report_html_value(
        struct buf *out, struct slice text, const struct mark_list *marks, size_t most);
/* 1234567 as 1,234,567. */
void report_html_count(struct buf *out, uint64_t n);
/* The same with its noun: "1 finding", "12 findings". */
void report_html_counted(struct buf *out, uint64_t n, const char *noun);
/* <time datetime="2021-10-20T13:39:12.5Z">2021-10-20 13:39:12</time>: cut at the second. */
void report_html_time(struct buf *out, int64_t time_ns);
/* 2021-10-20 13:39:12 */
void report_html_moment(struct buf *out, int64_t time_s);
/* "critical"; "no level". */
struct slice report_html_level(enum level level);
