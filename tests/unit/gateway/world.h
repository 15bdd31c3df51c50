/* The world around a gateway in tests: the real store on the simulated runtime, and carriers that do what the
 * test says. Carriers are the gateway's interface to what is outside; these stand for modem and network and
 * keep a log of everything that was submitted and acknowledged, over any number of the gateway's lives. */
#ifndef SIMGATE_TESTS_UNIT_GATEWAY_WORLD_H
#define SIMGATE_TESTS_UNIT_GATEWAY_WORLD_H

/* cmocka.h wants these before it. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "gateway/gateway.h"
#include "pdu/pdu.h"
#include "tests/lib/rt_sim.h"

#define HELPER __attribute__((unused)) static

enum {
    MAX_CARRIERS = 4,
    MAX_LOG = 4096,
    SEND_MS = 100,
    SECOND = 1000,
    MINUTE = 60 * SECOND,
    HOUR = 60 * MINUTE
};
#define DAY ((int64_t)24 * HOUR)

/* What the air took. */
struct submitted {
    char to[NUMBER_BYTES];
    char text[PDU_TEXT_BYTES];
    int64_t at_ms;
    int carrier, mr;
    bool more, duplicate_mark, report, validity, answered;
    uint8_t total, seq;
    enum carrier_result result;
};

struct settled {
    uint64_t token;
    bool stored;
    int carrier;
};

struct world;

struct script {
    struct carrier c;
    struct world *w;
    int index, next_mr;
    int64_t send_ms;
    struct carrier_submit *under_way;
    struct rt_timer timer;
    struct carrier_outcome plan[64]; /* outcomes to come; after them all is sent */
    int plan_at, plan_len;
    bool stuck;       /* no result comes */
    int64_t leave_ms; /* the PDU leaves so long after it was given; 0 at once */
    bool left;
};

struct world {
    uint64_t seed;
    struct rt *rt;
    struct store *store;
    struct gateway *g;
    struct gateway_conf conf;
    char dir[64], path[96];
    struct script carriers[MAX_CARRIERS];
    struct gateway_limits limits[MAX_CARRIERS];
    int ncarriers;
    struct submitted log[MAX_LOG];
    int nlog;
    struct settled settles[MAX_LOG];
    int nsettles;
    uint64_t token;
    struct gateway_watcher watcher;
    int events[EV_KINDS];
    char alarm[300], reason[300], event_text[600];
    int64_t last_in, last_out;
    bool quiet;
    gateway_on_message engine;
};

/* ---- carriers ---- */

HELPER void script_log(struct script *s, const struct carrier_submit *cs)
{
    struct world *w = s->w;
    struct pdu_submit p;
    struct err e;
    assert_true(w->nlog < MAX_LOG);
    struct submitted *l = &w->log[w->nlog++];
    *l = (struct submitted){
        .carrier = s->index, .at_ms = rt_sim_now(w->rt), .more = cs->more, .total = 1, .seq = 1};
    assert_int_equal(pdu_decode_submit(cs->pdu, cs->len, cs->tpdu_len, &p, &e), 0);
    str_copy(l->to, sizeof(l->to), p.to.text);
    pdu_ud_text(&p.ud, &p.dcs, l->text);
    l->duplicate_mark = p.reject_duplicates;
    l->report = p.status_report;
    l->validity = p.vp.form != PDU_VP_NONE;
    if (p.ud.concat.present) {
        l->total = p.ud.concat.total;
        l->seq = p.ud.concat.seq;
    }
}

HELPER void script_leave(struct script *s)
{
    s->left = true;
    s->under_way->leaving(s->under_way);
    script_log(s, s->under_way);
    if (!s->stuck)
        rt_timer_at(s->w->rt, &s->timer, rt_sim_now(s->w->rt) + s->send_ms);
}

HELPER void script_note(struct script *s, const struct carrier_outcome *o)
{
    for (int i = s->w->nlog - 1; s->left && i >= 0; i--) {
        struct submitted *l = &s->w->log[i];
        if (l->carrier != s->index)
            continue;
        l->mr = o->mr;
        l->result = o->result;
        l->answered = true;
        break;
    }
}

HELPER void script_fire(struct rt_timer *t)
{
    struct script *s = container_of(t, struct script, timer);
    struct carrier_submit *cs = s->under_way;
    struct carrier_outcome o = {.result = CARRIER_SENT, .mr = s->next_mr, .code = -1};
    bool planned = s->plan_at < s->plan_len;
    if (!s->left && !(planned && s->plan[s->plan_at].result == CARRIER_NOT_SUBMITTED)) {
        script_leave(s);
        return;
    }
    if (planned)
        o = s->plan[s->plan_at++];
    if (o.result == CARRIER_SENT)
        o.mr = s->next_mr++ & 255;
    script_note(s, &o);
    s->under_way = NULL;
    cs->done(cs, &o);
}

HELPER int script_submit(struct carrier *c, struct carrier_submit *cs)
{
    struct script *s = container_of(c, struct script, c);
    if (c->state != CARRIER_READY)
        return ERR_GONE;
    if (s->under_way)
        return ERR_BUSY;
    s->under_way = cs;
    s->left = false;
    if (s->leave_ms)
        rt_timer_at(s->w->rt, &s->timer, rt_sim_now(s->w->rt) + s->leave_ms);
    else
        script_leave(s);
    return 0;
}

HELPER void script_settle(struct carrier *c, uint64_t token, bool stored)
{
    struct script *s = container_of(c, struct script, c);
    assert_true(s->w->nsettles < MAX_LOG);
    s->w->settles[s->w->nsettles++] = (struct settled){token, stored, s->index};
}

static const struct carrier_ops script_ops = {.submit = script_submit, .settle = script_settle};

HELPER struct script *add_carrier(struct world *w, const char *name, const char *pool)
{
    struct script *s = &w->carriers[w->ncarriers];
    *s = (struct script){.w = w, .index = w->ncarriers++, .send_ms = SEND_MS};
    s->c.ops = &script_ops;
    s->timer.fire = script_fire;
    str_copy(s->c.name, sizeof(s->c.name), name);
    str_copy(s->c.pool, sizeof(s->c.pool), pool);
    snprintf(s->c.imsi, sizeof(s->c.imsi), "26201000000000%d", s->index);
    s->c.state = CARRIER_READY;
    return s;
}

HELPER void set_state(struct script *s, enum carrier_state state, const char *reason)
{
    if (s->c.state != state)
        s->c.since_wall_ms = rt_wall_ms(s->w->rt);
    s->c.state = state;
    str_copy(s->c.reason, sizeof(s->c.reason), reason);
    s->c.up->changed(s->c.up_owner, &s->c);
}

HELPER struct carrier_outcome failed(enum carrier_error error, int code)
{
    struct carrier_outcome o = {.result = CARRIER_FAILED, .mr = -1, .error = error, .code = code};
    snprintf(o.text, sizeof(o.text), "+CMS ERROR: %d", code);
    return o;
}

HELPER struct carrier_outcome unknown_outcome(void)
{
    return (struct carrier_outcome){
        .result = CARRIER_UNKNOWN, .mr = -1, .code = -1, .text = "no result in 120 s"};
}

HELPER struct carrier_outcome not_submitted(void)
{
    return (struct carrier_outcome){
        .result = CARRIER_NOT_SUBMITTED, .mr = -1, .code = -1, .text = "port lost"};
}

HELPER void plan(struct script *s, struct carrier_outcome o)
{
    s->plan[s->plan_len++] = o;
}

/* ---- lives ---- */

HELPER void on_event(struct gateway_watcher *wa, const struct gateway_event *ev)
{
    struct world *w = container_of(wa, struct world, watcher);
    w->events[ev->kind]++;
    if (ev->kind == EV_ALARM)
        str_copy(w->alarm, sizeof(w->alarm), ev->text);
    if (ev->kind == EV_OUTCOME)
        str_copy(w->reason, sizeof(w->reason), ev->reason ? ev->reason : "");
    if (ev->kind == EV_RECEIVED) {
        w->last_in = ev->message;
        str_copy(w->event_text, sizeof(w->event_text), ev->text ? ev->text : "");
    }
}

HELPER void no_log(enum log_level level, const char *who, const char *line)
{
    (void)level, (void)who, (void)line;
}

HELPER void life_start(struct world *w)
{
    struct err e = {0};
    struct store_conf sc = {.path = w->path};
    if (store_open(w->rt, &sc, &w->store, &e) != 0)
        fail_msg("store_open: %s", e.text);
    w->g = gateway_new(w->rt, w->store, &w->conf);
    if (gateway_load(w->g, &e) < 0)
        fail_msg("gateway_load: %s", e.text);
    w->watcher.event = on_event;
    gateway_watch(w->g, &w->watcher);
    if (w->engine)
        gateway_set_engine(w->g, w->engine, w);
    for (int i = 0; i < w->ncarriers; i++) {
        w->carriers[i].under_way = NULL;
        w->carriers[i].timer.at_ms = RT_NEVER;
        assert_int_equal(gateway_attach(w->g, &w->carriers[i].c, &w->limits[i], false, &e), 0);
        w->carriers[i].c.up->changed(w->g, &w->carriers[i].c);
    }
}

/* The process is killed: what is not committed is forgotten. */
HELPER void life_crash(struct world *w)
{
    store_abandon(w->store);
    gateway_free(w->g);
    rt_sim_drop(w->rt);
    w->g = NULL;
    for (int i = 0; i < w->ncarriers; i++)
        w->carriers[i].under_way = NULL;
}

HELPER void world_init(struct world *w)
{
    memset(w, 0, sizeof(*w));
    log_set_sink(getenv("SHOW_LOG") ? NULL : no_log);
    w->seed = rt_sim_seed(1);
    w->rt = rt_sim_new(w->seed);
    str_copy(w->dir, sizeof(w->dir), access("/dev/shm", W_OK) == 0 ? "/dev/shm/gwXXXXXX" : "/tmp/gwXXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->path, sizeof(w->path), "%s/g.db", w->dir);
    w->conf = (struct gateway_conf){.country = "49",
                                    .on_unknown = ON_UNKNOWN_HOLD,
                                    .unknown_wait_ms = 10 * MINUTE,
                                    .validity_ms = 3 * DAY,
                                    .incomplete_after_ms = DAY,
                                    .duplicate_window_ms = DAY,
                                    .max_parts = 20,
                                    .queue_max = 100000,
                                    .smsc = "",
                                    .discard_type0 = true};
}

HELPER void world_fini(struct world *w)
{
    if (w->g)
        life_crash(w);
    rt_sim_free(w->rt);
    char cmd[160];
    snprintf(cmd, sizeof(cmd), "rm -rf '%s'", w->dir);
    assert_int_equal(system(cmd), 0);
}

HELPER int world_setup(void **state)
{
    struct world *w = malloc(sizeof(*w));
    world_init(w);
    add_carrier(w, "M0", "");
    life_start(w);
    *state = w;
    return 0;
}

HELPER int world_teardown(void **state)
{
    world_fini(*state);
    free(*state);
    return 0;
}

HELPER void run(struct world *w, int64_t ms)
{
    rt_sim_run_for(w->rt, ms);
}

/* ---- asking ---- */

struct asked {
    struct gateway_admit a;
    struct gateway_send sends[8];
    struct gateway_admitted results[8];
    int status, dones;
};

HELPER void on_asked(struct gateway_admit *a, int status)
{
    struct asked *q = container_of(a, struct asked, a);
    q->status = status;
    q->dones++;
}

HELPER struct asked *asked_new(void)
{
    struct asked *q = calloc(1, sizeof(*q));
    for (size_t i = 0; i < ARRAY_LEN(q->sends); i++)
        gateway_send_init(&q->sends[i]);
    q->a = (struct gateway_admit){.sends = q->sends, .count = 1, .done = on_asked, .results = q->results};
    return q;
}

HELPER struct gateway_send message(const char *to, const char *text)
{
    struct gateway_send s;
    gateway_send_init(&s);
    s.to = to;
    s.text = text;
    s.source = "test";
    return s;
}

HELPER void admit_all(struct world *w, struct asked *q)
{
    gateway_admit(w->g, &q->a);
    assert_int_equal(q->dones, 0); /* never before the call returns */
    for (int i = 0; i < 1000 && !q->dones; i++)
        assert_true(rt_sim_step(w->rt));
    assert_int_equal(q->dones, 1);
}

/* Admits one; its id, or a negative code with the text in w->reason. */
HELPER int64_t admit(struct world *w, const struct gateway_send *s)
{
    struct asked *q = asked_new();
    q->sends[0] = *s;
    admit_all(w, q);
    int64_t id = q->results[0].err.code < 0 ? q->results[0].err.code : q->results[0].id;
    str_copy(w->reason, sizeof(w->reason), q->results[0].err.text);
    if (id > 0)
        w->last_out = id;
    free(q);
    return id;
}

HELPER int64_t send_to(struct world *w, const char *to, const char *text)
{
    struct gateway_send s = message(to, text);
    return admit(w, &s);
}

struct shown {
    struct store_show op;
    int dones, status;
};

HELPER void on_shown_op(struct store_op *op, int status)
{
    struct shown *s = container_of(container_of(op, struct store_show, op), struct shown, op);
    s->dones++;
    s->status = status;
}

/* The message as the store has it; the caller clears it with unshow(). */
HELPER struct shown *show(struct world *w, int64_t id)
{
    struct shown *s = calloc(1, sizeof(*s));
    s->op.op.done = on_shown_op;
    s->op.id = id;
    store_show(w->store, &s->op);
    for (int i = 0; i < 100000 && !s->dones; i++)
        assert_true(rt_sim_step(w->rt));
    return s;
}

HELPER void unshow(struct shown *s)
{
    store_show_clear(&s->op);
    free(s);
}

HELPER enum msg_state state_of(struct world *w, int64_t id)
{
    struct shown *s = show(w, id);
    enum msg_state state = s->status == 0 ? s->op.row.state : 0;
    str_copy(w->reason, sizeof(w->reason), s->op.row.reason);
    unshow(s);
    return state;
}

HELPER uint32_t flags_of_message(struct world *w, int64_t id)
{
    struct shown *s = show(w, id);
    uint32_t flags = s->op.row.flags;
    unshow(s);
    return flags;
}

#define assert_state(w, id, state) assert_string_equal(msg_state_name(state_of(w, id)), msg_state_name(state))

/* How often a text was taken by the air. */
HELPER int sent_count(const struct world *w, const char *text)
{
    int n = 0;
    for (int i = 0; i < w->nlog; i++)
        n += strcmp(w->log[i].text, text) == 0;
    return n;
}

/* ---- arriving ---- */

struct arriving {
    const char *from, *text;
    int ref, total, seq;
    uint8_t pid, dcs;
    int64_t scts_wall_ms; /* 0 now */
    bool more;
};

HELPER uint64_t offer(struct world *w, int carrier, const uint8_t *pdu, size_t len, int tpdu_len,
                      bool malformed)
{
    struct carrier *c = &w->carriers[carrier].c;
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, pdu, len);
    struct carrier_inbound in = {
        .pdu = copy, .len = len, .tpdu_len = tpdu_len, .malformed = malformed, .token = ++w->token};
    c->up->inbound(c->up_owner, c, &in);
    free(copy);
    return in.token;
}

HELPER int make_deliver(struct world *w, const struct arriving *a, uint8_t out[PDU_FULL_BYTES], int *tpdu_len)
{
    struct pdu_deliver d = {.more = a->more, .pid = a->pid};
    struct segment_conf sc = {.cls = -1};
    struct segment_plan sp;
    struct pdu_ud uds[8];
    struct err e = {0};
    assert_int_equal(pdu_addr_from_text(a->from, &d.from, &e), 0);
    assert_int_equal(segment_text(a->text, strlen(a->text), &sc, 0, &sp, uds, 8, &e), 0);
    d.ud = uds[0];
    pdu_dcs_decode(a->dcs ? a->dcs : sp.dcs, &d.dcs);
    pdu_time_from_wall_ms(a->scts_wall_ms ? a->scts_wall_ms : rt_wall_ms(w->rt), 4, &d.scts);
    if (a->total > 1) { /* 8-bit reference in front; texts here are ASCII sent as UCS2 */
        uint8_t data[140], header[6] = {5, 0, 3, (uint8_t)a->ref, (uint8_t)a->total, (uint8_t)a->seq};
        size_t n = 0;
        for (const char *p = a->text; *p; p++) {
            data[n++] = 0;
            data[n++] = (uint8_t)*p;
        }
        pdu_dcs_decode(8, &d.dcs);
        pdu_ud_set_octets(&d.ud, header, sizeof(header), data, n);
    }
    int len = pdu_encode_deliver(&d, out, tpdu_len, &e);
    assert_true(len > 0);
    return len;
}

HELPER uint64_t arrive(struct world *w, int carrier, const struct arriving *a)
{
    uint8_t pdu[PDU_FULL_BYTES];
    int tpdu_len;
    int len = make_deliver(w, a, pdu, &tpdu_len);
    return offer(w, carrier, pdu, (size_t)len, tpdu_len, false);
}

HELPER uint64_t arrive_text(struct world *w, const char *from, const char *text)
{
    return arrive(w, 0, &(struct arriving){.from = from, .text = text});
}

HELPER uint64_t arrive_report(struct world *w, int carrier, const char *to, int mr, int status)
{
    struct pdu_report r = {.mr = (uint8_t)mr, .st = (uint8_t)status};
    struct err e = {0};
    uint8_t pdu[PDU_FULL_BYTES];
    int tpdu_len;
    assert_int_equal(pdu_addr_from_text(to, &r.to, &e), 0);
    assert_int_equal(pdu_addr_from_text("+491710760000", &r.smsc, &e), 0);
    pdu_time_from_wall_ms(rt_wall_ms(w->rt), 4, &r.scts);
    pdu_time_from_wall_ms(rt_wall_ms(w->rt), 4, &r.discharge);
    int len = pdu_encode_report(&r, pdu, &tpdu_len, &e);
    assert_true(len > 0);
    return offer(w, carrier, pdu, (size_t)len, tpdu_len, false);
}

/* 1 acknowledged, 0 left on the modem, -1 not settled, 2 settled twice. */
HELPER int settled(const struct world *w, uint64_t token)
{
    int found = -1;
    for (int i = 0; i < w->nsettles; i++)
        if (w->settles[i].token == token)
            found = found >= 0 ? 2 : w->settles[i].stored;
    return found;
}

/* ---- changes ---- */

struct changed {
    struct gateway_change c;
    int dones, status;
    struct err err;
};

HELPER void on_changed_op(struct gateway_change *c, int status, const struct err *e)
{
    struct changed *ch = container_of(c, struct changed, c);
    ch->dones++;
    ch->status = status;
    ch->err = *e;
}

HELPER struct changed *changed_new(void)
{
    struct changed *ch = calloc(1, sizeof(*ch));
    ch->c.done = on_changed_op;
    return ch;
}

HELPER int change(struct world *w, int64_t id, bool cancel)
{
    struct changed *ch = changed_new();
    if (cancel)
        gateway_cancel(w->g, id, "root", &ch->c);
    else
        gateway_retry(w->g, id, "root", &ch->c);
    assert_int_equal(ch->dones, 0);
    for (int i = 0; i < 100000 && !ch->dones; i++)
        assert_true(rt_sim_step(w->rt));
    int status = ch->status;
    str_copy(w->reason, sizeof(w->reason), ch->err.text);
    free(ch);
    return status;
}

#endif
