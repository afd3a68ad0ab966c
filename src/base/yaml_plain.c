#include "base/yaml_plain.h"

#include <emmintrin.h>

enum { KEY_BYTES = 1000, LANES = 16 }; /* a longer key is an error */

/* A list or map whose lines are being read. */
struct frame {
    struct yaml_node *node;
    struct yaml_node *last;
    struct yaml_node *key; /* of a map: its value has not come yet */
    size_t column;         /* of its keys or dashes, from 0 */
    bool loose;            /* a list at the column of the map that it is a value in */
};

struct reader {
    struct arena *arena;
    const struct yaml_limits *limits;
    const char *at, *end; /* lines to come; the last ends, as all do, with a line feed */
    const char *start;    /* the line in hand */
    const char *text;     /* what is no space in it */
    const char *stop;     /* its line feed */
    uint32_t line;
    uint32_t nodes;
    struct frame frames[YAML_PLAIN_DEPTH];
    uint32_t depth;
    bool marked; /* a document was begun by a mark */
    struct yaml_document *documents, **tail;
};

struct scalar {
    const char *at; /* with its quote */
    struct slice text;
    bool quoted;
    bool doubled; /* '' stands in it for ' */
    bool is_key;
    const char *next; /* behind it, and behind a key's colon */
};

/* Only what can be printed of ASCII, and line feeds, one at the end. */
static bool is_simple(struct slice text)
{
    size_t at = 0;
    int odd = 0;
    if (text.size == 0 || text.at[text.size - 1] != '\n') {
        return false;
    }
    for (; at + LANES <= text.size; at += LANES) {
        __m128i c = _mm_loadu_si128((const __m128i *)(const void *)(text.at + at));
        /* Bytes over 127 are negative. */
        __m128i low = _mm_cmplt_epi8(c, _mm_set1_epi8(' '));
        __m128i feed = _mm_cmpeq_epi8(c, _mm_set1_epi8('\n'));
        __m128i delete = _mm_cmpeq_epi8(c, _mm_set1_epi8(127));
        odd |= _mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(feed, low), delete));
    }
    for (; at < text.size; at++) {
        char c = text.at[at];
        odd |= (c < ' ' && c != '\n') || c == 127;
    }
    return odd == 0;
}

/* ---- lines ---- */

/* The next line with more than a comment. */
static bool next_line(struct reader *r)
{
    while (r->at < r->end) {
        r->start = r->text = r->at;
        r->stop = memchr(r->at, '\n', (size_t)(r->end - r->at));
        r->at = r->stop + 1;
        r->line++;
        while (*r->text == ' ') {
            r->text++;
        }
        if (r->text < r->stop && *r->text != '#') {
            return true;
        }
    }
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n';
}

static bool is_dash(const char *at)
{
    return at[0] == '-' && is_blank(at[1]);
}

static const char *skip_spaces(const char *at)
{
    while (*at == ' ') {
        at++;
    }
    return at;
}

/* ---- nodes ---- */

static struct yaml_node *new_node(struct reader *r, const char *at)
{
    if (r->nodes == r->limits->nodes) {
        return NULL;
    }
    struct yaml_node *node = ARENA_NEW(r->arena, struct yaml_node);
    if (node) {
        r->nodes++;
        node->line = r->line;
        node->column = (uint32_t)(at - r->start) + 1;
    }
    return node;
}

static void put_node(struct reader *r, struct yaml_node *node)
{
    struct frame *frame = &r->frames[r->depth - 1];
    node->key = frame->key;
    frame->key = NULL;
    if (frame->last) {
        frame->last->next = node;
    } else {
        frame->node->first = node;
    }
    frame->last = node;
    frame->node->count++;
}

/* A map or list whose first key or dash stands at `at`. */
static bool open_frame(struct reader *r, enum yaml_kind kind, const char *at, bool loose)
{
    struct yaml_node *node = NULL;
    if (r->depth < YAML_PLAIN_DEPTH && r->depth < r->limits->depth) {
        node = new_node(r, at);
    }
    if (!node) {
        return false;
    }
    node->kind = kind;
    if (r->depth > 0) {
        put_node(r, node);
    }
    r->frames[r->depth++] =
            (struct frame){.node = node, .column = (size_t)(at - r->start), .loose = loose};
    return true;
}

static bool close_frame(struct reader *r)
{
    const struct frame *frame = &r->frames[r->depth - 1];
    bool failed = false;
    if (frame->key || (frame->node->kind == YAML_MAP && yaml_equal_key(frame->node, &failed))) {
        return false;
    }
    r->depth--;
    return !failed;
}

/* ---- scalars ---- */

/* Behind a quoted scalar stands nothing, a comment, or what makes it a key. */
static bool look_behind(const struct reader *r, struct scalar *s)
{
    const char *at = skip_spaces(s->next);
    if (*at == ':' && is_blank(at[1])) {
        s->is_key = true;
        s->next = at + 1;
        return true;
    }
    return at == r->stop || (*at == '#' && at > s->next);
}

static bool scan_quoted(const struct reader *r, struct scalar *s)
{
    char quote = *s->at;
    const char *from = s->at + 1, *to = from;
    for (;; to += 2) {
        to = memchr(to, quote, (size_t)(r->stop - to));
        if (!to) {
            return false;
        }
        if (quote == '"' || to[1] != quote) {
            break;
        }
        s->doubled = true;
    }
    s->quoted = true;
    s->text = slice_of(from, (size_t)(to - from));
    s->next = to + 1;
    return (quote == '\'' || !memchr(from, '\\', s->text.size)) && look_behind(r, s);
}

/* May a plain scalar begin so? Some that may are refused. */
static bool begins_plain(const struct reader *r, const char *at)
{
    char c = *at;
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || c == '_') {
        return true;
    }
    if (at == r->start) {
        return false; /* marks stand there */
    }
    return c == '-' ? !is_blank(at[1]) && at[1] != '-' : strchr("/\\.$^()+=;<~", c) != NULL;
}

static bool scan_plain(const struct reader *r, struct scalar *s)
{
    const char *at = s->at;
    if (!begins_plain(r, at)) {
        return false;
    }
    while (at < r->stop && !(*at == ':' && is_blank(at[1])) && !(*at == '#' && at[-1] == ' ')) {
        at++;
    }
    s->is_key = *at == ':';
    s->next = at + s->is_key;
    if (s->is_key && at[-1] == ' ') {
        return false;
    }
    while (at[-1] == ' ') {
        at--;
    }
    s->text = slice_of(s->at, (size_t)(at - s->at));
    return true;
}

static bool scan_scalar(const struct reader *r, const char *at, struct scalar *s)
{
    *s = (struct scalar){.at = at};
    bool good = *at == '\'' || *at == '"' ? scan_quoted(r, s) : scan_plain(r, s);
    return good && !(s->is_key && s->next - s->at > KEY_BYTES);
}

/* '' is ' */
static struct slice undouble(struct slice text)
{
    char *to = (char *)text.at; /* the arena's copy */
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        to[size++] = text.at[i];
        i += text.at[i] == '\'';
    }
    to[size] = '\0';
    return slice_of(to, size);
}

static struct yaml_node *make_scalar(struct reader *r, const struct scalar *s)
{
    struct yaml_node *node = new_node(r, s->at);
    struct slice copy = node ? arena_copy(r->arena, s->text) : (struct slice){0};
    if (!copy.at) {
        return NULL;
    }
    node->text = s->doubled ? undouble(copy) : copy;
    node->quoted = s->quoted;
    node->kind = YAML_STRING;
    if (!s->quoted) {
        yaml_resolve(node);
    }
    return node;
}

/* ---- literal blocks ---- */

/* Lines of a literal block. */
struct block {
    const char *first; /* the line behind its head */
    const char *end;   /* the line feed of its last line that is not empty */
    size_t indent;
    uint32_t lines;
};

/* false: there is none, or its indentation does not show in its first line. */
static bool find_block(const struct reader *r, struct block *b)
{
    const char *at = r->at;
    while (at < r->end && *at == '\n') {
        at++;
    }
    if (at == r->end) {
        return false;
    }
    b->first = r->at;
    b->indent = (size_t)(skip_spaces(at) - at);
    if (at[b->indent] == '\n' || b->indent <= r->frames[r->depth - 1].column) {
        return false;
    }
    uint32_t lines = (uint32_t)(at - r->at);
    while (at < r->end) {
        const char *stop = memchr(at, '\n', (size_t)(r->end - at));
        size_t spaces = 0;
        while (spaces < b->indent && at[spaces] == ' ') {
            spaces++;
        }
        lines++;
        if (at + spaces < stop) {
            if (spaces < b->indent) {
                break;
            }
            b->end = stop;
            b->lines = lines;
        }
        at = stop + 1;
    }
    return true;
}

static struct slice copy_block(struct reader *r, const struct block *b, bool strip)
{
    char *copy = arena_alloc(r->arena, (size_t)(b->end - b->first) + 2, 1), *to = copy;
    if (!copy) {
        return (struct slice){0};
    }
    for (const char *at = b->first; at < b->end;) {
        const char *stop = memchr(at, '\n', (size_t)(r->end - at));
        size_t size = (size_t)(stop - at);
        if (size > b->indent) {
            memcpy(to, at + b->indent, size - b->indent);
            to += size - b->indent;
        }
        *to++ = '\n';
        at = stop + 1;
    }
    to -= strip;
    *to = '\0';
    return slice_of(copy, (size_t)(to - copy));
}

/* `at`: the bar. */
static bool read_block(struct reader *r, const char *at)
{
    struct block block = {0};
    bool strip = at[1] == '-';
    if (skip_spaces(at + 1 + strip) != r->stop || !find_block(r, &block)) {
        return false;
    }
    struct yaml_node *node = new_node(r, at);
    struct slice text = node ? copy_block(r, &block, strip) : (struct slice){0};
    if (!text.at) {
        return false;
    }
    node->kind = YAML_STRING;
    node->quoted = true;
    node->text = text;
    put_node(r, node);
    r->at = block.end + 1;
    r->line += block.lines;
    return true;
}

/* ---- structure ---- */

static bool read_value(struct reader *r, const char *at)
{
    struct scalar s;
    at = skip_spaces(at);
    if (at == r->stop || *at == '#') {
        return true; /* it is in the lines to come */
    }
    if (*at == '|') {
        return read_block(r, at);
    }
    if (!scan_scalar(r, at, &s) || s.is_key) {
        return false;
    }
    struct yaml_node *node = make_scalar(r, &s);
    if (node) {
        put_node(r, node);
    }
    return node != NULL;
}

static bool read_entry(struct reader *r, const struct scalar *key)
{
    struct yaml_node *node = key->is_key ? make_scalar(r, key) : NULL;
    if (!node || (!key->quoted && slice_equal(key->text, SLICE("<<")))) {
        return false;
    }
    r->frames[r->depth - 1].key = node;
    return read_value(r, key->next);
}

static bool read_item(struct reader *r)
{
    struct scalar s;
    const char *at = skip_spaces(r->text + 1);
    if (at == r->stop || *at == '#' || is_dash(at)) {
        return false;
    }
    if (*at == '|') {
        return read_block(r, at);
    }
    if (!scan_scalar(r, at, &s)) {
        return false;
    }
    if (s.is_key) {
        return open_frame(r, YAML_MAP, at, false) && read_entry(r, &s);
    }
    struct yaml_node *node = make_scalar(r, &s);
    if (node) {
        put_node(r, node);
    }
    return node != NULL;
}

/* The map or list in the line in hand is the value of the innermost map's last key. */
static bool open_value(struct reader *r, size_t column, bool dash)
{
    size_t outer = r->frames[r->depth - 1].column;
    bool loose = dash && column == outer;
    return (column > outer || loose) && open_frame(r, dash ? YAML_LIST : YAML_MAP, r->text, loose);
}

/* Opens or closes frames until the line in hand belongs to the innermost. */
static bool find_frame(struct reader *r, bool dash)
{
    size_t column = (size_t)(r->text - r->start);
    if (r->depth == 0) {
        return column == 0 && !dash && open_frame(r, YAML_MAP, r->text, false);
    }
    const struct frame *top = &r->frames[r->depth - 1];
    if (top->key) {
        return open_value(r, column, dash);
    }
    while (top->column != column || (top->node->kind == YAML_LIST) != dash) {
        bool over = top->column > column || (top->column == column && top->loose);
        if (!over || r->depth == 1 || !close_frame(r)) {
            return false;
        }
        top--;
    }
    return true;
}

static bool end_document(struct reader *r)
{
    struct yaml_document *document = ARENA_NEW(r->arena, struct yaml_document);
    if (!document || r->depth == 0) {
        return false; /* an empty document is left to libyaml */
    }
    document->root = r->frames[0].node;
    while (r->depth > 0) {
        if (!close_frame(r)) {
            return false;
        }
    }
    *r->tail = document;
    r->tail = &document->next;
    r->marked = false;
    return true;
}

static bool begin_document(struct reader *r)
{
    bool good = r->stop - r->text == 3 && (r->depth > 0 ? end_document(r) : !r->marked);
    r->marked = true;
    return good;
}

static bool read_line(struct reader *r)
{
    struct slice line = slice_of(r->text, (size_t)(r->stop - r->text));
    if (r->text == r->start && slice_starts(line, SLICE("---"))) {
        return begin_document(r);
    }
    bool dash = is_dash(r->text);
    struct scalar key;
    if (!find_frame(r, dash)) {
        return false;
    }
    return dash ? read_item(r) : scan_scalar(r, r->text, &key) && read_entry(r, &key);
}

bool yaml_plain_read(struct arena *arena, struct slice text, const struct yaml_limits *limits,
        struct yaml_document **out)
{
    struct reader r = {.arena = arena, .limits = limits, .at = text.at, .end = text.at + text.size};
    r.tail = &r.documents;
    if (text.size > YAML_PLAIN_BYTES || !is_simple(text)) {
        return false;
    }
    while (next_line(&r)) {
        if (!read_line(&r)) {
            return false;
        }
    }
    if (!end_document(&r)) {
        return false;
    }
    *out = r.documents;
    return true;
}
