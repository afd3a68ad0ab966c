#include "app/serve_kafka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/sandbox.h"
#include "app/serve_place.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/memory.h"
#include "cli/verb.h"
#include "source/kafka.h"

enum {
    SHARE = 16 << 20, /* of the channel */
    STEP_MS = 100,
    LAST_MS = 3000,
    PASSWORD = 4096,
    PATH = 4096,
};

struct members {
    const struct serve_kafka_setting *setting;
    struct intake intake;
    struct serve_place place;
    struct intake_input *inputs; /* those of this kind, with their passwords */
    struct kafka **at;
    size_t count, joined;
};

static bool is_kafka(const struct intake_input *input)
{
    return slice_equal(input->kind, SLICE("kafka"));
}

bool serve_kafka_wanted(const struct config *config)
{
    for (size_t i = 0; i < config->input_count; i++) {
        if (is_kafka(&config->inputs[i])) {
            return true;
        }
    }
    return false;
}

/* ---- places ------------------------------------------------------------------------------------
 */

static bool read_key(
        void *context, struct slice source, struct slice key, struct places_place *place)
{
    const struct members *m = context;
    for (size_t i = 0; i < m->count; i++) {
        if (slice_starts(source, m->inputs[i].name) && source.size > m->inputs[i].name.size &&
                source.at[m->inputs[i].name.size] == '/') {
            place->number = 0;
            return kafka_read_key(key, &place->rank);
        }
    }
    return false;
}

static bool stored(void *context, struct slice source, uint64_t *offset)
{
    const struct members *m = context;
    struct places_place place;
    uint64_t at = 0;
    while (places_next(m->place.places, &at, &place)) {
        if (slice_equal(place.source, source)) {
            *offset = place.rank;
            return true;
        }
    }
    return false;
}

/* ---- the process -------------------------------------------------------------------------------
 */

/* A password stands in a file, which is read before the seal. */
static enum err read_password(struct intake_input *input, struct diag *diag)
{
    struct buf text = {0}; /* as long as the process */
    char path[PATH];
    if (input->password.size == 0) {
        return OK;
    }
    snprintf(path, sizeof path, "%.*s", SLICE_ARG(input->password));
    TRY(files_read(path, PASSWORD, &text, diag));
    input->password = slice_trim(buf_slice(&text));
    return OK;
}

static enum err read_inputs(struct members *m, struct diag *diag)
{
    const struct config *config = m->setting->config;
    m->inputs = memory_alloc_array(config->input_count, sizeof *m->inputs);
    m->at = memory_alloc_array(config->input_count, sizeof *m->at);
    if (!m->inputs || !m->at) {
        return diag_say(diag, ERR_MEMORY, "no memory for the inputs");
    }
    for (size_t i = 0; i < config->input_count; i++) {
        if (is_kafka(&config->inputs[i])) {
            m->inputs[m->count] = config->inputs[i];
            TRY(read_password(&m->inputs[m->count++], diag));
        }
    }
    return OK;
}

/* What names of brokers are looked up by, and the PEM files. */
static enum err enter(const struct members *m, struct diag *diag)
{
    static const char *const names[] = {"/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf",
            "/etc/host.conf", "/etc/gai.conf", "/etc/services"};
    enum { NAMES = sizeof names / sizeof *names, PEMS = 3 };
    struct slice *at = memory_alloc_array(NAMES + PEMS * m->count, sizeof *at);
    struct sandbox_places places = {.at = at};
    if (!at) {
        return diag_say(diag, ERR_MEMORY, "no memory for the inputs");
    }
    for (size_t i = 0; i < NAMES; i++) {
        at[places.count++] = slice_text(names[i]);
    }
    for (size_t i = 0; i < m->count; i++) {
        const struct slice pems[PEMS] = {
                m->inputs[i].authority, m->inputs[i].certificate, m->inputs[i].key};
        for (size_t k = 0; k < PEMS; k++) {
            struct buf path = {0}; /* as long as the process */
            buf_add(&path, pems[k]);
            buf_byte(&path, '\0');
            if (pems[k].size > 0 && !path.failed) {
                at[places.count++] = buf_slice(&path);
            }
        }
    }
    return sandbox_enter_places(SANDBOX_KAFKA, &places, getenv("MERLON_SANDBOX_TEST"), diag);
}

static enum err join_all(struct members *m, struct diag *diag)
{
    for (; m->joined < m->count; m->joined++) {
        const struct intake_input *input = &m->inputs[m->joined];
        char instance[128];
        snprintf(instance, sizeof instance, "merlon-%s-%.*s", m->place.log, SLICE_ARG(input->name));
        const struct kafka_options options = {.intake = &m->intake,
                .input = input,
                .instance = instance,
                .stored = stored,
                .context = m,
                .stop = m->setting->stop};
        TRY(kafka_new(&options, &m->at[m->joined], diag));
    }
    return OK;
}

static enum err prepare(struct members *m, struct diag *diag)
{
    const struct serve_kafka_setting *s = m->setting;
    const struct serve_place_setting place = {.shared = s->shared,
            .data = s->config->data,
            .folder = "kafka",
            .stop = s->stop,
            .read_key = read_key,
            .context = m};
    TRY(read_inputs(m, diag));
    TRY(kafka_load(diag));
    TRY(serve_place_open(&place, &m->place, diag));
    m->intake.noted = serve_place_noted;
    m->intake.context = &m->place;
    TRY(enter(m, diag));
    return join_all(m, diag);
}

int serve_kafka_run(const struct serve_kafka_setting *setting)
{
    static struct members m;
    struct diag diag = {0};
    m = (struct members){.setting = setting};
    intake_init(&m.intake, setting->shared->intake, setting->shared->counts, clock_wall_ns);
    m.intake.share = SHARE;
    enum err e = prepare(&m, &diag);
    if (e != OK && e != ERR_END) {
        verb_say("kafka: %s", diag.words[0] ? diag.words : err_name(e));
    }
    while (e == OK && !*setting->stop) {
        if (!serve_place_turn(&m.place)) {
            serve_shared_wait(-1, -1, 1);
            continue;
        }
        for (size_t i = 0; i < m.count; i++) {
            kafka_step(m.at[i], STEP_MS / (int)m.count);
        }
    }
    for (size_t i = 0; i < m.joined; i++) {
        kafka_close(m.at[i], LAST_MS);
    }
    serve_place_close(&m.place, LAST_MS);
    intake_fini(&m.intake);
    return e == OK || e == ERR_END ? 0 : 1;
}
