#include "decode/message_auth.h"

#include <string.h>

#define ANY MESSAGE_ANY
#define USER MESSAGE_USER
#define TARGET MESSAGE_TARGET_USER
#define TTY MESSAGE_TTY_NAME
#define GROUP MESSAGE_GROUP_NAME
#define REASON_ANY (MESSAGE_REASON | MESSAGE_ANY)
#define BAD "failure"
#define GOOD "success"
#define COUNT(a) (sizeof(a) / sizeof *(a))

static struct slice from(struct slice text, size_t at)
{
    return slice_of(text.at + at, text.size - at);
}

/* ---- PAM ------------------------------------------------------------------------------------- */

static const struct message_sentence pam_sentences[] = {
        {"session opened for user \1(uid=\2) by \3(uid=\4)",
                {TARGET | ANY, MESSAGE_NOTHING | ANY, USER | ANY, MESSAGE_USER_ID},
                "session_opened", GOOD},
        {"session opened for user \1 by \3(uid=\4)",
                {TARGET | ANY, MESSAGE_NOTHING, USER | ANY, MESSAGE_USER_ID}, "session_opened",
                GOOD},
        {"session opened for user \1\7", {TARGET}, "session_opened", GOOD},
        {"session closed for user \1", {TARGET | ANY}, "session_closed", NULL},
        {"password changed for \1", {TARGET | ANY}, "password_changed", GOOD},
        {"authentication failure; \1", {MESSAGE_NOTHING | ANY}, "authentication", BAD},
        {"\1 more authentication failure\7", {MESSAGE_NOTHING}, "authentication", BAD},
        {"check pass; user unknown", {0}, "authentication", BAD},
        {"bad username [\1]", {USER | ANY}, "authentication", BAD},
        {"account \1 has expired\7", {USER}, "account", BAD},
        {"expired password for user \1 (\2)", {USER | ANY, REASON_ANY}, "account", BAD},
        {"conversation failed", {0}, "authentication", BAD},
        {"auth could not identify password for [\1]", {USER | ANY}, "authentication", BAD},
        {"could not identify user\7", {0}, "authentication", BAD},
        {"user \1 authenticated as \2", {USER, TARGET}, "authentication", GOOD},
        {"user [\1] \2", {USER | ANY, REASON_ANY}, NULL, NULL},
        {"Accepted \1 for \2", {MESSAGE_NOTHING | ANY, USER}, "authentication", GOOD},
        {"received for user \1: \2", {USER, REASON_ANY}, NULL, NULL},
};

/* PAM's name=value pairs, in the order that it writes them; `user` is empty or behind two blanks.
 */
static void put_pam_pairs(struct fields_sink *sink, struct slice text)
{
    struct slice name;
    while (text.size > 0) {
        if (!message_pair_name(&text, &name)) {
            (void)slice_cut(&text, ' ');
            continue;
        }
        size_t end = slice_find_byte(text, ' ');
        struct slice value = slice_of(text.at, end);
        text = from(text, end);
        message_named_text(sink, name, value);
        if (value.size == 0) {
            continue;
        }
        if (slice_equal(name, SLICE("user"))) {
            fields_put(sink, USER, value);
        } else if (slice_equal(name, SLICE("rhost"))) {
            fields_put(sink, MESSAGE_SOURCE_IP, value);
        }
    }
}

/* What a module says behind its name. */
static void read_pam(struct fields_sink *sink, struct slice text)
{
    size_t pairs = slice_find(text, SLICE("; logname="));
    (void)message_match(sink, text, pam_sentences, COUNT(pam_sentences));
    if (pairs != SIZE_MAX) {
        put_pam_pairs(sink, from(text, pairs + 2));
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
        read_pam(sink, from(text, 4));
        return true;
    }
    size_t open = slice_find_byte(text, '('), close = slice_find_byte(text, ')');
    size_t colon = slice_find_byte(text, ':');
    if (open > 32 || close > 128 || close < open || colon >= close || colon < open) {
        return false;
    }
    fields_put(sink, MESSAGE_PAM_MODULE, slice_of(text.at, open));
    fields_put(sink, MESSAGE_PAM_SERVICE, slice_of(text.at + open + 1, colon - open - 1));
    fields_put(sink, MESSAGE_PAM_TYPE, slice_of(text.at + colon + 1, close - colon - 1));
    struct slice rest = from(text, close + 1);
    if (rest.size > 0 && *rest.at == ':') {
        rest = from(rest, 1);
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
    struct slice rest = from(text, colon + 3);
    bool refused = false;
    fields_put(sink, USER, slice_trim(slice_of(text.at, colon)));
    while (rest.size > 0) {
        size_t end =
                slice_starts(rest, SLICE("COMMAND=")) ? SIZE_MAX : slice_find(rest, SLICE(" ; "));
        struct slice part = slice_of(rest.at, end == SIZE_MAX ? rest.size : end);
        put_sudo_part(sink, slice_trim(part), &refused);
        rest = end == SIZE_MAX ? (struct slice){0} : from(rest, end + 3);
    }
    fields_made(sink, MESSAGE_ACTION, SLICE("sudo"));
    fields_made(sink, MESSAGE_OUTCOME, refused ? SLICE(BAD) : SLICE(GOOD));
    return true;
}

/* ---- su -------------------------------------------------------------------------------------- */

static const struct message_sentence su_sentences[] = {
        {"(to \1) \2 on \3", {TARGET, USER, TTY}, "su", GOOD},
        {"FAILED SU (to \1) \2 on \3", {TARGET, USER, TTY}, "su", BAD},
        {"Successful su for \1 by \2", {TARGET, USER}, "su", GOOD},
        {"FAILED su for \1 by \2", {TARGET, USER}, "su", BAD},
        {"+ \1 \2:\3", {TTY, USER, TARGET}, "su", GOOD},
        {"+ \1 \2-\3", {TTY, USER, TARGET}, "su", GOOD},
        {"- \1 \2:\3", {TTY, USER, TARGET}, "su", BAD},
        {"- \1 \2-\3", {TTY, USER, TARGET}, "su", BAD},
        {"BAD SU \1 to \2 on \3", {USER, TARGET, TTY}, "su", BAD},
        {"BAD SU \1 to \2\7", {USER, TARGET}, "su", BAD},
        {"failed: \1 changing from \2 to \3", {TTY, USER, TARGET}, "su", BAD},
        {"succeeded: \1 changing from \2 to \3", {TTY, USER, TARGET}, "su", GOOD},
        {"'su \1' failed for \2 on \3", {TARGET, USER, TTY}, "su", BAD},
        {"'su \1' succeeded for \2 on \3", {TARGET, USER, TTY}, "su", GOOD},
        {"'su' failed for \1 on \2", {USER, TTY}, "su", BAD},
        {"'su' succeeded for \1 on \2", {USER, TTY}, "su", GOOD},
        {"\1 to \2 on \3", {USER, TARGET, TTY}, "su", GOOD},
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
            {"(\1) CMD (\2)", {USER, MESSAGE_COMMAND_LINE | ANY}, "CMD", NULL},
            {"(\1) CMDOUT (\2)", {USER, REASON_ANY}, "CMDOUT", NULL},
            {"(\1) MAIL (\2)", {USER, REASON_ANY}, "MAIL", NULL},
            {"(\1) RELOAD (\2)", {USER, MESSAGE_FILE_PATH | ANY}, "RELOAD", NULL},
            {"(\1) LIST (\2)", {USER, TARGET | ANY}, "LIST", NULL},
            {"(\1) REPLACE (\2)", {USER, TARGET | ANY}, "REPLACE", NULL},
            {"(\1) DELETE (\2)", {USER, TARGET | ANY}, "DELETE", NULL},
            {"(\1) BEGIN EDIT (\2)", {USER, TARGET | ANY}, "BEGIN EDIT", NULL},
            {"(\1) END EDIT (\2)", {USER, TARGET | ANY}, "END EDIT", NULL},
            {"(\1) AUTH (\2)", {USER, REASON_ANY}, "AUTH", BAD},
            {"(\1) INFO (\2)", {USER, REASON_ANY}, "INFO", NULL},
            {"(\1) ERROR (\2)", {USER, REASON_ANY}, "ERROR", NULL},
            {"(\1) \2 (\3)", {USER, REASON_ANY, MESSAGE_NOTHING | ANY}, NULL, NULL},
    };
    return message_match(sink, text, sentences, COUNT(sentences));
}

bool message_auth_cron(struct fields_sink *sink, struct slice program, struct slice text)
{
    return read_cron(sink, text) || message_auth_pam(sink, program, text);
}

/* ---- accounts -------------------------------------------------------------------------------- */

static const struct message_sentence account_sentences[] = {
        {"new user: \1", {MESSAGE_NOTHING | ANY}, "user_added", GOOD},
        {"new group: \1", {MESSAGE_NOTHING | ANY}, "group_added", GOOD},
        {"group added to \1: \2", {MESSAGE_FILE_PATH, MESSAGE_NOTHING | ANY}, "group_added", GOOD},
        {"add '\1' to group '\2'", {TARGET, GROUP}, "group_member_added", GOOD},
        {"add '\1' to shadow group '\2'", {TARGET, GROUP}, "group_member_added", GOOD},
        {"user \1 added by \2 to group \3", {TARGET, USER, GROUP}, "group_member_added", GOOD},
        {"delete '\1' from group '\2'", {TARGET, GROUP}, "group_member_removed", GOOD},
        {"delete '\1' from shadow group '\2'", {TARGET, GROUP}, "group_member_removed", GOOD},
        {"user \1 removed by \2 from group \3", {TARGET, USER, GROUP}, "group_member_removed",
                GOOD},
        {"failed adding user '\1', \2", {TARGET, REASON_ANY}, "user_added", BAD},
        {"failed adding user '\1'", {TARGET}, "user_added", BAD},
        {"delete user '\1'", {TARGET}, "user_removed", GOOD},
        {"delete user `\1'", {TARGET}, "user_removed", GOOD},
        {"removed group '\1' owned by '\2'", {GROUP, TARGET}, "group_removed", GOOD},
        {"removed group `\1' owned by `\2'", {GROUP, TARGET}, "group_removed", GOOD},
        {"remove group '\1'", {GROUP}, "group_removed", GOOD},
        {"group '\1' removed\7", {GROUP}, "group_removed", GOOD},
        {"change user '\1' password", {TARGET}, "password_changed", GOOD},
        {"change user '\1' \2", {TARGET, REASON_ANY}, "user_changed", GOOD},
        {"change user `\1' \2", {TARGET, REASON_ANY}, "user_changed", GOOD},
        {"lock user '\1' password", {TARGET}, "user_locked", GOOD},
        {"unlock user '\1' password", {TARGET}, "user_unlocked", GOOD},
        {"changed user '\1' \2", {TARGET, REASON_ANY}, "user_changed", GOOD},
        {"changed password expiry for \1", {TARGET}, "password_changed", GOOD},
        {"password for '\1' changed by '\2'", {TARGET, USER}, "password_changed", GOOD},
        {"password for `\1' changed by `\2'", {TARGET, USER}, "password_changed", GOOD},
        {"can't view or modify password information for \1", {TARGET}, "password_changed", BAD},
};

/* "name=backdoor, UID=0, GID=0, home=/root, shell=/bin/bash, from=/dev/pts/0" */
static void put_account_pairs(struct fields_sink *sink, bool group, struct slice text)
{
    struct slice name;
    while (message_pair_name(&text, &name)) {
        size_t end = slice_find(text, SLICE(", "));
        struct slice value = slice_of(text.at, end == SIZE_MAX ? text.size : end);
        text = end == SIZE_MAX ? (struct slice){0} : from(text, end + 2);
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
        put_account_pairs(sink, slice_find(text, SLICE("group")) < pairs, from(text, pairs));
    }
    return true;
}

/* ---- systemd --------------------------------------------------------------------------------- */

static const struct message_sentence systemd_sentences[] = {
        {"New session \1 of user \2.", {MESSAGE_SESSION, USER | ANY}, "session_opened", NULL},
        {"New session '\1' of user '\2' \7", {MESSAGE_SESSION, USER}, "session_opened", NULL},
        {"Removed session \1.", {MESSAGE_SESSION}, "session_closed", NULL},
        {"Session \1 logged out. \7", {MESSAGE_SESSION}, "session_closed", NULL},
        {"Started Session \1 of user \2.", {MESSAGE_SESSION, USER | ANY}, "started", NULL},
        {"Started Session \1 of User \2.", {MESSAGE_SESSION, USER | ANY}, "started", NULL},
        {"Starting Session \1 of user \2.", {MESSAGE_SESSION, USER | ANY}, "starting", NULL},
        {"Started \1.", {MESSAGE_UNIT | ANY}, "started", NULL},
        {"Starting \1...", {MESSAGE_UNIT | ANY}, "starting", NULL},
        {"Stopped \1.", {MESSAGE_UNIT | ANY}, "stopped", NULL},
        {"Stopping \1...", {MESSAGE_UNIT | ANY}, "stopping", NULL},
        {"Finished \1.", {MESSAGE_UNIT | ANY}, "finished", NULL},
        {"Reloading \1.", {MESSAGE_UNIT | ANY}, "reloading", NULL},
        {"Reloaded \1.", {MESSAGE_UNIT | ANY}, "reloaded", NULL},
        {"Created slice \1.", {MESSAGE_UNIT | ANY}, "started", NULL},
        {"Removed slice \1.", {MESSAGE_UNIT | ANY}, "stopped", NULL},
        {"Failed to start \1.", {MESSAGE_UNIT | ANY}, "started", BAD},
        {"\1: \2", {MESSAGE_UNIT, REASON_ANY}, NULL, NULL},
};

bool message_auth_systemd(struct fields_sink *sink, struct slice program, struct slice text)
{
    return message_auth_pam(sink, program, text) ||
           message_match(sink, text, systemd_sentences, COUNT(systemd_sentences));
}
