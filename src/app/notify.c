#include "app/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

bool notify_say(const char *words)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    if (!path || !*path) {
        return true;
    }
    size_t size = strlen(path);
    if ((path[0] != '/' && path[0] != '@') || size >= sizeof to.sun_path) {
        return false;
    }
    memcpy(to.sun_path, path, size);
    if (path[0] == '@') {
        to.sun_path[0] = 0; /* a name that stands in no directory */
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return false;
    }
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    ssize_t sent =
            sendto(fd, words, strlen(words), MSG_NOSIGNAL, (const struct sockaddr *)&to, length);
    close(fd);
    return sent == (ssize_t)strlen(words);
}
