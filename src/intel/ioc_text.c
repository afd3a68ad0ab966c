#include "intel/ioc_text.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct slice next_word(struct slice *rest)
{
    size_t start = 0, end;
    while (start < rest->size && is_blank(rest->at[start])) {
        start++;
    }
    for (end = start; end < rest->size && !is_blank(rest->at[end]);) {
        end++;
    }
    struct slice word = slice_of(rest->at + start, end - start);
    *rest = slice_from(*rest, end);
    return word;
}

/* Cuts a comment off: from a # behind a blank. */
static struct slice cut_comment(struct slice *line)
{
    for (size_t i = 1; i < line->size; i++) {
        if (line->at[i] == '#' && is_blank(line->at[i - 1])) {
            struct slice comment = slice_from(*line, i + 1);
            *line = slice_of(line->at, i);
            return slice_trim(comment);
        }
    }
    return SLICE("");
}

static enum err add_line(
        struct ioc_load *load, struct slice line, uint32_t number, struct diag *diag)
{
    struct ioc ioc = {.kind = IOC_GUESS, .line = number, .valid_until = INT64_MAX};
    ioc.label = cut_comment(&line);
    struct slice first = next_word(&line), second = next_word(&line);
    ioc.text = first;
    if (second.size > 0) {
        ioc.text = second;
        ioc.kind = slice_equal(first, SLICE("0.0.0.0")) || slice_equal(first, SLICE("127.0.0.1"))
                           ? OBSERVABLE_DOMAIN
                           : ioc_load_kind(first);
    }
    if (next_word(&line).size > 0) {
        ioc_load_refuse(load, number, "more words than a kind and a value");
        return OK;
    }
    if (ioc.kind == IOC_OTHER) {
        ioc_load_refuse(load, number, "'%.*s' is no kind that is looked for", SLICE_ARG(first));
        return OK;
    }
    return ioc_load_add(load, &ioc, diag);
}

enum err ioc_text_read(struct ioc_load *load, struct slice bytes, struct diag *diag)
{
    for (uint32_t number = 1; bytes.size > 0; number++) {
        struct slice line = slice_trim(slice_cut(&bytes, '\n'));
        if (line.size == 0 || line.at[0] == '#' || line.at[0] == ';' ||
                slice_starts(line, SLICE("//"))) {
            continue;
        }
        TRY(add_line(load, line, number, diag));
    }
    return OK;
}
