#include "support/evtx_rig.h"

int evtx_rig_make(void **state)
{
    static struct evtx_rig b;
    static const char *const texts[] = {"A", "B", "C", "Data", "EventID", "Qualifiers", "x", "x_1",
            "x_2", "A_1", "Level", "#text", "t1", "t2", "ta", "td", "t13", "Event", "System_1"};
    struct slice names[sizeof texts / sizeof *texts];
    const struct decode_limits limits = DECODE_LIMITS;
    b = (struct evtx_rig){0};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        names[i] = slice_text(texts[i]);
    }
    bool ok = agree_init(&b.agree, names, sizeof texts / sizeof *texts) == OK &&
              evtx_decoder.reader_new(b.agree.paths, &limits, &b.reader) == OK &&
              event_init(&b.event, field_count(b.agree.fields)) == OK;
    *state = &b;
    return !ok;
}

int evtx_rig_drop(void **state)
{
    struct evtx_rig *b = *state;
    forge_fini(&b->forge);
    agree_fini(&b->agree);
    evtx_decoder.reader_free(b->reader);
    event_fini(&b->event);
    buf_fini(&b->json);
    return 0;
}

void evtx_rig_forge_all(struct forge *f, uint64_t first_id)
{
    forge_begin(f, first_id);
    for (size_t i = 0; i < forge_record_count; i++) {
        forge_record(f);
        forge_record_kinds[i].make(f);
        forge_end_record(f);
    }
    forge_end(f, true);
    buf_reserve(&f->out, 64);
}

static void forge_many(struct evtx_rig *rig, forge_body *body, unsigned records)
{
    struct forge *f = &rig->forge;
    buf_clear(&f->out);
    forge_begin(f, 1);
    for (unsigned i = 0; i < records; i++) {
        forge_record(f);
        body(f);
        forge_end_record(f);
    }
    forge_end(f, false);
    buf_reserve(&f->out, 64);
    evtx_decoder.begin(rig->reader, buf_slice(&f->out), (struct slice){0});
}

enum err evtx_rig_read(struct evtx_rig *rig, forge_body *body)
{
    forge_many(rig, body, 1);
    return evtx_decoder.next(rig->reader, &rig->event, &rig->diag);
}

size_t evtx_rig_read_many(struct evtx_rig *rig, forge_body *body, unsigned records)
{
    size_t good = 0;
    enum err e;
    forge_many(rig, body, records);
    while ((e = evtx_decoder.next(rig->reader, &rig->event, &rig->diag)) != ERR_END) {
        good += e == OK;
    }
    return good;
}

const char *evtx_rig_json(struct evtx_rig *rig)
{
    buf_clear(&rig->json);
    rig->event.form->write_json(&rig->event, &rig->json);
    buf_byte(&rig->json, 0);
    return rig->json.failed ? "no JSON" : rig->json.at;
}
