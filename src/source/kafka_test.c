#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/time.h"
#include "source/kafka.h"
#include "support/harbour.h"

/* A cluster inside this process: the library has one for tests. */
enum { PATIENCE_S = 60, MESSAGES = 100 };

#define CALLS(X)                                                                                   \
    X(conf_new)                                                                                    \
    X(conf_set)                                                                                    \
    X(new)                                                                                         \
    X(destroy)                                                                                     \
    X(topic_new)                                                                                   \
    X(topic_destroy)                                                                               \
    X(produce)                                                                                     \
    X(flush)                                                                                       \
    X(committed)                                                                                   \
    X(topic_partition_list_new)                                                                    \
    X(topic_partition_list_add)                                                                    \
    X(topic_partition_list_destroy)                                                                \
    X(mock_cluster_new)                                                                            \
    X(mock_cluster_destroy)                                                                        \
    X(mock_cluster_bootstraps)                                                                     \
    X(mock_topic_create)
#define DECLARE(name) __typeof__(rd_kafka_##name) *name;
static struct {
    CALLS(DECLARE)
} rd;

static struct rig {
    bool there;
    rd_kafka_t *owner, *producer, *asker;
    rd_kafka_mock_cluster_t *cluster;
    struct harbour harbour;
    struct slice topics[1];
    struct intake_input input;
    uint64_t stored; /* what the log says of the partition; 0: nothing */
    uint64_t passed; /* records of members before this one */
    volatile sig_atomic_t stop;
} rig;

static rd_kafka_t *make(rd_kafka_type_t type)
{
    const char *servers = rd.mock_cluster_bootstraps(rig.cluster);
    rd_kafka_conf_t *conf = rd.conf_new();
    assert_int_equal(rd.conf_set(conf, "bootstrap.servers", servers, NULL, 0), RD_KAFKA_CONF_OK);
    assert_int_equal(rd.conf_set(conf, "group.id", "g", NULL, 0), RD_KAFKA_CONF_OK);
    return rd.new(type, conf, NULL, 0);
}

static int set_up(void **unused)
{
    (void)unused;
    void *library = dlopen("librdkafka.so.1", RTLD_NOW | RTLD_LOCAL);
    struct diag diag;
    if (!library || kafka_load(&diag) != OK) {
        return 0;
    }
#define FIND(name) *(void **)&rd.name = dlsym(library, "rd_kafka_" #name);
    CALLS(FIND)
    rig.owner = rd.new(RD_KAFKA_PRODUCER, rd.conf_new(), NULL, 0);
    rig.cluster = rd.mock_cluster_new(rig.owner, 1);
    rd.mock_topic_create(rig.cluster, "t", 1, 1);
    rig.producer = make(RD_KAFKA_PRODUCER);
    rig.asker = make(RD_KAFKA_CONSUMER);
    rig.topics[0] = SLICE("t");
    rig.input = (struct intake_input){.name = SLICE("k"),
            .kind = SLICE("kafka"),
            .tenant = SLICE("t"),
            .address = slice_text(rd.mock_cluster_bootstraps(rig.cluster)),
            .group = SLICE("g"),
            .paths = rig.topics,
            .path_count = 1,
            .record_bytes = 1000};
    rig.there = harbour_init(&rig.harbour, 1 << 20);
    return rig.there ? 0 : -1;
}

static int tear_down(void **unused)
{
    (void)unused;
    if (rig.there) {
        harbour_fini(&rig.harbour);
        rd.destroy(rig.asker);
        rd.destroy(rig.producer);
        rd.mock_cluster_destroy(rig.cluster);
        rd.destroy(rig.owner);
    }
    return 0;
}

static void produce(int count)
{
    rd_kafka_topic_t *topic = rd.topic_new(rig.producer, "t", NULL);
    for (int i = 0; i < count; i++) {
        char text[] = "message";
        assert_int_equal(rd.produce(topic, 0, RD_KAFKA_MSG_F_COPY, text, 7, NULL, 0, NULL), 0);
    }
    assert_int_equal(rd.flush(rig.producer, PATIENCE_S * 1000), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd.topic_destroy(topic);
}

static int64_t committed(void)
{
    rd_kafka_topic_partition_list_t *list = rd.topic_partition_list_new(1);
    rd.topic_partition_list_add(list, "t", 0);
    assert_int_equal(rd.committed(rig.asker, list, PATIENCE_S * 1000), RD_KAFKA_RESP_ERR_NO_ERROR);
    int64_t offset = list->elems[0].offset;
    rd.topic_partition_list_destroy(list);
    return offset;
}

static bool stored(void *context, struct slice source, uint64_t *offset)
{
    (void)context;
    *offset = rig.stored;
    return rig.stored > 0 && slice_equal(source, SLICE("k/t/0"));
}

/* A member that takes `count` messages, and no more that are there; the log takes none of them. */
static struct kafka *take(uint64_t count)
{
    const struct kafka_options options = {.intake = &rig.harbour.intake,
            .input = &rig.input,
            .instance = "",
            .stored = stored,
            .stop = &rig.stop};
    const struct counts_source *counts = harbour_counts(&rig.harbour, "k/t/0");
    int64_t until = clock_steady_ns() + PATIENCE_S * TIME_SECOND;
    struct kafka *kafka;
    assert_int_equal(kafka_new(&options, &kafka, NULL), OK);
    while (counts_totals(counts).received < rig.passed + count && clock_steady_ns() < until) {
        kafka_step(kafka, 10);
    }
    rig.passed += count;
    assert_int_equal(counts_totals(counts).received, rig.passed);
    return kafka;
}

static void an_offset_waits_for_the_log(void **unused)
{
    (void)unused;
    if (!rig.there) {
        skip();
    }
    produce(MESSAGES);
    struct kafka *kafka = take(MESSAGES);
    kafka_close(kafka, 0);
    assert_int_equal(committed(), RD_KAFKA_OFFSET_INVALID);

    kafka = take(MESSAGES); /* all of them again */
    assert_true(harbour_take(&rig.harbour));
    kafka_close(kafka, PATIENCE_S * 1000);
    assert_int_equal(committed(), MESSAGES);
}

static void a_member_begins_at_the_higher_place(void **unused)
{
    (void)unused;
    if (!rig.there) {
        skip();
    }
    produce(10);
    rig.stored = 20; /* the group is further */
    buf_clear(&rig.harbour.keys);
    struct kafka *kafka = take(10);
    kafka_close(kafka, 0);
    rig.stored = MESSAGES + 6; /* a commit was lost */
    kafka = take(4);
    assert_true(harbour_take(&rig.harbour));
    kafka_close(kafka, PATIENCE_S * 1000);
    buf_byte(&rig.harbour.keys, '\0');
    assert_non_null(strstr(rig.harbour.keys.at, "t/0/100-"));
    assert_non_null(strstr(rig.harbour.keys.at, "t/0/106-"));
    assert_int_equal(committed(), MESSAGES + 10);
}

static void keys_are_read_back(void **unused)
{
    (void)unused;
    uint64_t to = 0;
    assert_true(kafka_read_key(SLICE("a.b/3/17-29"), &to));
    assert_int_equal(to, 29);
    static const char *const bad[] = {"", "t/0/1", "t/0/1-", "t/x/1-2", "t/0/-2", "t/0/1-2x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(kafka_read_key(slice_text(bad[i]), &to));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(keys_are_read_back),
            cmocka_unit_test(an_offset_waits_for_the_log),
            cmocka_unit_test(a_member_begins_at_the_higher_place),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
