#include "decode/message_auth.h"

#include <string.h>

#define ANY MESSAGE_ANY
#define USER MESSAGE_USER
#define TARGET MESSAGE_TARGET_USER
#define TTY MESSAGE_TTY_NAME
#define GROUP MESSAGE_GROUP_NAME
#define REASON_ANY (MESSAGE_REASON | MESSAGE_ANY)
#define BAD MESSAGE_TEXT("failure")
#define GOOD MESSAGE_TEXT("success")
#define COUNT(a) (sizeof(a) / sizeof *(a))

/* ---- PAM ------------------------------------------------------------------------------------- */

static struct message_sentence pam_sentences[] = {
        {"\1 more authentication failure\7", {MESSAGE_REPEATED}, MESSAGE_TEXT("authentication"),
                BAD},
        {"Accepted \1 for \2", {MESSAGE_NOTHING | ANY, USER}, MESSAGE_TEXT("authentication"), GOOD},
        {"authentication failure; \1", {MESSAGE_NOTHING | ANY}, MESSAGE_TEXT("authentication"),
                BAD},
        {"account \1 has expired\7", {USER}, MESSAGE_TEXT("account"), BAD},
        {"auth could not identify password for [\1]", {USER | ANY}, MESSAGE_TEXT("authentication"),
                BAD},
        {"bad username [\1]", {USER | ANY}, MESSAGE_TEXT("authentication"), BAD},
        {"check pass; user unknown", {0}, MESSAGE_TEXT("authentication"), BAD},
        {"conversation failed", {0}, MESSAGE_TEXT("authentication"), BAD},
        {"could not identify user\7", {0}, MESSAGE_TEXT("authentication"), BAD},
        {"expired password for user \1 (\2)", {USER | ANY, REASON_ANY}, MESSAGE_TEXT("account"),
                BAD},
        {"password changed for \1", {TARGET | ANY}, MESSAGE_TEXT("password_changed"), GOOD},
        {"received for user \1: \2", {USER, REASON_ANY}, {0}, {0}},
        {"session opened for user \1(uid=\2) by \3(uid=\4)",
                {TARGET | ANY, MESSAGE_NOTHING, USER | ANY, MESSAGE_USER_ID},
                MESSAGE_TEXT("session_opened"), GOOD},
        {"session opened for user \1 by \3(uid=\4)",
                {TARGET | ANY, MESSAGE_NOTHING, USER | ANY, MESSAGE_USER_ID},
                MESSAGE_TEXT("session_opened"), GOOD},
        {"session opened for user \1\7", {TARGET}, MESSAGE_TEXT("session_opened"), GOOD},
        {"session closed for user \1", {TARGET | ANY}, MESSAGE_TEXT("session_closed"), {0}},
        {"user \1 authenticated as \2", {USER, TARGET}, MESSAGE_TEXT("authentication"), GOOD},
        {"user [\1] \2", {USER | ANY, REASON_ANY}, {0}, {0}},
};
/* All actions and outcomes of them. */
static const struct slice pam_constants = MESSAGE_TEXT("account\0"
                                                       "authentication\0"
                                                       "failure\0"
                                                       "password_changed\0"
                                                       "session_closed\0"
                                                       "session_opened\0"
                                                       "success");

/* One of PAM's values, up to a blank. */
static struct slice take_value(struct slice *text)
{
    size_t end = 0;
    while (end < text->size && text->at[end] != ' ') {
        end++;
    }
    struct slice value = slice_of(text->at, end);
    *text = slice_from(*text, end);
    return value;
}

/* "logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root": always in this order; the last
 * one is not always there. */
static void put_pam_pairs(struct fields_sink *sink, struct slice text)
{
    static const struct {
        struct slice name;
        uint8_t to, also;
    } pairs[] = {
            {MESSAGE_TEXT("logname="), MESSAGE_PAM_LOGNAME, MESSAGE_NOTHING},
            {MESSAGE_TEXT("uid="), MESSAGE_PAM_UID, MESSAGE_NOTHING},
            {MESSAGE_TEXT("euid="), MESSAGE_PAM_EUID, MESSAGE_NOTHING},
            {MESSAGE_TEXT("tty="), MESSAGE_PAM_TTY, MESSAGE_NOTHING},
            {MESSAGE_TEXT("ruser="), MESSAGE_PAM_RUSER, MESSAGE_NOTHING},
            {MESSAGE_TEXT("rhost="), MESSAGE_PAM_RHOST, MESSAGE_SOURCE_IP},
            {MESSAGE_TEXT("user="), MESSAGE_PAM_USER, MESSAGE_USER},
    };
    for (size_t i = 0; i < COUNT(pairs); i++) {
        while (text.size > 0 && *text.at == ' ') {
            text = slice_from(text, 1);
        }
        if (!slice_starts(text, pairs[i].name)) {
            continue;
        }
        text = slice_from(text, pairs[i].name.size);
        struct slice value = take_value(&text);
        fields_put(sink, pairs[i].to, value);
        if (pairs[i].also != MESSAGE_NOTHING && value.size > 0) {
            fields_put(sink, pairs[i].also, value);
        }
    }
}

/* Where "; logname=" stands, or SIZE_MAX. */
static size_t find_pairs(struct slice text)
{
    size_t at = slice_find_byte(text, ';');
    while (at < text.size && !slice_starts(slice_from(text, at), SLICE("; logname="))) {
        at += 1 + slice_find_byte(slice_from(text, at + 1), ';');
    }
    return at < text.size ? at : SIZE_MAX;
}

static bool wants_pairs(const struct fields_sink *sink)
{
    const struct path_edge *const *edges = sink->reader->edges;
    bool wanted = !sink->event || edges[MESSAGE_USER] || edges[MESSAGE_SOURCE_IP];
    for (size_t name = MESSAGE_PAM_LOGNAME; !wanted && name <= MESSAGE_PAM_USER; name++) {
        wanted = edges[name] != NULL;
    }
    return wanted;
}

static void match_pam(struct fields_sink *sink, struct slice text)
{
    message_match_wanted(sink, text, pam_sentences, COUNT(pam_sentences), pam_constants);
}

/* What a module says behind its name. */
static void read_pam(struct fields_sink *sink, struct slice text)
{
    size_t pairs = find_pairs(text);
    if (pairs != SIZE_MAX && wants_pairs(sink)) {
        match_pam(sink, text);
        put_pam_pairs(sink, slice_from(text, pairs + 2));
    } else if (!fields_later(sink, match_pam, text, pam_constants)) {
        match_pam(sink, text);
    }
}

void message_auth_pam_of(struct fields_sink *sink, struct slice module, struct slice text)
{
    fields_put(sink, MESSAGE_PAM_MODULE, module);
    read_pam(sink, text);
}

bool message_auth_pam(struct fields_sink *sink, struct slice program, struct slice text)
{
    (void)program;
    if (!slice_starts(text, SLICE("pam_")) && !slice_starts(text, SLICE("PAM "))) {
        return false;
    }
    if (*text.at == 'P') { /* sshd's own: "PAM 2 more authentication failures; logname= ..." */
        read_pam(sink, slice_from(text, 4));
        return true;
    }
    size_t open = slice_find_byte(text, '('), close = slice_find_byte(text, ')');
    size_t colon = slice_find_byte(text, ':');
    if (open > 32 || close > 128 || close == text.size || colon >= close || colon < open) {
        return false;
    }
    fields_put(sink, MESSAGE_PAM_MODULE, slice_of(text.at, open));
    fields_put(sink, MESSAGE_PAM_SERVICE, slice_of(text.at + open + 1, colon - open - 1));
    fields_put(sink, MESSAGE_PAM_TYPE, slice_of(text.at + colon + 1, close - colon - 1));
    struct slice rest = slice_from(text, close + 1);
    if (rest.size > 0 && *rest.at == ':') {
        rest = slice_from(rest, 1);
    }
    read_pam(sink, slice_trim(rest));
    return true;
}

/* ---- sudo ------------------------------------------------------------------------------------ */

/* One part between " ; ": NAME=value, or why it was refused. */
static void put_sudo_part(struct fields_sink *sink, struct slice part, bool *refused)
{
    struct slice value = part, name;
    if (part.size == 0) {
        return;
    }
    if (*part.at < 'A' || *part.at > 'Z' || !message_pair_name(&value, &name)) {
        fields_put(sink, MESSAGE_REASON, part);
        *refused = true;
        return;
    }
    fields_named(sink, name, value);
    if (slice_equal(name, SLICE("COMMAND"))) {
        fields_put(sink, MESSAGE_COMMAND_LINE, value);
    } else if (slice_equal(name, SLICE("USER"))) {
        fields_put(sink, TARGET, value);
    } else if (slice_equal(name, SLICE("TTY"))) {
        fields_put(sink, TTY, value);
    } else if (slice_equal(name, SLICE("PWD"))) {
        fields_put(sink, MESSAGE_DIRECTORY, value);
    }
}

/* "alice : command not allowed ; TTY=... ; COMMAND=..."; COMMAND is the last, and may hold
 * anything. */
bool message_auth_sudo(struct fields_sink *sink, struct slice program, struct slice text)
{
    text = slice_trim(text);
    size_t colon = slice_find(text, SLICE(" : "));
    if (colon == SIZE_MAX || memchr(text.at, '(', colon)) {
        return message_auth_pam(sink, program, text);
    }
    struct slice rest = slice_from(text, colon + 3);
    bool refused = false;
    fields_put(sink, USER, slice_trim(slice_of(text.at, colon)));
    while (rest.size > 0) {
        size_t end =
                slice_starts(rest, SLICE("COMMAND=")) ? SIZE_MAX : slice_find(rest, SLICE(" ; "));
        struct slice part = slice_of(rest.at, end == SIZE_MAX ? rest.size : end);
        put_sudo_part(sink, slice_trim(part), &refused);
        rest = end == SIZE_MAX ? (struct slice){0} : slice_from(rest, end + 3);
    }
    fields_made(sink, MESSAGE_ACTION, SLICE("sudo"));
    fields_made(sink, MESSAGE_OUTCOME, refused ? SLICE("failure") : SLICE("success"));
    return true;
}

/* ---- su -------------------------------------------------------------------------------------- */

static const struct message_sentence su_sentences[] = {
        {"\1 to \2 on \3", {USER, TARGET, TTY}, MESSAGE_TEXT("su"), GOOD},
        {"'su \1' failed for \2 on \3", {TARGET, USER, TTY}, MESSAGE_TEXT("su"), BAD},
        {"'su \1' succeeded for \2 on \3", {TARGET, USER, TTY}, MESSAGE_TEXT("su"), GOOD},
        {"'su' failed for \1 on \2", {USER, TTY}, MESSAGE_TEXT("su"), BAD},
        {"'su' succeeded for \1 on \2", {USER, TTY}, MESSAGE_TEXT("su"), GOOD},
        {"(to \1) \2 on \3", {TARGET, USER, TTY}, MESSAGE_TEXT("su"), GOOD},
        {"+ \1 \2:\3", {TTY, USER, TARGET}, MESSAGE_TEXT("su"), GOOD},
        {"+ \1 \2-\3", {TTY, USER, TARGET}, MESSAGE_TEXT("su"), GOOD},
        {"- \1 \2:\3", {TTY, USER, TARGET}, MESSAGE_TEXT("su"), BAD},
        {"- \1 \2-\3", {TTY, USER, TARGET}, MESSAGE_TEXT("su"), BAD},
        {"BAD SU \1 to \2 on \3", {USER, TARGET, TTY}, MESSAGE_TEXT("su"), BAD},
        {"BAD SU \1 to \2\7", {USER, TARGET}, MESSAGE_TEXT("su"), BAD},
        {"FAILED SU (to \1) \2 on \3", {TARGET, USER, TTY}, MESSAGE_TEXT("su"), BAD},
        {"FAILED su for \1 by \2", {TARGET, USER}, MESSAGE_TEXT("su"), BAD},
        {"Successful su for \1 by \2", {TARGET, USER}, MESSAGE_TEXT("su"), GOOD},
        {"failed: \1 changing from \2 to \3", {TTY, USER, TARGET}, MESSAGE_TEXT("su"), BAD},
        {"succeeded: \1 changing from \2 to \3", {TTY, USER, TARGET}, MESSAGE_TEXT("su"), GOOD},
};

bool message_auth_su(struct fields_sink *sink, struct slice program, struct slice text)
{
    if (message_auth_pam(sink, program, text)) {
        return true;
    }
    return message_match(sink, text, su_sentences, COUNT(su_sentences));
}

/* ---- cron ------------------------------------------------------------------------------------ */

/* "(root) CMD (command -V)", "(alice) LIST (bob)", "(root) RELOAD (crontabs/root)": who, what, on
 * what. */
static bool read_cron(struct fields_sink *sink, struct slice text)
{
    static const struct message_sentence sentences[] = {
            {"(\1) CMD (\2)", {USER, MESSAGE_COMMAND_LINE | ANY}, MESSAGE_TEXT("CMD"), {0}},
            {"(\1) CMDOUT (\2)", {USER, REASON_ANY}, MESSAGE_TEXT("CMDOUT"), {0}},
            {"(\1) MAIL (\2)", {USER, REASON_ANY}, MESSAGE_TEXT("MAIL"), {0}},
            {"(\1) RELOAD (\2)", {USER, MESSAGE_FILE_PATH | ANY}, MESSAGE_TEXT("RELOAD"), {0}},
            {"(\1) LIST (\2)", {USER, TARGET | ANY}, MESSAGE_TEXT("LIST"), {0}},
            {"(\1) REPLACE (\2)", {USER, TARGET | ANY}, MESSAGE_TEXT("REPLACE"), {0}},
            {"(\1) DELETE (\2)", {USER, TARGET | ANY}, MESSAGE_TEXT("DELETE"), {0}},
            {"(\1) BEGIN EDIT (\2)", {USER, TARGET | ANY}, MESSAGE_TEXT("BEGIN EDIT"), {0}},
            {"(\1) END EDIT (\2)", {USER, TARGET | ANY}, MESSAGE_TEXT("END EDIT"), {0}},
            {"(\1) AUTH (\2)", {USER, REASON_ANY}, MESSAGE_TEXT("AUTH"), BAD},
            {"(\1) INFO (\2)", {USER, REASON_ANY}, MESSAGE_TEXT("INFO"), {0}},
            {"(\1) ERROR (\2)", {USER, REASON_ANY}, MESSAGE_TEXT("ERROR"), {0}},
            {"(\1) \2 (\3)", {USER, REASON_ANY, MESSAGE_NOTHING | ANY}, {0}, {0}},
    };
    return message_match(sink, text, sentences, COUNT(sentences));
}

bool message_auth_cron(struct fields_sink *sink, struct slice program, struct slice text)
{
    return read_cron(sink, text) || message_auth_pam(sink, program, text);
}

/* ---- accounts -------------------------------------------------------------------------------- */

static struct message_sentence account_sentences[] = {
        {"add '\1' to group '\2'", {TARGET, GROUP}, MESSAGE_TEXT("group_member_added"), GOOD},
        {"add '\1' to shadow group '\2'", {TARGET, GROUP}, MESSAGE_TEXT("group_member_added"),
                GOOD},
        {"change user '\1' password", {TARGET}, MESSAGE_TEXT("password_changed"), GOOD},
        {"change user '\1' \2", {TARGET, REASON_ANY}, MESSAGE_TEXT("user_changed"), GOOD},
        {"change user `\1' \2", {TARGET, REASON_ANY}, MESSAGE_TEXT("user_changed"), GOOD},
        {"changed user '\1' \2", {TARGET, REASON_ANY}, MESSAGE_TEXT("user_changed"), GOOD},
        {"changed password expiry for \1", {TARGET}, MESSAGE_TEXT("password_changed"), GOOD},
        {"can't view or modify password information for \1", {TARGET},
                MESSAGE_TEXT("password_changed"), BAD},
        {"delete '\1' from group '\2'", {TARGET, GROUP}, MESSAGE_TEXT("group_member_removed"),
                GOOD},
        {"delete '\1' from shadow group '\2'", {TARGET, GROUP},
                MESSAGE_TEXT("group_member_removed"), GOOD},
        {"delete user '\1'", {TARGET}, MESSAGE_TEXT("user_removed"), GOOD},
        {"delete user `\1'", {TARGET}, MESSAGE_TEXT("user_removed"), GOOD},
        {"failed adding user '\1', \2", {TARGET, REASON_ANY}, MESSAGE_TEXT("user_added"), BAD},
        {"failed adding user '\1'", {TARGET}, MESSAGE_TEXT("user_added"), BAD},
        {"group added to \1: \2", {MESSAGE_FILE_PATH, MESSAGE_NOTHING | ANY},
                MESSAGE_TEXT("group_added"), GOOD},
        {"group '\1' removed\7", {GROUP}, MESSAGE_TEXT("group_removed"), GOOD},
        {"lock user '\1' password", {TARGET}, MESSAGE_TEXT("user_locked"), GOOD},
        {"new user: \1", {MESSAGE_NOTHING | ANY}, MESSAGE_TEXT("user_added"), GOOD},
        {"new group: \1", {MESSAGE_NOTHING | ANY}, MESSAGE_TEXT("group_added"), GOOD},
        {"password for '\1' changed by '\2'", {TARGET, USER}, MESSAGE_TEXT("password_changed"),
                GOOD},
        {"password for `\1' changed by `\2'", {TARGET, USER}, MESSAGE_TEXT("password_changed"),
                GOOD},
        {"removed group '\1' owned by '\2'", {GROUP, TARGET}, MESSAGE_TEXT("group_removed"), GOOD},
        {"removed group `\1' owned by `\2'", {GROUP, TARGET}, MESSAGE_TEXT("group_removed"), GOOD},
        {"remove group '\1'", {GROUP}, MESSAGE_TEXT("group_removed"), GOOD},
        {"user \1 added by \2 to group \3", {TARGET, USER, GROUP},
                MESSAGE_TEXT("group_member_added"), GOOD},
        {"user \1 removed by \2 from group \3", {TARGET, USER, GROUP},
                MESSAGE_TEXT("group_member_removed"), GOOD},
        {"unlock user '\1' password", {TARGET}, MESSAGE_TEXT("user_unlocked"), GOOD},
};

/* "name=backdoor, UID=0, GID=0, home=/root, shell=/bin/bash, from=/dev/pts/0" */
static void put_account_pairs(struct fields_sink *sink, bool group, struct slice text)
{
    struct slice name;
    while (message_pair_name(&text, &name)) {
        size_t end = slice_find(text, SLICE(", "));
        struct slice value = slice_of(text.at, end == SIZE_MAX ? text.size : end);
        text = end == SIZE_MAX ? (struct slice){0} : slice_from(text, end + 2);
        if (slice_equal(name, SLICE("name"))) {
            fields_put(sink, group ? GROUP : TARGET, value);
        } else {
            message_named_text(sink, name, value);
        }
    }
}

bool message_auth_accounts(struct fields_sink *sink, struct slice program, struct slice text)
{
    if (message_auth_pam(sink, program, text)) {
        return true;
    }
    size_t pairs = slice_find(text, SLICE("name="));
    if (!message_match(sink, text, account_sentences, COUNT(account_sentences))) {
        return false;
    }
    if (pairs != SIZE_MAX) {
        put_account_pairs(sink, slice_find(text, SLICE("group")) < pairs, slice_from(text, pairs));
    }
    return true;
}

/* ---- systemd --------------------------------------------------------------------------------- */

static struct message_sentence systemd_sentences[] = {
        {"\1: \2", {MESSAGE_UNIT, REASON_ANY}, {0}, {0}},
        {"Created slice \1.", {MESSAGE_UNIT | ANY}, MESSAGE_TEXT("started"), {0}},
        {"Finished \1.", {MESSAGE_UNIT | ANY}, MESSAGE_TEXT("finished"), {0}},
        {"Failed to start \1.", {MESSAGE_UNIT | ANY}, MESSAGE_TEXT("started"), BAD},
        {"New session \1 of user \2.", {MESSAGE_SESSION, USER | ANY},
                MESSAGE_TEXT("session_opened"), {0}},
        {"New session '\1' of user '\2' \7", {MESSAGE_SESSION, USER},
                MESSAGE_TEXT("session_opened"), {0}},
        {"Removed session \1.", {MESSAGE_SESSION}, MESSAGE_TEXT("session_closed"), {0}},
        {"Reloading \1.", {MESSAGE_UNIT | ANY}, MESSAGE_TEXT("reloading"), {0}},
        {"Reloaded \1.", {MESSAGE_UNIT | ANY}, MESSAGE_TEXT("reloaded"), {0}},
        {"Removed slice \1.", {MESSAGE_UNIT | ANY}, MESSAGE_TEXT("stopped"), {0}},
        {"Session \1 logged out. \7", {MESSAGE_SESSION}, MESSAGE_TEXT("session_closed"), {0}},
        {"Started Session \1 of user \2.", {MESSAGE_SESSION, USER | ANY}, MESSAGE_TEXT("started"),
                {0}},
        {"Started Session \1 of User \2.", {MESSAGE_SESSION, USER | ANY}, MESSAGE_TEXT("started"),
                {0}},
        {"Starting Session \1 of user \2.", {MESSAGE_SESSION, USER | ANY}, MESSAGE_TEXT("starting"),
                {0}},
        {"Started \1.", {MESSAGE_UNIT | ANY}, MESSAGE_TEXT("started"), {0}},
        {"Starting \1...", {MESSAGE_UNIT | ANY}, MESSAGE_TEXT("starting"), {0}},
        {"Stopped \1.", {MESSAGE_UNIT | ANY}, MESSAGE_TEXT("stopped"), {0}},
        {"Stopping \1...", {MESSAGE_UNIT | ANY}, MESSAGE_TEXT("stopping"), {0}},
};

bool message_auth_systemd(struct fields_sink *sink, struct slice program, struct slice text)
{
    return message_auth_pam(sink, program, text) ||
           message_match(sink, text, systemd_sentences, COUNT(systemd_sentences));
}

__attribute__((constructor)) static void settle(void)
{
    message_settle_late(pam_sentences, COUNT(pam_sentences));
    message_settle(account_sentences, COUNT(account_sentences));
    message_settle(systemd_sentences, COUNT(systemd_sentences));
}
