/* A program to try the shim on: does what its argument says and tells each call's result.
 *
 *     victim files DIRECTORY | network | memory | roles DIRECTORY | clock */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long tell(const char *what, long result)
{
    if (result < 0) {
        dprintf(1, "%s %s\n", what, strerrorname_np(errno));
    } else {
        dprintf(1, "%s %ld\n", what, result);
    }
    return result;
}

/* Three records, each synced; then the file gets its name, and another goes. */
static void files(const char *directory)
{
    int at = (int)tell("open directory", open(directory, O_RDONLY | O_DIRECTORY));
    int file = (int)tell("open", openat(at, "a.new", O_RDWR | O_CREAT, 0644));
    for (int i = 0; i < 3; i++) {
        tell("write", pwrite(file, "0123456789", 10, i * 10L));
        tell("fdatasync", fdatasync(file));
    }
    struct iovec two[2] = {{.iov_base = "AAAA", .iov_len = 4}, {.iov_base = "BB", .iov_len = 2}};
    tell("writev", pwritev(file, two, 2, 30));
    tell("ftruncate", ftruncate(file, 36));
    tell("fallocate", fallocate(file, 0, 0, 36));
    tell("rename", renameat(at, "a.new", at, "a.seg"));
    tell("fsync", fsync(at));
    char back[64];
    tell("read", pread(file, back, sizeof back, 0));
    tell("unlink", unlinkat(at, "a.seg", 0));
    tell("close", close(file));
}

static void network(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int server = (int)tell("socket", socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 0 : -1);
    server = socket(AF_INET, SOCK_STREAM, 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    tell("bind", bind(server, (struct sockaddr *)&address, size));
    tell("listen", listen(server, 8));
    if (getsockname(server, (struct sockaddr *)&address, &size) != 0) {
        return;
    }
    tell("connect", connect(client, (struct sockaddr *)&address, size));
    int link = accept4(server, NULL, NULL, SOCK_CLOEXEC);
    if (tell("accept", link >= 0 ? 0 : -1) < 0) {
        return;
    }
    tell("send", send(client, "0123456789", 10, 0));
    char got[16];
    tell("recv", recv(link, got, sizeof got, 0));
}

static void memory(void)
{
    for (int i = 0; i < 4; i++) {
        void *volatile at = malloc(77777);
        tell("malloc", at ? 0 : -1);
        free(at);
    }
}

/* The parent and a child that has a name of its own each sync twice. */
static void roles(const char *directory)
{
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_NAME, "log");
    }
    int at = open(directory, O_RDONLY | O_DIRECTORY);
    if (child != 0) {
        waitpid(child, NULL, 0);
    }
    for (int i = 0; i < 2; i++) {
        tell(child == 0 ? "log" : "parent", fsync(at));
    }
}

int main(int count, char **word)
{
    const char *what = count > 1 ? word[1] : "";
    if (strcmp(what, "files") == 0) {
        files(word[2]);
    } else if (strcmp(what, "roles") == 0) {
        roles(word[2]);
    } else if (strcmp(what, "network") == 0) {
        network();
    } else if (strcmp(what, "memory") == 0) {
        memory();
    } else if (strcmp(what, "clock") == 0) {
        tell("time", (long)time(NULL));
    }
    return 0;
}
