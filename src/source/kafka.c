#include "source/kafka.h"

#include <dlfcn.h>
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/point.h"
#include "base/time.h"
#include "source/follow_mark.h"

enum {
    AGAIN_MS = 5,
    COMMIT_MS = 1000,
    ASK_MS = 10000, /* for what is committed */
    STEP = 5000,    /* messages */
    ERROR = 512,
};

/* What is used of the library. */
#define CALLS(X)                                                                                   \
    X(conf_new)                                                                                    \
    X(conf_set)                                                                                    \
    X(conf_destroy)                                                                                \
    X(conf_set_opaque)                                                                             \
    X(conf_set_rebalance_cb)                                                                       \
    X(new)                                                                                         \
    X(destroy)                                                                                     \
    X(poll_set_consumer)                                                                           \
    X(subscribe)                                                                                   \
    X(consumer_poll)                                                                               \
    X(consumer_close)                                                                              \
    X(message_destroy)                                                                             \
    X(topic_name)                                                                                  \
    X(assign)                                                                                      \
    X(committed)                                                                                   \
    X(commit)                                                                                      \
    X(topic_partition_list_new)                                                                    \
    X(topic_partition_list_add)                                                                    \
    X(topic_partition_list_find)                                                                   \
    X(topic_partition_list_copy)                                                                   \
    X(topic_partition_list_destroy)

#define DECLARE(name) __typeof__(rd_kafka_##name) *name;
static struct {
    CALLS(DECLARE)
} rd;

struct kafka {
    struct kafka_options options;
    rd_kafka_t *handle;
    struct intake_batch batch;
    struct buf source, key, word;
    struct buf topic; /* of the batch, with a NUL */
    int32_t partition;
    int64_t from, next; /* offsets of the batch */
    uint64_t put_to;    /* of the channel */
    /* Offsets that were handed over, and those that wait until the log has them. */
    rd_kafka_topic_partition_list_t *put, *waiting;
    uint64_t waiting_to;
    int64_t committed_ns;
};

enum err kafka_load(struct diag *diag)
{
    void *library = dlopen("librdkafka.so.1", RTLD_NOW | RTLD_LOCAL);
    bool all = library != NULL;
#define FIND(name)                                                                                 \
    *(void **)&rd.name = all ? dlsym(library, "rd_kafka_" #name) : NULL;                           \
    all = all && rd.name;
    CALLS(FIND)
    return all ? OK
               : diag_say(diag, ERR_UNSUPPORTED, "kafka needs librdkafka: %s",
                         library ? "it is too old" : "it is not installed");
}

bool kafka_read_key(struct slice key, uint64_t *to)
{
    uint64_t partition, from;
    (void)slice_cut(&key, '/');
    return follow_mark_number(slice_cut(&key, '/'), &partition) &&
           follow_mark_number(slice_cut(&key, '-'), &from) && follow_mark_number(key, to);
}

/* ---- handing over ------------------------------------------------------------------------------
 */

static void set_source(struct kafka *k, const char *topic, int32_t partition)
{
    buf_clear(&k->source);
    buf_format(&k->source, "%.*s/%s/%d", SLICE_ARG(k->options.input->name), topic, partition);
}

static void address(struct kafka *k, int64_t to)
{
    set_source(k, k->topic.at, k->partition);
    buf_clear(&k->key);
    buf_format(&k->key, "%s/%d/%lld-%lld", k->topic.at, k->partition, (long long)k->from,
            (long long)to);
    k->batch.input = k->options.input;
    k->batch.source = buf_slice(&k->source);
    k->batch.key = buf_slice(&k->key);
}

/* The members' own threads keep the group alive meanwhile. false: told to stop. */
static bool wait_for_room(const struct kafka *k)
{
    poll(NULL, 0, AGAIN_MS);
    return !*k->options.stop;
}

static void note(struct kafka *k)
{
    rd_kafka_topic_partition_t *p = rd.topic_partition_list_find(k->put, k->topic.at, k->partition);
    p = p ? p : rd.topic_partition_list_add(k->put, k->topic.at, k->partition);
    p->offset = k->next;
}

/* false: told to stop; what the batch has comes again. */
static bool flush(struct kafka *k)
{
    if (k->batch.records.count == 0) {
        return true;
    }
    address(k, k->next);
    while (intake_put(k->options.intake, &k->batch, &k->put_to) != OK) {
        if (!wait_for_room(k)) {
            return false;
        }
    }
    note(k);
    return true;
}

static bool reject(struct kafka *k, struct slice bytes, int64_t offset)
{
    k->from = offset;
    k->next = offset + 1;
    address(k, k->next);
    while (intake_reject(k->options.intake, &k->batch, bytes, COUNTS_TOO_LONG,
                   "message over max_record") != OK) {
        if (!wait_for_room(k)) {
            return false;
        }
    }
    k->put_to = channel_head(k->options.intake->channel);
    note(k);
    return true;
}

/* The batch goes on with the message, or is handed over and begins with it. */
static bool begin(struct kafka *k, const char *topic, const rd_kafka_message_t *m)
{
    bool same = k->batch.records.count > 0 && k->partition == m->partition &&
                m->offset == k->next && strcmp(k->topic.at, topic) == 0;
    if (same && k->batch.records.lines.size < INTAKE_BATCH) {
        return true;
    }
    if (!flush(k)) {
        return false;
    }
    buf_clear(&k->topic);
    buf_add(&k->topic, slice_of(topic, strlen(topic) + 1));
    k->partition = m->partition;
    k->from = m->offset;
    return !k->topic.failed;
}

static bool take(struct kafka *k, const rd_kafka_message_t *m)
{
    struct slice bytes = slice_of(m->payload, m->len);
    if (bytes.size == 0) {
        return true; /* a tombstone: it is no record, and nothing is lost when it comes again */
    }
    if (!begin(k, rd.topic_name(m->rkt), m)) {
        return false;
    }
    if (bytes.size > k->options.input->record_bytes) {
        return flush(k) && reject(k, bytes, m->offset);
    }
    frame_records_add(&k->batch.records, bytes);
    k->next = m->offset + 1;
    return true;
}

/* ---- offsets -----------------------------------------------------------------------------------
 */

static bool is_on_disk(const struct kafka *k, uint64_t position)
{
    return intake_done(k->options.intake) >= position;
}

/* What was handed over by some moment is committed when the log has all of it. */
static void commit(struct kafka *k, bool wait)
{
    if (k->waiting && is_on_disk(k, k->waiting_to)) {
        point_pass("kafka.before_commit");
        /* A commit that fails is made good by the next one, or by what the log has. */
        (void)rd.commit(k->handle, k->waiting, !wait);
        point_pass("kafka.committed");
        rd.topic_partition_list_destroy(k->waiting);
        k->waiting = NULL;
    }
    if (!k->waiting && k->put->cnt > 0 &&
            (wait || clock_steady_ns() - k->committed_ns > COMMIT_MS * (TIME_SECOND / 1000))) {
        k->waiting = rd.topic_partition_list_copy(k->put);
        k->waiting_to = k->put_to;
        k->committed_ns = clock_steady_ns();
    }
}

/* All that was taken is on disk, and committed, so that who has the partitions next begins there.
 */
static void settle(struct kafka *k, int ms)
{
    int64_t until = clock_steady_ns() + ms * (TIME_SECOND / 1000);
    while (!is_on_disk(k, k->put_to) && clock_steady_ns() < until) {
        poll(NULL, 0, AGAIN_MS);
    }
    for (int i = 0; i < 2; i++) {
        commit(k, true);
    }
    commit(k, true);
}

static void begin_at(struct kafka *k, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_topic_partition_list_t *known = rd.topic_partition_list_copy(list);
    bool asked = rd.committed(k->handle, known, ASK_MS) == RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *p = &list->elems[i];
        uint64_t stored;
        set_source(k, p->topic, p->partition);
        p->offset = asked ? known->elems[i].offset : RD_KAFKA_OFFSET_STORED;
        p->offset = p->offset == RD_KAFKA_OFFSET_INVALID ? RD_KAFKA_OFFSET_BEGINNING : p->offset;
        if (k->options.stored(k->options.context, buf_slice(&k->source), &stored) &&
                (int64_t)stored > p->offset) {
            p->offset = (int64_t)stored;
        }
    }
    rd.topic_partition_list_destroy(known);
}

static void on_rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t e,
        rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct kafka *k = opaque;
    if (e == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        begin_at(k, list);
        (void)rd.assign(handle, list);
        return;
    }
    (void)flush(k);
    settle(k, ASK_MS);
    rd.topic_partition_list_destroy(k->put);
    k->put = rd.topic_partition_list_new(8);
    (void)rd.assign(handle, NULL);
}

/* ---- a member ----------------------------------------------------------------------------------
 */

static enum err set(struct kafka *k, rd_kafka_conf_t *conf, const char *name, struct slice value,
        struct diag *d)
{
    char words[ERROR];
    if (value.size == 0) {
        return OK;
    }
    buf_clear(&k->word);
    buf_add(&k->word, value);
    buf_byte(&k->word, '\0');
    if (k->word.failed ||
            rd.conf_set(conf, name, k->word.at, words, sizeof words) != RD_KAFKA_CONF_OK) {
        return diag_say(d, ERR_USAGE, "input %.*s: %s", SLICE_ARG(k->options.input->name),
                k->word.failed ? "no memory" : words);
    }
    return OK;
}

static enum err set_all(struct kafka *k, rd_kafka_conf_t *conf, struct diag *diag)
{
    const struct intake_input *input = k->options.input;
    const bool tls = input->authority.size > 0 || input->certificate.size > 0;
    const bool sasl = input->user.size > 0;
    const struct {
        const char *name;
        struct slice value;
    } settings[] = {{"bootstrap.servers", input->address}, {"group.id", input->group},
            {"group.instance.id", slice_text(k->options.instance)},
            {"enable.auto.commit", SLICE("false")}, {"enable.auto.offset.store", SLICE("false")},
            {"auto.offset.reset", SLICE("earliest")}, {"session.timeout.ms", SLICE("10000")},
            {"max.poll.interval.ms", SLICE("86400000")},
            {"queued.max.messages.kbytes", SLICE("16384")},
            {"fetch.message.max.bytes", SLICE("1048576")}, {"log_level", SLICE("3")},
            {"security.protocol", tls && sasl ? SLICE("sasl_ssl")
                                  : tls       ? SLICE("ssl")
                                  : sasl      ? SLICE("sasl_plaintext")
                                              : SLICE("plaintext")},
            {"ssl.ca.location", input->authority}, {"ssl.certificate.location", input->certificate},
            {"ssl.key.location", input->key}, {"sasl.mechanism", input->mechanism},
            {"sasl.username", input->user}, {"sasl.password", input->password}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        TRY(set(k, conf, settings[i].name, settings[i].value, diag));
    }
    rd.conf_set_opaque(conf, k);
    rd.conf_set_rebalance_cb(conf, on_rebalance);
    return OK;
}

static enum err join(struct kafka *k, struct diag *diag)
{
    char words[ERROR] = "";
    const struct intake_input *input = k->options.input;
    rd_kafka_conf_t *conf = rd.conf_new();
    enum err e = set_all(k, conf, diag);
    if (e == OK) {
        k->handle = rd.new(RD_KAFKA_CONSUMER, conf, words, sizeof words);
        e = k->handle ? OK : diag_say(diag, ERR_IO, "kafka: %s", words);
    }
    if (e != OK) {
        rd.conf_destroy(conf);
        return e;
    }
    rd.poll_set_consumer(k->handle);
    rd_kafka_topic_partition_list_t *topics = rd.topic_partition_list_new((int)input->path_count);
    for (size_t i = 0; i < input->path_count; i++) {
        buf_clear(&k->word);
        buf_add(&k->word, input->paths[i]);
        buf_byte(&k->word, '\0');
        if (!k->word.failed) {
            rd.topic_partition_list_add(topics, k->word.at, RD_KAFKA_PARTITION_UA);
        }
    }
    rd_kafka_resp_err_t failed = rd.subscribe(k->handle, topics);
    rd.topic_partition_list_destroy(topics);
    return failed ? diag_say(diag, ERR_IO, "kafka: subscribing failed: %d", (int)failed) : OK;
}

enum err kafka_new(const struct kafka_options *options, struct kafka **out, struct diag *diag)
{
    struct kafka *k = memory_alloc(sizeof *k);
    if (!k) {
        return diag_say(diag, ERR_MEMORY, "no memory for kafka");
    }
    *k = (struct kafka){.options = *options, .put = rd.topic_partition_list_new(8)};
    enum err e = join(k, diag);
    if (e != OK) {
        kafka_close(k, 0);
        return e;
    }
    *out = k;
    return OK;
}

void kafka_step(struct kafka *k, int wait_ms)
{
    bool good = true;
    for (int i = 0; i < STEP && good && !*k->options.stop; i++) {
        rd_kafka_message_t *m =
                rd.consumer_poll(k->handle, k->batch.records.count > 0 || i > 0 ? 0 : wait_ms);
        if (!m) {
            break;
        }
        good = m->err || take(k, m); /* errors pass: the library tries again by itself */
        rd.message_destroy(m);
    }
    if (good) {
        (void)flush(k);
    }
    commit(k, false);
}

void kafka_close(struct kafka *k, int ms)
{
    if (k->handle) {
        settle(k, ms);
        rd.consumer_close(k->handle);
        rd.destroy(k->handle);
    }
    rd.topic_partition_list_destroy(k->put);
    if (k->waiting) {
        rd.topic_partition_list_destroy(k->waiting);
    }
    frame_records_fini(&k->batch.records);
    buf_fini(&k->source);
    buf_fini(&k->key);
    buf_fini(&k->word);
    buf_fini(&k->topic);
    memory_free(k);
}
