/* message_auth: who became whom: sudo, su, cron, accounts, sessions, and PAM's modules in all of
 * these.
 *
 *     alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/ls
 *         sudo's own names TTY, PWD, USER, COMMAND; user.name alice; event.outcome success
 *     pam_unix(su:auth): authentication failure; logname=... ruser=bob rhost=  user=root
 *         pam.module, pam.service, pam.type, PAM's own names, user.name root */
#pragma once

#include "decode/message.h"

bool message_auth_sudo(struct fields_sink *sink, struct slice program, struct slice text);
bool message_auth_su(struct fields_sink *sink, struct slice program, struct slice text);
bool message_auth_cron(struct fields_sink *sink, struct slice program, struct slice text);
/* useradd, usermod, userdel, groupadd, groupmod, groupdel, gpasswd, passwd, chage, chsh, chfn */
bool message_auth_accounts(struct fields_sink *sink, struct slice program, struct slice text);
/* systemd and systemd-logind */
bool message_auth_systemd(struct fields_sink *sink, struct slice program, struct slice text);
/* "pam_unix(sshd:auth): ..." of any program */
bool message_auth_pam(struct fields_sink *sink, struct slice program, struct slice text);
/* "su(pam_unix)[1]: session opened ...": the module stands in the header. */
void message_auth_pam_of(struct fields_sink *sink, struct slice module, struct slice text);
