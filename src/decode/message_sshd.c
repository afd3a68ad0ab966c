#include "decode/message_sshd.h"

#include "decode/message_auth.h"

#define LOGIN MESSAGE_TEXT("ssh_login")
#define END MESSAGE_TEXT("ssh_disconnect")
#define CONNECT MESSAGE_TEXT("ssh_connect")
#define BAD MESSAGE_TEXT("failure")
#define GOOD MESSAGE_TEXT("success")
#define USER_ANY (MESSAGE_USER | MESSAGE_ANY)
#define REASON_ANY (MESSAGE_REASON | MESSAGE_ANY)
#define IP MESSAGE_SOURCE_IP
#define PORT MESSAGE_SOURCE_PORT
#define METHOD MESSAGE_SSH_METHOD

/* Of two that begin alike the longer stands first. */
static struct message_sentence sentences[] = {
        {"Accepted \1 for \2 from \3 port \4 ssh2: \5",
                {METHOD, USER_ANY, IP, PORT, MESSAGE_SSH_KEY | MESSAGE_ANY}, LOGIN, GOOD},
        {"Accepted \1 for \2 from \3 port \4 ssh\7", {METHOD, USER_ANY, IP, PORT}, LOGIN, GOOD},
        {"Accepted \1 for \2 from \3 port \4", {METHOD, USER_ANY, IP, PORT}, LOGIN, GOOD},
        {"Accepted \1 for \2", {METHOD, USER_ANY}, LOGIN, GOOD},
        {"Address \1 maps to \2, but \3", {IP, MESSAGE_SOURCE_HOST, REASON_ANY},
                MESSAGE_TEXT("ssh_name_mismatch"), BAD},
        {"Authentication refused: \1", {REASON_ANY}, LOGIN, BAD},
        {"Authentication tried for \1 with \2 from host \3, \4",
                {MESSAGE_USER, MESSAGE_NOTHING | MESSAGE_ANY, MESSAGE_SOURCE_HOST, REASON_ANY},
                LOGIN, BAD},
        {"Bad protocol version identification \1 from \2 port \3", {REASON_ANY, IP, PORT}, CONNECT,
                BAD},
        {"Bad protocol version identification \1 from \2", {REASON_ANY, IP}, CONNECT, BAD},
        {"Connection closed by invalid user \1 \2 port \3", {USER_ANY, IP, PORT}, END, {0}},
        {"Connection closed by authenticating user \1 \2 port \3", {USER_ANY, IP, PORT}, END, {0}},
        {"Connection closed by \1 port \2", {IP, PORT}, END, {0}},
        {"Connection closed by \1", {IP}, END, {0}},
        {"Connection reset by invalid user \1 \2 port \3", {USER_ANY, IP, PORT}, END, {0}},
        {"Connection reset by authenticating user \1 \2 port \3", {USER_ANY, IP, PORT}, END, {0}},
        {"Connection reset by \1 port \2", {IP, PORT}, END, {0}},
        {"Connection from \1 port \2 on \3 port \4",
                {IP, PORT, MESSAGE_DESTINATION_IP, MESSAGE_DESTINATION_PORT}, CONNECT, {0}},
        {"Connection from \1 port \2 on \3 port \4 rdomain \5",
                {IP, PORT, MESSAGE_DESTINATION_IP, MESSAGE_DESTINATION_PORT,
                        MESSAGE_NOTHING | MESSAGE_ANY},
                CONNECT, {0}},
        {"Connection from \1 port \2", {IP, PORT}, CONNECT, {0}},
        {"Connection from \1 port \2: \3", {IP, PORT, REASON_ANY}, CONNECT, BAD},
        {"Close session: user \1 from \2 port \3 id \4", {MESSAGE_USER, IP, PORT, MESSAGE_SESSION},
                MESSAGE_TEXT("ssh_session_closed"), {0}},
        {"Could not get shadow information for \1", {USER_ANY}, {0}, {0}},
        {"Disconnecting invalid user \1 \2 port \3: \4", {USER_ANY, IP, PORT, REASON_ANY}, END,
                {0}},
        {"Disconnecting authenticating user \1 \2 port \3: \4", {USER_ANY, IP, PORT, REASON_ANY},
                END, {0}},
        {"Disconnecting user \1 \2 port \3: \4", {USER_ANY, IP, PORT, REASON_ANY}, END, {0}},
        {"Disconnecting \1 port \2: \3", {IP, PORT, REASON_ANY}, END, {0}},
        {"Disconnecting: Too many authentication failures for \1", {USER_ANY}, END, BAD},
        {"Disconnecting: \1", {REASON_ANY}, END, {0}},
        {"Disconnected from invalid user \1 \2 port \3", {USER_ANY, IP, PORT}, END, {0}},
        {"Disconnected from authenticating user \1 \2 port \3", {USER_ANY, IP, PORT}, END, {0}},
        {"Disconnected from user \1 \2 port \3", {USER_ANY, IP, PORT}, END, {0}},
        {"Disconnected from \1 port \2", {IP, PORT}, END, {0}},
        {"Disconnected from \1", {IP}, END, {0}},
        {"Did not receive identification string from \1 port \2", {IP, PORT}, CONNECT, BAD},
        {"Did not receive identification string from \1", {IP}, CONNECT, BAD},
        {"Failed \1 for invalid user \2 from \3 port \4 ssh\7", {METHOD, USER_ANY, IP, PORT}, LOGIN,
                BAD},
        {"Failed \1 for illegal user \2 from \3 port \4 ssh\7", {METHOD, USER_ANY, IP, PORT}, LOGIN,
                BAD},
        {"Failed \1 for \2 from \3 port \4 ssh\7", {METHOD, USER_ANY, IP, PORT}, LOGIN, BAD},
        {"Failed \1 for \2 from \3", {METHOD, USER_ANY, IP}, LOGIN, BAD},
        {"Invalid user \1 from \2 port \3", {USER_ANY, IP, PORT}, LOGIN, BAD},
        {"Invalid user \1 from \2", {USER_ANY, IP}, LOGIN, BAD},
        {"Illegal user \1 from \2", {USER_ANY, IP}, LOGIN, BAD},
        {"Login restricted for user \1\7", {MESSAGE_USER}, LOGIN, BAD},
        {"Nasty PTR record \1 is set up for \2, \3",
                {MESSAGE_SOURCE_HOST | MESSAGE_ANY, IP, REASON_ANY},
                MESSAGE_TEXT("ssh_name_mismatch"), BAD},
        {"Postponed \1 for invalid user \2 from \3 port \4 ssh\7", {METHOD, USER_ANY, IP, PORT},
                LOGIN, {0}},
        {"Postponed \1 for \2 from \3 port \4 ssh\7", {METHOD, USER_ANY, IP, PORT}, LOGIN, {0}},
        {"Partial \1 for \2 from \3 port \4 ssh\7", {METHOD, USER_ANY, IP, PORT}, LOGIN, {0}},
        {"Protocol major versions differ for \1 port \2: \3", {IP, PORT, REASON_ANY}, CONNECT, BAD},
        {"Protocol major versions differ for \1: \2", {IP, REASON_ANY}, CONNECT, BAD},
        {"PAM: \1 for illegal user \2 from \3", {REASON_ANY, MESSAGE_USER, MESSAGE_SOURCE_HOST},
                LOGIN, BAD},
        {"PAM: \1 for \2 from \3", {REASON_ANY, MESSAGE_USER, MESSAGE_SOURCE_HOST}, LOGIN, BAD},
        {"Received disconnect from \1 port \2:\3: \4", {IP, PORT, MESSAGE_SSH_CODE, REASON_ANY},
                END, {0}},
        {"Received disconnect from \1: \2: \3", {IP, MESSAGE_SSH_CODE, REASON_ANY}, END, {0}},
        {"Read error from remote host \1 port \2: \3", {IP, PORT, REASON_ANY}, END, BAD},
        {"Read error from remote host \1: \2", {IP, REASON_ANY}, END, BAD},
        {"ROOT LOGIN REFUSED FROM \1 port \2", {IP, PORT}, LOGIN, BAD},
        {"ROOT LOGIN REFUSED FROM \1", {IP}, LOGIN, BAD},
        {"Received signal \1; terminating.", {MESSAGE_NOTHING}, MESSAGE_TEXT("ssh_server_stopped"),
                {0}},
        {"Starting session: \1 for \2 from \3 port \4 id \5",
                {MESSAGE_SSH_SESSION | MESSAGE_ANY, MESSAGE_USER, IP, PORT, MESSAGE_SESSION},
                MESSAGE_TEXT("ssh_session_opened"), {0}},
        {"Server listening on \1 port \2.", {MESSAGE_DESTINATION_IP, MESSAGE_DESTINATION_PORT},
                MESSAGE_TEXT("ssh_server_started"), {0}},
        {"Too many authentication failures for invalid user \1 from \2 port \3 ssh\7",
                {USER_ANY, IP, PORT}, LOGIN, BAD},
        {"Too many authentication failures for \1", {USER_ANY}, LOGIN, BAD},
        {"Timeout before authentication for connection from \1 to \2, \3",
                {IP, MESSAGE_DESTINATION_IP, MESSAGE_NOTHING | MESSAGE_ANY}, LOGIN, BAD},
        {"Timeout before authentication for \1 port \2", {IP, PORT}, LOGIN, BAD},
        {"Timeout before authentication for \1", {IP}, LOGIN, BAD},
        {"Timeout, client not responding from user \1 \2 port \3", {USER_ANY, IP, PORT}, END, {0}},
        {"Timeout, client not responding\7", {0}, END, {0}},
        {"Unable to negotiate with \1 port \2: \3", {IP, PORT, REASON_ANY}, CONNECT, BAD},
        {"Unable to negotiate with \1: \2", {IP, REASON_ANY}, CONNECT, BAD},
        {"User \1 from \2 not allowed because \3", {USER_ANY, MESSAGE_SOURCE_HOST, REASON_ANY},
                LOGIN, BAD},
        {"User \1 not allowed because \2", {USER_ANY, REASON_ANY}, LOGIN, BAD},
        {"Write failed: \1", {REASON_ANY}, END, BAD},
        {"banner exchange: Connection from \1 port \2: \3", {IP, PORT, REASON_ANY}, CONNECT, BAD},
        {"drop connection #\1 from [\2]:\3 on [\4]:\5 \6",
                {MESSAGE_NOTHING, IP, PORT, MESSAGE_DESTINATION_IP, MESSAGE_DESTINATION_PORT,
                        REASON_ANY},
                CONNECT, BAD},
        {"input_userauth_request: invalid user \1", {USER_ANY}, LOGIN, BAD},
        {"input_userauth_request: illegal user \1", {USER_ANY}, LOGIN, BAD},
        {"kex_exchange_identification: \1", {REASON_ANY}, CONNECT, BAD},
        {"maximum authentication attempts exceeded for invalid user \1 from \2 port \3 ssh\7",
                {USER_ANY, IP, PORT}, LOGIN, BAD},
        {"maximum authentication attempts exceeded for \1 from \2 port \3 ssh\7",
                {USER_ANY, IP, PORT}, LOGIN, BAD},
        {"reverse mapping checking getaddrinfo for \1 [\2] \3",
                {MESSAGE_SOURCE_HOST, IP, REASON_ANY}, MESSAGE_TEXT("ssh_name_mismatch"), BAD},
        {"reverse mapping checking getaddrinfo for \1 \2", {MESSAGE_SOURCE_HOST, REASON_ANY},
                MESSAGE_TEXT("ssh_name_mismatch"), BAD},
        {"refused connect from \1 (\2)", {MESSAGE_SOURCE_HOST, IP}, CONNECT, BAD},
        {"ssh_dispatch_run_fatal: Connection from \1 port \2: \3", {IP, PORT, REASON_ANY}, END,
                BAD},
        {"scanned from \1 with \2", {IP, REASON_ANY}, CONNECT, BAD},
        {"subsystem request for \1 by user \2", {MESSAGE_SSH_SESSION, USER_ANY},
                MESSAGE_TEXT("ssh_subsystem"), {0}},
        {"subsystem request for \1", {MESSAGE_SSH_SESSION}, MESSAGE_TEXT("ssh_subsystem"), {0}},
};

/* All actions and outcomes above. */
static const struct slice constants = MESSAGE_TEXT("failure\0"
                                                   "ssh_connect\0"
                                                   "ssh_disconnect\0"
                                                   "ssh_login\0"
                                                   "ssh_name_mismatch\0"
                                                   "ssh_server_started\0"
                                                   "ssh_server_stopped\0"
                                                   "ssh_session_closed\0"
                                                   "ssh_session_opened\0"
                                                   "ssh_subsystem\0"
                                                   "success");

__attribute__((constructor)) static void settle(void)
{
    message_settle_late(sentences, sizeof sentences / sizeof *sentences);
}

static void match(struct fields_sink *sink, struct slice text)
{
    message_match_wanted(sink, text, sentences, sizeof sentences / sizeof *sentences, constants);
}

static void skip_prefix(struct slice *text, struct slice prefix)
{
    if (text->size > 0 && *text->at == *prefix.at && slice_starts(*text, prefix)) {
        *text = slice_of(text->at + prefix.size, text->size - prefix.size);
    }
}

bool message_sshd(struct fields_sink *sink, struct slice program, struct slice text)
{
    static const struct slice preauth = {" [preauth]", 10};
    if (message_auth_pam(sink, program, text)) {
        return true;
    }
    skip_prefix(&text, SLICE("error: "));
    skip_prefix(&text, SLICE("fatal: "));
    text = slice_trim(text);
    if (slice_ends(text, preauth)) {
        text.size -= preauth.size;
    }
    if (!fields_later(sink, match, text, constants)) {
        match(sink, text);
    }
    return true;
}
