/* The network's log: a list of events, counters, and their text form as JSON lines.
 *
 * Owns the events. With keep_events set it is a ring of the newest; counters and sequence numbers go on.
 */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"
#include "hw/sim/sim_int.h"

static const char *const kind_names[SIMNET_KINDS] = {
    [SIMNET_SUBMITTED] = "submitted", [SIMNET_REFUSED] = "refused", [SIMNET_INJECTED] = "injected",
    [SIMNET_STORED] = "stored",       [SIMNET_SHOWN] = "shown",     [SIMNET_ACKED] = "acked",
    [SIMNET_UNACKED] = "unacked",     [SIMNET_DELETED] = "deleted", [SIMNET_REPORT] = "report",
    [SIMNET_DROPPED] = "dropped",
};

const char *simnet_kind_name(enum simnet_kind kind)
{
    return kind < SIMNET_KINDS ? kind_names[kind] : "?";
}

static void count(struct simnet_counts *c, const struct simnet_event *ev)
{
    c->by_kind[ev->kind]++;
    if (ev->kind == SIMNET_SUBMITTED && ev->reject_duplicates)
        c->submitted_reject_duplicates++;
    if (ev->kind == SIMNET_INJECTED && ev->part <= 1 && !ev->resend)
        c->injected_messages++;
    if (ev->kind == SIMNET_DELETED && !ev->report)
        c->deleted_messages++;
    if (ev->kind == SIMNET_ACKED && !ev->report)
        c->acked_messages++;
}

static struct simnet_event *place(struct sim_log *l)
{
    if (l->keep && l->len == l->keep) {
        struct simnet_event *ev = &l->events[l->first];
        l->first = (l->first + 1) % l->keep;
        return ev;
    }
    if (l->len == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 64;
        if (l->keep && l->cap > l->keep)
            l->cap = l->keep;
        struct simnet_event *grown = realloc(l->events, l->cap * sizeof(*grown));
        if (!grown)
            abort();
        l->events = grown;
    }
    return &l->events[l->len++];
}

void sim_log_add(struct sim_log *l, const struct simnet_event *ev)
{
    struct simnet_event *kept = place(l);
    *kept = *ev;
    kept->seq = ++l->seq;
    count(&l->counts, kept);
    if (l->watch)
        l->watch(l->watch_arg, kept);
}

size_t simnet_events(const struct simnet *net)
{
    return sim_net_log((struct simnet *)(uintptr_t)net)->len;
}

const struct simnet_event *simnet_event(const struct simnet *net, size_t i)
{
    const struct sim_log *l = sim_net_log((struct simnet *)(uintptr_t)net);
    if (i >= l->len)
        return NULL;
    return &l->events[l->len == l->cap ? (l->first + i) % l->len : i];
}

const struct simnet_counts *simnet_counts(const struct simnet *net)
{
    return &sim_net_log((struct simnet *)(uintptr_t)net)->counts;
}

void simnet_watch(struct simnet *net, void (*watch)(void *arg, const struct simnet_event *ev), void *arg)
{
    struct sim_log *l = sim_net_log(net);
    l->watch = watch;
    l->watch_arg = arg;
}

static bool is_submit(const struct simnet_event *ev)
{
    return ev->kind == SIMNET_SUBMITTED || ev->kind == SIMNET_REFUSED;
}

void simnet_event_text(const struct simnet_event *ev, char out[PDU_TEXT_BYTES])
{
    out[0] = '\0';
    if (ev->report || ev->kind == SIMNET_REPORT || ev->pdu_len == 0)
        return;
    if (is_submit(ev)) {
        struct pdu_submit s;
        if (pdu_decode_submit(ev->pdu, ev->pdu_len, ev->pdu_len - 1 - ev->pdu[0], &s, NULL) == 0)
            pdu_ud_text(&s.ud, &s.dcs, out);
        return;
    }
    struct pdu_any any;
    if (pdu_decode(ev->pdu, ev->pdu_len, ev->pdu_len - 1 - ev->pdu[0], &any, NULL) == 0 &&
        any.kind == PDU_KIND_DELIVER)
        pdu_ud_text(&any.u.deliver.ud, &any.u.deliver.dcs, out);
}

static void json_string(struct buf *out, const char *key, const char *text)
{
    buf_addf(out, ",\"%s\":\"", key);
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\') {
            buf_addc(out, '\\');
            buf_addc(out, *p);
        } else if (c < 0x20 || c == 0x7F) {
            buf_addf(out, "\\u%04x", c);
        } else {
            buf_addc(out, *p);
        }
    }
    buf_addc(out, '"');
}

static void json_flag(struct buf *out, const char *key, bool value)
{
    if (value)
        buf_addf(out, ",\"%s\":true", key);
}

static void json_tpdu(struct buf *out, const struct simnet_event *ev)
{
    char text[PDU_TEXT_BYTES];
    char hex[2 * PDU_FULL_BYTES + 1];
    json_string(out, is_submit(ev) || ev->report || ev->kind == SIMNET_REPORT ? "to" : "from", ev->peer);
    if (!ev->report && ev->kind != SIMNET_REPORT) {
        simnet_event_text(ev, text);
        json_string(out, "text", text);
    }
    hex_encode(ev->pdu, ev->pdu_len, hex);
    json_string(out, "pdu", hex);
}

void simnet_event_json(const struct simnet *net, const struct simnet_event *ev, struct buf *out)
{
    char when[32];
    wall_to_text(sim_net_wall_ms(net, ev->at_ms), false, when);
    buf_addf(out, "{\"seq\":%llu,\"at_ms\":%lld", (unsigned long long)ev->seq, (long long)ev->at_ms);
    json_string(out, "time", when);
    json_string(out, "event", simnet_kind_name(ev->kind));
    json_string(out, "modem", ev->modem);
    buf_addf(out, ",\"id\":%lld,\"part\":%u,\"parts\":%u", (long long)ev->id, ev->part, ev->parts);
    if (is_submit(ev) || ev->report || ev->kind == SIMNET_REPORT)
        buf_addf(out, ",\"mr\":%u", ev->mr);
    json_flag(out, "report", ev->report);
    json_flag(out, "reject_duplicates", ev->reject_duplicates);
    json_flag(out, "status_report", ev->status_report);
    json_flag(out, "resend", ev->resend);
    if (ev->code)
        buf_addf(out, ",\"code\":%d", ev->code);
    if (ev->store[0]) {
        json_string(out, "store", ev->store);
        buf_addf(out, ",\"index\":%d", ev->index);
    }
    json_tpdu(out, ev);
    buf_adds(out, "}\n");
}
