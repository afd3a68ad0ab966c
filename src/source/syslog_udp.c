#include "source/syslog_udp.h"

#include <linux/sock_diag.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/memory.h"
#include "source/handover.h"
#include "source/syslog_framing.h"
#include "source/syslog_peer.h"

enum { NAME_SIZE = 96, CONTROL_SIZE = 64 };

struct syslog_udp {
    const struct intake_input *input;
    struct intake *intake;
    char *bytes; /* SYSLOG_UDP_BATCH times SYSLOG_UDP_BYTES */
    struct mmsghdr messages[SYSLOG_UDP_BATCH];
    struct iovec parts[SYSLOG_UDP_BATCH];
    struct sockaddr_storage addresses[SYSLOG_UDP_BATCH];
    _Alignas(struct cmsghdr) char control[SYSLOG_UDP_BATCH][CONTROL_SIZE];
    unsigned received, taken; /* messages of the last call; of them handed over or in the batch */
    struct intake_batch batch;
    struct syslog_peer peer; /* whose messages are in the batch */
    char name[NAME_SIZE];    /* the batch's source */
    uint32_t dropped;        /* the kernel's counter, as last seen; it wraps */
    struct counts_source *nobody;
};

/* Counts from 0 on at the socket's making: what was lost before we looked counts as well. */
static void note_dropped(struct syslog_udp *udp, uint32_t dropped)
{
    int32_t more = (int32_t)(dropped - udp->dropped);
    if (more <= 0) {
        return; /* the figure of a datagram that waited longer than the one seen before */
    }
    counts_add(&udp->nobody->dropped[COUNTS_KERNEL], (uint64_t)more);
    udp->dropped = dropped;
}

void syslog_udp_tick(struct syslog_udp *udp)
{
    uint32_t values[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof values;
    if (getsockopt(udp->input->listener, SOL_SOCKET, SO_MEMINFO, values, &size) == 0 &&
            size > SK_MEMINFO_DROPS * sizeof *values) {
        note_dropped(udp, values[SK_MEMINFO_DROPS]);
    }
}

enum err syslog_udp_new(const struct intake_input *input, struct intake *intake,
        struct syslog_udp **out, struct diag *diag)
{
    struct syslog_udp *udp = memory_alloc(sizeof *udp);
    char *bytes = memory_alloc_array(SYSLOG_UDP_BATCH, SYSLOG_UDP_BYTES);
    int on = 1;
    if (!udp || !bytes) {
        memory_free(udp);
        memory_free(bytes);
        return diag_say(diag, ERR_MEMORY, "no memory for datagrams");
    }
    *udp = (struct syslog_udp){.input = input, .intake = intake, .bytes = bytes};
    for (size_t i = 0; i < SYSLOG_UDP_BATCH; i++) {
        udp->parts[i] = (struct iovec){bytes + i * SYSLOG_UDP_BYTES, SYSLOG_UDP_BYTES};
    }
    (void)setsockopt(input->listener, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
    int length = snprintf(udp->name, sizeof udp->name, "%.*s/(any)", SLICE_ARG(input->name));
    size_t size = length > 0 && length < NAME_SIZE ? (size_t)length : 0;
    udp->nobody = counts_source(intake->counts, input->tenant, slice_of(udp->name, size));
    udp->batch.input = input;
    udp->batch.tenant = input->tenant;
    *out = udp;
    return OK;
}

void syslog_udp_free(struct syslog_udp *udp)
{
    if (udp) {
        frame_records_fini(&udp->batch.records);
        memory_free(udp->bytes);
        memory_free(udp);
    }
}

static bool hand_over(struct syslog_udp *udp)
{
    return handover_put(udp->intake, &udp->batch);
}

/* The batch is of this sender from here on; false: the one before cannot be handed over. */
static bool turn_to(struct syslog_udp *udp, const struct syslog_peer *peer)
{
    if (udp->batch.source.size > 0 && syslog_peer_equal(peer, &udp->peer)) {
        return true;
    }
    if (!hand_over(udp)) {
        return false;
    }
    char text[SYSLOG_PEER_TEXT];
    syslog_peer_text(peer, text);
    int length = snprintf(udp->name, NAME_SIZE, "%.*s/%s", SLICE_ARG(udp->input->name), text);
    udp->batch.source = slice_of(udp->name, length < NAME_SIZE ? (size_t)length : NAME_SIZE - 1);
    udp->peer = *peer;
    return true;
}

/* One datagram; false: there is no room, it is to come again. */
static bool take(struct syslog_udp *udp, unsigned i)
{
    struct slice whole = slice_of(udp->parts[i].iov_base, udp->messages[i].msg_len);
    struct slice message = syslog_framing_trim(whole);
    struct syslog_peer peer = syslog_peer_of(&udp->addresses[i]);
    size_t limit = udp->input->record_bytes;
    if (message.size == 0) {
        return true;
    }
    if (!turn_to(udp, &peer)) {
        return false;
    }
    if (limit > 0 && message.size > limit) {
        return hand_over(udp) && handover_reject(udp->intake, &udp->batch, message, COUNTS_TOO_LONG,
                                         "datagram over record_bytes");
    }
    if (udp->batch.records.lines.size + message.size > SYSLOG_UDP_FRAME && !hand_over(udp)) {
        return false;
    }
    frame_records_add(&udp->batch.records, message);
    return true;
}

static void look_at_control(struct syslog_udp *udp, struct msghdr *header)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
            uint32_t dropped;
            memcpy(&dropped, CMSG_DATA(c), sizeof dropped);
            note_dropped(udp, dropped);
        }
    }
}

/* Fills the messages anew; false: there are none. */
static bool receive(struct syslog_udp *udp)
{
    for (size_t i = 0; i < SYSLOG_UDP_BATCH; i++) {
        udp->messages[i].msg_hdr = (struct msghdr){
                .msg_name = &udp->addresses[i],
                .msg_namelen = sizeof udp->addresses[i],
                .msg_iov = &udp->parts[i],
                .msg_iovlen = 1,
                .msg_control = udp->control[i],
                .msg_controllen = sizeof udp->control[i],
        };
    }
    int n = recvmmsg(udp->input->listener, udp->messages, SYSLOG_UDP_BATCH, MSG_DONTWAIT, NULL);
    udp->taken = 0;
    udp->received = n > 0 ? (unsigned)n : 0;
    if (n > 0) {
        look_at_control(udp, &udp->messages[n - 1].msg_hdr);
    }
    return n > 0;
}

enum syslog_udp_state syslog_udp_read(struct syslog_udp *udp)
{
    for (int round = 0; round < SYSLOG_UDP_ROUNDS; round++) {
        if (udp->taken == udp->received && !receive(udp)) {
            return hand_over(udp) ? SYSLOG_UDP_IDLE : SYSLOG_UDP_HELD;
        }
        while (udp->taken < udp->received) {
            if (!take(udp, udp->taken)) {
                return SYSLOG_UDP_HELD;
            }
            udp->taken++;
        }
    }
    return hand_over(udp) ? SYSLOG_UDP_MORE : SYSLOG_UDP_HELD;
}
