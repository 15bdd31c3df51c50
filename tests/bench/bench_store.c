/* What the store costs: commits a second, messages a second in batches, the way of one message (admit,
 * intend, outcome) while the store is small and when it is large, and listings of the large one.
 *
 * BENCH_STORE_MESSAGES (default 50000) is how large; the database is made in TMPDIR and removed. Lines of
 * name, value, unit, separated by tabs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/util.h"
#include "os/rt_uv.h"
#include "store/store.h"

enum { SMALL = 1000, IN_FLIGHT = 256, SAMPLE = 20000, COMMITS = 300, LISTINGS = 50 };
#define WALL_MS INT64_C(1795251600000)

static uv_loop_t loop;
static struct rt *rt;
static struct store *s;
static char path[512];

static const uint8_t pdu[160] = {0x00, 0x11, 0x00, 0x0B, 0x91};
static const struct store_new_part part = {pdu, sizeof pdu, sizeof pdu - 1};

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print(const char *name, double value, const char *unit)
{
    printf("%s\t%.4g\t%s\n", name, value, unit);
}

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_store: %s: %s\n", what, why);
    exit(1);
}

/* One message on its way; when it has come to the end the next begins in its place. */
struct way {
    struct store_admit admit;
    struct store_intend intend;
    struct store_outcome outcome;
    struct store_new_message message;
    char peer[NUMBER_BYTES];
    bool whole; /* as far as the outcome; else admission only */
};

static long begun, ended, wanted;
static struct way ways[IN_FLIGHT];

static void begin(struct way *w)
{
    if (begun >= wanted)
        return;
    begun++;
    /* Ten thousand customers in no order. */
    snprintf(w->peer, sizeof w->peer, "+4917%08lu", (unsigned long)begun * 2654435761UL % 10000);
    w->message = (struct store_new_message){
        .peer = w->peer,
        .text = "Your order is ready. You can pick it up until 18:00 today. Thank you!",
        .source = "bench",
        .priority = 1,
        .parts = &part,
        .nparts = 1,
    };
    w->admit.messages = &w->message;
    w->admit.count = 1;
    w->admit.now_wall_ms = WALL_MS + begun;
    store_admit(s, &w->admit);
}

static void check(struct store_op *op, int status)
{
    if (status != 0)
        die("operation", op->err.text);
}

static void finished(struct way *w)
{
    ended++;
    begin(w);
}

static void outcome_done(struct store_op *op, int status)
{
    check(op, status);
    finished(container_of(op, struct way, outcome.op));
}

static void intend_done(struct store_op *op, int status)
{
    struct way *w = container_of(op, struct way, intend.op);

    check(op, status);
    w->outcome = (struct store_outcome){.message = w->message.id,
                                        .seq = 1,
                                        .state = MSG_SENT,
                                        .mr = (int)(w->message.id & 255),
                                        .modem = "counter",
                                        .imsi = "262011234567890",
                                        .reason = "",
                                        .now_wall_ms = w->admit.now_wall_ms + 2000};
    w->outcome.op.done = outcome_done;
    store_outcome(s, &w->outcome);
}

static void admit_done(struct store_op *op, int status)
{
    struct way *w = container_of(op, struct way, admit.op);

    check(op, status);
    if (!w->whole) {
        finished(w);
        return;
    }
    w->intend = (struct store_intend){.message = w->message.id,
                                      .seq = 1,
                                      .modem = "counter",
                                      .imsi = "262011234567890",
                                      .now_wall_ms = w->admit.now_wall_ms + 1000};
    w->intend.op.done = intend_done;
    store_intend(s, &w->intend);
}

/* Runs n messages, `width` at a time; seconds. */
static double run(long n, int width, bool whole)
{
    double from = now_s();

    begun = ended = 0;
    wanted = n;
    for (int i = 0; i < width; i++) {
        ways[i].whole = whole;
        ways[i].admit.op.done = admit_done;
        begin(&ways[i]);
    }
    while (ended < n)
        uv_run(&loop, UV_RUN_ONCE);
    return now_s() - from;
}

static bool list_done;

static void listed(struct store_op *op, int status)
{
    struct store_list *l = container_of(op, struct store_list, op);

    check(op, status);
    for (int i = 0; i < l->count; i++)
        msg_row_clear(&l->rows[i]);
    free(l->rows);
    list_done = true;
}

static void bench_list(const char *name, struct store_list l)
{
    double from = now_s();

    for (int i = 0; i < LISTINGS; i++) {
        l.op.done = listed;
        l.limit = 50;
        list_done = false;
        store_list(s, &l);
        while (!list_done)
            uv_run(&loop, UV_RUN_ONCE);
    }
    print(name, (now_s() - from) * 1000 / LISTINGS, "ms");
}

static void lists(void)
{
    bench_list("store.list_newest", (struct store_list){0});
    bench_list("store.list_peer", (struct store_list){.peer = "+491700001234"});
    bench_list("store.list_state", (struct store_list){.state = MSG_QUEUED});
    bench_list("store.list_time",
               (struct store_list){.since_wall_ms = WALL_MS + 500, .until_wall_ms = WALL_MS + 600});
}

static void open_store(void)
{
    struct store_conf conf = {.path = path};
    struct err e;
    double from = now_s();

    if (store_open(rt, &conf, &s, &e) != 0)
        die("open", e.text);
    print("store.open", (now_s() - from) * 1000, "ms");
}

static void on_closed(void *owner)
{
    *(bool *)owner = true;
}

static void close_store(void)
{
    bool closed = false;

    store_close(s, on_closed, &closed);
    while (!closed)
        uv_run(&loop, UV_RUN_ONCE);
}

static void figures(long messages)
{
    double small, large, cpu;
    struct stat st;

    print("store.commits", COMMITS / run(COMMITS, 1, false), "1/s");
    run(SMALL, IN_FLIGHT, true);
    cpu = cpu_s();
    small = run(SAMPLE, IN_FLIGHT, true);
    print("store.way_small", SAMPLE / small, "messages/s");
    print("store.way_small_cpu", (cpu_s() - cpu) * 1e6 / SAMPLE, "us");
    print("store.admit_batched", SAMPLE / run(SAMPLE, IN_FLIGHT, false), "messages/s");
    run(messages, IN_FLIGHT, true);
    cpu = cpu_s();
    large = run(SAMPLE, IN_FLIGHT, true);
    print("store.way_large", SAMPLE / large, "messages/s");
    print("store.way_large_cpu", (cpu_s() - cpu) * 1e6 / SAMPLE, "us");
    print("store.way_large_to_small", large / small, "ratio");
    lists();
    if (stat(path, &st) == 0)
        print("store.bytes_per_message", (double)st.st_size / (double)(messages + 3 * SAMPLE), "bytes");
}

int main(void)
{
    const char *n = getenv("BENCH_STORE_MESSAGES"), *tmp = getenv("TMPDIR");
    char dir[400], command[450];

    snprintf(dir, sizeof dir, "%s/simgate-bench-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(dir))
        die("directory", dir);
    snprintf(path, sizeof path, "%s/db", dir);
    uv_loop_init(&loop);
    rt = rt_uv_new(&loop);
    open_store();
    figures(n ? atol(n) : 50000);
    close_store();
    open_store();
    close_store();
    rt_uv_close(rt);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command) == 0 ? 0 : 1;
}
