#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/run.h"
#include "base/memory.h"
#include "cli/verb.h"

static char folder[64];
static char rule_path[96];
static char event_path[96];
static char out_path[96];

static const char rule[] = "title: Who Am I\n"
                           "logsource:\n    product: windows\n    category: process_creation\n"
                           "detection:\n    selection:\n        CommandLine|contains: whoami\n"
                           "    condition: selection\nlevel: low\n";
static const char event[] = "{\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"EventID\":1,"
                            "\"Computer\":\"H\",\"UtcTime\":\"2024-03-01 12:00:00.000\","
                            "\"CommandLine\":\"cmd /c \\\"whoami\\\"\"}\n";
enum { EVENTS = 3000, MOST = 20000 };

static void write_file(const char *path, const char *text, int times)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    for (int i = 0; i < times; i++) {
        assert_true(fputs(text, f) >= 0);
    }
    assert_int_equal(fclose(f), 0);
}

static int make_files(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/run_test.XXXXXX");
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(rule_path, sizeof rule_path, "%s/rule.yml", folder);
    snprintf(event_path, sizeof event_path, "%s/events.jsonl", folder);
    snprintf(out_path, sizeof out_path, "%s/out", folder);
    write_file(rule_path, rule, 1);
    write_file(event_path, event, EVENTS);
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* `merlon detect` in a process of its own (it seals itself), whose n-th allocation and all after
 * it fail; n 0: none. */
static int detect(uint64_t n, const char *output, const char *jobs)
{
    static const struct verb_app app = {.detect = run_detect, .seal = run_seal};
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int out = open(out_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        int null = open("/dev/null", O_WRONLY);
        dup2(out, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        char *argv[] = {"detect", "-r", rule_path, "-o", (char *)(uintptr_t)output,
                (char *)(uintptr_t)jobs, "-q", event_path};
        memory_fail_after(n);
        _exit(verb_main(&app, (int)(sizeof argv / sizeof *argv), argv));
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status)) {
        fail_msg("allocation %llu: killed by signal %d", (unsigned long long)n, WTERMSIG(status));
    }
    return WEXITSTATUS(status);
}

static size_t lines_out(void)
{
    size_t lines = 0;
    FILE *f = fopen(out_path, "rb");
    assert_non_null(f);
    for (int c; (c = fgetc(f)) != EOF;) {
        lines += c == '\n';
    }
    fclose(f);
    return lines;
}

/* Whatever allocation fails first: an exit with a code, never 0 with less than everything. */
static void refused_memory_is_never_a_silent_loss(void **state)
{
    (void)state;
    static const char *const outputs[] = {"json", "table", "csv"};
    for (size_t o = 0; o < 3; o++) {
        size_t header = o > 0;
        assert_int_equal(detect(0, outputs[o], "-j1"), VERB_DONE);
        assert_int_equal(lines_out(), EVENTS + header);
        int refused = 0;
        for (uint64_t n = 1; n < MOST; n += 1 + n / 12) {
            int code = detect(n, outputs[o], n % 2 ? "-j1" : "-j2");
            refused += code == VERB_SOME;
            /* What was refused may have been something that it can do without. */
            assert_true(code == VERB_SOME || (code == VERB_DONE && lines_out() == EVENTS + header));
        }
        assert_true(refused > 30);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(refused_memory_is_never_a_silent_loss),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
