/* A campaign to many contacts: how long it takes to make it (its recipients chosen by a tag), to look at it
 * (every message made, consent and quiet hours asked), and how fast its messages are admitted.
 *
 * BENCH_CONTACTS (default 10000) is how many; the database is made in TMPDIR and removed. Lines of name,
 * value, unit, separated by tabs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "base/util.h"
#include "desk/campaign.h"
#include "os/rt_uv.h"

enum { PIECE = 1000 };

static uv_loop_t loop;
static struct rt *rt;
static struct store *s;
static struct gateway *g;
static struct engine *en;
static struct campaigns *c;
static int ended;

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void print(const char *name, double value, const char *unit)
{
    printf("%s\t%.4g\t%s\n", name, value, unit);
}

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_campaign: %s: %s\n", what, why);
    exit(1);
}

static void on_op(struct store_op *op, int rc)
{
    if (rc < 0)
        die("store", op->err.text);
    ended++;
}

static void await(int count)
{
    while (ended < count)
        uv_run(&loop, UV_RUN_ONCE);
    ended = 0;
}

#define DO(fn, req) ((req)->op.done = on_op, fn(s, req), await(1))

/* ---- contacts that agreed ---- */

struct known {
    struct store_handle op;
    char number[NUMBER_BYTES], name[40];
    struct store_effect effects[3];
};

static void know(long from, long to)
{
    struct known *all = calloc((size_t)(to - from), sizeof *all);

    if (!all)
        die("memory", "none");
    for (long i = from; i < to; i++) {
        struct known *k = &all[i - from];

        snprintf(k->number, sizeof k->number, "+49170%07ld", i);
        snprintf(k->name, sizeof k->name, "Customer %ld", i);
        k->effects[0] = (struct store_effect){.kind = EFFECT_TAG, .name = "club"};
        k->effects[1] = (struct store_effect){.kind = EFFECT_CONTACT, .name = "name", .value = k->name};
        k->effects[2] = (struct store_effect){
            .kind = EFFECT_CONSENT, .n = CONSENT_IN, .value = "form", .key = "import:form"};
        k->op = (struct store_handle){.op.done = on_op,
                                      .number = k->number,
                                      .who = "bench",
                                      .effects = k->effects,
                                      .neffects = 3,
                                      .now_wall_ms = rt_wall_ms(rt)};
        store_handle(s, &k->op);
    }
    await((int)(to - from));
    free(all);
}

/* ---- the campaign ---- */

static int64_t make(const char *text)
{
    struct store_campaign_new n = {.row = {.name = "bench", .text = (char *)(uintptr_t)text, .who = "bench"},
                                   .tag = "club",
                                   .now_wall_ms = rt_wall_ms(rt)};
    double start = now_ms();

    DO(store_campaign_new, &n);
    print("campaign.made", now_ms() - start, "ms");
    return n.row.id;
}

static void on_previewed(struct campaign_preview *p, int rc)
{
    if (rc < 0)
        die("preview", p->err.text);
    ended++;
}

static void look(int64_t id, long contacts)
{
    struct campaign_preview p = {.id = id, .done = on_previewed};
    double start = now_ms();

    campaign_preview(c, &p);
    await(1);
    print("campaign.previewed", now_ms() - start, "ms");
    if (p.go != contacts)
        die("preview", "not everybody would get it");
    campaign_preview_clear(&p);
}

static void on_moved(struct campaign_move *m, int rc)
{
    if (rc < 0)
        die("start", m->err.text);
    ended++;
}

/* Until so many are admitted that it waits for the queue. */
static void admit(int64_t id)
{
    struct campaign_move m = {.id = id, .to = CAMPAIGN_RUNNING, .who = "bench", .done = on_moved};
    struct gateway_stats st;
    double start = now_ms();

    campaign_move(c, &m);
    await(1);
    do {
        uv_run(&loop, UV_RUN_ONCE);
        gateway_get_stats(g, &st);
    } while (st.queued < PIECE);
    print("campaign.admitted", PIECE * 1e3 / (now_ms() - start), "messages/s");
}

/* ---- life ---- */

static void closed(void *owner)
{
    (void)owner;
    ended++;
}

static void begin(const char *path)
{
    static const struct gateway_conf gconf = {
        .country = "49", .validity_ms = 86400000, .max_parts = 10, .queue_max = 100000, .smsc = ""};
    const struct engine_conf econf = {.business = "Bench", .guard = {.replies = 5, .window_ms = 600000}};
    struct err e = {0};

    log_set_level(LOG_ERR);
    uv_loop_init(&loop);
    rt = rt_uv_new(&loop);
    if (store_open(rt, &(struct store_conf){.path = path}, &s, &e) < 0)
        die("store", e.text);
    g = gateway_new(rt, s, &gconf);
    if (gateway_load(g, &e) < 0 || engine_new(rt, &econf, NULL, NULL, &en) < 0)
        die("start", e.text);
    engine_attach(en, g, s);
    c = campaigns_new(rt, en, g, s);
}

static void end(void)
{
    store_close(s, closed, NULL);
    await(1);
    engine_free(en);
    gateway_free(g);
    campaigns_free(c);
    rt_uv_close(rt);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
}

int main(void)
{
    const char *n = getenv("BENCH_CONTACTS"), *tmp = getenv("TMPDIR");
    long contacts = n ? atol(n) : 10000;
    char dir[400], path[450], command[450];
    int64_t id;

    snprintf(dir, sizeof dir, "%s/simgate-bench-XXXXXX", tmp ? tmp : "/tmp");
    if (contacts < PIECE || !mkdtemp(dir))
        die("start", "at least 1000 contacts, and a directory that can be written to");
    snprintf(path, sizeof path, "%s/db", dir);
    begin(path);
    for (long at = 0; at < contacts; at += PIECE)
        know(at, at + PIECE < contacts ? at + PIECE : contacts);
    print("campaign.contacts", (double)contacts, "");
    id = make("Hello {{contact.name|there}}, spring is here: come and see us. STOP ends this.");
    look(id, contacts);
    admit(id);
    end();
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command) == 0 ? 0 : 1;
}
