#include "decode/access_line.h"

#include <string.h>

#include "decode/web.h"

static bool is_dash(struct slice s)
{
    return s.size == 1 && s.at[0] == '-';
}

static struct slice value(struct slice s)
{
    return is_dash(s) ? (struct slice){0} : s;
}

/* The word at the front of *rest, which is then behind it and the blanks. */
static struct slice word(struct slice *rest)
{
    struct slice w = slice_cut(rest, ' ');
    while (rest->size > 0 && *rest->at == ' ') {
        *rest = slice_from(*rest, 1);
    }
    return w;
}

/* "[17/May/2015:10:05:03 +0000]", also "[05/02/2025 11:30:29]"; returns where '[' stands, and
 * where ']'. */
static bool find_time(struct slice line, size_t *open, size_t *close)
{
    for (size_t at = 0; at + 12 < line.size; at++) {
        at += slice_find_byte(slice_from(line, at), '[');
        if (at + 12 >= line.size) {
            return false;
        }
        size_t slash = at + (line.at[at + 2] == '/' ? 2 : 3);
        if (slice_is_digit(line.at[at + 1]) && line.at[slash] == '/') {
            size_t end = at + slice_find_byte(slice_from(line, at), ']');
            *open = at;
            *close = end;
            return end + 2 < line.size && line.at[end + 1] == ' ' && line.at[end + 2] == '"';
        }
    }
    return false;
}

/* The client's and the user's part, before the time. */
static void take_front(struct slice front, struct access_line *l)
{
    struct slice rest = slice_trim(front), after = rest, list = rest;
    struct slice first = word(&after);
    struct slice again = after;
    struct slice second = word(&again);
    if (!web_is_address(first) && web_is_address(second)) {
        l->vhost = first;
        list = rest = after;
    }
    l->client = word(&rest);
    while (l->client.size > 1 && l->client.at[l->client.size - 1] == ',') {
        l->client.size--;
        struct slice next = l->client;
        while (rest.size > 0) {
            next = word(&rest);
            if (next.at[next.size - 1] != ',') {
                break;
            }
        }
        l->forwarded = slice_of(list.at, (size_t)(next.at + next.size - list.at));
    }
    if (rest.size > 0 && rest.at[0] == '(') {
        (void)word(&rest);
    }
    l->client = value(l->client);
    l->ident = value(word(&rest));
    l->user = value(rest);
}

static bool is_status(struct slice s)
{
    return is_dash(s) || (s.size == 3 && slice_is_digit(s.at[0]) && slice_is_digit(s.at[1]));
}

/* In quotes, behind referer and agent: a list of forwarders? */
static bool is_list(struct slice s)
{
    size_t comma = slice_find_byte(s, ',');
    return is_dash(s) || web_is_address(slice_of(s.at, comma));
}

static void take_back(struct slice rest, struct access_line *l)
{
    struct slice after = rest;
    while (after.size > 0 && *after.at != '"') {
        (void)word(&after);
    }
    if (after.size == 0) {
        l->rest = rest;
        return;
    }
    l->combined = true;
    rest = after;
    l->referer = value(web_quoted(&rest));
    if (rest.size > 0 && *rest.at == '"') {
        l->agent = value(web_quoted(&rest));
    }
    after = rest;
    if (rest.size > 0 && *rest.at == '"') {
        struct slice list = web_quoted(&after);
        if (is_list(list)) {
            l->forwarded = value(list);
            rest = after;
        }
    }
    l->rest = rest;
}

bool access_line_parse(struct slice line, struct access_line *out)
{
    size_t open, close;
    if (!find_time(line, &open, &close)) {
        return false;
    }
    *out = (struct access_line){0};
    take_front(slice_of(line.at, open), out);
    out->time = slice_of(line.at + open + 1, close - open - 1);
    struct slice rest = slice_from(line, close + 2);
    out->request = web_quoted(&rest);
    /* Some put another field in quotes before the request. */
    if (rest.size > 0 && *rest.at == '"') {
        out->request = web_quoted(&rest);
    }
    struct slice status = word(&rest);
    if (!is_status(status)) {
        return false;
    }
    out->status = value(status);
    out->bytes = value(word(&rest));
    take_back(rest, out);
    return true;
}

bool access_line_request(
        struct slice request, struct slice *method, struct slice *target, struct slice *version)
{
    struct slice rest = request;
    *method = slice_cut(&rest, ' ');
    *version = (struct slice){0};
    for (size_t i = 0; i < method->size; i++) {
        char c = method->at[i];
        if ((c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '_' && c != '-') {
            return false;
        }
    }
    if (rest.size == 0 || method->size == 0) {
        return false;
    }
    const char *blank = memrchr(rest.at, ' ', rest.size);
    struct slice last = blank ? slice_from(rest, (size_t)(blank + 1 - rest.at)) : (struct slice){0};
    if (slice_starts(last, SLICE("HTTP/"))) {
        *version = last;
        rest.size = (size_t)(blank - rest.at);
    }
    *target = rest;
    return true;
}

bool access_line_squid(struct slice line, struct slice *code, struct slice *hierarchy)
{
    const char *blank = line.size ? memrchr(line.at, ' ', line.size) : NULL;
    if (!blank) {
        return false;
    }
    *hierarchy = slice_from(line, (size_t)(blank + 1 - line.at));
    if (!slice_starts(*hierarchy, SLICE("TCP_")) && !slice_starts(*hierarchy, SLICE("UDP_")) &&
            !slice_starts(*hierarchy, SLICE("NONE"))) {
        return false;
    }
    *code = slice_cut(hierarchy, ':');
    return hierarchy->size > 0;
}
