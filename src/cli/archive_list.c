#include "cli/archive.h"
#include "cli/archive_each.h"

static bool each_listed(struct archive_each *it, const struct catalog_entry *entry)
{
    archive_each_add(it, entry, NULL, NULL);
    return true;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    struct archive_each it = {.each = each_listed};
    (void)app;
    return archive_each_run(verb, &it, argc, argv);
}

const struct verb archive_list_verb = {.name = "archive list",
        .about = "the sealed files of an archive",
        .arguments = "[--data DIR] [--tenant TENANT] [-o table|json]",
        .options = archive_each_options,
        .examples = "  merlon archive list --tenant sg/health\n",
        .run = run};
