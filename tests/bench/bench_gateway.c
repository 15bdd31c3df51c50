/* The gateway with the real store on the real loop: messages a second through carriers that answer at once,
 * CPU and memory per message. Lines of "name<TAB>value<TAB>unit". N by BENCH_MESSAGES; the database in
 * TMPDIR. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "base/util.h"
#include "gateway/gateway.h"
#include "gateway/queue.h"
#include "os/rt_uv.h"

enum { MAX_CARRIERS = 64, PRODUCERS = 512 };

struct instant {
    struct carrier c;
    struct rt *rt;
    struct carrier_submit *under_way;
    uv_idle_t *idle;
    int mr;
};

struct producer {
    struct gateway_admit a;
    struct gateway_send send;
    struct gateway_admitted result;
    char to[NUMBER_BYTES];
};

static struct {
    uv_loop_t loop;
    struct rt *rt;
    struct store *store;
    struct gateway *g;
    struct gateway_watcher watcher;
    struct instant carriers[MAX_CARRIERS];
    int ncarriers;
    struct producer producers[PRODUCERS];
    int total, admitted, sent;
    uv_idle_t idle;
    bool closed;
} b;

static void finish_submits(uv_idle_t *idle)
{
    bool any = false;
    for (int i = 0; i < b.ncarriers; i++) {
        struct instant *in = &b.carriers[i];
        struct carrier_submit *s = in->under_way;
        if (!s)
            continue;
        in->under_way = NULL;
        s->done(s, &(struct carrier_outcome){.result = CARRIER_SENT, .mr = in->mr++ & 255, .code = -1});
        any = true;
    }
    if (!any)
        uv_idle_stop(idle);
}

static int instant_submit(struct carrier *c, struct carrier_submit *s)
{
    struct instant *in = container_of(c, struct instant, c);
    if (in->under_way)
        return ERR_BUSY;
    in->under_way = s;
    s->leaving(s);
    uv_idle_start(&b.idle, finish_submits);
    return 0;
}

static void instant_settle(struct carrier *c, uint64_t token, bool stored)
{
    (void)c, (void)token, (void)stored;
}

static const struct carrier_ops instant_ops = {.submit = instant_submit, .settle = instant_settle};

static void produce(struct producer *p);

static void on_admitted(struct gateway_admit *a, int status)
{
    if (status < 0) {
        fprintf(stderr, "admission: %s\n", a->results[0].err.text);
        exit(1);
    }
    produce(container_of(a, struct producer, a));
}

static void produce(struct producer *p)
{
    if (b.admitted == b.total)
        return;
    snprintf(p->to, sizeof(p->to), "+4917%08d", b.admitted++);
    gateway_admit(b.g, &p->a);
}

static void on_event(struct gateway_watcher *w, const struct gateway_event *ev)
{
    (void)w;
    b.sent += ev->kind == EV_SENT;
    if (b.sent == b.total)
        uv_stop(&b.loop);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void on_closed(void *owner)
{
    (void)owner;
    b.closed = true;
    uv_stop(&b.loop);
}

static void start(const char *path, const struct gateway_conf *conf, int carriers)
{
    struct err e = {0};
    uv_loop_init(&b.loop);
    uv_idle_init(&b.loop, &b.idle);
    b.rt = rt_uv_new(&b.loop);
    if (store_open(b.rt, &(struct store_conf){.path = path}, &b.store, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        exit(1);
    }
    b.g = gateway_new(b.rt, b.store, conf);
    gateway_load(b.g, &e);
    b.watcher.event = on_event;
    gateway_watch(b.g, &b.watcher);
    b.ncarriers = carriers;
    for (int i = 0; i < carriers; i++) {
        struct carrier *c = &b.carriers[i].c;
        *c = (struct carrier){.ops = &instant_ops, .state = CARRIER_READY};
        snprintf(c->name, sizeof(c->name), "M%d", i);
        snprintf(c->imsi, sizeof(c->imsi), "2620100000%05d", i);
        gateway_attach(b.g, c, NULL, false, &e);
    }
}

static void stop(void)
{
    store_close(b.store, on_closed, NULL);
    while (!b.closed)
        uv_run(&b.loop, UV_RUN_DEFAULT);
    gateway_free(b.g);
    uv_close((uv_handle_t *)&b.idle, NULL);
    rt_uv_close(b.rt);
    uv_run(&b.loop, UV_RUN_DEFAULT);
    uv_loop_close(&b.loop);
}

static void measure(const char *dir, int carriers, int messages)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/bench%d.db", dir, carriers);
    const struct gateway_conf conf = {.country = "49", .validity_ms = 86400000, .smsc = "", .max_parts = 10};
    memset(&b, 0, sizeof(b));
    b.total = messages;
    start(path, &conf, carriers);
    double t = seconds(), cpu = cpu_seconds();
    for (int i = 0; i < PRODUCERS; i++) {
        struct producer *p = &b.producers[i];
        gateway_send_init(&p->send);
        p->send.to = p->to;
        p->send.text = "Your table for two is ready at eight";
        p->send.source = i % 2 ? "ctl:root" : "rule:hours";
        p->a =
            (struct gateway_admit){.sends = &p->send, .count = 1, .done = on_admitted, .results = &p->result};
        produce(p);
    }
    uv_run(&b.loop, UV_RUN_DEFAULT);
    t = seconds() - t;
    cpu = cpu_seconds() - cpu;
    struct store_stats st;
    store_get_stats(b.store, &st);
    printf("gateway messages a second, %d carrier%s\t%.0f\t1/s\n", carriers, carriers > 1 ? "s" : "",
           messages / t);
    printf("gateway CPU per message, %d carrier%s\t%.4f\tms\n", carriers, carriers > 1 ? "s" : "",
           cpu * 1000 / messages);
    printf("gateway commits per message, %d carrier%s\t%.4f\t\n", carriers, carriers > 1 ? "s" : "",
           (double)st.commits / messages);
    fflush(stdout);
    stop();
}

static void quiet(enum log_level level, const char *who, const char *line)
{
    (void)level, (void)who, (void)line;
}

int main(void)
{
    const char *n = getenv("BENCH_MESSAGES");
    const char *tmp = getenv("TMPDIR");
    char dir[200];
    snprintf(dir, sizeof(dir), "%s/simgate-bench-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(dir))
        return 1;
    log_set_sink(quiet);
    int messages = n ? atoi(n) : 20000;
    measure(dir, 1, messages);
    measure(dir, MAX_CARRIERS, messages);
    printf("gateway index entry\t%zu\tbytes\n", sizeof(struct queue_entry));
    char command[256];
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    return system(command) == 0 ? 0 : 1;
}
