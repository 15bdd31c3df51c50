/* The simulated network and its service centre: routing between modems, delivery reports, injection.
 *
 * What is on its way to a modem hangs on the modem in two queues, so that a full memory holds up messages but
 * not reports; the modem takes from them when it can (sim_mt.c). Nothing here fails but for bad input to the
 * injecting functions. TS 23.040 3.2, 9.2.2.
 */
#include "hw/sim/simnet.h"

#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/util.h"
#include "hw/sim/sim_int.h"
#include "pdu/segment.h"

enum { ZONE_QUARTERS = 4, RETRY_MS = 30000, PREFIX_BYTES = 24 };

struct report_rule {
    struct report_rule *next;
    char prefix[PREFIX_BYTES];
    uint8_t st;
    int64_t delay_ms;
};

/* Names of modems outlive them, since events point at them. */
struct kept_name {
    struct kept_name *next;
    char text[SIM_NAME_BYTES];
};

struct simnet {
    struct simnet_conf conf;
    struct kept_name *names;
    struct sim_rng rng;
    struct simmodem *modems;
    struct report_rule *rules;
    struct sim_log log;
    int64_t next_id;
    uint8_t next_ref;
};

struct simnet *simnet_new(const struct simnet_conf *conf)
{
    struct simnet *net = calloc(1, sizeof(*net));
    if (!net)
        abort();
    if (conf)
        net->conf = *conf;
    net->rng.state = net->conf.seed ^ 0x5DEECE66Du;
    net->log.keep = net->conf.keep_events;
    net->next_id = 1;
    net->next_ref = (uint8_t)sim_rng_next(&net->rng);
    return net;
}

void simnet_free(struct simnet *net)
{
    if (!net)
        return;
    while (net->rules) {
        struct report_rule *r = net->rules;
        net->rules = r->next;
        free(r);
    }
    while (net->names) {
        struct kept_name *n = net->names;
        net->names = n->next;
        free(n);
    }
    free(net->log.events);
    free(net);
}

struct sim_log *sim_net_log(struct simnet *net)
{
    return &net->log;
}

uint64_t sim_net_random(struct simnet *net)
{
    return sim_rng_next(&net->rng);
}

void sim_net_lost_input(struct simnet *net, size_t bytes)
{
    net->log.counts.lost_input_bytes += bytes;
}

int64_t sim_net_wall_ms(const struct simnet *net, int64_t now_ms)
{
    return now_ms + net->conf.wall_offset_ms;
}

int64_t sim_net_retry_us(const struct simnet *net)
{
    return (net->conf.retry_ms > 0 ? net->conf.retry_ms : RETRY_MS) * SIM_MS;
}

void sim_net_join(struct simnet *net, struct simmodem *m, const char *name)
{
    struct kept_name *kept = calloc(1, sizeof(*kept));
    if (!kept)
        abort();
    str_copy(kept->text, sizeof(kept->text), name);
    kept->next = net->names;
    net->names = kept;
    m->name = kept->text;
    struct simmodem **p = &net->modems;
    while (*p)
        p = &(*p)->next;
    *p = m;
}

void sim_net_leave(struct simnet *net, struct simmodem *m)
{
    for (struct simmodem **p = &net->modems; *p; p = &(*p)->next) {
        if (*p == m) {
            *p = m->next;
            return;
        }
    }
}

size_t simnet_waiting(const struct simnet *net, const struct simmodem *m)
{
    (void)net;
    return m->waiting[SIM_QUEUE_MESSAGES].len + m->waiting[SIM_QUEUE_REPORTS].len + m->shuffled.len +
           (m->await != NULL);
}

/* ---- on the way to a modem ------------------------------------------------------------------------------
 */

static void enqueue(struct simmodem *m, struct sim_tpdu *t)
{
    sim_queue_put(&m->waiting[t->report ? SIM_QUEUE_REPORTS : SIM_QUEUE_MESSAGES], t);
    sim_wake(m);
}

static struct sim_tpdu *copy_of(const struct sim_tpdu *t)
{
    struct sim_tpdu *c = malloc(sizeof(*c));
    if (!c)
        abort();
    *c = *t;
    c->next = NULL;
    return c;
}

void sim_net_retry(struct simmodem *m, struct sim_tpdu *t)
{
    t->resend = true;
    t->due_us = m->now_us + sim_net_retry_us(m->net);
    enqueue(m, t);
}

/* ---- events ---- */

void sim_net_event(struct simmodem *m, enum simnet_kind kind, const struct sim_tpdu *t, int code,
                   enum sim_store_id store, int index)
{
    struct simnet_event ev = {.at_ms = m->now_us / SIM_MS,
                              .kind = kind,
                              .modem = m->name,
                              .id = t->id,
                              .part = t->part,
                              .parts = t->parts,
                              .report = t->report,
                              .resend = t->resend,
                              .mr = t->mr,
                              .code = code,
                              .index = index,
                              .pdu_len = t->len};
    if (store < SIM_STORES)
        memcpy(ev.store, m->stores[store].name, sizeof(ev.store));
    memcpy(ev.peer, t->peer, sizeof(ev.peer));
    memcpy(ev.pdu, t->pdu, t->len);
    sim_log_add(&m->net->log, &ev);
}

static void submit_event(struct simmodem *m, enum simnet_kind kind, const struct pdu_submit *s,
                         const uint8_t *pdu, size_t len, int64_t id, uint8_t mr, int code)
{
    struct simnet_event ev = {.at_ms = m->now_us / SIM_MS,
                              .kind = kind,
                              .modem = m->name,
                              .id = id,
                              .part = s->ud.concat.present ? s->ud.concat.seq : 1,
                              .parts = s->ud.concat.present ? s->ud.concat.total : 1,
                              .reject_duplicates = s->reject_duplicates,
                              .status_report = s->status_report,
                              .mr = mr,
                              .code = code,
                              .pdu_len = (uint8_t)len};
    str_copy(ev.peer, sizeof(ev.peer), s->to.text);
    memcpy(ev.pdu, pdu, len);
    sim_log_add(&m->net->log, &ev);
}

/* ---- making TPDUs ---- */

static void set_pdu(struct sim_tpdu *t, int len, int tpdu_len)
{
    t->len = (uint8_t)len;
    t->tpdu_len = (uint8_t)tpdu_len;
}

/* Routing facts of a DELIVER: class and where it must be stored; TS 23.038 4, TS 27.005 3.4.1. */
static void classify(struct sim_tpdu *t, const struct pdu_dcs *dcs)
{
    t->cls = dcs->cls;
    t->to_sim = dcs->cls == 2 || (dcs->mwi != PDU_MWI_NONE && dcs->mwi_store);
}

static void read_deliver(struct sim_tpdu *t, const struct pdu_deliver *d)
{
    if (d->ud.concat.present) {
        t->part = d->ud.concat.seq;
        t->parts = d->ud.concat.total;
    }
    classify(t, &d->dcs);
}

static void inject(struct simmodem *m, struct sim_tpdu *t)
{
    int copies = sim_count_down(&m->fault.duplicate) ? m->fault.duplicate_copies : 1;
    for (int i = 0; i < copies; i++) {
        struct sim_tpdu *c = i + 1 < copies ? copy_of(t) : t;
        c->resend = i > 0;
        sim_net_event(m, SIMNET_INJECTED, c, 0, SIM_STORES, 0);
        enqueue(m, c);
    }
}

static int make_deliver(struct simmodem *m, const struct pdu_deliver *d, int64_t id, struct sim_tpdu **out,
                        struct err *e)
{
    struct sim_tpdu *t = calloc(1, sizeof(*t));
    int tpdu_len = 0;
    if (!t)
        abort();
    int len = pdu_encode_deliver(d, t->pdu, &tpdu_len, e);
    if (len < 0) {
        free(t);
        return err_wrap(e, "deliver to %s", m->name);
    }
    set_pdu(t, len, tpdu_len);
    t->id = id;
    t->part = d->ud.concat.present ? d->ud.concat.seq : 1;
    t->parts = d->ud.concat.present ? d->ud.concat.total : 1;
    t->due_us = m->now_us;
    str_copy(t->peer, sizeof(t->peer), d->from.text);
    struct pdu_dcs dcs;
    pdu_dcs_decode(d->dcs.raw, &dcs);
    classify(t, &dcs);
    *out = t;
    return 0;
}

static void deliver_head(struct simmodem *m, struct pdu_deliver *d)
{
    *d = (struct pdu_deliver){0};
    pdu_addr_from_text(m->smsc, &d->smsc, NULL);
    pdu_time_from_wall_ms(sim_net_wall_ms(m->net, m->now_us / SIM_MS), ZONE_QUARTERS, &d->scts);
}

/* Makes all parts first, so that a text that cannot be encoded is refused as a whole. */
static int make_parts(struct simmodem *m, struct pdu_deliver *d, struct pdu_ud *ud,
                      const struct segment_plan *plan, struct sim_queue *parts, struct err *e)
{
    d->dcs.raw = plan->dcs;
    for (unsigned i = 0; i < plan->count; i++) {
        struct sim_tpdu *t;
        d->ud = ud[i];
        d->more = i + 1 < plan->count;
        int rc = make_deliver(m, d, m->net->next_id, &t, e);
        if (rc < 0)
            return rc;
        t->part = (uint8_t)(i + 1);
        t->parts = (uint8_t)plan->count;
        sim_queue_put(parts, t);
    }
    return 0;
}

static void inject_parts(struct simmodem *m, struct sim_queue *parts)
{
    if (parts->len > 1 && sim_count_down(&m->fault.parts_shuffled))
        sim_queue_shuffle(&m->rng, parts, m->now_us);
    struct sim_tpdu *t;
    while ((t = sim_queue_take(parts)))
        inject(m, t);
}

static void at_time(struct simmodem *m, int64_t now_ms)
{
    if (now_ms * SIM_MS > m->now_us)
        m->now_us = now_ms * SIM_MS;
}

int64_t simnet_text(struct simnet *net, struct simmodem *m, const char *from, const char *text,
                    int64_t now_ms, struct err *e)
{
    struct segment_conf conf = {.cls = -1};
    struct segment_plan plan;
    struct pdu_deliver d;
    at_time(m, now_ms);
    deliver_head(m, &d);
    int rc = pdu_addr_from_text(from, &d.from, e);
    if (rc < 0)
        return err_wrap(e, "sender");
    struct pdu_ud *ud = calloc(PDU_MAX_SEGMENTS, sizeof(*ud));
    if (!ud)
        abort();
    uint8_t ref = net->next_ref++;
    rc = segment_text(text, strlen(text), &conf, ref, &plan, ud, PDU_MAX_SEGMENTS, e);
    struct sim_queue parts = {0};
    if (rc == 0)
        rc = make_parts(m, &d, ud, &plan, &parts, e);
    free(ud);
    if (rc < 0) {
        sim_queue_free(&parts);
        return rc;
    }
    inject_parts(m, &parts);
    return net->next_id++;
}

int64_t simnet_deliver_tpdu(struct simnet *net, struct simmodem *m, const uint8_t *full_pdu, size_t len,
                            int64_t now_ms, struct err *e)
{
    if (len < 2 || len > PDU_FULL_BYTES || 1u + full_pdu[0] >= len)
        return err_set(e, ERR_INVALID, "expected a full PDU of 2 to %d octets, SMSC address first",
                       PDU_FULL_BYTES);
    at_time(m, now_ms);
    struct sim_tpdu *t = calloc(1, sizeof(*t));
    if (!t)
        abort();
    memcpy(t->pdu, full_pdu, len);
    set_pdu(t, (int)len, (int)(len - 1u - full_pdu[0]));
    t->id = net->next_id++;
    t->part = t->parts = 1;
    t->cls = -1;
    t->due_us = m->now_us;
    struct pdu_any any;
    if (pdu_decode(full_pdu, len, t->tpdu_len, &any, NULL) == 0) {
        t->report = any.kind == PDU_KIND_REPORT;
        str_copy(t->peer, sizeof(t->peer), t->report ? any.u.report.to.text : any.u.deliver.from.text);
        if (t->report)
            t->mr = any.u.report.mr;
        else
            read_deliver(t, &any.u.deliver);
    }
    inject(m, t);
    return t->id;
}

/* ---- reports ---- */

void simnet_report_rule(struct simnet *net, const char *prefix, uint8_t st, int64_t delay_ms)
{
    struct report_rule *r = calloc(1, sizeof(*r));
    if (!r)
        abort();
    str_copy(r->prefix, sizeof(r->prefix), prefix);
    r->st = st;
    r->delay_ms = delay_ms;
    r->next = net->rules;
    net->rules = r;
}

static struct report_rule rule_for(const struct simnet *net, const char *to)
{
    for (const struct report_rule *r = net->rules; r; r = r->next)
        if (strncmp(to, r->prefix, strlen(r->prefix)) == 0)
            return *r;
    return (struct report_rule){.st = 0, .delay_ms = net->conf.report_ms};
}

void sim_net_release_reports(struct simmodem *m)
{
    struct sim_tpdu *t;
    sim_queue_shuffle(&m->rng, &m->shuffled, m->now_us);
    while ((t = sim_queue_take(&m->shuffled)))
        enqueue(m, t);
}

/* The report as the modem's faults would have it: lost, late, doubled, out of order. */
static void send_report(struct simmodem *m, struct sim_tpdu *t)
{
    struct sim_faults *f = &m->fault;
    if (sim_count_down(&f->report_lost)) {
        sim_net_event(m, SIMNET_DROPPED, t, 0, SIM_STORES, 0);
        free(t);
        return;
    }
    if (sim_count_down(&f->report_late))
        t->due_us += f->report_late_us;
    if (sim_count_down(&f->report_double)) {
        struct sim_tpdu *again = copy_of(t);
        again->resend = true;
        enqueue(m, again);
    }
    if (f->report_shuffle > 0) {
        sim_queue_put(&m->shuffled, t);
        if (--f->report_shuffle == 0)
            sim_net_release_reports(m);
        return;
    }
    enqueue(m, t);
}

static void make_report(struct simmodem *m, const struct pdu_submit *s, int64_t id, uint8_t mr, uint8_t st,
                        int64_t delay_ms)
{
    int64_t wall_ms = sim_net_wall_ms(m->net, m->now_us / SIM_MS);
    struct pdu_report r = {.to = s->to, .mr = mr, .st = st};
    struct sim_tpdu *t = calloc(1, sizeof(*t));
    int tpdu_len = 0;
    if (!t)
        abort();
    pdu_addr_from_text(m->smsc, &r.smsc, NULL);
    pdu_time_from_wall_ms(wall_ms, ZONE_QUARTERS, &r.scts);
    pdu_time_from_wall_ms(wall_ms + delay_ms, ZONE_QUARTERS, &r.discharge);
    int len = pdu_encode_report(&r, t->pdu, &tpdu_len, NULL);
    if (len < 0) {
        free(t);
        return;
    }
    set_pdu(t, len, tpdu_len);
    t->id = id;
    t->part = t->parts = 1;
    t->report = true;
    t->mr = mr;
    t->st = st;
    t->cls = -1;
    t->due_us = m->now_us + delay_ms * SIM_MS;
    str_copy(t->peer, sizeof(t->peer), s->to.text);
    sim_net_event(m, SIMNET_REPORT, t, st, SIM_STORES, 0);
    send_report(m, t);
}

static void report_on(struct simmodem *m, const struct pdu_submit *s, int64_t id, uint8_t mr)
{
    struct report_rule rule = rule_for(m->net, s->to.text);
    if (!s->status_report || rule.delay_ms < 0)
        return;
    if (sim_count_down(&m->fault.report_status))
        rule.st = m->fault.report_st;
    make_report(m, s, id, mr, rule.st, rule.delay_ms);
    if (pdu_status_group(rule.st) == PDU_ST_PENDING)
        make_report(m, s, id, mr, 0, 2 * rule.delay_ms);
}

/* ---- submissions ---- */

static struct simmodem *modem_with(struct simnet *net, const char *number)
{
    while (*number == '0')
        number++;
    for (struct simmodem *m = net->modems; m; m = m->next)
        if (m->number[0] && number_same(m->number, number))
            return m;
    return NULL;
}

/* TS 23.040: the service centre makes a DELIVER of the SUBMIT. */
static void forward(struct simmodem *from, struct simmodem *to, const struct pdu_submit *s)
{
    struct pdu_deliver d;
    struct sim_tpdu *t;
    at_time(to, from->now_us / SIM_MS);
    deliver_head(to, &d);
    if (pdu_addr_from_text(from->number, &d.from, NULL) < 0)
        return;
    d.pid = s->pid;
    d.dcs = s->dcs;
    d.ud = s->ud;
    if (make_deliver(to, &d, to->net->next_id, &t, NULL) == 0) {
        to->net->next_id++;
        inject(to, t);
    }
}

uint8_t sim_net_submit(struct simmodem *m, const struct pdu_submit *s, const uint8_t *pdu, size_t len)
{
    uint8_t mr = m->mr++;
    int64_t id = m->net->next_id++;
    submit_event(m, SIMNET_SUBMITTED, s, pdu, len, id, mr, 0);
    struct simmodem *to = modem_with(m->net, s->to.text);
    if (to)
        forward(m, to, s);
    report_on(m, s, id, mr);
    return mr;
}

void sim_net_refuse(struct simmodem *m, const struct pdu_submit *s, const uint8_t *pdu, size_t len, int code)
{
    submit_event(m, SIMNET_REFUSED, s, pdu, len, 0, 0, code);
}
