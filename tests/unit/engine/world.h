/* A gateway with the real store and the engine on simulated time, and one carrier that is the world outside:
 * it takes every message after a moment and writes down what went out.
 */
#ifndef SIMGATE_TESTS_UNIT_ENGINE_WORLD_H
#define SIMGATE_TESTS_UNIT_ENGINE_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pdu/pdu.h"
#include "tests/lib/rt_sim.h"
#include "trial.h"

enum { WORLD_SENT_MAX = 256, NETWORK_MS = 40, MINUTE_MS = 60000 };

struct world {
    struct rt *rt;
    char dir[64], path[96];
    struct store *store;
    struct gateway_conf gconf;
    struct gateway *gateway;
    struct engine *engine;
    const struct engine_conf *econf;
    struct carrier carrier;
    struct carrier_submit *submit; /* on the air */
    struct rt_timer network;
    int mr, texts;               /* so many were sent, received */
    uint8_t pdu[PDU_FULL_BYTES]; /* the last received */
    int pdu_len, tpdu_len;
    bool settled;
    struct {
        char to[NUMBER_BYTES], text[PDU_TEXT_BYTES];
    } sent[WORLD_SENT_MAX];
    struct world *other; /* what goes out comes in there */
};

/* Programs and servers of handlers; a test that has some sets it before the first life. */
static struct engine_world world_outside;

static inline void world_receive(struct world *w, const char *from, const char *text);

static inline void world_network(struct rt_timer *t)
{
    struct world *w = container_of(t, struct world, network);
    struct carrier_submit *s = w->submit;
    struct carrier_outcome o = {.result = CARRIER_SENT, .mr = w->mr & 0xFF};

    w->submit = NULL;
    s->done(s, &o);
    if (w->other)
        world_receive(w->other, w->carrier.number, w->sent[w->mr - 1].text);
}

static inline int world_submit(struct carrier *c, struct carrier_submit *s)
{
    struct world *w = container_of(c, struct world, carrier);
    struct pdu_submit p;

    if (w->submit)
        return ERR_BUSY;
    assert_int_equal(pdu_decode_submit(s->pdu, s->len, s->tpdu_len, &p, NULL), 0);
    assert_true(w->mr < WORLD_SENT_MAX);
    str_copy(w->sent[w->mr].to, NUMBER_BYTES, p.to.text);
    pdu_ud_text(&p.ud, &p.dcs, w->sent[w->mr].text);
    w->mr++;
    w->submit = s;
    s->leaving(s);
    rt_timer_at(w->rt, &w->network, rt_now_ms(w->rt) + NETWORK_MS);
    return 0;
}

static inline void world_settle(struct carrier *c, uint64_t token, bool stored)
{
    (void)token;
    container_of(c, struct world, carrier)->settled = stored;
}

static inline void world_offer(struct world *w)
{
    struct carrier_inbound in = {
        .pdu = w->pdu, .len = (size_t)w->pdu_len, .tpdu_len = w->tpdu_len, .token = (uint64_t)w->texts};

    w->settled = false;
    w->carrier.up->inbound(w->carrier.up_owner, &w->carrier, &in);
}

/* A text of up to 160 characters; each has its own time stamp, so that none is another's duplicate. */
static inline void world_receive_pdu(struct world *w, const char *from, const char *text, bool binary)
{
    struct segment_conf sc = {.cls = -1};
    struct segment_plan plan;
    struct pdu_deliver d = {0};

    assert_int_equal(pdu_addr_from_text(from, &d.from, NULL), 0);
    if (binary) {
        plan.dcs = 0x04; /* 8-bit data */
        pdu_ud_set_octets(&d.ud, NULL, 0, (const uint8_t *)text, strlen(text));
    } else {
        assert_int_equal(segment_text(text, strlen(text), &sc, 0, &plan, &d.ud, 1, NULL), 0);
    }
    d.dcs.raw = plan.dcs;
    pdu_time_from_wall_ms(RT_SIM_START_WALL_MS + ++w->texts * 1000, 4, &d.scts);
    w->pdu_len = pdu_encode_deliver(&d, w->pdu, &w->tpdu_len, NULL);
    assert_true(w->pdu_len > 0);
    world_offer(w);
}

static inline void world_receive(struct world *w, const char *from, const char *text)
{
    world_receive_pdu(w, from, text, false);
}

/* A call; each has its own time. */
static inline void world_ring(struct world *w, const char *from)
{
    struct carrier_call call = {.from = from,
                                .withheld = !*from,
                                .rings = 2,
                                .began_wall_ms = RT_SIM_START_WALL_MS + ++w->texts * 1000};

    w->carrier.up->call(w->carrier.up_owner, &w->carrier, &call);
}

static inline void world_run(struct world *w, int64_t ms)
{
    rt_sim_run_for(w->rt, ms);
}

/* A life of the daemon begins. */
static inline void world_open(struct world *w)
{
    struct store_conf sc = {.path = w->path};
    struct err e = {0};

    if (store_open(w->rt, &sc, &w->store, &e) != 0)
        fail_msg("%s", e.text);
    w->gateway = gateway_new(w->rt, w->store, &w->gconf);
    if (gateway_load(w->gateway, &e) != 0)
        fail_msg("%s", e.text);
    assert_int_equal(engine_new(w->rt, w->econf, NULL, NULL, &w->engine), 0);
    engine_set_world(w->engine, &world_outside);
    engine_attach(w->engine, w->gateway, w->store);
    if (gateway_attach(w->gateway, &w->carrier, &(struct gateway_limits){0}, false, &e) != 0)
        fail_msg("%s", e.text);
}

static inline void world_start(struct world *w, struct rt *rt, const struct engine_conf *econf,
                               const char *number)
{
    static const struct carrier_ops ops = {world_submit, world_settle};

    *w = (struct world){.rt = rt, .econf = econf};
    snprintf(w->dir, sizeof w->dir, "%s/engineXXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->path, sizeof w->path, "%s/db", w->dir);
    w->gconf = (struct gateway_conf){.country = "49",
                                     .on_unknown = ON_UNKNOWN_HOLD,
                                     .unknown_wait_ms = MINUTE_MS,
                                     .validity_ms = INT64_C(86400000),
                                     .incomplete_after_ms = INT64_C(86400000),
                                     .duplicate_window_ms = INT64_C(86400000),
                                     .max_parts = 10,
                                     .queue_max = 1000,
                                     .smsc = ""};
    w->carrier = (struct carrier){.ops = &ops, .name = "counter", .state = CARRIER_READY};
    str_copy(w->carrier.imsi, sizeof w->carrier.imsi, "262011234567890");
    str_copy(w->carrier.number, sizeof w->carrier.number, number);
    w->network.fire = world_network;
    world_open(w);
}

/* The process dies: what is not committed is forgotten, what is on the air goes on without us. */
static inline void world_crash(struct world *w)
{
    rt_sim_drop(w->rt);
    store_abandon(w->store);
    engine_free(w->engine);
    gateway_free(w->gateway);
    w->submit = NULL;
    w->network.at_ms = 0;
}

static inline void world_stop(struct world *w)
{
    char command[128];

    world_crash(w);
    snprintf(command, sizeof command, "rm -r %s", w->dir);
    assert_int_equal(system(command), 0);
}

/* ---- looking into the store ---- */

struct world_list {
    struct store_list list;
    bool done;
};

static inline void world_listed(struct store_op *op, int status)
{
    assert_int_equal(status, 0);
    container_of(op, struct world_list, list.op)->done = true;
}

static inline bool world_list_done(void *arg)
{
    return ((struct world_list *)arg)->done;
}

/* The messages of one direction, newest first. The caller gives them to world_unlist. */
static inline void world_list(struct world *w, enum msg_direction direction, struct world_list *l)
{
    *l = (struct world_list){.list = {.op.done = world_listed, .direction = direction, .limit = 1000}};
    store_list(w->store, &l->list);
    assert_true(rt_sim_run_till(w->rt, world_list_done, l, MINUTE_MS));
}

static inline void world_unlist(struct world_list *l)
{
    for (int i = 0; i < l->list.count; i++)
        msg_row_clear(&l->list.rows[i]);
    free(l->list.rows);
}

#endif
