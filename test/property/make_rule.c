#include "property/make_rule.h"

/* Some of them are fields of System in the nested shapes, one is reached by two keys, some stand
 * elsewhere for some sources of process creation. */
const char *const make_rule_fields[MAKE_RULE_FIELDS] = {"Image", "CommandLine", "EventID",
        "ParentImage", "User", "Data", "a.b", "a.b.c", "Provider_Name", "Hashes", "x", "Computer",
        "ProcessId", "OriginalFileName", "IntegrityLevel"};

static const char *const logsources[] = {"product: windows, category: process_creation",
        "product: windows, category: registry_set", "product: windows, service: security",
        "product: windows, service: system", "product: windows, category: file_event",
        "product: windows", "category: process_creation", "service: sysmon, product: windows",
        "product: windows, category: network_connection", "category: image_load",
        "product: windows, category: ps_script", "service: security", "category: property",
        "category: property, product: windows", "service: property"};
enum { LOGSOURCES = sizeof logsources / sizeof *logsources };

/* Alternatives that overlap, fields from the first of several, values through a map, prefixes. */
const char make_rule_taxonomy[] =
        "logsources:\n"
        "  - category: property\n"
        "    when:\n"
        "      - channel: Security\n"
        "        event_id: [4624, '46*', 1]\n"
        "        fields:\n"
        "          Image: [ParentImage, Image, NewProcessName]\n"
        "          Hashes: [Data, Hashes]\n"
        "          User: {field: [OriginalFileName, User], map: {high: Low, '': empty, whoami: "
        "cmd}}\n"
        "      - channel: [Security, 'microsoft-windows-*']\n"
        "        fields: {CommandLine: [ProcessId, CommandLine, a], x: Data, Data: x}\n"
        "      - {channel: '*', event_id: '*'}\n"
        "  - service: property\n"
        "    when:\n"
        "      - channel: 'micro*'\n"
        "        fields: {Image: {field: Image, map: {whoami: High}}, x: [User, x]}\n"
        "      - event_type: '*'\n";

/* A double-quoted scalar. */
static void put_quoted(struct slice text, struct buf *yaml)
{
    buf_byte(yaml, '"');
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c == '"' || c == '\\') {
            buf_byte(yaml, '\\');
            buf_byte(yaml, (char)c);
        } else if (c < 0x20) {
            buf_format(yaml, "\\x%02X", c);
        } else {
            buf_byte(yaml, (char)c);
        }
    }
    buf_byte(yaml, '"');
}

/* A word as a value: its wildcards meant or escaped, or more of them put in. */
static void put_text(struct dice *dice, struct slice word, struct buf *yaml)
{
    struct buf text = {0};
    uint32_t how = dice_below(dice, 4);
    for (size_t i = 0; i < word.size;) {
        size_t size = words_character(word, i);
        if (how == 0 && dice_one_in(dice, 8)) {
            buf_byte(&text, dice_one_in(dice, 2) ? '*' : '?');
        }
        if (how == 1 && memchr("*?\\", word.at[i], 3)) {
            buf_byte(&text, '\\');
        }
        buf_add(&text, slice_of(word.at + i, size));
        i += size;
    }
    put_quoted(text.size ? buf_slice(&text) : SLICE(""), yaml);
    buf_fini(&text);
}

/* A regular expression without what a linear engine refuses. */
static void put_regex(struct dice *dice, struct slice word, struct buf *yaml)
{
    static const char *const parts[] = {
            ".*", ".", "\\d+", "[a-z]+", "[^ ]", "\\s", "\\w{1,3}", "(?:a|B|\\\\)", "x?", "\\b"};
    struct buf text = {0};
    if (dice_one_in(dice, 5)) {
        buf_byte(&text, '^');
    }
    for (size_t i = 0; i < word.size;) {
        size_t size = words_character(word, i);
        if (dice_one_in(dice, 6)) {
            buf_add(&text, slice_text(parts[dice_below(dice, sizeof parts / sizeof *parts)]));
        }
        if (size == 1 && memchr("\\*?.+()[]{}^$|/-", word.at[i], 16)) {
            buf_byte(&text, '\\');
        }
        buf_add(&text, slice_of(word.at + i, size));
        i += size;
    }
    buf_add(&text, dice_one_in(dice, 5) ? SLICE("$") : SLICE(""));
    buf_add(&text, text.size ? SLICE("") : SLICE("."));
    put_quoted(buf_slice(&text), yaml);
    buf_fini(&text);
}

static void put_plain(struct dice *dice, const char *const *list, uint32_t count, struct buf *yaml)
{
    buf_add(yaml, slice_text(list[dice_below(dice, count)]));
}

static void put_number(struct dice *dice, struct buf *yaml)
{
    static const char *const numbers[] = {"0", "1", "10", "4624", "-5", "1.5", "1000", "7",
            "9007199254740993", "0.1", "9007199254740992", "9223372036854775807",
            "18446744073709551616", "1e3"};
    put_plain(dice, numbers, sizeof numbers / sizeof *numbers, yaml);
}

static void put_network(struct dice *dice, struct buf *yaml)
{
    static const char *const networks[] = {"10.0.0.0/8", "10.1.2.3/32", "10.1.0.0/16", "0.0.0.0/0",
            "192.168.0.0/17", "'fe80::/10'", "'2001:db8::/32'", "'::/0'", "10.1.2.0/23"};
    put_plain(dice, networks, sizeof networks / sizeof *networks, yaml);
}

enum value_kind {
    VALUE_OF_TEXT,
    VALUE_OF_REGEX,
    VALUE_OF_NUMBER,
    VALUE_OF_NETWORK,
    VALUE_OF_BOOL,
    VALUE_OF_FIELD,
    VALUE_OF_PART
};

static const struct {
    const char *modifiers;
    enum value_kind value;
    uint8_t weight;
} chains[] = {
        {"", VALUE_OF_TEXT, 14},
        {"|contains", VALUE_OF_TEXT, 22},
        {"|startswith", VALUE_OF_TEXT, 8},
        {"|endswith", VALUE_OF_TEXT, 14},
        {"|contains|all", VALUE_OF_TEXT, 4},
        {"|cased", VALUE_OF_TEXT, 2},
        {"|contains|cased", VALUE_OF_TEXT, 3},
        {"|endswith|cased", VALUE_OF_TEXT, 2},
        {"|startswith|cased", VALUE_OF_TEXT, 2},
        {"|windash|contains", VALUE_OF_TEXT, 2},
        {"|base64offset|contains", VALUE_OF_TEXT, 1},
        {"|wide|base64|contains", VALUE_OF_TEXT, 1},
        {"|neq", VALUE_OF_TEXT, 1},
        {"|re", VALUE_OF_REGEX, 5},
        {"|re|i", VALUE_OF_REGEX, 3},
        {"|re|s", VALUE_OF_REGEX, 1},
        {"", VALUE_OF_NUMBER, 5},
        {"|gt", VALUE_OF_NUMBER, 1},
        {"|gte", VALUE_OF_NUMBER, 1},
        {"|lt", VALUE_OF_NUMBER, 1},
        {"|lte", VALUE_OF_NUMBER, 1},
        {"|cidr", VALUE_OF_NETWORK, 4},
        {"|exists", VALUE_OF_BOOL, 2},
        {"", VALUE_OF_BOOL, 1},
        {"|fieldref", VALUE_OF_FIELD, 2},
        {"|fieldref|startswith", VALUE_OF_FIELD, 1},
        {"|fieldref|endswith", VALUE_OF_FIELD, 1},
        {"|fieldref|contains", VALUE_OF_FIELD, 1},
        {"|hour", VALUE_OF_PART, 1},
        {"|minute", VALUE_OF_PART, 1},
        {"|week", VALUE_OF_PART, 1},
        {"|day", VALUE_OF_PART, 1},
};
enum { CHAINS = sizeof chains / sizeof *chains };

static uint32_t pick_chain(struct dice *dice)
{
    uint32_t sum = 0, i = 0;
    for (i = 0; i < CHAINS; i++) {
        sum += chains[i].weight;
    }
    uint32_t at = dice_below(dice, sum);
    for (i = 0; at >= chains[i].weight; i++) {
        at -= chains[i].weight;
    }
    return i;
}

static void put_value(
        struct dice *dice, const struct words *words, uint32_t chain, struct buf *yaml)
{
    static const char *const parts[] = {"4", "7", "23", "5", "59", "53", "9", "29", "31", "10"};
    bool bare = chains[chain].modifiers[0] == '\0';
    if (bare && dice_one_in(dice, 14)) {
        buf_add(yaml, dice_one_in(dice, 2) ? SLICE("null") : SLICE("'*'"));
        return;
    }
    switch (chains[chain].value) {
    case VALUE_OF_TEXT:
        put_text(dice, words_pick(words, dice), yaml);
        break;
    case VALUE_OF_REGEX:
        put_regex(dice, words_pick(words, dice), yaml);
        break;
    case VALUE_OF_NUMBER:
        put_number(dice, yaml);
        break;
    case VALUE_OF_NETWORK:
        put_network(dice, yaml);
        break;
    case VALUE_OF_BOOL:
        buf_add(yaml, dice_one_in(dice, 2) ? SLICE("true") : SLICE("false"));
        break;
    case VALUE_OF_PART:
        put_plain(dice, parts, sizeof parts / sizeof *parts, yaml);
        break;
    default:
        put_plain(dice, make_rule_fields, MAKE_RULE_FIELDS, yaml);
    }
}

/* "      - a\n      - b" or " a". */
static void put_values(
        struct dice *dice, const struct words *words, uint32_t chain, struct buf *yaml)
{
    bool all = slice_ends(slice_text(chains[chain].modifiers), SLICE("|all"));
    bool single = chains[chain].value == VALUE_OF_FIELD ||
                  (chains[chain].value == VALUE_OF_BOOL && chains[chain].modifiers[0]);
    uint32_t count = all ? 2 + dice_below(dice, 2) : 1 + dice_below(dice, 4);
    if (single || (!all && dice_one_in(dice, 2))) {
        buf_byte(yaml, ' ');
        put_value(dice, words, chain, yaml);
        buf_byte(yaml, '\n');
        return;
    }
    buf_byte(yaml, '\n');
    for (uint32_t i = 0; i < count; i++) {
        buf_add(yaml, SLICE("        - "));
        put_value(dice, words, chain, yaml);
        buf_byte(yaml, '\n');
    }
}

/* Items of a map, each of another field; `indent` stands before all but the first. */
static void put_map(
        struct dice *dice, const struct words *words, const char *indent, struct buf *yaml)
{
    uint32_t used = 0, count = 1 + dice_below(dice, 3);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t field = dice_below(dice, MAKE_RULE_FIELDS), chain = pick_chain(dice);
        if (used >> field & 1) {
            continue;
        }
        used |= 1u << field;
        buf_format(
                yaml, "%s%s%s:", i ? indent : "", make_rule_fields[field], chains[chain].modifiers);
        put_values(dice, words, chain, yaml);
    }
}

static void put_keywords(struct dice *dice, const struct words *words, struct buf *yaml)
{
    uint32_t count = 1 + dice_below(dice, 3);
    if (dice_one_in(dice, 4)) {
        buf_add(yaml, dice_one_in(dice, 2) ? SLICE("      '|all':\n") : SLICE("      '|re':\n"));
        bool regex = slice_ends(buf_slice(yaml), SLICE("'|re':\n"));
        for (uint32_t i = 0; i < count + 1; i++) {
            buf_add(yaml, SLICE("        - "));
            if (regex) {
                put_regex(dice, words_pick(words, dice), yaml);
            } else {
                put_text(dice, words_pick(words, dice), yaml);
            }
            buf_byte(yaml, '\n');
        }
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        buf_add(yaml, SLICE("      - "));
        if (dice_one_in(dice, 10)) {
            put_number(dice, yaml);
        } else {
            put_text(dice, words_pick(words, dice), yaml);
        }
        buf_byte(yaml, '\n');
    }
}

static void put_selection(struct dice *dice, const struct words *words, struct buf *yaml)
{
    uint32_t kind = dice_below(dice, 10);
    if (kind == 0) {
        put_keywords(dice, words, yaml);
    } else if (kind == 1) {
        uint32_t count = 1 + dice_below(dice, 3);
        for (uint32_t i = 0; i < count; i++) {
            buf_add(yaml, SLICE("      - "));
            put_map(dice, words, "        ", yaml);
        }
    } else {
        buf_add(yaml, SLICE("      "));
        put_map(dice, words, "      ", yaml);
    }
}

/* ---- condition ----------------------------------------------------------------------------- */

static void put_operand(struct dice *dice, uint32_t selections, struct buf *yaml)
{
    static const char *const groups[] = {"1 of s_*", "all of s_*", "all of them", "1 of them",
            "any of them", "any of s_*", "2 of s_*", "2 of them", "3 of them", "1 of *_1"};
    if (dice_one_in(dice, 5)) {
        put_plain(dice, groups, sizeof groups / sizeof *groups, yaml);
    } else {
        buf_format(yaml, "s_%u", dice_below(dice, selections));
    }
}

static void put_condition(struct dice *dice, uint32_t selections, unsigned depth, struct buf *yaml)
{
    uint32_t operands = 1 + dice_below(dice, 3);
    for (uint32_t i = 0; i < operands; i++) {
        if (i) {
            buf_add(yaml, dice_one_in(dice, 2) ? SLICE(" and ") : SLICE(" or "));
        }
        if (dice_one_in(dice, 4)) {
            buf_add(yaml, SLICE("not "));
        }
        if (depth < 3 && dice_one_in(dice, 4)) {
            buf_byte(yaml, '(');
            put_condition(dice, selections, depth + 1, yaml);
            buf_byte(yaml, ')');
        } else {
            put_operand(dice, selections, yaml);
        }
    }
}

void make_rule(struct dice *dice, const struct words *words, uint32_t number, bool routed,
        struct buf *yaml)
{
    uint32_t selections = 1 + dice_below(dice, 4);
    buf_format(
            yaml, "title: r%u\nid: 00000000-0000-4000-8000-%012u\nstatus: test\n", number, number);
    buf_format(yaml, "logsource: {%s}\ndetection:\n",
            routed ? logsources[dice_below(dice, LOGSOURCES)] : "category: test");
    for (uint32_t i = 0; i < selections; i++) {
        buf_format(yaml, "    s_%u:\n", i);
        put_selection(dice, words, yaml);
    }
    buf_add(yaml, SLICE("    condition: "));
    if (dice_one_in(dice, 3)) {
        buf_add(yaml, SLICE("s_0"));
    } else {
        put_condition(dice, selections, 0, yaml);
    }
    buf_byte(yaml, '\n');
}
