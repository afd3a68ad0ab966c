#include "decode/auditd_parse.h"

#include <string.h>

#include "decode/auditd_line.h"
#include "decode/auditd_text.h"
#include "decode/lines.h"
#include "decode/message.h"

enum {
    TYPE,
    NODE,
    TIMESTAMP,
    SERIAL,
    ARCH,
    SYSCALL,
    FAMILY,
    ADDRESS,
    PORT,
    SOCKET_PATH,
    CMDLINE,
    CREATED,
    DELETED,
    CALL_A0,
    CALL_A1,
    CALL_A2,
    CALL_A3,
};
static const char *const names[] = {
        [TYPE] = "type",
        [NODE] = "node",
        [TIMESTAMP] = "timestamp",
        [SERIAL] = "serial",
        [ARCH] = "ARCH",
        [SYSCALL] = "SYSCALL",
        [FAMILY] = "saddr_fam",
        [ADDRESS] = "laddr",
        [PORT] = "lport",
        [SOCKET_PATH] = "path",
        [CMDLINE] = "cmdline",
        [CREATED] = "file_created",
        [DELETED] = "file_deleted",
        [CALL_A0] = "syscall_a0",
        [CALL_A1] = "syscall_a1",
        [CALL_A2] = "syscall_a2",
        [CALL_A3] = "syscall_a3",
};

/* Fields that the kernel or a trusted program writes hexadecimal when their text is not plain
 * (audit-userspace, auparse's table of "escaped" types). */
static const struct slice escaped[] = {{"name", 4}, {"exe", 3}, {"comm", 4}, {"cwd", 3}, {"key", 3},
        {"proctitle", 9}, {"cmd", 3}, {"acct", 4}, {"data", 4}, {"path", 4}, {"dir", 3},
        {"file", 4}, {"ocomm", 5}, {"sw", 2}, {"vm", 2}, {"watch", 5}, {"device", 6}, {"grp", 3},
        {"new_group", 9}, {"invalid_context", 15}, {"root_dir", 8}, {"banners", 7}, {"old-disk", 8},
        {"new-disk", 8}, {"cgroup", 6}};

enum kind { KIND_OTHER, KIND_SYSCALL, KIND_SECCOMP, KIND_EXECVE, KIND_PATH, KIND_SOCKADDR };

/* The words of EXECVE records put together. */
struct words {
    char *at; /* room for all of them, since none is longer than its record */
    size_t size, room;
    size_t open; /* where the word in several pieces begins; SIZE_MAX: there is none */
    struct slice name;
};

struct run {
    struct fields_sink *sink;
    struct slice raw;
    bool message; /* of a record of another form: all names are the record's own */
    bool execve;  /* some line is an EXECVE record */
    struct words cmdline;
    struct words pieces;
    struct slice cwd;
    /* Of the line. */
    enum kind kind;
    struct slice arch, syscall, saddr, path_name, path_kind;
    bool path_made;
    bool has_arch, has_syscall, has_address;
};

/* Text of the record at one of the names above. */
static void put_fixed(struct run *run, size_t name, struct slice text)
{
    if (run->message) {
        fields_named(run->sink, slice_text(names[name]), text);
    } else {
        fields_put(run->sink, name, text);
    }
}

/* Text that the record does not hold. */
static void put_made(struct run *run, size_t name, struct slice text)
{
    fields_remember(run->sink, text);
    put_fixed(run, name, text);
}

/* A name of the record's. */
static void put(struct run *run, struct slice name, struct slice text, bool made)
{
    if (made && run->message) {
        message_named_made(run->sink, name, text);
    } else if (made) {
        fields_named_made(run->sink, name, text);
    } else if (run->message) {
        message_named_text(run->sink, name, text);
    } else {
        fields_named(run->sink, name, text);
    }
}

static enum err no_memory(struct diag *diag)
{
    return diag_say(diag, ERR_MEMORY, "no memory for the texts of an audit event");
}

/* ---- words ----------------------------------------------------------------------------------- */

static bool words_room(struct run *run, struct words *w)
{
    if (!w->at) {
        w->room = run->raw.size;
        w->at = arena_alloc(run->sink->scratch, w->room, 1);
        w->open = SIZE_MAX;
    }
    return w->at != NULL;
}

/* There is always room: a word takes at least " a0=" of its record. */
static void words_add(struct words *w, struct slice text)
{
    size_t size = text.size < w->room - w->size ? text.size : w->room - w->size;
    if (size > 0) {
        memcpy(w->at + w->size, text.at, size);
    }
    w->size += size;
}

static bool cmdline_add(struct run *run, struct slice word)
{
    if (!words_room(run, &run->cmdline)) {
        return false;
    }
    if (run->cmdline.size > 0) {
        words_add(&run->cmdline, SLICE(" "));
    }
    words_add(&run->cmdline, word);
    return true;
}

/* The word that came in pieces is whole. */
static bool pieces_end(struct run *run)
{
    struct words *w = &run->pieces;
    if (!w->at || w->open == SIZE_MAX) {
        return true;
    }
    struct slice word = slice_of(w->at + w->open, w->size - w->open);
    w->open = SIZE_MAX;
    put(run, w->name, word, true);
    return cmdline_add(run, word);
}

/* a1[0]=..., a1[1]=...: `name` is a1. */
static bool piece_add(struct run *run, struct slice name, struct slice text)
{
    struct words *w = &run->pieces;
    if (!words_room(run, w)) {
        return false;
    }
    if (w->open != SIZE_MAX && !slice_equal(w->name, name) && !pieces_end(run)) {
        return false;
    }
    if (w->open == SIZE_MAX) {
        w->open = w->size;
        w->name = name;
    }
    words_add(w, text);
    return true;
}

/* ---- fields ---------------------------------------------------------------------------------- */

/* a0, a12, a1[3]: the bytes of "a12", 0: it is something else. */
static size_t argument_name(struct slice name)
{
    size_t i = 1;
    if (name.size < 2 || name.at[0] != 'a' || !slice_is_digit(name.at[1])) {
        return 0;
    }
    while (i < name.size && slice_is_digit(name.at[i])) {
        i++;
    }
    return i == name.size || name.at[i] == '[' ? i : 0;
}

/* The value's text; *made: the record's bytes do not hold it. .at NULL: no memory. */
static struct slice decode(struct run *run, const struct auditd_field *field, bool *made)
{
    *made = false;
    if (field->quote != AUDITD_BARE || !auditd_text_is_hex(field->value)) {
        return field->value;
    }
    *made = true;
    return slice_equal(field->name, SLICE("proctitle"))
                   ? auditd_text_title(run->sink->scratch, field->value)
                   : auditd_text_from_hex(run->sink->scratch, field->value);
}

static bool take_argument(struct run *run, const struct auditd_field *field, size_t size)
{
    bool made;
    struct slice text = decode(run, field, &made);
    struct slice name = slice_of(field->name.at, size);
    if (!text.at) {
        return false;
    }
    if (size < field->name.size) {
        return piece_add(run, name, text);
    }
    if (!pieces_end(run)) {
        return false;
    }
    put(run, name, text, made);
    return cmdline_add(run, text);
}

/* Several keys of one rule are divided by 0x01. */
static void put_keys(struct run *run, struct slice name, struct slice text, bool made)
{
    while (text.size > 0) {
        put(run, name, slice_cut(&text, '\x01'), made);
    }
}

static bool is_escaped(struct slice name)
{
    for (size_t i = 0; i < sizeof escaped / sizeof *escaped; i++) {
        if (escaped[i].at[0] == name.at[0] && slice_equal(escaped[i], name)) {
            return true;
        }
    }
    return false;
}

/* What is needed again when the line has been read. */
static void remember(struct run *run, struct slice name, struct slice text, bool made)
{
    switch (run->kind) {
    case KIND_SYSCALL:
    case KIND_SECCOMP:
        if (slice_equal(name, SLICE("arch"))) {
            run->arch = text;
        } else if (slice_equal(name, SLICE("syscall"))) {
            run->syscall = text;
        } else if (slice_equal(name, SLICE("ARCH"))) {
            run->has_arch = true;
        } else if (slice_equal(name, SLICE("SYSCALL"))) {
            run->has_syscall = true;
        }
        return;
    case KIND_PATH:
        if (slice_equal(name, SLICE("name"))) {
            run->path_name = text;
            run->path_made = made;
        } else if (slice_equal(name, SLICE("nametype")) || slice_equal(name, SLICE("objtype"))) {
            run->path_kind = text;
        }
        return;
    case KIND_SOCKADDR:
        if (slice_equal(name, SLICE("saddr"))) {
            run->saddr = text;
        }
        run->has_address |= slice_equal(name, SLICE("saddr_fam"));
        return;
    default:
        if (slice_equal(name, SLICE("cwd"))) {
            run->cwd = text;
        }
    }
}

static bool take_field(struct run *run, const struct auditd_field *field)
{
    size_t argument = argument_name(field->name);
    if (argument && run->kind == KIND_EXECVE) {
        return take_argument(run, field, argument);
    }
    if (argument == 2 && run->kind == KIND_SYSCALL && run->execve && field->name.at[1] <= '3') {
        put_fixed(run, CALL_A0 + (size_t)(field->name.at[1] - '0'), field->value);
        return true;
    }
    bool made = false;
    struct slice text = field->value;
    /* A digit or a letter up to F: the others cost nothing. */
    if (field->quote == AUDITD_BARE && auditd_text_is_hex(text) && is_escaped(field->name)) {
        text = decode(run, field, &made);
        if (!text.at) {
            return false;
        }
    }
    if (made && slice_equal(field->name, SLICE("key"))) {
        put_keys(run, field->name, text, made);
        return true;
    }
    put(run, field->name, text, made);
    remember(run, field->name, text, made);
    return true;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static enum kind kind_of(struct slice type)
{
    static const struct {
        struct slice type;
        enum kind kind;
    } kinds[] = {{{"SYSCALL", 7}, KIND_SYSCALL}, {{"EXECVE", 6}, KIND_EXECVE},
            {{"SECCOMP", 7}, KIND_SECCOMP}, {{"PATH", 4}, KIND_PATH},
            {{"SOCKADDR", 8}, KIND_SOCKADDR}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (slice_equal(kinds[i].type, type)) {
            return kinds[i].kind;
        }
    }
    return KIND_OTHER;
}

static void put_call(struct run *run)
{
    struct slice arch = auditd_text_arch(run->arch);
    struct slice call = auditd_text_syscall(run->arch, run->syscall);
    if (!run->has_arch && arch.size > 0) {
        put_made(run, ARCH, arch);
    }
    if (!run->has_syscall && call.size > 0) {
        put_made(run, SYSCALL, call);
    }
}

static void put_address(struct run *run)
{
    struct auditd_address a;
    if (run->has_address || !auditd_text_address(run->sink->scratch, run->saddr, &a)) {
        return;
    }
    put_made(run, FAMILY, a.family);
    if (a.address.size > 0) {
        put_made(run, ADDRESS, a.address);
        put_made(run, PORT, a.port);
    }
    if (a.path.size > 0) {
        put_made(run, SOCKET_PATH, a.path);
    }
}

/* The absolute name of a file that was made or removed. */
static bool put_path(struct run *run)
{
    bool created = slice_equal(run->path_kind, SLICE("CREATE"));
    struct slice name = run->path_name;
    if ((!created && !slice_equal(run->path_kind, SLICE("DELETE"))) || name.size == 0) {
        return true;
    }
    size_t field = created ? CREATED : DELETED;
    if (name.at[0] == '/' || run->cwd.size == 0) {
        if (run->path_made) {
            put_made(run, field, name);
        } else {
            put_fixed(run, field, name);
        }
        return true;
    }
    bool slash = run->cwd.at[run->cwd.size - 1] != '/';
    char *to = arena_alloc(run->sink->scratch, run->cwd.size + slash + name.size, 1);
    if (!to) {
        return false;
    }
    memcpy(to, run->cwd.at, run->cwd.size);
    to[run->cwd.size] = '/';
    memcpy(to + run->cwd.size + slash, name.at, name.size);
    put_made(run, field, slice_of(to, run->cwd.size + slash + name.size));
    return true;
}

static bool take_line(struct run *run, const struct auditd_line *line)
{
    struct auditd_fields fields = auditd_line_fields(line);
    struct auditd_field field;
    run->kind = kind_of(line->type);
    run->arch = run->syscall = run->saddr = run->path_name = run->path_kind = (struct slice){0};
    run->has_arch = run->has_syscall = run->has_address = run->path_made = false;
    if (line->numbered) {
        put_made(run, TYPE, line->type);
    } else {
        put_fixed(run, TYPE, line->type);
    }
    while (auditd_line_next(&fields, &field)) {
        if (!take_field(run, &field)) {
            return false;
        }
    }
    if (run->kind == KIND_SYSCALL || run->kind == KIND_SECCOMP) {
        put_call(run);
    } else if (run->kind == KIND_SOCKADDR) {
        put_address(run);
    }
    return run->kind != KIND_PATH || put_path(run);
}

/* Is one of the lines an EXECVE record? */
static bool has_execve(struct slice raw)
{
    size_t at = 0;
    struct slice line;
    while (lines_next(raw, &at, &line)) {
        struct auditd_line l;
        if (slice_starts(line, SLICE("type=")) && !slice_starts(line, SLICE("type=1"))) {
            if (slice_starts(line, SLICE("type=EXECVE "))) {
                return true;
            }
        } else if (auditd_line_parse(line, &l) && slice_equal(l.type, SLICE("EXECVE"))) {
            return true;
        }
    }
    return false;
}

static void put_stamp(struct fields_sink *sink, const struct auditd_line *line)
{
    struct slice stamp = line->stamp;
    struct slice time = slice_cut(&stamp, ':');
    fields_put(sink, TIMESTAMP, time);
    fields_put(sink, SERIAL, stamp);
    if (line->node.size > 0) {
        fields_put(sink, NODE, line->node);
    }
}

static enum err parse(void *context, struct slice raw, struct fields_sink *sink, struct diag *diag)
{
    struct run run = {.sink = sink, .raw = raw, .execve = has_execve(raw)};
    size_t at = 0;
    struct slice line;
    bool first = true;
    (void)context;
    while (lines_next(raw, &at, &line)) {
        struct auditd_line l;
        if (!auditd_line_parse(line, &l)) {
            return diag_say(diag, ERR_SYNTAX, "no audit record: no type=... msg=audit(...)");
        }
        if (first) {
            put_stamp(sink, &l);
            first = false;
        }
        if (!take_line(&run, &l)) {
            return no_memory(diag);
        }
    }
    if (!pieces_end(&run)) {
        return no_memory(diag);
    }
    if (run.cmdline.size > 0) {
        fields_made(sink, CMDLINE, slice_of(run.cmdline.at, run.cmdline.size));
    }
    return OK;
}

/* "SERVICE_STOP pid=1 uid=0 ... msg='unit=x'", as journald hands records on. */
static bool parse_type(struct slice text, struct auditd_line *out)
{
    struct slice body = text;
    struct slice type = slice_cut(&body, ' ');
    for (size_t i = 0; i < type.size; i++) {
        if ((type.at[i] < 'A' || type.at[i] > 'Z') && type.at[i] != '_') {
            return false;
        }
    }
    *out = (struct auditd_line){.type = type, .body = body, .enveloped = true};
    return type.size > 2 && body.size > 0;
}

bool auditd_parse_message(struct fields_sink *sink, struct slice program, struct slice text)
{
    struct run run = {.sink = sink, .raw = text, .message = true};
    struct auditd_line l;
    (void)program;
    if (auditd_line_parse(text, &l)) {
        struct slice serial = l.stamp;
        (void)slice_cut(&serial, ':');
        put_fixed(&run, SERIAL, serial);
        l.enveloped = true;
    } else if (!parse_type(text, &l)) {
        return false;
    }
    if (take_line(&run, &l) && pieces_end(&run) && run.cmdline.size > 0) {
        put_made(&run, CMDLINE, slice_of(run.cmdline.at, run.cmdline.size));
    }
    return true;
}

const struct fields_form auditd_parse_form = FIELDS_FORM("auditd", names, parse);
