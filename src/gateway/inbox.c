/* The inbox: a PDU that a carrier offers is stored raw, then acknowledged, then made into a message.
 *
 * Nothing that comes in can block it: what cannot be decoded is kept as it came. Duplicates (the same sender,
 * service-centre time, reference and content from one SIM; TP-MMS aside, which a repetition may change) are
 * acknowledged and counted. Owns a copy of the PDU until the store has answered. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "gateway/private.h"

struct inbound {
    struct job job;
    struct carrier *c; /* NULL once detached */
    uint64_t token;
    struct store_inbound op;
    uint8_t *pdu;
    char sender[64];
    char *text, *meta;
};

static void inbound_drop(struct job *j)
{
    struct inbound *in = container_of(j, struct inbound, job);
    free(in->pdu);
    free(in->text);
    free(in->meta);
    free(in);
}

/* ---- what makes two the same ------------------------------------------------------------------------------
 */

struct hash {
    uint64_t a, b; /* FNV-1a from two offsets */
};

static void hash_add(struct hash *h, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < len; i++) {
        h->a = (h->a ^ p[i]) * 0x100000001B3u;
        h->b = (h->b ^ (p[i] + 0x5Bu)) * 0x100000001B3u;
    }
    h->a = (h->a ^ len) * 0x100000001B3u; /* a field ends here */
}

static uint64_t hash_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static void hash_end(const struct hash *h, uint8_t out[16])
{
    uint64_t words[2] = {hash_mix(h->a), hash_mix(h->b ^ h->a)};
    memcpy(out, words, sizeof(words));
}

static struct hash hash_begin(char kind)
{
    struct hash h = {0xCBF29CE484222325u, 0x84222325CBF29CE4u};
    hash_add(&h, &kind, 1);
    return h;
}

static void hash_deliver(const struct pdu_deliver *d, uint8_t out[16])
{
    struct hash h = hash_begin('d');
    hash_add(&h, d->from.text, strlen(d->from.text));
    hash_add(&h, d->scts.raw, sizeof(d->scts.raw));
    hash_add(&h, &d->pid, 1);
    hash_add(&h, &d->dcs.raw, 1);
    hash_add(&h, d->ud.octets, d->ud.octets_len); /* with its header: reference, total, number */
    hash_end(&h, out);
}

static void hash_raw(const uint8_t *bytes, size_t len, uint8_t out[16])
{
    struct hash h = hash_begin('u');
    hash_add(&h, bytes, len);
    hash_end(&h, out);
}

/* A call that is told again in another life: the same caller at the same time. */
void gw_hash_call(const struct carrier_call *call, uint8_t out[16])
{
    struct hash h = hash_begin('c');
    hash_add(&h, call->from, strlen(call->from));
    hash_add(&h, &call->began_wall_ms, sizeof(call->began_wall_ms));
    hash_end(&h, out);
}

void gw_hash_report(const struct pdu_report *r, uint8_t out[16])
{
    struct hash h = hash_begin('r');
    hash_add(&h, r->to.text, strlen(r->to.text));
    hash_add(&h, &r->mr, 1);
    hash_add(&h, &r->st, 1);
    hash_add(&h, r->scts.raw, sizeof(r->scts.raw));
    hash_add(&h, r->discharge.raw, sizeof(r->discharge.raw));
    hash_end(&h, out);
}

/* ---- stored ---- */

static void stored(struct gateway *g, struct inbound *in)
{
    const struct store_inbound *op = &in->op;
    gw_store_works(g);
    if (op->duplicate) {
        g->stats.duplicates_in++;
        log_info(WHO, "duplicate from=%s modem=%s", log_number(in->sender), op->modem);
        return;
    }
    if (op->message) {
        g->stats.received++;
        log_info(WHO, "received message=%lld from=%s modem=%s", (long long)op->message,
                 log_number(in->sender), op->modem);
        gw_emit_received(g, &(struct gateway_event){.message = op->message,
                                                    .parts = 1,
                                                    .peer = in->sender,
                                                    .modem = op->modem,
                                                    .text = in->text});
        gw_emit_outbox(g);
        gw_handle_stored(g, op, in->sender, in->text, in->meta);
        in->text = in->meta = NULL;
    } else {
        gw_join_look(g, op->complete);
    }
}

static void on_stored(struct store_op *op, int status)
{
    struct inbound *in = container_of(op, struct inbound, op.op);
    struct gateway *g = in->job.g;
    if (in->c && status != ERR_CANCELLED)
        in->c->ops->settle(in->c, in->token, status == 0); /* durable: the modem may forget it */
    if (status == 0)
        stored(g, in);
    else
        gw_store_failed(g, status, &op->err);
    gw_job_end(&in->job);
}

void gw_inbox_forget(struct gateway *g, const struct carrier *c)
{
    for (struct job *j = g->jobs.next; j != &g->jobs; j = j->next)
        if (j->drop == inbound_drop && container_of(j, struct inbound, job)->c == c)
            container_of(j, struct inbound, job)->c = NULL;
}

/* ---- arrived ---- */

/* A full PDU: some modems leave out the SMSC address, which their <length> shows. */
static void copy_pdu(struct inbound *in, const struct carrier_inbound *from)
{
    bool bare = !from->malformed && from->tpdu_len >= 0 && (size_t)from->tpdu_len == from->len;
    in->pdu = gw_alloc(from->len + 1);
    memcpy(in->pdu + bare, from->pdu, from->len);
    in->op.pdu = in->pdu;
    in->op.len = (int)from->len + bare;
}

static void read_deliver(struct gateway *g, struct inbound *in, const struct pdu_deliver *d)
{
    const struct pdu_concat *concat = &d->ud.concat;
    bool alone = !concat->present || concat->total <= 1;
    gw_sender(g, &d->from, in->sender);
    hash_deliver(d, in->op.hash);
    in->meta = gw_meta(d, &in->op.flags);
    in->op.scts_wall_ms = pdu_time_to_wall_ms(&d->scts);
    in->op.total = alone ? 1 : concat->total;
    in->op.seq = alone ? 1 : concat->seq;
    in->op.ref = alone ? 0 : concat->ref;
    in->op.ref_bits = alone ? 0 : concat->bits;
    if (!alone)
        return;
    in->text = gw_alloc(PDU_TEXT_BYTES);
    if (gw_is_text(&d->dcs)) {
        pdu_ud_text(&d->ud, &d->dcs, in->text);
        if (gw_store_masked(g, &in->text, &in->op.flags))
            in->op.len = 0; /* the PDU holds it too */
    } else {
        in->op.flags |= MSG_F_BINARY;
        gw_payload_hex(&d->ud, &d->dcs, in->text);
    }
}

static void read_undecodable(struct gateway *g, struct inbound *in, const struct carrier_inbound *from,
                             const struct err *e)
{
    unsigned left_out = 0;
    if (log_limit_pass(&g->log_undecodable, rt_now_ms(g->rt), &left_out))
        gw_alarm(g, 0, in->op.modem, "modem %s: a message that cannot be decoded is kept as it came (%s)",
                 in->op.modem, from->malformed ? "not hexadecimal" : e->text);
    hash_raw(from->pdu, from->len, in->op.hash);
    in->op.flags = MSG_F_UNDECODABLE;
    in->op.scts_wall_ms = -1;
    in->op.total = in->op.seq = 1;
    in->text = gw_alloc(2 * from->len + 1);
    hex_encode(from->pdu, from->len, in->text);
    in->meta = gw_meta_undecodable(e, from->malformed);
}

void gw_inbound(struct pipe *p, const struct carrier_inbound *from)
{
    struct gateway *g = p->g;
    struct pdu_any any;
    struct err e = {0};
    bool decoded = !from->malformed && pdu_decode(from->pdu, from->len, from->tpdu_len, &any, &e) == 0;
    if (decoded && any.kind == PDU_KIND_REPORT) {
        gw_report(p, from, &any.u.report);
        return;
    }
    struct inbound *in = gw_alloc(sizeof(*in));
    gw_job_add(g, &in->job, inbound_drop);
    in->c = p->c;
    in->token = from->token;
    in->op = (struct store_inbound){.op.done = on_stored,
                                    .modem = p->name,
                                    .imsi = p->imsi,
                                    .now_wall_ms = rt_wall_ms(g->rt),
                                    .duplicate_window_ms = g->conf->duplicate_window_ms};
    copy_pdu(in, from);
    if (decoded && any.kind == PDU_KIND_DELIVER)
        read_deliver(g, in, &any.u.deliver);
    else
        read_undecodable(g, in, from, &e);
    in->op.sender = in->sender;
    in->op.text = in->text;
    in->op.meta = in->meta;
    store_inbound(g->store, &in->op);
}
