#include "hunt/notebook.h"

#include <string.h>

#include "base/utf8.h"
#include "base/yaml.h"

#define WORD SLICE("merlon-hunt")
#define BOM SLICE("\xef\xbb\xbf")

/* ---- lines ------------------------------------------------------------------------------------
 */

struct lines {
    struct slice text;
    size_t at;         /* of the next line */
    uint32_t number;   /* of the line at hand, from 1 */
    size_t start;      /* where it begins */
    struct slice line; /* without its end */
};

static bool next_line(struct lines *l)
{
    if (l->at >= l->text.size) {
        return false;
    }
    struct slice rest = slice_from(l->text, l->at);
    size_t size = slice_find_byte(rest, '\n');
    l->start = l->at;
    l->at += size < rest.size ? size + 1 : size;
    l->number++;
    size -= size > 0 && size < rest.size && rest.at[size - 1] == '\r';
    l->line = slice_of(rest.at, size);
    return true;
}

struct fence {
    char sign; /* 0: the line is none */
    size_t count;
    struct slice info;
};

static struct fence fence_of(struct slice line)
{
    size_t indent = 0, n = 0;
    while (indent < line.size && line.at[indent] == ' ') {
        indent++;
    }
    struct slice rest = slice_from(line, indent);
    char sign = rest.size > 0 ? rest.at[0] : 0;
    if (indent > 3 || (sign != '`' && sign != '~')) {
        return (struct fence){0};
    }
    while (n < rest.size && rest.at[n] == sign) {
        n++;
    }
    struct slice info = slice_trim(slice_from(rest, n));
    bool code = sign == '`' && slice_find_byte(info, '`') < info.size;
    return n < 3 || code ? (struct fence){0} : (struct fence){sign, n, info};
}

/* A query in a list or a quotation: a person would take it for one. */
static bool looks_like_hunt(struct slice line)
{
    while (line.size > 0 && strchr(" \t>-*+0123456789.)", line.at[0])) {
        line = slice_from(line, 1);
    }
    struct fence fence = fence_of(line);
    return fence.sign && slice_starts(fence.info, WORD);
}

/* ---- front matter -----------------------------------------------------------------------------
 */

static bool is_technique(struct slice text)
{
    static const char form[] = "T0000.000";
    if (text.size != 5 && text.size != 9) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (form[i] == '0' ? !slice_is_digit(text.at[i]) : text.at[i] != form[i]) {
            return false;
        }
    }
    return true;
}

static enum err take_text(
        const struct yaml_node *node, uint32_t line, struct slice *out, struct diag *diag)
{
    if (node->kind == YAML_LIST || node->kind == YAML_MAP || slice_trim(node->text).size == 0) {
        return diag_set(diag, ERR_SYNTAX, node->line + line, node->column, "%.*s: a text is wanted",
                SLICE_ARG(node->key->text));
    }
    *out = node->text;
    return OK;
}

static enum err take_list(
        const struct yaml_node *node, uint32_t line, struct notebook_list *out, struct diag *diag)
{
    if (node->kind != YAML_LIST) {
        return diag_set(diag, ERR_SYNTAX, node->line + line, node->column,
                "%.*s: a list of texts is wanted", SLICE_ARG(node->key->text));
    }
    for (const struct yaml_node *n = node->first; n; n = n->next) {
        if (n->kind == YAML_LIST || n->kind == YAML_MAP) {
            return diag_set(diag, ERR_SYNTAX, n->line + line, n->column,
                    "%.*s: a list of texts is wanted", SLICE_ARG(node->key->text));
        }
        if (out->count == NOTEBOOK_LIST) {
            return diag_set(diag, ERR_LIMIT, n->line + line, n->column, "%.*s: over %d of them",
                    SLICE_ARG(node->key->text), (int)NOTEBOOK_LIST);
        }
        out->at[out->count++] = n->text;
    }
    return OK;
}

static enum err take_attack(
        const struct yaml_node *node, uint32_t line, struct notebook_list *out, struct diag *diag)
{
    TRY(take_list(node, line, out, diag));
    for (const struct yaml_node *n = node->first; n; n = n->next) {
        if (!is_technique(n->text)) {
            return diag_set(diag, ERR_SYNTAX, n->line + line, n->column,
                    "attack: '%.*s' is no technique of ATT&CK; write T1562 or T1562.008",
                    SLICE_ARG(n->text));
        }
    }
    return OK;
}

static enum err take_status(
        const struct yaml_node *node, uint32_t line, struct slice *out, struct diag *diag)
{
    static const char *const known[] = {"draft", "ready", "done", "retired"};
    TRY(take_text(node, line, out, diag));
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (slice_equal(node->text, slice_text(known[i]))) {
            return OK;
        }
    }
    return diag_set(diag, ERR_SYNTAX, node->line + line, node->column,
            "status: '%.*s' is no draft, ready, done or retired", SLICE_ARG(node->text));
}

static enum err take_key(
        const struct yaml_node *node, uint32_t line, struct notebook *out, struct diag *diag)
{
    const struct {
        struct slice key;
        struct slice *text;
    } texts[] = {{SLICE("title"), &out->title}, {SLICE("hypothesis"), &out->hypothesis},
            {SLICE("owner"), &out->owner}, {SLICE("outcome"), &out->outcome}};
    struct slice key = node->key->text;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (slice_equal(key, texts[i].key)) {
            return take_text(node, line, texts[i].text, diag);
        }
    }
    if (slice_equal(key, SLICE("status"))) {
        return take_status(node, line, &out->status, diag);
    }
    if (slice_equal(key, SLICE("attack"))) {
        return take_attack(node, line, &out->attack, diag);
    }
    if (slice_equal(key, SLICE("references"))) {
        return take_list(node, line, &out->references, diag);
    }
    return diag_set(diag, ERR_UNSUPPORTED, node->key->line + line, node->key->column,
            "'%.*s' is no key of a hunt: title, hypothesis, attack, owner, status, outcome, "
            "references",
            SLICE_ARG(key));
}

static enum err take_front(struct arena *arena, struct slice text, uint32_t line,
        struct notebook *out, struct diag *diag)
{
    const struct yaml_limits limits = {.bytes = NOTEBOOK_FRONT, .depth = 8, .nodes = 1000};
    struct yaml_document *docs = NULL;
    enum err e = yaml_read(arena, text, &limits, &docs, diag);
    if (e != OK) {
        if (diag && diag->line > 0) {
            diag->line += line;
        }
        return e;
    }
    if (!docs || !docs->root || docs->root->kind != YAML_MAP || docs->next) {
        return diag_set(diag, ERR_SYNTAX, line, 1, "the front matter is no map of keys");
    }
    for (const struct yaml_node *n = docs->root->first; n; n = n->next) {
        TRY(take_key(n, line, out, diag));
    }
    if (!out->title.at || !out->hypothesis.at) {
        return diag_set(diag, ERR_SYNTAX, line, 1, "the front matter has no %s",
                out->title.at ? "hypothesis" : "title");
    }
    return OK;
}

/* *there: the file begins with it. */
static enum err read_front(
        struct arena *arena, struct lines *l, struct notebook *out, bool *there, struct diag *diag)
{
    struct lines first = *l;
    *there = next_line(&first) && slice_equal(first.line, SLICE("---"));
    if (!*there) {
        return OK;
    }
    *l = first;
    size_t start = l->at;
    uint32_t line = l->number;
    while (next_line(l)) {
        if (slice_equal(l->line, SLICE("---"))) {
            struct slice text = slice_of(l->text.at + start, l->start - start);
            return take_front(arena, text, line, out, diag);
        }
    }
    return diag_set(
            diag, ERR_SYNTAX, line, 1, "the front matter does not end: a line --- is missing");
}

/* ---- blocks -----------------------------------------------------------------------------------
 */

static bool is_marker(struct slice line, struct slice marker)
{
    return slice_equal(slice_trim(line), marker);
}

/* Results that stand behind the block, blank lines between. */
static enum err find_results(struct lines *l, struct notebook_block *block, struct diag *diag)
{
    struct lines ahead = *l;
    bool more = next_line(&ahead);
    while (more && slice_trim(ahead.line).size == 0) {
        more = next_line(&ahead);
    }
    if (!more || !is_marker(ahead.line, SLICE(NOTEBOOK_BEGIN))) {
        return OK;
    }
    uint32_t begun = ahead.number;
    size_t from = ahead.start;
    while (next_line(&ahead)) {
        if (is_marker(ahead.line, SLICE(NOTEBOOK_BEGIN)) || fence_of(ahead.line).sign) {
            break;
        }
        if (is_marker(ahead.line, SLICE(NOTEBOOK_END))) {
            block->from = from;
            block->to = ahead.at;
            block->there = true;
            *l = ahead;
            return OK;
        }
    }
    return diag_set(diag, ERR_SYNTAX, begun, 1, "results that do not end: a line %s is missing",
            NOTEBOOK_END);
}

static enum err read_fence(
        struct lines *l, struct fence open, struct notebook *out, struct diag *diag)
{
    struct slice name = open.info;
    struct slice word = slice_cut(&name, ' ');
    bool hunt = slice_equal(word, WORD), closed = false;
    uint32_t line = l->number;
    size_t start = l->at, end = l->at;
    while (!closed && next_line(l)) {
        struct fence fence = fence_of(l->line);
        end = l->start;
        closed = fence.sign == open.sign && fence.count >= open.count && fence.info.size == 0;
    }
    if (!closed) {
        return diag_set(
                diag, ERR_SYNTAX, line, 1, "this block does not end: its fence is not closed");
    }
    if (!hunt) {
        return OK;
    }
    if (out->count == NOTEBOOK_BLOCKS) {
        return diag_set(
                diag, ERR_LIMIT, line, 1, "over %d hunts in one file", (int)NOTEBOOK_BLOCKS);
    }
    struct notebook_block *block = &out->blocks[out->count++];
    *block = (struct notebook_block){.name = slice_trim(name),
            .query = slice_of(l->text.at + start, end - start),
            .line = line + 1,
            .from = l->at,
            .to = l->at};
    return find_results(l, block, diag);
}

static enum err read_blocks(struct lines *l, struct notebook *out, struct diag *diag)
{
    while (next_line(l)) {
        struct fence fence = fence_of(l->line);
        if (fence.sign) {
            TRY(read_fence(l, fence, out, diag));
        } else if (looks_like_hunt(l->line)) {
            return diag_set(diag, ERR_UNSUPPORTED, l->number, 1,
                    "a hunt's fence begins its line; this one is in a list, a quotation or code");
        } else if (is_marker(l->line, SLICE(NOTEBOOK_BEGIN)) ||
                   is_marker(l->line, SLICE(NOTEBOOK_END))) {
            return diag_set(
                    diag, ERR_SYNTAX, l->number, 1, "results that stand directly behind no hunt");
        }
    }
    return OK;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static enum err check_text(struct slice text, struct diag *diag)
{
    if (text.size > NOTEBOOK_BYTES) {
        return diag_say(diag, ERR_LIMIT, "over %d bytes", (int)NOTEBOOK_BYTES);
    }
    size_t nul = slice_find_byte(text, 0), valid = utf8_valid_prefix(text);
    size_t bad = nul < valid ? nul : valid;
    if (bad == text.size) {
        return OK;
    }
    struct lines l = {.text = text};
    while (next_line(&l) && l.at <= bad) {
    }
    return diag_set(diag, ERR_SYNTAX, l.number, (uint32_t)(bad - l.start) + 1,
            nul < valid ? "a NUL byte" : "a byte that is not UTF-8");
}

enum err notebook_read(
        struct arena *arena, struct slice text, struct notebook *out, struct diag *diag)
{
    struct lines l = {.text = text, .at = slice_starts(text, BOM) ? BOM.size : 0};
    struct notebook *book = ARENA_NEW(arena, struct notebook);
    bool front;
    if (!book) {
        return diag_say(diag, ERR_MEMORY, "no memory for a hunt");
    }
    TRY(check_text(text, diag));
    size_t first = slice_find_byte(text, '\n');
    book->crlf = first > 0 && first < text.size && text.at[first - 1] == '\r';
    TRY(read_front(arena, &l, book, &front, diag));
    TRY(read_blocks(&l, book, diag));
    if (!front && book->count == 0) {
        return diag_say(diag, ERR_NOT_FOUND, "no hunt");
    }
    if (!front) {
        return diag_set(diag, ERR_SYNTAX, 1, 1, "no front matter: the file begins with a line ---");
    }
    if (book->count == 0) {
        return diag_set(diag, ERR_SYNTAX, l.number, 1, "no query: no block ```merlon-hunt");
    }
    *out = *book;
    return OK;
}

static void add_lines(struct buf *out, struct slice text, bool crlf)
{
    while (text.size > 0) {
        buf_add(out, slice_cut(&text, '\n'));
        buf_add(out, crlf ? SLICE("\r\n") : SLICE("\n"));
    }
}

void notebook_write(struct slice text, const struct notebook *book, const struct slice *regions,
        struct buf *out)
{
    size_t at = 0;
    for (size_t i = 0; i < book->count; i++) {
        const struct notebook_block *block = &book->blocks[i];
        if (!regions[i].at) {
            continue;
        }
        buf_add(out, slice_of(text.at + at, block->from - at));
        if (!block->there) {
            /* A fence that ends the file without a newline gets one. */
            add_lines(out, text.at[block->from - 1] == '\n' ? SLICE("\n") : SLICE("\n\n"),
                    book->crlf);
        }
        add_lines(out, SLICE(NOTEBOOK_BEGIN "\n"), book->crlf);
        add_lines(out, regions[i], book->crlf);
        add_lines(out, SLICE(NOTEBOOK_END "\n"), book->crlf);
        at = block->to;
    }
    buf_add(out, slice_from(text, at));
}

void notebook_escape(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.at[i];
        struct slice ahead = slice_from(text, i);
        bool www = c == '.' && i >= 3 &&
                   slice_equal_nocase(slice_of(text.at + i - 3, 3), SLICE("www"));
        bool entity = strchr("&<>|`@\"'", c) || c < 0x20 || c == 0x7f || www ||
                      slice_starts(ahead, SLICE("://"));
        if (entity) {
            buf_format(out, "&#%u;", c ? c : 0xfffd);
        } else {
            if (strchr("\\*_[]~#!$", c)) {
                buf_byte(out, '\\');
            }
            buf_byte(out, (char)c);
        }
    }
}
