/* Messages of several segments: joined when all are there, or, after their time, with what is there, marked
 * incomplete and never dropped. One group at a time; the store finds them, so that a restart loses none. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "gateway/private.h"

enum { LOOK_EVERY_MS = 5 * 60 * 1000 };

struct joining {
    struct job job;
    bool old_ones; /* this turn also takes incomplete groups */
    struct store_group group;
    struct store_join join;
    char *text, *meta;
};

static void joining_drop(struct job *j)
{
    struct joining *jo = container_of(j, struct joining, job);
    free(jo->group.segments);
    free(jo->text);
    free(jo->meta);
    free(jo);
}

static void ask(struct gateway *g, bool old_ones);

/* ---- the parts of a group ---- */

/* Its segments by number; NULL = missing. */
struct parts {
    struct pdu_any *any;      /* as many as segments */
    const struct pdu_ud **ud; /* by number */
    const struct pdu_dcs **dcs;
    const struct pdu_deliver *first;
    bool text;
};

static void parts_free(struct parts *p)
{
    free(p->any);
    free(p->ud);
    free(p->dcs);
}

static void parts_read(struct parts *p, const struct store_group *gr)
{
    *p = (struct parts){.any = gw_alloc((size_t)gr->count * sizeof(*p->any)),
                        .ud = gw_alloc((size_t)gr->total * sizeof(*p->ud)),
                        .dcs = gw_alloc((size_t)gr->total * sizeof(*p->dcs)),
                        .text = true};
    for (int i = 0; i < gr->count; i++) {
        const struct store_segment *s = &gr->segments[i];
        struct pdu_any *any = &p->any[i];
        if (s->seq < 1 || s->seq > gr->total || p->ud[s->seq - 1])
            continue;
        if (pdu_decode(s->pdu, (size_t)s->len, -1, any, NULL) < 0 || any->kind != PDU_KIND_DELIVER)
            continue; /* it was decoded when it came: only a damaged row comes here, and shows as missing */
        p->ud[s->seq - 1] = &any->u.deliver.ud;
        p->dcs[s->seq - 1] = &any->u.deliver.dcs;
        p->text &= gw_is_text(&any->u.deliver.dcs);
        if (!p->first)
            p->first = &any->u.deliver;
    }
}

static char *parts_text(const struct parts *p, int total)
{
    size_t size = (size_t)total * PDU_TEXT_BYTES + 1;
    char *text = gw_alloc(size), *at = text;
    if (p->text) {
        pdu_join_text(p->ud, p->dcs, (size_t)total, text, size);
        return text;
    }
    for (int i = 0; i < total; i++)
        if (p->ud[i])
            at = gw_payload_hex(p->ud[i], p->dcs[i], at);
    return text;
}

/* ---- the way of a group ---- */

static void tell(struct gateway *g, struct joining *jo)
{
    const struct store_join *op = &jo->join;
    struct msg_row row = {.id = op->message,
                          .direction = MSG_IN,
                          .state = MSG_RECEIVED,
                          .flags = op->flags,
                          .parts = jo->group.total,
                          .priority = 1,
                          .created_wall_ms = op->now_wall_ms,
                          .due_wall_ms = op->now_wall_ms,
                          .final_wall_ms = op->now_wall_ms,
                          .scts_wall_ms = op->scts_wall_ms,
                          .text = jo->text,
                          .meta = jo->meta};
    str_copy(row.peer, sizeof(row.peer), op->sender);
    str_copy(row.modem, sizeof(row.modem), op->modem);
    str_copy(row.imsi, sizeof(row.imsi), op->imsi);
    g->stats.received++;
    log_info(WHO, "received message=%lld from=%s modem=%s parts=%d/%d", (long long)op->message,
             log_number(op->sender), op->modem, op->count, jo->group.total);
    gw_emit_received(g, &(struct gateway_event){.message = op->message,
                                                .parts = jo->group.total,
                                                .peer = op->sender,
                                                .modem = op->modem,
                                                .text = jo->text});
    gw_emit_outbox(g);
    jo->text = jo->meta = NULL;
    gw_handle_new(g, &row);
}

/* One group is done with; `more`: there may be another. */
static void turn_over(struct joining *jo, bool more)
{
    struct gateway *g = jo->job.g;
    bool old_ones = jo->old_ones;
    gw_job_end(&jo->job);
    g->joining = false;
    if (more || g->join_again) {
        g->join_again = false;
        ask(g, old_ones);
    }
}

static void on_joined(struct store_op *op, int status)
{
    struct joining *jo = container_of(op, struct joining, join.op);
    struct gateway *g = jo->job.g;
    if (status == 0)
        tell(g, jo);
    else
        gw_store_failed(g, status, &op->err);
    if (status < 0)
        g->join_ms = rt_now_ms(g->rt) + STORE_RETRY_MS;
    turn_over(jo, status == 0);
}

static void on_group(struct store_op *op, int status)
{
    struct joining *jo = container_of(op, struct joining, group.op);
    struct gateway *g = jo->job.g;
    struct store_group *gr = &jo->group;
    if (status < 0 || gr->count == 0) {
        turn_over(jo, false);
        return;
    }
    struct parts p;
    uint32_t flags = 0;
    parts_read(&p, gr);
    int there = 0;
    for (int i = 0; i < gr->total; i++)
        there += p.ud[i] != NULL;
    jo->meta = p.first ? gw_meta(p.first, &flags) : NULL;
    jo->text = parts_text(&p, gr->total);
    flags |= (there < gr->total ? MSG_F_INCOMPLETE : 0u) | (p.text ? 0u : MSG_F_BINARY);
    if (p.text)
        gw_store_masked(g, &jo->text, &flags); /* the store then empties the segments */
    parts_free(&p);
    jo->join = (struct store_join){.op.done = on_joined,
                                   .segments = gr->segments,
                                   .count = gr->count,
                                   .modem = gr->modem,
                                   .imsi = gr->imsi,
                                   .sender = gr->sender,
                                   .text = jo->text,
                                   .meta = jo->meta,
                                   .scts_wall_ms = gr->scts_wall_ms,
                                   .now_wall_ms = rt_wall_ms(g->rt),
                                   .flags = flags};
    store_join(g->store, &jo->join);
}

static void ask(struct gateway *g, bool old_ones)
{
    if (g->joining) {
        g->join_again = true;
        return;
    }
    struct joining *jo = gw_alloc(sizeof(*jo));
    gw_job_add(g, &jo->job, joining_drop);
    g->joining = true;
    jo->old_ones = old_ones;
    jo->group.op.done = on_group;
    if (old_ones)
        jo->group.older_than_wall_ms = rt_wall_ms(g->rt) - g->conf->incomplete_after_ms;
    store_group(g->store, &jo->group);
}

/* The nearest look for incomplete messages: soon enough after their time, seldom enough to sleep. */
static int64_t next_look_ms(const struct gateway *g)
{
    int64_t after = g->conf->incomplete_after_ms;
    return rt_now_ms(g->rt) + (after > LOOK_EVERY_MS ? LOOK_EVERY_MS : after + 1);
}

void gw_join_look(struct gateway *g, bool complete)
{
    if (complete)
        ask(g, false);
    int64_t at = next_look_ms(g);
    if (at < g->join_ms) {
        g->join_ms = at;
        gw_arm(g);
    }
}

void gw_join_tick(struct gateway *g, int64_t now_ms)
{
    if (g->join_ms > now_ms)
        return;
    g->join_ms = next_look_ms(g);
    ask(g, true);
}
