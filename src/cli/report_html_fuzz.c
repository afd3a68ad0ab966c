/* Two bytes for where a mark stands, then the text. Whatever it is: without the tags that we write,
 * nothing that markup is made of is left, and all of it is UTF-8 without a control character. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/report_html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
    if (!ok) {
        abort();
    }
}

/* The size of the tag of ours that stands there, or 0. */
static size_t our_tag(struct slice html)
{
    static const char *const tags[] = {"<i>", "</i>", "<mark>", "</mark>"};
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        if (slice_starts(html, slice_text(tags[i]))) {
            return strlen(tags[i]);
        }
    }
    return 0;
}

static void check_html(struct slice html, bool tags, bool lines)
{
    check(utf8_valid(html));
    for (size_t i = 0; i < html.size; i++) {
        size_t tag = tags ? our_tag(slice_of(html.at + i, html.size - i)) : 0;
        i += tag;
        if (i >= html.size) {
            return;
        }
        if (tag > 0) {
            i--;
            continue;
        }
        unsigned char c = (unsigned char)html.at[i];
        check(c != '<' && c != '>' && c != '"' && c != '\'' && c != 0x7F);
        check(c >= 0x20 || (lines && (c == '\n' || c == '\t')));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct slice text = slice_of((const char *)data + 2, size - 2);
    struct mark_list marks = {0};
    struct buf out = {0};
    report_html_text(&out, text);
    check_html(buf_slice(&out), true, false);
    buf_clear(&out);
    report_html_attribute(&out, text);
    check_html(buf_slice(&out), false, false);
    buf_clear(&out);
    if (data[0] < text.size && data[1] > 0) {
        size_t rest = text.size - data[0];
        marks.parts[0] = (struct mark_part){data[0], data[1] < rest ? data[1] : rest};
        marks.count = 1;
    }
    report_html_value(&out, text, &marks, 600);
    check_html(buf_slice(&out), true, true);
    buf_fini(&out);
    return 0;
}
