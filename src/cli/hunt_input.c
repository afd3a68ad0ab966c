#include "cli/hunt_input.h"

#include "cli/formats.h"
#include "net/authorize.h"

#define RECORD_BYTES_MOST ((unsigned long)1 << 30)

static const struct option_row rows[] = {HUNT_INPUT_ROWS};

static enum err wrong(struct diag *diag, int option, const char *value, const char *expected)
{
    return diag_say(diag, ERR_USAGE, "--%s: '%.80s' is no %s", rows[option].name, value, expected);
}

/* What is of stored records alone. */
static enum err take_stored(
        struct hunt_input *input, int option, const char *value, struct diag *diag)
{
    input->of_stored = rows[option].name;
    switch (option) {
    case HUNT_INPUT_TENANT:
        input->tenant = value;
        return authorize_tenant_valid(slice_text(value))
                       ? OK
                       : wrong(diag, option, value, "tenant's path");
    default:
        return replay_take_place(value, rows[option].name,
                option == HUNT_INPUT_FROM ? &input->from : &input->to, diag);
    }
}

enum err hunt_input_take(struct hunt_input *input, int option, const char *value, struct diag *diag)
{
    unsigned long bytes;
    switch (option) {
    case HUNT_INPUT_FORMAT:
        input->of_files = rows[option].name;
        input->decoder = formats_find(value);
        return input->decoder ? OK : wrong(diag, option, value, "format that is known");
    case HUNT_INPUT_ARCHIVE:
        input->archive = value;
        return OK;
    case HUNT_INPUT_DATA:
        input->of_log = rows[option].name;
        input->data = value;
        return OK;
    case HUNT_INPUT_ZONE:
        return formats_zone(value, &input->limits, diag);
    case HUNT_INPUT_YEAR:
        return formats_year(value, &input->limits, diag);
    case HUNT_INPUT_TAXONOMY:
        return words_add(&input->taxonomies, value);
    case HUNT_INPUT_MAX_RECORD:
        if (!option_bytes(value, RECORD_BYTES_MOST, &bytes)) {
            return wrong(diag, option, value, "size up to 1G; write 64K, 16M");
        }
        input->limits.record_bytes = bytes;
        return OK;
    default:
        return take_stored(input, option, value, diag);
    }
}

enum err hunt_input_check(const struct hunt_input *input, struct diag *diag)
{
    bool files = input->paths.count > 0;
    const char *stored = input->of_log ? input->of_log : input->of_stored;
    if (files && input->archive) {
        return diag_say(diag, ERR_USAGE, "files are named, and --archive: one of them is searched");
    }
    if (files && stored) {
        return diag_say(diag, ERR_USAGE, "--%s is of a centre's log, and files are named", stored);
    }
    if (input->archive && input->of_log) {
        return diag_say(diag, ERR_USAGE, "--%s is of a centre's log, and --archive is named",
                input->of_log);
    }
    if (!files && input->of_files) {
        return diag_say(diag, ERR_USAGE, "--%s is of files: name some", input->of_files);
    }
    return OK;
}
