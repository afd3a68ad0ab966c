#include "cli/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/detect.h"

enum { SAID = 4000, OUT_MOST = 256 << 20 };

void trial_result_fini(struct trial_result *result)
{
    buf_fini(&result->words);
}

/* ---- the child ------------------------------------------------------------------------------- */

/* A line a finding: its record, and the rule's file, id and title as JSON strings. */
static void write_rule(const struct output *o, const struct rule *rule, struct buf *out)
{
    const struct slice texts[] = {rule->file, rule->id, rule->title};
    (void)o;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        buf_add(out, SLICE(" \""));
        buf_json(out, texts[i]);
        buf_byte(out, '"');
    }
    buf_byte(out, '\n');
}

static void write_finding(const struct output *o, struct output_finding *f, struct buf *out)
{
    buf_u64(out, f->record);
    buf_add(out, o->rule_text[f->hit->rule->number]);
}

/* At the event at which it fired. */
static void write_correlation(
        const struct output *o, const struct output_correlation *shown, struct buf *out)
{
    buf_u64(out, shown->finding->trigger.record);
    buf_add(out, o->rule_text[shown->finding->rule->number]);
}

/* A line a rule that is there: the same without a record. */
static void write_rules(const struct output *o, struct buf *out)
{
    for (uint32_t i = 0; i < o->setting.set->rule_count; i++) {
        buf_add(out, o->rule_text[i]);
    }
}

static const struct output_format places = {.name = "places",
        .begin = write_rules,
        .finding = write_finding,
        .correlation = write_correlation,
        .rule = write_rule};

static enum err set_request(const struct trial *t, struct detect_request *request)
{
    const struct test_case *test = t->test;
    request->load.placeholders = t->load->placeholders;
    request->format = &places;
    request->decoder = test->decoder;
    request->quiet = true;
    request->jobs = 1;
    request->load.threads = 1;
    request->limits.year = test->year;
    for (size_t i = 0; i < t->load->taxonomies.count; i++) {
        TRY(words_add(&request->load.taxonomies, t->load->taxonomies.at[i]));
    }
    TRY(words_add(&request->load.rules, t->file->rule_path));
    for (size_t i = 0; i < t->file->rule_count; i++) {
        TRY(words_add(&request->load.rules, t->file->rules[i]));
    }
    return words_add(&request->inputs, test->file ? test->file : "-");
}

/* Does not return: what it owns ends with it. */
static _Noreturn void child(
        const struct trial *t, const struct verb_app *app, int in, int out, int said)
{
    uint64_t events = 0;
    struct detect_request request = detect_defaults();
    request.events = &events;
    if ((in >= 0 && dup2(in, STDIN_FILENO) < 0) || dup2(out, STDOUT_FILENO) < 0 ||
            dup2(said, STDERR_FILENO) < 0) {
        _exit(VERB_SOME);
    }
    int code = set_request(t, &request) == OK ? app->detect(&request) : VERB_SOME;
    printf("%llu\n", (unsigned long long)events);
    _exit(fflush(stdout) == 0 ? code : VERB_SOME);
}

/* ---- the parent ------------------------------------------------------------------------------ */

/* What a trial is made of: files in memory. */
struct files {
    int in; /* -1: the test names a file */
    int out;
    int said;
};

static enum err system_words(struct diag *diag)
{
    return diag_say(diag, ERR_IO, "%s", strerror(errno));
}

static enum err write_all(int fd, struct slice bytes, struct diag *diag)
{
    while (bytes.size > 0) {
        ssize_t n = write(fd, bytes.at, bytes.size);
        if (n < 0 && errno != EINTR) {
            return system_words(diag);
        }
        size_t done = n > 0 ? (size_t)n : 0;
        bytes = slice_of(bytes.at + done, bytes.size - done);
    }
    return lseek(fd, 0, SEEK_SET) == 0 ? OK : system_words(diag);
}

static enum err read_back(int fd, size_t most, struct buf *out, struct diag *diag)
{
    enum { PIECE = 64 << 10 };
    off_t at = 0;
    for (;;) {
        char *to = buf_reserve(out, PIECE);
        if (!to || out->size > most) {
            return diag_say(diag, ERR_LIMIT, "over %zu bytes of findings, or no memory", most);
        }
        ssize_t n = pread(fd, to, PIECE, at);
        if (n < 0 && errno != EINTR) {
            return system_words(diag);
        }
        if (n == 0) {
            return OK;
        }
        at += n > 0 ? n : 0;
        out->size += n > 0 ? (size_t)n : 0;
    }
}

static enum err open_files(const struct test_case *test, struct files *f, struct diag *diag)
{
    f->out = memfd_create("findings", MFD_CLOEXEC);
    f->said = memfd_create("said", MFD_CLOEXEC);
    if (f->out < 0 || f->said < 0) {
        return system_words(diag);
    }
    if (test->file) {
        return OK;
    }
    f->in = memfd_create("events", MFD_CLOEXEC);
    return f->in < 0 ? system_words(diag) : write_all(f->in, test->bytes, diag);
}

static void close_files(const struct files *f)
{
    const int all[] = {f->in, f->out, f->said};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i] >= 0) {
            close(all[i]);
        }
    }
}

static enum err run_child(const struct trial *t, const struct verb_app *app, const struct files *f,
        int *code, struct diag *diag)
{
    int status;
    fflush(NULL); /* nothing that waits is written twice */
    pid_t pid = fork();
    if (pid < 0) {
        return system_words(diag);
    }
    if (pid == 0) {
        child(t, app, f->in, f->out, f->said);
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return system_words(diag);
        }
    }
    if (WIFSIGNALED(status)) {
        return diag_say(diag, ERR_IO, "the trial died of signal %d", WTERMSIG(status));
    }
    *code = WEXITSTATUS(status);
    return OK;
}

/* ---- findings against what was expected ------------------------------------------------------ */

/* The inside of the next JSON string of the line. */
static struct slice next_text(struct slice *line)
{
    size_t start = slice_find_byte(*line, '"') + 1, end = start;
    while (end < line->size && line->at[end] != '"') {
        end += line->at[end] == '\\' ? 2 : 1;
    }
    if (end >= line->size) {
        *line = (struct slice){0};
        return *line;
    }
    struct slice text = slice_of(line->at + start, end - start);
    *line = slice_of(line->at + end + 1, line->size - end - 1);
    return text;
}

static bool same_json(struct slice json, struct slice text)
{
    struct buf written = {0};
    buf_json(&written, text);
    bool same = !written.failed && slice_equal(json, buf_slice(&written));
    buf_fini(&written);
    return same;
}

static bool is_asked(const struct trial *t, struct slice line)
{
    struct slice file = next_text(&line), id = next_text(&line), title = next_text(&line);
    if (t->test->rule.size > 0) {
        return same_json(id, t->test->rule) || same_json(title, t->test->rule);
    }
    return same_json(file, slice_text(t->file->rule_path));
}

struct found {
    uint64_t events;
    bool asked;        /* a rule that the test is about is there */
    uint64_t *records; /* of the findings, as they came */
    size_t count;
    size_t room;
};

static enum err parse_findings(const struct trial *t, struct slice text, struct found *found)
{
    while (text.size > 0) {
        struct slice line = slice_cut(&text, '\n');
        uint64_t record = 0;
        size_t at = 0;
        for (; at < line.size && line.at[at] >= '0' && line.at[at] <= '9'; at++) {
            record = record * 10 + (uint64_t)(line.at[at] - '0');
        }
        if (at == line.size) {
            found->events = record;
            continue;
        }
        if (!is_asked(t, slice_of(line.at + at, line.size - at))) {
            continue;
        }
        found->asked = true;
        if (at == 0) {
            continue;
        }
        if (!memory_grow(&found->records, &found->room, found->count + 1, sizeof record)) {
            return ERR_MEMORY;
        }
        found->records[found->count++] = record;
    }
    return OK;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Sorted, each once. */
static size_t different(struct found *f)
{
    size_t n = 0;
    if (f->count > 0) {
        qsort(f->records, f->count, sizeof *f->records, ascending);
    }
    for (size_t i = 0; i < f->count; i++) {
        if (n == 0 || f->records[n - 1] != f->records[i]) {
            f->records[n++] = f->records[i];
        }
    }
    return n;
}

static void add_records(struct buf *out, const uint64_t *records, size_t count)
{
    enum { SHOWN = 20 };
    buf_add(out, count == 1 ? SLICE("record ") : SLICE("records "));
    for (size_t i = 0; i < count && i < SHOWN; i++) {
        buf_format(out, "%s%llu", i ? ", " : "", (unsigned long long)records[i]);
    }
    buf_add(out, count > SHOWN ? SLICE(", ...") : SLICE(""));
    if (count == 0) {
        out->size -= sizeof "records " - 1;
        buf_add(out, SLICE("none"));
    }
}

static void judge_found(const struct trial *t, struct found *found, struct trial_result *result)
{
    const struct test_case *test = t->test;
    size_t count = found->count, n = different(found);
    if (!found->asked) {
        buf_add(&result->words, SLICE("no rule of this id or title is loaded"));
        return;
    }
    if (test->match == TEST_MATCH_COUNT) {
        result->passed = count == test->count;
        buf_format(&result->words,
                "expected %llu finding%s, got %zu: ", (unsigned long long)test->count,
                test->count == 1 ? "" : "s", count);
        add_records(&result->words, found->records, n);
    } else if (test->match == TEST_MATCH_ALL) {
        result->passed = n == found->events && n > 0;
        buf_format(&result->words, "expected all of %llu records, got ",
                (unsigned long long)found->events);
        add_records(&result->words, found->records, n);
    } else {
        result->passed = n == test->record_count && (n == 0 || memcmp(found->records, test->records,
                                                                       n * sizeof(uint64_t)) == 0);
        buf_add(&result->words, SLICE("expected "));
        add_records(&result->words, test->records, test->record_count);
        buf_add(&result->words, SLICE(", got "));
        add_records(&result->words, found->records, n);
    }
}

/* What was said on stderr: the first lines. */
static void add_said(const struct buf *said, struct buf *out)
{
    struct slice text = slice_trim(buf_slice(said));
    text.size = text.size < SAID ? text.size : SAID;
    buf_add(out, text.size > 0 ? text : SLICE("it ended as a failure"));
}

static enum err judge_trial(const struct trial *t, const struct files *f, int code,
        struct trial_result *result, struct diag *diag)
{
    struct buf out = {0}, said = {0};
    struct found found = {0};
    enum err e = read_back(f->out, OUT_MOST, &out, diag);
    e = e == OK ? read_back(f->said, OUT_MOST, &said, diag) : e;
    if (e == OK && code != VERB_DONE) {
        add_said(&said, &result->words);
    } else if (e == OK) {
        e = parse_findings(t, buf_slice(&out), &found);
        if (e == OK) {
            judge_found(t, &found, result);
        } else {
            diag_say(diag, e, "no memory for findings");
        }
    }
    memory_free(found.records);
    buf_fini(&out);
    buf_fini(&said);
    return e;
}

enum err trial_run(const struct trial *trial, const struct verb_app *app,
        struct trial_result *result, struct diag *diag)
{
    struct files f = {-1, -1, -1};
    int code = VERB_SOME;
    *result = (struct trial_result){0};
    enum err e = open_files(trial->test, &f, diag);
    e = e == OK ? run_child(trial, app, &f, &code, diag) : e;
    e = e == OK ? judge_trial(trial, &f, code, result, diag) : e;
    close_files(&f);
    return e == OK && result->words.failed ? diag_say(diag, ERR_MEMORY, "no memory") : e;
}
