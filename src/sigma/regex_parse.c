#include "sigma/regex_parse.h"

#include "base/hash.h"
#include "base/utf8.h"
#include "sigma/regex.h"
#include "sigma/regex_lex.h"

enum { BUCKETS = 256 };

/* An open parenthesis, or the whole. */
struct group {
    struct regex_tree *alt; /* the last finished alternative */
    struct regex_tree *cat; /* the last item of the one at hand */
    uint32_t alts;
    uint32_t items;
    uint32_t alt_size, alt_least;
    uint32_t cat_size, cat_least;
    unsigned flags; /* outside of it */
    size_t pos;
};

struct parser {
    struct regex_lex lex;
    struct regex_parsed *out;
    unsigned flags;
    bool repeatable; /* a quantifier may come */
    bool quantified; /* one has just come */
    uint32_t depth;
    struct regex_shared *buckets[BUCKETS];
    struct group groups[REGEX_GROUP_DEPTH + 1];
};

static uint32_t add_capped(uint32_t a, uint64_t b)
{
    uint64_t sum = a + b;
    return sum > INT32_MAX ? INT32_MAX : (uint32_t)sum;
}

static enum err too_large(const struct parser *p, size_t pos)
{
    return regex_lex_fail(&p->lex, ERR_LIMIT, pos,
            "the pattern takes more than REGEX_PROGRAM_LIMIT (%d) instructions",
            REGEX_PROGRAM_LIMIT);
}

static struct regex_tree *tree_new(struct parser *p, enum regex_tree_kind kind)
{
    struct regex_tree *tree = ARENA_NEW(p->lex.arena, struct regex_tree);
    if (tree) {
        tree->kind = kind;
    }
    return tree;
}

static enum err append(struct parser *p, struct regex_tree *tree, size_t pos)
{
    struct group *g = &p->groups[p->depth];
    tree->before = g->cat;
    g->cat = tree;
    g->items++;
    g->cat_size = add_capped(g->cat_size, tree->size);
    g->cat_least = add_capped(g->cat_least, tree->least);
    p->repeatable = true;
    p->quantified = false;
    return g->cat_size >= REGEX_PROGRAM_LIMIT ? too_large(p, pos) : OK;
}

/* ---- items ----------------------------------------------------------------------------------- */

static enum err share(struct parser *p, const struct regex_class *set, size_t pos,
        const struct regex_shared **out)
{
    uint64_t hash =
            hash_bytes(slice_of((const char *)set->at, set->count * sizeof *set->at), set->count);
    struct regex_shared **bucket = &p->buckets[hash % BUCKETS];
    for (struct regex_shared *s = *bucket; s; s = s->next) {
        if (s->hash == hash && s->set.count == set->count &&
                (set->count == 0 ||
                        memcmp(s->set.at, set->at, set->count * sizeof *set->at) == 0)) {
            *out = s;
            return OK;
        }
    }
    struct regex_shared *s = ARENA_NEW(p->lex.arena, struct regex_shared);
    if (!s) {
        return ERR_MEMORY;
    }
    *s = (struct regex_shared){.next = *bucket,
            .hash = hash,
            .set = *set,
            .node = p->out->nodes.count,
            .least = regex_bytes_least(set)};
    enum err e =
            regex_bytes_build(p->lex.arena, &p->out->nodes, set, REGEX_PROGRAM_LIMIT, &s->count);
    if (e == ERR_LIMIT) {
        return too_large(p, pos);
    }
    TRY(e);
    *bucket = s;
    *out = s;
    return OK;
}

static enum err item_class(struct parser *p, const struct regex_class *set, size_t pos)
{
    if (set->count == 1 && set->at[0].low == set->at[0].high && set->at[0].low != REGEX_INVALID) {
        struct regex_tree *one = tree_new(p, TREE_BYTES);
        if (!one) {
            return ERR_MEMORY;
        }
        char bytes[4];
        one->code = set->at[0].low;
        one->size = (uint32_t)utf8_encode(one->code, bytes);
        one->least = one->size;
        return append(p, one, pos);
    }
    struct regex_tree *tree = tree_new(p, TREE_CLASS);
    if (!tree) {
        return ERR_MEMORY;
    }
    TRY(share(p, set, pos, &tree->shared));
    tree->size = tree->shared->count;
    tree->least = tree->shared->least;
    return append(p, tree, pos);
}

static enum err item_code(struct parser *p, uint32_t code, size_t pos)
{
    struct regex_range one = {code, code};
    struct regex_class set = {.at = &one, .count = 1, .room = 1};
    if (p->flags & REGEX_NOCASE) {
        TRY(regex_class_fold(p->lex.arena, &set, &p->lex.folds));
    }
    return item_class(p, &set, pos);
}

static enum err item_set(struct parser *p, char letter, size_t pos)
{
    struct regex_class set = {0};
    TRY(regex_class_add_escape(p->lex.arena, &set, letter));
    regex_class_order(&set);
    return item_class(p, &set, pos);
}

static enum err item_dot(struct parser *p, size_t pos)
{
    if (!(p->flags & REGEX_DOTALL)) {
        return item_set(p, 'N', pos);
    }
    struct regex_class set = {0};
    TRY(regex_class_negate(p->lex.arena, &set));
    return item_class(p, &set, pos);
}

static enum err item_look(struct parser *p, enum regex_look look, size_t pos)
{
    struct regex_tree *tree = tree_new(p, TREE_ASSERT);
    if (!tree) {
        return ERR_MEMORY;
    }
    tree->look = look;
    tree->size = 1;
    return append(p, tree, pos);
}

static enum err item_escape(struct parser *p, size_t pos)
{
    struct regex_piece piece;
    TRY(regex_lex_escape(&p->lex, &piece));
    switch (piece.kind) {
    case PIECE_CODE:
        return item_code(p, piece.code, pos);
    case PIECE_SET:
        return item_set(p, piece.letter, pos);
    case PIECE_LOOK:
        return item_look(p, piece.look, pos);
    case PIECE_NOTHING:
        break;
    }
    return OK;
}

/* ---- repetition ------------------------------------------------------------------------------ */

static enum err repeat(struct parser *p, uint32_t low, uint32_t high, size_t pos)
{
    if (!p->repeatable) {
        return p->quantified ? regex_lex_fail(&p->lex, ERR_UNSUPPORTED, pos,
                                       "a repetition of a repetition: put the inner one in (?: )")
                             : regex_lex_fail(&p->lex, ERR_SYNTAX, pos, "nothing to repeat");
    }
    if (regex_lex_peek(&p->lex, 0) == '+') {
        return regex_lex_fail(
                &p->lex, ERR_UNSUPPORTED, p->lex.pos, "possessive repetition is not supported");
    }
    /* Lazy or greedy: the same texts match. */
    p->lex.pos += regex_lex_peek(&p->lex, 0) == '?';
    struct group *g = &p->groups[p->depth];
    struct regex_tree *child = g->cat;
    struct regex_tree *tree = tree_new(p, TREE_REPEAT);
    if (!tree) {
        return ERR_MEMORY;
    }
    g->cat = child->before;
    g->items--;
    g->cat_size -= child->size;
    g->cat_least -= child->least;
    child->before = NULL;
    tree->last = child;
    tree->low = low;
    tree->high = high;
    uint64_t copies = high == TREE_ENDLESS ? (low ? low : 1) : high;
    uint64_t splits = high == TREE_ENDLESS ? 1 : high - low;
    if (child->size == 0) {
        splits = 0; /* nothing, however often */
    }
    tree->size = add_capped(0, copies * child->size + splits);
    tree->least = add_capped(0, (uint64_t)low * child->least);
    TRY(append(p, tree, pos));
    p->repeatable = false;
    p->quantified = true;
    return OK;
}

static enum err item_brace(struct parser *p, size_t pos)
{
    bool is;
    uint32_t low, high;
    TRY(regex_lex_counts(&p->lex, &is, &low, &high));
    return is ? repeat(p, low, high, pos) : item_code(p, '{', pos);
}

/* ---- groups ---------------------------------------------------------------------------------- */

/* What the alternative at hand is; the group's list is empty again. */
static struct regex_tree *take_cat(struct parser *p)
{
    struct group *g = &p->groups[p->depth];
    struct regex_tree *tree = g->cat;
    if (g->items != 1) {
        tree = tree_new(p, g->items ? TREE_CAT : TREE_EMPTY);
        if (!tree) {
            return NULL;
        }
        tree->last = g->cat;
        tree->size = g->cat_size;
        tree->least = g->cat_least;
    }
    g->cat = NULL;
    g->items = 0;
    g->cat_size = 0;
    g->cat_least = 0;
    return tree;
}

static enum err alternative(struct parser *p, size_t pos)
{
    struct group *g = &p->groups[p->depth];
    struct regex_tree *tree = take_cat(p);
    if (!tree) {
        return ERR_MEMORY;
    }
    tree->before = g->alt;
    g->alt = tree;
    g->alt_size = add_capped(g->alt_size, (uint64_t)tree->size + (g->alts > 0));
    g->alt_least = g->alts == 0 || tree->least < g->alt_least ? tree->least : g->alt_least;
    g->alts++;
    p->repeatable = false;
    p->quantified = false;
    return g->alt_size >= REGEX_PROGRAM_LIMIT ? too_large(p, pos) : OK;
}

static enum err take_group(struct parser *p, size_t pos, struct regex_tree **out)
{
    struct group *g = &p->groups[p->depth];
    TRY(alternative(p, pos));
    struct regex_tree *tree = g->alt;
    if (g->alts > 1) {
        tree = tree_new(p, TREE_ALT);
        if (!tree) {
            return ERR_MEMORY;
        }
        tree->last = g->alt;
        tree->size = g->alt_size;
        tree->least = g->alt_least;
    }
    tree->before = NULL;
    *out = tree;
    return OK;
}

static enum err open_group(struct parser *p, size_t pos, unsigned flags)
{
    if (p->depth == REGEX_GROUP_DEPTH) {
        return regex_lex_fail(&p->lex, ERR_LIMIT, pos,
                "more than REGEX_GROUP_DEPTH (%d) groups in each other", REGEX_GROUP_DEPTH);
    }
    p->groups[++p->depth] = (struct group){.flags = p->flags, .pos = pos};
    p->flags = flags;
    p->repeatable = false;
    p->quantified = false;
    return OK;
}

static enum err close_group(struct parser *p, size_t pos)
{
    if (p->depth == 0) {
        return regex_lex_fail(&p->lex, ERR_SYNTAX, pos, "a ) without its (");
    }
    struct regex_tree *tree;
    TRY(take_group(p, pos, &tree));
    p->flags = p->groups[p->depth].flags;
    p->depth--;
    return append(p, tree, pos);
}

static unsigned flag_of(char letter)
{
    switch (letter) {
    case 'i':
        return REGEX_NOCASE;
    case 'm':
        return REGEX_MULTILINE;
    case 's':
        return REGEX_DOTALL;
    case 'x':
        return REGEX_LEX_EXTENDED;
    default:
        return 0;
    }
}

/* (?i) (?i-s:...) (?^:...), from the first letter. */
static enum err open_flags(struct parser *p, size_t pos)
{
    struct regex_lex *lex = &p->lex;
    unsigned flags = p->flags;
    bool off = false;
    if (regex_lex_peek(lex, 0) == '^') {
        flags = 0;
        lex->pos++;
    }
    for (;; lex->pos++) {
        char c = regex_lex_peek(lex, 0);
        unsigned flag = flag_of(c);
        if (c == ')' || c == ':') {
            break;
        }
        if (c == '-' && !off) {
            off = true;
        } else if (c == 'x' && regex_lex_peek(lex, 1) == 'x') {
            return regex_lex_fail(lex, ERR_UNSUPPORTED, lex->pos, "(?xx) is not supported");
        } else if (flag) {
            flags = off ? flags & ~flag : flags | flag;
        } else if (c != 'U' && c != 'J' && c != 'n') { /* these change nothing of what matches */
            return regex_lex_fail(lex, ERR_SYNTAX, lex->pos, "unknown group (?...");
        }
    }
    if (lex->at[lex->pos++] == ':') {
        return open_group(p, pos, flags);
    }
    p->flags = flags;
    p->repeatable = false;
    p->quantified = false;
    return OK;
}

/* A group's name, up to its closing mark. */
static enum err open_named(struct parser *p, size_t pos, char mark)
{
    struct regex_lex *lex = &p->lex;
    size_t start = lex->pos;
    for (;; lex->pos++) {
        char c = regex_lex_peek(lex, 0);
        char lower = (char)(c | 0x20);
        bool digit = c >= '0' && c <= '9' && lex->pos > start;
        if (!digit && !(lower >= 'a' && lower <= 'z') && c != '_') {
            break;
        }
    }
    if (lex->pos == start || regex_lex_peek(lex, 0) != mark) {
        return regex_lex_fail(lex, ERR_SYNTAX, lex->pos, "expected a name and '%c'", mark);
    }
    lex->pos++;
    return open_group(p, pos, p->flags);
}

static const struct opening {
    const char *text; /* after the parenthesis */
    const char *words;
} REFUSED[] = {
        {"*", "(* (a verb)"},
        {"?=", "(?= (look-ahead)"},
        {"?!", "(?! (look-ahead)"},
        {"?<=", "(?<= (look-behind)"},
        {"?<!", "(?<! (look-behind)"},
        {"?*", "(?* (look-ahead)"},
        {"?<*", "(?<* (look-behind)"},
        {"?>", "(?> (atomic group)"},
        {"?(", "(?( (conditional)"},
        {"?C", "(?C (callout)"},
        {"?R", "(?R (recursion)"},
        {"?&", "(?& (recursion)"},
        {"?P>", "(?P> (recursion)"},
        {"?P=", "(?P= (back-reference)"},
        {"?+", "(?+ (recursion)"},
};

static enum err refuse_group(const struct parser *p, size_t pos)
{
    const struct regex_lex *lex = &p->lex;
    struct slice rest = slice_of(lex->at + lex->pos, lex->size - lex->pos);
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        if (slice_starts(rest, slice_text(REFUSED[i].text))) {
            return regex_lex_fail(
                    lex, ERR_UNSUPPORTED, pos, "%s is not supported", REFUSED[i].words);
        }
    }
    char digit = regex_lex_peek(lex, regex_lex_peek(lex, 1) == '-' ? 2 : 1);
    if (regex_lex_peek(lex, 0) == '?' && digit >= '0' && digit <= '9') {
        return regex_lex_fail(
                lex, ERR_UNSUPPORTED, pos, "(?%c (recursion) is not supported", digit);
    }
    return OK;
}

static enum err comment(struct parser *p, size_t pos)
{
    struct regex_lex *lex = &p->lex;
    while (lex->pos < lex->size) {
        if (lex->at[lex->pos++] == ')') {
            return OK;
        }
    }
    return regex_lex_fail(lex, ERR_SYNTAX, pos, "a comment without its )");
}

static enum err item_open(struct parser *p, size_t pos)
{
    struct regex_lex *lex = &p->lex;
    TRY(refuse_group(p, pos));
    if (regex_lex_peek(lex, 0) != '?') {
        return open_group(p, pos, p->flags);
    }
    lex->pos++;
    switch (regex_lex_peek(lex, 0)) {
    case ':':
    case '|': /* numbers of groups start again: nobody asks for them */
        lex->pos++;
        return open_group(p, pos, p->flags);
    case '#':
        return comment(p, pos);
    case 'P':
        lex->pos++;
        if (regex_lex_peek(lex, 0) != '<') {
            return regex_lex_fail(lex, ERR_SYNTAX, pos, "unknown group (?P");
        }
        lex->pos++;
        return open_named(p, pos, '>');
    case '<':
        lex->pos++;
        return open_named(p, pos, '>');
    case '\'':
        lex->pos++;
        return open_named(p, pos, '\'');
    default:
        return open_flags(p, pos);
    }
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* White space and comments under (?x), quoted text. true: something was taken. */
static bool skip(struct parser *p)
{
    struct regex_lex *lex = &p->lex;
    char c = lex->at[lex->pos];
    if (lex->quote) {
        if (c == '\\' && regex_lex_peek(lex, 1) == 'E') {
            lex->pos += 2;
            lex->quote = false;
            return true;
        }
        return false;
    }
    if (!(p->flags & REGEX_LEX_EXTENDED)) {
        return false;
    }
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
        lex->pos++;
        return true;
    }
    if (c != '#') {
        return false;
    }
    while (lex->pos < lex->size && lex->at[lex->pos] != '\n') {
        lex->pos++;
    }
    return true;
}

static enum err item_mark(struct parser *p, char c, size_t pos)
{
    bool lines = (p->flags & REGEX_MULTILINE) != 0;
    struct regex_class set;
    switch (c) {
    case '[':
        TRY(regex_lex_class(&p->lex, p->flags, &set));
        return item_class(p, &set, pos);
    case '.':
        return item_dot(p, pos);
    case '^':
        return item_look(p, lines ? LOOK_LINE_START : LOOK_TEXT_START, pos);
    case '$':
        return item_look(p, lines ? LOOK_LINE_END : LOOK_LAST_LINE, pos);
    case '*':
        return repeat(p, 0, TREE_ENDLESS, pos);
    case '+':
        return repeat(p, 1, TREE_ENDLESS, pos);
    case '?':
        return repeat(p, 0, 1, pos);
    default:
        return item_brace(p, pos);
    }
}

static enum err item(struct parser *p)
{
    struct regex_lex *lex = &p->lex;
    size_t pos = lex->pos;
    char c = lex->at[pos];
    if (lex->quote) {
        return item_code(p, regex_lex_code(lex), pos);
    }
    switch (c) {
    case '\\':
        lex->pos++;
        return item_escape(p, pos);
    case '(':
        lex->pos++;
        return item_open(p, pos);
    case ')':
        lex->pos++;
        return close_group(p, pos);
    case '|':
        lex->pos++;
        return alternative(p, pos);
    case '[':
    case '.':
    case '^':
    case '$':
    case '*':
    case '+':
    case '?':
    case '{':
        lex->pos++;
        return item_mark(p, c, pos);
    default:
        return item_code(p, regex_lex_code(lex), pos);
    }
}

static enum err parse(struct parser *p)
{
    struct regex_lex *lex = &p->lex;
    while (lex->pos < lex->size) {
        if (!skip(p)) {
            TRY(item(p));
        }
    }
    if (p->depth > 0) {
        return regex_lex_fail(lex, ERR_SYNTAX, p->groups[p->depth].pos, "a ( without its )");
    }
    return take_group(p, lex->size, &p->out->root);
}

enum err regex_parse(struct arena *scratch, struct slice pattern, unsigned flags,
        struct regex_parsed *out, struct diag *diag)
{
    struct parser *p = ARENA_NEW(scratch, struct parser);
    if (!p) {
        return diag_say(diag, ERR_MEMORY, "no memory for the pattern");
    }
    p->lex = (struct regex_lex){
            .at = pattern.at, .size = pattern.size, .arena = scratch, .diag = diag};
    p->out = out;
    p->flags = flags & (REGEX_NOCASE | REGEX_MULTILINE | REGEX_DOTALL);
    size_t valid = utf8_valid_prefix(pattern);
    if (pattern.size > REGEX_PATTERN_LIMIT) {
        return regex_lex_fail(&p->lex, ERR_LIMIT, REGEX_PATTERN_LIMIT,
                "the pattern is longer than REGEX_PATTERN_LIMIT (%d) bytes", REGEX_PATTERN_LIMIT);
    }
    if (valid < pattern.size) {
        return regex_lex_fail(&p->lex, ERR_SYNTAX, valid, "the pattern is not UTF-8");
    }
    enum err e = parse(p);
    if (e == ERR_MEMORY) {
        return diag_say(diag, ERR_MEMORY, "no memory for the pattern");
    }
    return e;
}
