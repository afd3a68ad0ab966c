/* udp_load ADDRESS PORT RATE SECONDS [BYTES] - sends numbered syslog datagrams at a steady rate (in
 * bursts of at most a millisecond), and says how many it sent and how long it took. */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, LARGEST = 60000 };

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t send_some(int fd, uint64_t from, uint64_t count, size_t size)
{
    static char bytes[BATCH][LARGEST];
    struct mmsghdr messages[BATCH] = {0};
    struct iovec parts[BATCH];
    uint64_t n = count < BATCH ? count : BATCH;
    for (uint64_t i = 0; i < n; i++) {
        int head = snprintf(bytes[i], 100, "<134>Oct 11 22:14:15 relay load[1]: %012llu ",
                (unsigned long long)(from + i));
        memset(bytes[i] + head, 'x', size - (size_t)head);
        parts[i] = (struct iovec){bytes[i], size};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    int sent = sendmmsg(fd, messages, (unsigned)n, 0);
    return sent > 0 ? (uint64_t)sent : 0;
}

int main(int count, char **arguments)
{
    if (count < 5) {
        fputs("usage: udp_load ADDRESS PORT RATE SECONDS [BYTES]\n", stderr);
        return 2;
    }
    double rate = strtod(arguments[3], NULL), length = strtod(arguments[4], NULL);
    size_t size = count > 5 ? strtoul(arguments[5], NULL, 10) : 300;
    size = size < 100 ? 100 : size > LARGEST ? LARGEST : size;
    struct sockaddr_in to = {
            .sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(arguments[2], NULL, 10))};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (inet_pton(AF_INET, arguments[1], &to.sin_addr) != 1 ||
            connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        fputs("udp_load: no such address\n", stderr);
        return 2;
    }
    uint64_t sent = 0, total = (uint64_t)(rate * length);
    double begin = seconds();
    while (sent < total) {
        uint64_t due = (uint64_t)((seconds() - begin) * rate);
        due = due < total ? due : total;
        while (sent < due) {
            sent += send_some(fd, sent, due - sent, size);
        }
        if (sent < total) {
            usleep(500);
        }
    }
    double took = seconds() - begin;
    printf("sent=%llu seconds=%.2f rate=%.0f bytes=%zu\n", (unsigned long long)sent, took,
            (double)sent / took, size);
    close(fd);
    return 0;
}
