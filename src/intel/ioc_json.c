#include "intel/ioc_json.h"

#include "base/json_text.h"
#include "base/time.h"
#include "intel/ioc_pattern.h"

struct reading {
    struct ioc_load *load;
    struct slice bytes;
    size_t counted; /* bytes before this are counted in `line` */
    uint32_t line;
    struct buf text, label;
    struct slice info; /* of the MISP event at hand */
    uint64_t known;    /* things that are of one of the formats */
    struct diag *diag;
};

static uint32_t line_of(struct reading *r, struct slice value)
{
    size_t at = (size_t)(value.at - r->bytes.at);
    if (at < r->counted) {
        r->counted = 0;
        r->line = 1;
    }
    while (r->counted < at) {
        size_t left = at - r->counted;
        size_t step = slice_find_byte(slice_of(r->bytes.at + r->counted, left), '\n');
        r->line += step < left;
        r->counted += step < left ? step + 1 : step;
    }
    return r->line;
}

static bool is_text(struct slice value, const char *text)
{
    return value.size == strlen(text) + 2 && value.at[0] == '"' &&
           slice_equal(slice_of(value.at + 1, value.size - 2), slice_text(text));
}

static bool is_true(struct slice value)
{
    return slice_equal(value, SLICE("true")) || slice_equal(value, SLICE("1")) ||
           is_text(value, "1");
}

static bool has_text(struct slice value)
{
    return value.at && json_text_is_string(value) && value.size > 2;
}

/* Identity and words. */
static enum err make_label(struct reading *r, struct slice id, struct slice words)
{
    buf_clear(&r->label);
    if (has_text(id)) {
        json_text_add(&r->label, id);
    }
    if (has_text(words)) {
        buf_add(&r->label, r->label.size ? SLICE(" ") : SLICE(""));
        json_text_add(&r->label, words);
    }
    return r->label.failed ? ERR_MEMORY : OK;
}

/* ---- STIX -------------------------------------------------------------------------------------
 */

static enum err read_indicator(struct reading *r, struct slice object)
{
    struct slice pattern = json_text_get(object, SLICE("pattern")),
                 type = json_text_get(object, SLICE("pattern_type")),
                 until = json_text_get(object, SLICE("valid_until"));
    struct ioc ioc = {.line = line_of(r, object), .valid_until = INT64_MAX};
    TRY(make_label(r, json_text_get(object, SLICE("id")), json_text_get(object, SLICE("name"))));
    ioc.label = buf_slice(&r->label);
    if (slice_equal(json_text_get(object, SLICE("revoked")), SLICE("true"))) {
        ioc_load_refuse(r->load, ioc.line, "revoked");
        return OK;
    }
    if (type.at && !is_text(type, "stix")) {
        ioc_load_refuse(r->load, ioc.line, "a pattern of type %.*s", SLICE_ARG(type));
        return OK;
    }
    if (until.at && (!has_text(until) || !time_parse(slice_of(until.at + 1, until.size - 2),
                                                 &ioc.valid_until))) {
        ioc_load_refuse(r->load, ioc.line, "valid_until is no time");
        return OK;
    }
    buf_clear(&r->text);
    if (has_text(pattern)) {
        json_text_add(&r->text, pattern);
    }
    if (r->text.failed) {
        return ERR_MEMORY;
    }
    ioc.text = buf_slice(&r->text);
    return ioc_pattern_read(r->load, &ioc, r->diag);
}

static enum err read_stix(struct reading *r, struct slice object)
{
    if (is_text(json_text_get(object, SLICE("type")), "indicator")) {
        r->known++;
        return read_indicator(r, object);
    }
    struct slice objects = json_text_get(object, SLICE("objects"));
    struct json_text_members m = json_text_open(objects);
    r->known += objects.at != NULL;
    while (json_text_is_array(objects) && json_text_next(&m)) {
        if (is_text(json_text_get(m.value, SLICE("type")), "indicator")) {
            TRY(read_indicator(r, m.value));
        }
    }
    return OK;
}

/* ---- MISP -------------------------------------------------------------------------------------
 */

static enum err read_attribute(struct reading *r, struct slice attribute)
{
    struct slice type = json_text_get(attribute, SLICE("type")),
                 value = json_text_get(attribute, SLICE("value")),
                 comment = json_text_get(attribute, SLICE("comment"));
    struct ioc ioc = {.line = line_of(r, attribute), .valid_until = INT64_MAX};
    if (!is_true(json_text_get(attribute, SLICE("to_ids"))) ||
            is_true(json_text_get(attribute, SLICE("deleted")))) {
        r->load->passed++;
        return OK;
    }
    if (!has_text(type) || !has_text(value)) {
        ioc_load_refuse(r->load, ioc.line, "an attribute without type or value");
        return OK;
    }
    TRY(make_label(
            r, json_text_get(attribute, SLICE("uuid")), has_text(comment) ? comment : r->info));
    buf_clear(&r->text);
    json_text_add(&r->text, value);
    if (r->text.failed) {
        return ERR_MEMORY;
    }
    ioc.label = buf_slice(&r->label);
    ioc.text = buf_slice(&r->text);
    return ioc_load_add_typed(r->load, slice_of(type.at + 1, type.size - 2), &ioc, r->diag);
}

static enum err read_attributes(struct reading *r, struct slice list)
{
    struct json_text_members m = json_text_open(list);
    while (json_text_is_array(list) && json_text_next(&m)) {
        TRY(read_attribute(r, m.value));
    }
    return OK;
}

/* An event, or what has attributes like one. */
static enum err read_event(struct reading *r, struct slice object)
{
    struct slice event = json_text_get(object, SLICE("Event"));
    event = event.at ? event : object;
    struct slice attributes = json_text_get(event, SLICE("Attribute")),
                 objects = json_text_get(event, SLICE("Object"));
    r->known += attributes.at || objects.at;
    r->info = json_text_get(event, SLICE("info"));
    TRY(read_attributes(r, attributes));
    struct json_text_members m = json_text_open(objects);
    while (json_text_is_array(objects) && json_text_next(&m)) {
        TRY(read_attributes(r, json_text_get(m.value, SLICE("Attribute"))));
    }
    return OK;
}

/* ---- both -------------------------------------------------------------------------------------
 */

static enum err read_one(struct reading *r, struct slice object)
{
    TRY(read_stix(r, object));
    return read_event(r, object);
}

static enum err read_all(struct reading *r, struct slice value)
{
    struct slice inner = json_text_get(value, SLICE("response"));
    value = inner.at ? inner : value;
    if (!json_text_is_array(value)) {
        return read_one(r, value);
    }
    struct json_text_members m = json_text_open(value);
    while (json_text_next(&m)) {
        TRY(read_one(r, m.value));
    }
    return OK;
}

enum err ioc_json_read(struct ioc_load *load, struct slice bytes, struct diag *diag)
{
    struct reading r = {.load = load, .bytes = bytes, .line = 1, .diag = diag};
    TRY(json_text_check_whole(bytes, IOC_JSON_DEPTH, diag));
    enum err e = read_all(&r, slice_trim(bytes));
    buf_fini(&r.text);
    buf_fini(&r.label);
    if (e == OK && r.known == 0) {
        return diag_say(diag, ERR_UNSUPPORTED, "JSON, but neither STIX 2 nor MISP");
    }
    return e == ERR_MEMORY ? diag_say(diag, e, "no memory for indicators") : e;
}
