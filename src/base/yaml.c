#include "base/yaml.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/yaml_plain.h"

/* A list or map that is being read. */
struct frame {
    struct yaml_node *node;
    struct yaml_node *last;
    struct yaml_node *key; /* of a map: read, its value not yet */
    uint32_t nodes_before;
    uint32_t height; /* levels so far, its own included */
    uint32_t anchor; /* index plus 1; 0: none */
};

struct anchor {
    struct slice name;
    struct yaml_node *node;
    uint32_t nodes; /* an alias counts for so many */
    uint32_t height;
    bool open; /* its node is still being read */
};

struct reader {
    yaml_parser_t parser;
    struct arena *arena;
    const struct yaml_limits *limits;
    struct diag *diag;
    struct slice text;
    uint32_t nodes;
    struct frame *frames; /* limits->depth of them */
    uint32_t depth;
    struct anchor *anchors; /* YAML_ANCHORS of them, from the first use on */
    uint32_t anchor_count;
    struct yaml_node *root;
};

static enum err fail(
        struct reader *r, const yaml_event_t *event, enum err e, const char *words, unsigned number)
{
    return diag_set(r->diag, e, (uint32_t)event->start_mark.line + 1,
            (uint32_t)event->start_mark.column + 1, "%s (%u)", words, number);
}

static enum err fail_plain(
        struct reader *r, const yaml_event_t *event, enum err e, const char *words)
{
    return diag_set(r->diag, e, (uint32_t)event->start_mark.line + 1,
            (uint32_t)event->start_mark.column + 1, "%s", words);
}

/* ---- scalars ------------------------------------------------------------------------------- */

static bool one_of(struct slice text, const char *const *words)
{
    for (; *words; words++) {
        if (slice_equal(text, slice_text(*words))) {
            return true;
        }
    }
    return false;
}

static size_t digits(struct slice text, size_t from)
{
    size_t i = from;
    while (i < text.size && text.at[i] >= '0' && text.at[i] <= '9') {
        i++;
    }
    return i - from;
}

enum { FLOAT_TEXT = 400 }; /* a longer number is taken for infinite */

static double to_double(struct slice text)
{
    char copy[FLOAT_TEXT];
    if (text.size >= sizeof copy) {
        return text.at[0] == '-' ? -__builtin_inf() : __builtin_inf();
    }
    memcpy(copy, text.at, text.size);
    copy[text.size] = '\0';
    return strtod(copy, NULL);
}

static unsigned digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a') + 10 : 99;
}

/* Appends a digit of the sign's; false: the number does not fit. */
static bool append_digit(int64_t *value, unsigned base, unsigned digit, bool negative)
{
    if (__builtin_mul_overflow(*value, (int64_t)base, value)) {
        return false;
    }
    return negative ? !__builtin_sub_overflow(*value, (int64_t)digit, value)
                    : !__builtin_add_overflow(*value, (int64_t)digit, value);
}

/* Cuts 0x or 0o off the front. */
static unsigned take_base(struct slice *text)
{
    bool based = text->size > 2 && text->at[0] == '0';
    unsigned base = based && text->at[1] == 'x' ? 16 : based && text->at[1] == 'o' ? 8 : 10;
    if (base != 10) {
        *text = slice_of(text->at + 2, text->size - 2);
    }
    return base;
}

/* [-+]? [0-9]+ | 0o [0-7]+ | 0x [0-9a-fA-F]+; the value where it fits, else only the double. */
static bool resolve_int(struct yaml_node *node)
{
    struct slice text = node->text;
    bool negative = text.at[0] == '-';
    unsigned base = take_base(&text);
    size_t i = base == 10 && (negative || text.at[0] == '+');
    if (i == text.size) {
        return false;
    }
    int64_t value = 0;
    double number = 0;
    bool fits = true;
    for (; i < text.size; i++) {
        unsigned digit = digit_of(text.at[i]);
        if (digit >= base) {
            return false;
        }
        number = number * base + digit;
        fits = fits && append_digit(&value, base, digit, negative);
    }
    node->kind = YAML_INT;
    node->integer = fits ? value : 0;
    node->number = fits ? (double)value : base == 8 ? number : to_double(node->text);
    return true;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool float_fits(struct slice text)
{
    size_t i = text.at[0] == '-' || text.at[0] == '+';
    size_t whole = digits(text, i);
    i += whole;
    if (i < text.size && text.at[i] == '.') {
        size_t fraction = digits(text, i + 1);
        if (whole + fraction == 0) {
            return false;
        }
        i += 1 + fraction;
    } else if (whole == 0) {
        return false;
    }
    if (i < text.size && (text.at[i] == 'e' || text.at[i] == 'E')) {
        i++;
        i += i < text.size && (text.at[i] == '-' || text.at[i] == '+');
        size_t exponent = digits(text, i);
        if (exponent == 0) {
            return false;
        }
        i += exponent;
    }
    return i == text.size;
}

static bool resolve_float(struct yaml_node *node)
{
    static const char *const infinite[] = {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", NULL};
    static const char *const negative[] = {"-.inf", "-.Inf", "-.INF", NULL};
    static const char *const nan[] = {".nan", ".NaN", ".NAN", NULL};
    if (one_of(node->text, infinite)) {
        node->number = __builtin_inf();
    } else if (one_of(node->text, negative)) {
        node->number = -__builtin_inf();
    } else if (one_of(node->text, nan)) {
        node->number = __builtin_nan("");
    } else {
        if (node->text.size >= FLOAT_TEXT || !float_fits(node->text)) {
            return false;
        }
        node->number = to_double(node->text);
    }
    node->kind = YAML_FLOAT;
    return true;
}

void yaml_resolve(struct yaml_node *node)
{
    static const char *const nulls[] = {"null", "Null", "NULL", "~", NULL};
    static const char *const yes[] = {"true", "True", "TRUE", NULL};
    static const char *const no[] = {"false", "False", "FALSE", NULL};
    struct slice text = node->text;
    node->kind = YAML_STRING;
    if (text.size == 0) {
        node->kind = YAML_NULL;
        return;
    }
    if (strchr("0123456789-+.", text.at[0]) && text.at[0]) {
        if (!resolve_int(node)) {
            (void)resolve_float(node);
        }
        return;
    }
    if (text.size > 5) {
        return; /* as long as "false" */
    }
    if (one_of(text, nulls)) {
        node->kind = YAML_NULL;
    } else if (one_of(text, yes) || one_of(text, no)) {
        node->kind = YAML_BOOL;
        node->integer = one_of(text, yes);
    }
}

/* ---- tags ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum yaml_kind kind;
} core_tags[] = {{"tag:yaml.org,2002:str", YAML_STRING}, {"tag:yaml.org,2002:null", YAML_NULL},
        {"tag:yaml.org,2002:bool", YAML_BOOL}, {"tag:yaml.org,2002:int", YAML_INT},
        {"tag:yaml.org,2002:float", YAML_FLOAT}, {"tag:yaml.org,2002:seq", YAML_LIST},
        {"tag:yaml.org,2002:map", YAML_MAP}, {"!", YAML_STRING}};

/* A scalar with a tag must resolve to what the tag says. */
static enum err apply_tag(
        struct reader *r, const yaml_event_t *event, struct yaml_node *node, const char *tag)
{
    for (size_t i = 0; i < sizeof core_tags / sizeof core_tags[0]; i++) {
        if (strcmp(tag, core_tags[i].name) != 0) {
            continue;
        }
        enum yaml_kind want = core_tags[i].kind;
        if (want == node->kind || strcmp(tag, "!") == 0) {
            return OK;
        }
        if (node->kind == YAML_LIST || node->kind == YAML_MAP || want == YAML_LIST ||
                want == YAML_MAP) {
            break;
        }
        if (want == YAML_STRING) {
            node->kind = YAML_STRING;
            node->quoted = true;
            return OK;
        }
        yaml_resolve(node);
        if (want == YAML_FLOAT && node->kind == YAML_INT) {
            node->kind = YAML_FLOAT;
        }
        return node->kind == want ? OK
                                  : fail_plain(r, event, ERR_SYNTAX, "value is not of its tag");
    }
    return diag_set(r->diag, ERR_UNSUPPORTED, node->line, node->column, "tag %s", tag);
}

/* ---- the tree ------------------------------------------------------------------------------ */

static enum err count_nodes(struct reader *r, const yaml_event_t *event, uint32_t more)
{
    if (more > r->limits->nodes - r->nodes) {
        return fail(r, event, ERR_LIMIT, "more YAML nodes than the limit, aliases counted",
                r->limits->nodes);
    }
    r->nodes += more;
    return OK;
}

static enum err new_node(struct reader *r, const yaml_event_t *event, struct yaml_node **out)
{
    TRY(count_nodes(r, event, 1));
    struct yaml_node *node = ARENA_NEW(r->arena, struct yaml_node);
    if (!node) {
        return fail_plain(r, event, ERR_MEMORY, "no memory for the YAML tree");
    }
    node->line = (uint32_t)event->start_mark.line + 1;
    node->column = (uint32_t)event->start_mark.column + 1;
    *out = node;
    return OK;
}

/* Puts a node where it stands: the root, the next item, a key or its value. */
static enum err attach(
        struct reader *r, const yaml_event_t *event, struct yaml_node *node, uint32_t height)
{
    if (r->depth == 0) {
        r->root = node;
        return OK;
    }
    struct frame *frame = &r->frames[r->depth - 1];
    if (height + 1 > frame->height) {
        frame->height = height + 1;
    }
    if (frame->node->kind == YAML_MAP && !frame->key) {
        if (node->kind == YAML_LIST || node->kind == YAML_MAP) {
            return fail_plain(r, event, ERR_SYNTAX, "a key must be a scalar");
        }
        if (!node->quoted && slice_equal(node->text, SLICE("<<"))) {
            return fail_plain(r, event, ERR_UNSUPPORTED, "merge key <<");
        }
        frame->key = node;
        return OK;
    }
    node->key = frame->key;
    frame->key = NULL;
    if (frame->last) {
        frame->last->next = node;
    } else {
        frame->node->first = node;
    }
    frame->last = node;
    frame->node->count++;
    return OK;
}

/* Remembers a node's name; *index is the anchor's number plus 1, 0 where there is no name. */
static enum err name_node(struct reader *r, const yaml_event_t *event, const yaml_char_t *name,
        struct yaml_node *node, uint32_t *index)
{
    *index = 0;
    if (!name) {
        return OK;
    }
    if (!r->anchors) {
        r->anchors = ARENA_ARRAY(r->arena, struct anchor, YAML_ANCHORS);
    }
    struct slice copy = arena_copy(r->arena, slice_text((const char *)name));
    if (!r->anchors || !copy.at) {
        return fail_plain(r, event, ERR_MEMORY, "no memory for the YAML tree");
    }
    if (r->anchor_count == YAML_ANCHORS) {
        return fail(r, event, ERR_LIMIT, "more anchors in a document than the limit", YAML_ANCHORS);
    }
    r->anchors[r->anchor_count++] = (struct anchor){.name = copy, .node = node, .nodes = 1};
    *index = r->anchor_count;
    return OK;
}

static enum err read_scalar(struct reader *r, const yaml_event_t *event)
{
    struct yaml_node *node;
    uint32_t anchor;
    TRY(new_node(r, event, &node));
    node->text = arena_copy(
            r->arena, slice_of((const char *)event->data.scalar.value, event->data.scalar.length));
    if (!node->text.at) {
        return fail_plain(r, event, ERR_MEMORY, "no memory for the YAML tree");
    }
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->kind = YAML_STRING;
    if (event->data.scalar.tag) {
        TRY(apply_tag(r, event, node, (const char *)event->data.scalar.tag));
    } else if (!node->quoted) {
        yaml_resolve(node);
    }
    TRY(name_node(r, event, event->data.scalar.anchor, node, &anchor));
    return attach(r, event, node, 0);
}

static enum err read_alias(struct reader *r, const yaml_event_t *event)
{
    struct slice name = slice_text((const char *)event->data.alias.anchor);
    const struct anchor *anchor = NULL;
    for (uint32_t i = r->anchor_count; i > 0 && !anchor; i--) {
        if (slice_equal(r->anchors[i - 1].name, name)) {
            anchor = &r->anchors[i - 1];
        }
    }
    if (!anchor) {
        return fail_plain(r, event, ERR_SYNTAX, "alias without an anchor before it");
    }
    if (anchor->open) {
        return fail_plain(r, event, ERR_SYNTAX, "alias inside of its own anchor");
    }
    if (anchor->height > r->limits->depth - r->depth) {
        return fail(r, event, ERR_LIMIT, "YAML nested deeper than the limit", r->limits->depth);
    }
    struct yaml_node *node;
    TRY(new_node(r, event, &node));
    TRY(count_nodes(r, event, anchor->nodes - 1));
    uint32_t line = node->line, column = node->column;
    *node = *anchor->node;
    node->next = NULL;
    node->key = NULL;
    node->line = line;
    node->column = column;
    return attach(r, event, node, anchor->height);
}

static enum err open_frame(struct reader *r, const yaml_event_t *event, enum yaml_kind kind)
{
    bool map = kind == YAML_MAP;
    const yaml_char_t *tag = map ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    const yaml_char_t *name =
            map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    if (r->depth == r->limits->depth) {
        return fail(r, event, ERR_LIMIT, "YAML nested deeper than the limit", r->limits->depth);
    }
    struct frame frame = {.nodes_before = r->nodes, .height = 1};
    TRY(new_node(r, event, &frame.node));
    frame.node->kind = kind;
    if (tag) {
        TRY(apply_tag(r, event, frame.node, (const char *)tag));
    }
    TRY(name_node(r, event, name, frame.node, &frame.anchor));
    if (frame.anchor) {
        r->anchors[frame.anchor - 1].open = true;
    }
    r->frames[r->depth++] = frame;
    return OK;
}

/* ---- equal keys ---------------------------------------------------------------------------- */

enum { FEW_KEYS = 16 };

static const struct yaml_node *equal_key_of_few(const struct yaml_node *map)
{
    for (const struct yaml_node *b = map->first; b; b = b->next) {
        for (const struct yaml_node *a = map->first; a != b; a = a->next) {
            if (slice_equal(a->key->text, b->key->text)) {
                return b->key;
            }
        }
    }
    return NULL;
}

const struct yaml_node *yaml_equal_key(const struct yaml_node *map, bool *failed)
{
    *failed = false;
    if (map->count <= FEW_KEYS) {
        return equal_key_of_few(map);
    }
    size_t room = 64;
    while (room < (size_t)map->count * 2) {
        room *= 2;
    }
    const struct yaml_node **slots = memory_alloc_array(room, sizeof(struct yaml_node *));
    const struct yaml_node *found = NULL;
    *failed = !slots;
    for (const struct yaml_node *n = map->first; slots && n && !found; n = n->next) {
        size_t i = hash_bytes(n->key->text, 0) & (room - 1);
        while (slots[i] && !slice_equal(slots[i]->text, n->key->text)) {
            i = (i + 1) & (room - 1);
        }
        if (slots[i]) {
            found = n->key;
        } else {
            slots[i] = n->key;
        }
    }
    memory_free(slots);
    return found;
}

static enum err close_frame(struct reader *r, const yaml_event_t *event)
{
    struct frame *frame = &r->frames[--r->depth];
    if (frame->node->kind == YAML_MAP) {
        bool failed;
        const struct yaml_node *key = yaml_equal_key(frame->node, &failed);
        if (failed) {
            return fail_plain(r, event, ERR_MEMORY, "no memory for the YAML tree");
        }
        if (key) {
            return diag_set(r->diag, ERR_SYNTAX, key->line, key->column,
                    "key '%.*s' stands twice in this map", SLICE_ARG(key->text));
        }
    }
    if (frame->anchor) {
        struct anchor *anchor = &r->anchors[frame->anchor - 1];
        anchor->open = false;
        anchor->nodes = r->nodes - frame->nodes_before;
        anchor->height = frame->height;
    }
    return attach(r, event, frame->node, frame->height);
}

/* ---- the stream ---------------------------------------------------------------------------- */

/* libyaml gives no place for bytes that it cannot decode, only an offset. */
static enum err parser_error(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR) {
        return diag_say(r->diag, ERR_MEMORY, "no memory to read YAML");
    }
    const char *words = p->problem ? p->problem : "not YAML";
    if (p->error != YAML_READER_ERROR) {
        return diag_set(r->diag, ERR_SYNTAX, (uint32_t)p->problem_mark.line + 1,
                (uint32_t)p->problem_mark.column + 1, "%s", words);
    }
    uint32_t line = 1, column = 1;
    for (size_t i = 0; i < p->problem_offset && i < r->text.size; i++) {
        column++;
        if (r->text.at[i] == '\n') {
            line++;
            column = 1;
        }
    }
    return diag_set(r->diag, ERR_SYNTAX, line, column, "%s", words);
}

static enum err read_event(struct reader *r, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(r, event);
    case YAML_ALIAS_EVENT:
        return read_alias(r, event);
    case YAML_SEQUENCE_START_EVENT:
        return open_frame(r, event, YAML_LIST);
    case YAML_MAPPING_START_EVENT:
        return open_frame(r, event, YAML_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_frame(r, event);
    case YAML_DOCUMENT_START_EVENT:
        r->root = NULL;
        r->anchor_count = 0;
        return OK;
    default:
        return OK;
    }
}

static enum err read_stream(struct reader *r, struct yaml_document **out)
{
    struct yaml_document **end = out;
    *out = NULL;
    for (;;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&r->parser, &event)) {
            return parser_error(r);
        }
        enum err e = read_event(r, &event);
        yaml_event_type_t type = event.type;
        yaml_event_delete(&event);
        if (e != OK || type == YAML_STREAM_END_EVENT) {
            return e;
        }
        if (type == YAML_DOCUMENT_END_EVENT) {
            struct yaml_document *document = ARENA_NEW(r->arena, struct yaml_document);
            if (!document) {
                return diag_say(r->diag, ERR_MEMORY, "no memory for the YAML tree");
            }
            document->root = r->root;
            *end = document;
            end = &document->next;
        }
    }
}

/* libyaml compares each tag directive with all before it: their square must stay small. */
static bool few_directives(struct slice text)
{
    unsigned count = text.size > 0 && text.at[0] == '%';
    const char *at = text.at, *end = text.at + text.size;
    while (count <= YAML_DIRECTIVES && at && (at = memchr(at, '%', (size_t)(end - at))) != NULL) {
        count += at > text.at && (at[-1] == '\n' || at[-1] == '\r');
        at++;
    }
    return count <= YAML_DIRECTIVES;
}

enum err yaml_read_any(struct arena *arena, struct slice text, const struct yaml_limits *limits,
        struct yaml_document **out, struct diag *diag)
{
    *out = NULL;
    if (text.size > limits->bytes) {
        return diag_say(diag, ERR_LIMIT, "%zu bytes of YAML, more than the limit of %zu", text.size,
                limits->bytes);
    }
    if (!few_directives(text)) {
        return diag_say(diag, ERR_LIMIT, "more lines that begin with %% than the limit of %d",
                (int)YAML_DIRECTIVES);
    }
    struct reader r = {.arena = arena, .limits = limits, .diag = diag, .text = text};
    r.frames = ARENA_ARRAY(arena, struct frame, limits->depth);
    if (!r.frames || !yaml_parser_initialize(&r.parser)) {
        return diag_say(diag, ERR_MEMORY, "no memory to read YAML");
    }
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(
            &r.parser, (const unsigned char *)(text.size ? text.at : ""), text.size);
    enum err e = read_stream(&r, out);
    yaml_parser_delete(&r.parser);
    return e;
}

enum err yaml_read_part(struct arena *arena, struct slice text, const struct yaml_limits *limits,
        struct yaml_document **out, struct diag *diag)
{
    return text.size <= limits->bytes && yaml_plain_read(arena, text, limits, out)
                   ? OK
                   : yaml_read_any(arena, text, limits, out, diag);
}

enum err yaml_read(struct arena *arena, struct slice text, const struct yaml_limits *limits,
        struct yaml_document **out, struct diag *diag)
{
    struct yaml_document *documents;
    TRY(yaml_read_part(arena, text, limits, &documents, diag));
    *out = documents;
    return OK;
}

struct yaml_node *yaml_get(const struct yaml_node *map, struct slice key)
{
    if (!map || map->kind != YAML_MAP) {
        return NULL;
    }
    for (struct yaml_node *n = map->first; n; n = n->next) {
        if (slice_equal(n->key->text, key)) {
            return n;
        }
    }
    return NULL;
}
