#include "cli/archive.h"
#include "cli/archive_each.h"

static bool each_verified(struct archive_each *it, const struct catalog_entry *entry)
{
    struct check_result result;
    struct diag diag = {0};
    enum err e = check_file(&disk_real, it->archive, entry, &result, &diag);
    const char *wrong = e == OK ? NULL : diag.words[0] ? diag.words : err_name(e);
    archive_each_add(it, entry, &result, wrong);
    it->partial = it->partial || wrong;
    return archive_each_flush(it);
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    struct archive_each it = {.each = each_verified};
    (void)app;
    return archive_each_run(verb, &it, argc, argv);
}

const struct verb archive_verify_verb = {.name = "archive verify",
        .about = "whether every record of an archive comes back as it was sealed",
        .arguments = "[--data DIR] [--tenant TENANT] [-o table|json]",
        .options = archive_each_options,
        .notes = "Each file is read whole, its records made again and compared with the digest "
                 "that\n"
                 "was sealed with them. The exit code is 1 when anything is damaged.\n",
        .examples = "  merlon archive verify --data /var/lib/merlon\n",
        .run = run};
