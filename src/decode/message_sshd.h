/* message_sshd: the messages of OpenSSH's server (those of its log.c and auth.c since 2000).
 *
 *     Failed password for invalid user admin from 192.0.2.1 port 4711 ssh2
 *         event.action ssh_login, event.outcome failure, ssh.method password, user.name admin,
 *         source.ip 192.0.2.1, source.port 4711
 *
 * "error: " and "fatal: " in front and " [preauth]" behind are passed over. */
#pragma once

#include "decode/message.h"

bool message_sshd(struct fields_sink *sink, struct slice program, struct slice text);
