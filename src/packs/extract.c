#include "packs/extract.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "base/buf.h"

enum { TAR_MAGIC = 257, PIECE = 64 << 10 };

bool extract_recognise(struct slice bytes)
{
    return slice_starts(bytes, SLICE("\x1f\x8b")) ||
           slice_starts(bytes, SLICE("\x28\xb5\x2f\xfd")) ||
           slice_starts(bytes, SLICE("PK\x03\x04")) ||
           (bytes.size > TAR_MAGIC + 5 && memcmp(bytes.at + TAR_MAGIC, "ustar", 5) == 0);
}

struct extraction {
    struct archive *archive;
    struct content *content;
    uint64_t bytes; /* unpacked, all entries */
    struct buf text;
};

static enum err broken(struct extraction *x, struct diag *diag)
{
    const char *words = archive_error_string(x->archive);
    return diag_say(diag, ERR_SYNTAX, "archive: %s", words ? words : "damaged");
}

/* The entry's bytes; `keep`: into x->text. */
static enum err read_entry(struct extraction *x, bool keep, struct diag *diag)
{
    char piece[PIECE];
    buf_clear(&x->text);
    for (;;) {
        la_ssize_t n = archive_read_data(x->archive, piece, sizeof piece);
        if (n == 0) {
            return OK;
        }
        if (n < 0) {
            return broken(x, diag);
        }
        x->bytes += (uint64_t)n;
        if (x->bytes > EXTRACT_BYTES) {
            return diag_say(diag, ERR_LIMIT, "the archive unpacks to over %llu bytes",
                    (unsigned long long)EXTRACT_BYTES);
        }
        if (!keep) {
            continue;
        }
        buf_add(&x->text, slice_of(piece, (size_t)n));
        if (x->text.failed) {
            return diag_say(diag, ERR_MEMORY, "no memory for the rules");
        }
        if (x->text.size > CONTENT_FILE_BYTES) {
            return diag_say(diag, ERR_LIMIT, "a rule file of over %d bytes", CONTENT_FILE_BYTES);
        }
    }
}

static enum err take_entry(struct extraction *x, struct archive_entry *entry, struct diag *diag)
{
    const char *name = archive_entry_pathname_utf8(entry);
    name = name ? name : archive_entry_pathname(entry);
    if (!name) {
        return diag_say(diag, ERR_SYNTAX, "archive: an entry without a name");
    }
    struct slice path = slice_text(name);
    while (slice_starts(path, SLICE("./"))) {
        path = slice_of(path.at + 2, path.size - 2);
    }
    if (archive_entry_symlink(entry) || archive_entry_hardlink(entry)) {
        x->content->links++;
        return OK;
    }
    bool rule = archive_entry_filetype(entry) == AE_IFREG && content_is_rule(path);
    x->content->others += !rule && archive_entry_filetype(entry) != AE_IFDIR;
    TRY(read_entry(x, rule, diag));
    return rule ? content_add(x->content, path, buf_slice(&x->text), diag) : OK;
}

static enum err take_all(struct extraction *x, struct diag *diag)
{
    for (int i = 0;; i++) {
        struct archive_entry *entry;
        int r = archive_read_next_header(x->archive, &entry);
        if (r == ARCHIVE_EOF) {
            return OK;
        }
        if (r != ARCHIVE_OK && r != ARCHIVE_WARN) {
            return broken(x, diag);
        }
        if (i == EXTRACT_ENTRIES) {
            return diag_say(diag, ERR_LIMIT, "an archive of over %d entries", (int)EXTRACT_ENTRIES);
        }
        TRY(take_entry(x, entry, diag));
    }
}

/* Only what is needed: every further format is further code that reads outside bytes. */
static bool allow_formats(struct archive *a)
{
    return archive_read_support_filter_gzip(a) == ARCHIVE_OK &&
           archive_read_support_filter_zstd(a) == ARCHIVE_OK &&
           archive_read_support_format_tar(a) == ARCHIVE_OK &&
           archive_read_support_format_zip(a) == ARCHIVE_OK;
}

enum err extract_archive(struct slice bytes, struct content *content, struct diag *diag)
{
    struct extraction x = {.archive = archive_read_new(), .content = content};
    enum err e;
    if (!x.archive || !allow_formats(x.archive)) {
        e = diag_say(diag, ERR_MEMORY, "no memory to unpack");
    } else if (archive_read_open_memory(x.archive, bytes.at, bytes.size) != ARCHIVE_OK) {
        e = broken(&x, diag);
    } else {
        e = take_all(&x, diag);
    }
    archive_read_free(x.archive);
    buf_fini(&x.text);
    return e;
}
