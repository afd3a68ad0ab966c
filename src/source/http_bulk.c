#include "source/http_bulk.h"

#include "base/json_text.h"
#include "base/utf8.h"
#include "source/http_batch.h"

enum { DEPTH = 4 }; /* of the line that says what to do */

static const char *const names[HTTP_BULK_ACTIONS] = {"index", "create", "update", "delete"};

const char *http_bulk_action_name(enum http_bulk_action action)
{
    return names[action];
}

const char *http_bulk_check_id(struct slice id)
{
    if (id.size == 0) {
        return "if _id is specified it must not be empty";
    }
    if (id.size > HTTP_BULK_ID) {
        return "_id is too long, 512 bytes are allowed";
    }
    bool plain = utf8_valid(id);
    for (size_t i = 0; i < id.size; i++) {
        unsigned char c = (unsigned char)id.at[i];
        plain = plain && c >= 0x20 && c != '"' && c != '\\';
    }
    return plain ? NULL : "_id may not have quotes, escapes or control bytes";
}

/* A text or number, as written. */
static struct slice plain(struct slice value)
{
    bool text = json_text_is_string(value) && value.size >= 2;
    return text ? slice_of(value.at + 1, value.size - 2) : value;
}

static bool take_line(struct http_bulk *bulk, struct slice *line)
{
    bulk->line++;
    if (slice_find_byte(bulk->rest, '\n') == bulk->rest.size) {
        bulk->wrong = "The bulk request must be terminated by a newline [\\n]";
        return false;
    }
    *line = slice_cut(&bulk->rest, '\n');
    line->size -= line->size > 0 && line->at[line->size - 1] == '\r';
    return true;
}

static bool read_action(struct slice line, struct http_bulk_item *item)
{
    if (json_text_check_whole(line, DEPTH, NULL) != OK || !json_text_is_object(slice_trim(line))) {
        return false;
    }
    struct json_text_members m = json_text_open(line);
    if (!json_text_next(&m) || !json_text_is_object(m.value)) {
        return false;
    }
    item->action = HTTP_BULK_ACTIONS;
    for (int i = 0; i < HTTP_BULK_ACTIONS; i++) {
        if (slice_equal(m.key, slice_text(names[i]))) {
            item->action = (enum http_bulk_action)i;
        }
    }
    item->index = plain(json_text_get(m.value, SLICE("_index")));
    item->id = plain(json_text_get(m.value, SLICE("_id")));
    if (slice_equal(item->id, SLICE("null"))) {
        item->id = (struct slice){0};
    }
    return item->action < HTTP_BULK_ACTIONS && !json_text_next(&m);
}

bool http_bulk_next(struct http_bulk *bulk, struct http_bulk_item *item)
{
    struct http_bulk_item found = {0};
    struct slice line;
    if (bulk->rest.size == 0 || bulk->wrong || !take_line(bulk, &line)) {
        return false;
    }
    if (!read_action(line, &found)) {
        bulk->wrong = "Malformed action/metadata line";
        return false;
    }
    found.line = line;
    if (found.action != HTTP_BULK_DELETE && !take_line(bulk, &found.source)) {
        return false;
    }
    if (found.action == HTTP_BULK_UPDATE || found.action == HTTP_BULK_DELETE) {
        found.wrong = "only index and create are supported";
    } else if (found.id.at) {
        found.wrong = http_bulk_check_id(found.id);
    }
    if (!found.wrong) {
        found.wrong = http_batch_check_object(slice_trim(found.source));
        found.broken = found.wrong != NULL;
    }
    *item = found;
    return true;
}
