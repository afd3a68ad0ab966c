/* message: what the text of a log message says, by the program that wrote it.
 *
 *     message_read(sink, SLICE("sshd"), SLICE("Failed password for root from 192.0.2.1 port 22
 * ssh2")) event.action ssh_login, event.outcome failure, ssh.method password, user.name root,
 *         source.ip 192.0.2.1, source.port 22
 *
 * A table says which program's messages are read how; a message of any other program, or one that
 * its program's parser does not know, may be JSON, CEF, LEEF or pairs of name=value. A message that
 * is none of these has no fields of its own.
 *
 * Names: where a program or vendor writes names (sudo's USER=, netfilter's SRC=, CEF's suser,
 * LEEF's usrName, JSON's keys), those, as rules for them are written. What only a sentence says has
 * names of the Elastic Common Schema: user.name, source.ip, event.action, event.outcome.
 *
 * A message cannot give the names that say where it came from (message_reserved): they would let
 * whoever writes into a log speak for another program. They become `data.NAME`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "decode/fields.h"

/* Fixed names of records with messages: of the header, then of messages. */
#define MESSAGE_NAMES(X)                                                                           \
    X(TIMESTAMP, "timestamp")                                                                      \
    X(HOST, "host")                                                                                \
    X(FACILITY, "facility")                                                                        \
    X(FACILITY_CODE, "facility_code")                                                              \
    X(SEVERITY, "severity")                                                                        \
    X(SEVERITY_CODE, "severity_code")                                                              \
    X(PROGRAM, "program")                                                                          \
    X(PID, "pid")                                                                                  \
    X(MSGID, "msgid")                                                                              \
    X(VERSION, "version")                                                                          \
    X(MESSAGE, "message")                                                                          \
    X(CODE, "event.code")                                                                          \
    X(REPEATED, "repeated")                                                                        \
    X(ACTION, "event.action")                                                                      \
    X(OUTCOME, "event.outcome")                                                                    \
    X(REASON, "event.reason")                                                                      \
    X(USER, "user.name")                                                                           \
    X(USER_ID, "user.id")                                                                          \
    X(TARGET_USER, "user.target.name")                                                             \
    X(GROUP_NAME, "group.name")                                                                    \
    X(SOURCE_IP, "source.ip")                                                                      \
    X(SOURCE_PORT, "source.port")                                                                  \
    X(SOURCE_HOST, "source.domain")                                                                \
    X(DESTINATION_IP, "destination.ip")                                                            \
    X(DESTINATION_PORT, "destination.port")                                                        \
    X(TRANSPORT, "network.transport")                                                              \
    X(COMMAND_LINE, "process.command_line")                                                        \
    X(TTY_NAME, "process.tty")                                                                     \
    X(DIRECTORY, "process.working_directory")                                                      \
    X(FILE_PATH, "file.path")                                                                      \
    X(SSH_METHOD, "ssh.method")                                                                    \
    X(SSH_KEY, "ssh.key")                                                                          \
    X(SSH_CODE, "ssh.code")                                                                        \
    X(SSH_SESSION, "ssh.session")                                                                  \
    X(UNIT, "systemd.unit")                                                                        \
    X(SESSION, "session.id")                                                                       \
    X(RULE_NAME, "rule.name")                                                                      \
    X(QUEUE_ID, "queue_id")                                                                        \
    X(PAM_LOGNAME, "logname")                                                                      \
    X(PAM_UID, "uid")                                                                              \
    X(PAM_EUID, "euid")                                                                            \
    X(PAM_TTY, "tty")                                                                              \
    X(PAM_RUSER, "ruser")                                                                          \
    X(PAM_RHOST, "rhost")                                                                          \
    X(PAM_USER, "user")                                                                            \
    X(PAM_MODULE, "pam.module")                                                                    \
    X(PAM_SERVICE, "pam.service")                                                                  \
    X(PAM_TYPE, "pam.type")                                                                        \
    X(CEF_VERSION, "cefVersion")                                                                   \
    X(LEEF_VERSION, "leefVersion")                                                                 \
    X(DEVICE_VENDOR, "deviceVendor")                                                               \
    X(DEVICE_PRODUCT, "deviceProduct")                                                             \
    X(DEVICE_VERSION, "deviceVersion")                                                             \
    X(DEVICE_CLASS, "deviceEventClassId")                                                          \
    X(EVENT_NAME, "name")                                                                          \
    X(DEVICE_SEVERITY, "deviceSeverity")                                                           \
    X(EVENT_ID, "eventID")

enum message_name {
#define MESSAGE_NAME(id, text) MESSAGE_##id,
    MESSAGE_NAMES(MESSAGE_NAME)
#undef MESSAGE_NAME
            MESSAGE_NAME_COUNT,
    MESSAGE_NOTHING = MESSAGE_NAME_COUNT, /* a part of a sentence without a name */
    /* What sshd's and PAM's sentences can give: all of it can be put off (fields_later). */
    MESSAGE_SENTENCES = MESSAGE_REPEATED,
    MESSAGE_SENTENCES_END = MESSAGE_RULE_NAME,
};
extern const char *const message_names[MESSAGE_NAME_COUNT];

/* Puts what a message says beyond its text. `sink` is of a form with message_names. */
void message_read(struct fields_sink *sink, struct slice program, struct slice text);

/* ---- for the parsers ------------------------------------------------------------------------- */

/* false: not one of this program's messages. */
typedef bool message_parser(struct fields_sink *sink, struct slice program, struct slice text);

/* Is it a name that a message must not give? */
bool message_reserved(struct slice name);
/* A value whose name the message gives. */
void message_named(struct fields_sink *sink, struct slice name, const struct value *value);
void message_named_text(struct fields_sink *sink, struct slice name, struct slice text);
/* The same for a text that is not in the record. */
void message_named_made(struct fields_sink *sink, struct slice name, struct slice text);

/* A sentence: bytes 1 to 6 stand for what varies, all else for itself.
 *     {"Invalid user \2 from \1 port \3", {SOURCE_IP, USER | MESSAGE_ANY, SOURCE_PORT}, ...}
 * A part runs to the first place where what follows it stands, and has no blanks; one with
 * MESSAGE_ANY runs to the last such place and may hold anything, nothing too: so a name that
 * somebody chose (`x from 192.0.2.9`) cannot stand in for what the program says behind it. A
 * sentence that ends with \7 may go on. */
enum { MESSAGE_PARTS = 6, MESSAGE_SHARED = MESSAGE_PARTS, MESSAGE_ANY = 0x80, MESSAGE_MORE = 7 };
struct message_sentence {
    const char *text;
    /* enum message_name; of byte 1 first. [MESSAGE_SHARED]: how many plain bytes in front the
     * sentence before has too; 0: not known (message_settle). */
    uint8_t parts[MESSAGE_PARTS + 1];
    struct slice action; /* {0}: none */
    struct slice outcome;
};
#define MESSAGE_TEXT(literal)                                                                      \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }
/* Puts the parts of the first sentence that fits. They are sorted by their first byte; those that
 * begin with a part come first, and are tried last. */
bool message_match(struct fields_sink *sink, struct slice text,
        const struct message_sentence *sentences, size_t count);

/* Fills in [MESSAGE_SHARED] of a table, once, before threads: its sentences are then told apart
 * byte by byte of the text, not each from its front. */
void message_settle(struct message_sentence *sentences, size_t count);
/* The same, for one that is put off: its names are those of MESSAGE_SENTENCES. */
void message_settle_late(struct message_sentence *sentences, size_t count);

/* message_match where the result does not matter: sentences are passed over when no rule names what
 * they could give. `constants`: the actions and outcomes of them all, with a NUL between, that
 * keywords may still look for. */
void message_match_wanted(struct fields_sink *sink, struct slice text,
        const struct message_sentence *sentences, size_t count, struct slice constants);

/* The next name of a pair at *text, blanks in front passed over: `name` without '='; *text is then
 * behind the '='. */
bool message_pair_name(struct slice *text, struct slice *name);
