/* See modem_rig.h. */
#include "tests/lib/modem_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* ---- the owner: writes down and settles ---- */

static void on_changed(void *owner, struct carrier *c)
{
    struct unit *u = owner;
    (void)c;
    u->changes++;
}

static void settle_due(struct rt_timer *t)
{
    struct unit *u = container_of(t, struct unit, settle_timer);
    int64_t now_ms = rt_sim_now(u->rig->rt);
    int64_t next_ms = RT_NEVER;

    for (size_t i = 0; i < u->in_count; i++) {
        struct rig_inbound *in = &u->in[i];
        if (in->settled)
            continue;
        if (in->at_ms + u->settle_ms > now_ms) {
            next_ms = in->at_ms + u->settle_ms;
            break;
        }
        in->settled = true;
        u->carrier->ops->settle(u->carrier, in->token, !u->refuse);
    }
    rt_timer_at(u->rig->rt, &u->settle_timer, next_ms);
}

static void on_inbound(void *owner, struct carrier *c, const struct carrier_inbound *in)
{
    struct unit *u = owner;
    struct pdu_any any;

    (void)c;
    if (u->in_count == RIG_LOG)
        abort();
    struct rig_inbound *log = &u->in[u->in_count++];
    *log = (struct rig_inbound){.token = in->token,
                                .at_ms = rt_sim_now(u->rig->rt),
                                .tpdu_len = in->tpdu_len,
                                .malformed = in->malformed,
                                .len = in->len};
    memcpy(log->pdu, in->pdu, in->len < sizeof(log->pdu) ? in->len : sizeof(log->pdu));
    if (!in->malformed && pdu_decode(in->pdu, in->len, in->tpdu_len, &any, NULL) == 0) {
        log->kind = any.kind;
        if (any.kind == PDU_KIND_DELIVER)
            pdu_ud_text(&any.u.deliver.ud, &any.u.deliver.dcs, log->text);
        else if (any.kind == PDU_KIND_REPORT)
            log->mr = any.u.report.mr;
    }
    if (!u->hold && u->settle_timer.at_ms == RT_NEVER)
        rt_timer_at(u->rig->rt, &u->settle_timer, rt_sim_now(u->rig->rt) + u->settle_ms);
}

static void on_late(void *owner, struct carrier *c, int mr)
{
    struct unit *u = owner;
    (void)c;
    u->lates++;
    u->late_mr = mr;
}

static const struct carrier_events events = {.changed = on_changed, .inbound = on_inbound, .late = on_late};

/* ---- rig ---- */

static void watch(void *arg, const char *name, bool to_modem, const char *bytes, size_t len)
{
    struct rig *r = arg;
    char head[64];

    if (!r->tracing)
        return;
    snprintf(head, sizeof(head), "%8.3f %s %s ", (double)rt_sim_now(r->rt) / 1000.0, name,
             to_modem ? ">" : "<");
    buf_adds(&r->trace, head);
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\r')
            buf_adds(&r->trace, "<CR>");
        else if (bytes[i] == '\n')
            buf_adds(&r->trace, "<LF>");
        else
            buf_addc(&r->trace, bytes[i] >= ' ' ? bytes[i] : '?');
    }
    buf_addc(&r->trace, '\n');
}

struct rig *rig_new(uint64_t seed)
{
    struct rig *r = calloc(1, sizeof(*r));
    struct simnet_conf net = {
        .seed = seed, .wall_offset_ms = RT_SIM_START_WALL_MS - RT_SIM_START_MS, .report_ms = 2000};

    if (!r)
        abort();
    r->rt = rt_sim_new(seed);
    r->net = simnet_new(&net);
    r->bus = port_sim_new(r->rt);
    port_sim_watch(r->bus, watch, r);
    return r;
}

static void start_life(struct unit *u)
{
    u->modem = modem_new(u->rig->rt, port_sim_source(u->rig->bus), &u->conf);
    u->carrier = modem_carrier(u->modem);
    u->carrier->up = &events;
    u->carrier->up_owner = u;
    u->settle_timer = (struct rt_timer){.fire = settle_due, .at_ms = RT_NEVER};
}

struct unit *rig_add(struct rig *r, const struct rig_conf *conf)
{
    struct unit *u = &r->units[r->count];
    struct rig_conf c = conf ? *conf : (struct rig_conf){0};

    u->rig = r;
    snprintf(u->name, sizeof(u->name), "modem%zu", r->count);
    snprintf(u->port, sizeof(u->port), "/dev/ttyUSB%zu", r->count);
    r->count++;
    struct simmodem_conf sim = {.name = u->name,
                                .personality = c.personality,
                                .pin = c.sim_pin,
                                .tries_untold = c.tries_untold,
                                .sm_slots = c.sm_slots,
                                .baud = c.baud,
                                .net_ms = c.net_ms,
                                .starts_off = c.starts_off,
                                .wake = port_sim_wake,
                                .arg = r->bus};
    u->sim = simmodem_new(r->net, &sim, rt_sim_now(r->rt));
    if (c.usb_path)
        port_sim_plug_stick(r->bus, c.usb_path, c.serial ? c.serial : "", u->sim);
    else
        port_sim_plug(r->bus, u->port, u->sim);
    u->conf = (struct modem_conf){.name = u->name,
                                  .port = c.port       ? c.port
                                          : c.usb_path ? ""
                                                       : u->port,
                                  .imei = c.imei ? c.imei : "",
                                  .imsi = c.imsi ? c.imsi : "",
                                  .iccid = c.iccid ? c.iccid : "",
                                  .usb = c.usb ? c.usb : "",
                                  .profiles = c.profiles,
                                  .profile = "",
                                  .balance = {.code = "", .pattern = "", .below = ""},
                                  .pool = "",
                                  .number = "",
                                  .pin = c.pin ? c.pin : "",
                                  .smsc = c.smsc ? c.smsc : "",
                                  .baud = 115200,
                                  .plan = c.plan,
                                  .sweep_ms = c.sweep_ms ? c.sweep_ms : 180000,
                                  .send_timeout_ms = c.send_timeout_ms ? c.send_timeout_ms : 120000};
    u->in = calloc(RIG_LOG, sizeof(*u->in));
    u->sends = calloc(RIG_SENDS, sizeof(*u->sends));
    u->settle_ms = 3;
    start_life(u);
    return u;
}

void rig_free(struct rig *r)
{
    for (size_t i = 0; i < r->count; i++) {
        modem_free(r->units[i].modem);
        free(r->units[i].in);
        free(r->units[i].sends);
    }
    rt_sim_drop(r->rt);
    port_sim_free(r->bus);
    for (size_t i = 0; i < r->count; i++)
        simmodem_free(r->units[i].sim);
    simnet_free(r->net);
    rt_sim_free(r->rt);
    buf_free(&r->trace);
    free(r);
}

void rig_trace(struct rig *r, bool on)
{
    r->tracing = on;
}

void rig_kill(struct rig *r)
{
    for (size_t i = 0; i < r->count; i++) {
        struct unit *u = &r->units[i];
        rt_timer_stop(r->rt, &u->settle_timer);
        modem_free(u->modem);
        u->modem = NULL;
        u->carrier = NULL;
    }
    port_sim_drop(r->bus);
    rt_sim_drop(r->rt);
}

void rig_revive(struct rig *r)
{
    for (size_t i = 0; i < r->count; i++) {
        start_life(&r->units[i]);
        modem_start(r->units[i].modem);
    }
}

/* ---- waiting ---- */

struct wait_state {
    struct modem *modem;
    enum modem_state state;
};

static bool in_state(void *arg)
{
    struct wait_state *w = arg;
    struct modem_status s;

    modem_get_status(w->modem, &s);
    return s.state == w->state;
}

bool rig_until(struct rig *r, struct unit *u, enum modem_state s, int64_t for_ms)
{
    struct wait_state w = {u->modem, s};
    return rt_sim_run_till(r->rt, in_state, &w, for_ms);
}

bool rig_ready(struct rig *r, struct unit *u)
{
    return rig_until(r, u, MODEM_READY, 60000);
}

void rig_run(struct rig *r, int64_t ms)
{
    rt_sim_run_for(r->rt, ms);
}

static bool has_ended(void *arg)
{
    return ((struct rig_send *)arg)->ended;
}

bool rig_ended(struct rig *r, struct rig_send *s, int64_t for_ms)
{
    return rt_sim_run_till(r->rt, has_ended, s, for_ms);
}

/* ---- sending ---- */

static void on_sent(struct carrier_submit *submit, const struct carrier_outcome *o)
{
    struct rig_send *s = container_of(submit, struct rig_send, submit);
    struct unit *u = s->unit;

    if (s->ended)
        abort(); /* exactly once */
    s->ended = true;
    s->outcome = *o;
    s->ended_ms = rt_sim_now(u->rig->rt);
    if (u->burst_left) {
        u->burst_left--;
        rig_submit(u, "+491701111111", "one of many", false, NULL);
    }
}

struct rig_send *rig_submit(struct unit *u, const char *to, const char *text, bool report, int *status)
{
    struct pdu_submit p = {.status_report = report};
    struct pdu_ud ud = {0};
    uint8_t octets[PDU_UD_BYTES];
    size_t len = strlen(text);

    if (u->send_count == RIG_SENDS)
        abort();
    struct rig_send *s = &u->sends[u->send_count];
    *s = (struct rig_send){.unit = u, .begun_ms = rt_sim_now(u->rig->rt)};
    memcpy(octets, text, len);
    p.dcs.raw = 0x04; /* 8-bit: the text's own octets can be compared */
    pdu_addr_from_text(to, &p.to, NULL);
    pdu_ud_set_octets(&ud, NULL, 0, octets, len);
    p.ud = ud;
    int n = pdu_encode_submit(&p, s->pdu, &s->submit.tpdu_len, NULL);
    if (n < 0)
        abort();
    s->submit.pdu = s->pdu;
    s->submit.len = (size_t)n;
    s->submit.done = on_sent;
    int result = u->carrier->ops->submit(u->carrier, &s->submit);
    if (status)
        *status = result;
    if (result)
        return NULL;
    u->send_count++;
    return s;
}

void rig_burst(struct unit *u, unsigned n)
{
    u->burst_left = n - 1;
    rig_submit(u, "+491701111111", "one of many", false, NULL);
}

/* ---- the world ---- */

int64_t rig_text(struct rig *r, struct unit *u, const char *from, const char *text)
{
    return simnet_text(r->net, u->sim, from, text, rt_sim_now(r->rt), NULL);
}

void rig_fault(struct rig *r, struct unit *u, const char *name, const char *args)
{
    struct err e = {0};

    if (simmodem_fault(u->sim, name, args, rt_sim_now(r->rt), &e) != 0) {
        fprintf(stderr, "fault %s %s: %s\n", name, args ? args : "", e.text);
        abort();
    }
    port_sim_wake(u->sim, r->bus);
}

size_t rig_stored(const struct unit *u)
{
    struct simmodem_info info;
    size_t n = 0;

    simmodem_info(u->sim, &info);
    for (size_t i = 0; i < ARRAY_LEN(info.stores); i++) {
        if (strcmp(info.stores[i].name, "SR") != 0)
            n += info.stores[i].used;
    }
    return n;
}
