#include "app/hunt_pass.h"

#include <stdarg.h>
#include <stdio.h>

#include "cli/verb.h"

enum { WORDS = 2048, LOOKED_AT = 256 };

void hunt_pass_say(const struct hunt_pass *pass, const char *format, ...)
{
    char words[WORDS];
    va_list list;
    if (pass->told) {
        return;
    }
    va_start(list, format);
    vsnprintf(words, sizeof words, format, list);
    va_end(list);
    progress_wipe(pass->progress);
    verb_say("%s", words);
}

static void reject(
        struct hunt_pass *pass, const struct hunt_bytes *bytes, uint64_t number, const char *words)
{
    if (pass->told || number < bytes->from || number >= bytes->to) {
        return;
    }
    if (pass->rejected++ < HUNT_PASS_TOLD) {
        hunt_pass_say(pass, "%.*s: %s %llu: %s", SLICE_ARG(bytes->source), bytes->number,
                (unsigned long long)number, words);
    }
}

static enum err give(
        struct hunt_pass *pass, const struct hunt_bytes *bytes, uint64_t number, struct diag *diag)
{
    char id[24];
    if (number < bytes->from || number >= bytes->to) {
        return OK;
    }
    pass->events++;
    int size = snprintf(id, sizeof id, "%llu", (unsigned long long)number);
    const struct query_event row = {&pass->event, slice_of(id, (size_t)size), bytes->source};
    enum err e = pass->take(pass->context, &row, diag);
    pass->done = e == ERR_END;
    return pass->done ? OK : e;
}

static enum err find_reader(
        struct hunt_pass *pass, const struct decoder *decoder, struct reader **out)
{
    for (size_t i = 0; i < decoders_count && i < HUNT_PASS_DECODERS; i++) {
        if (decoders[i] != decoder) {
            continue;
        }
        if (!pass->readers[i]) {
            TRY(decoder->reader_new(pass->paths, pass->limits, &pass->readers[i]));
        }
        *out = pass->readers[i];
        return OK;
    }
    return ERR_NOT_FOUND;
}

static enum err decode(struct hunt_pass *pass, const struct hunt_bytes *bytes,
        struct reader *reader, struct diag *diag)
{
    const struct decoder *decoder = bytes->decoder;
    for (uint64_t n = 0; !pass->done; n++) {
        struct diag why;
        why.line = why.column = 0;
        why.words[0] = 0;
        if (n % LOOKED_AT == LOOKED_AT - 1) {
            progress_tick(pass->progress, pass->bytes, pass->events);
            if (atomic_load_explicit(pass->stop, memory_order_relaxed)) {
                return OK;
            }
        }
        enum err e = decoder->next(reader, &pass->event, &why);
        if (e == ERR_END) {
            return OK;
        }
        uint64_t number = bytes->first + (decoder->ordinal ? decoder->ordinal(reader) : n);
        if (e != OK) {
            reject(pass, bytes, number, why.words);
        } else if (pass->event.truncated) {
            reject(pass, bytes, number, "more fields than an event may have");
        } else {
            TRY(give(pass, bytes, number, diag));
        }
    }
    return OK;
}

enum err hunt_pass_bytes(struct hunt_pass *pass, const struct hunt_bytes *bytes, struct diag *diag)
{
    const struct decoder *decoder = bytes->decoder;
    struct reader *reader;
    for (uint64_t n = 0; !decoder && n < bytes->count; n++) {
        reject(pass, bytes, bytes->first + n, "no decoder knows it");
    }
    if (!decoder) {
        return OK;
    }
    if (find_reader(pass, decoder, &reader) != OK) {
        return diag_say(diag, ERR_MEMORY, "no memory for a reader");
    }
    if (decoder->place) {
        decoder->place(reader, &bytes->place);
    }
    decoder->begin(reader, bytes->bytes, bytes->header);
    TRY(decode(pass, bytes, reader, diag));
    struct diag why = {0};
    while (!pass->done && decoder->warning && decoder->warning(reader, &why)) {
        hunt_pass_say(pass, "%.*s: warning: %s", SLICE_ARG(bytes->source), why.words);
    }
    return OK;
}

enum err hunt_pass_open(struct hunt_pass *pass, struct diag *diag)
{
    pass->done = false;
    return event_init(&pass->event, pass->field_count) == OK
                   ? OK
                   : diag_say(diag, ERR_MEMORY, "no memory to read");
}

void hunt_pass_close(struct hunt_pass *pass)
{
    for (size_t i = 0; i < decoders_count && i < HUNT_PASS_DECODERS; i++) {
        if (pass->readers[i]) {
            decoders[i]->reader_free(pass->readers[i]);
            pass->readers[i] = NULL;
        }
    }
    event_fini(&pass->event);
    pass->event = (struct event){0};
}
