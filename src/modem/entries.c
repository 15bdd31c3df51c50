/* The messages that are known and not yet gone from the modem: their table, their offering to the gateway,
 * and what the gateway says about them. receive.c does what the table asks for; the picture is there.
 *
 * A token is given with each offer and never again; those of a former life of the channel find nothing here.
 * What came on the line without waiting for an acknowledgement exists only here, as a copy, and outlives the
 * channel.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

enum { LINE_BYTES = 600 }; /* of a PDU line with what pads it */

/* ---- entries ---- */

struct rx_entry *rx_find(struct modem *m, const char *store, int index)
{
    for (size_t i = 0; i < m->rx.len; i++) {
        struct rx_entry *e = &m->rx.entries[i];
        if (*e->store && e->index == index && strcmp(e->store, store) == 0)
            return e;
    }
    return NULL;
}

struct rx_entry *rx_add(struct modem *m, const char *store, int index)
{
    struct rx *rx = &m->rx;

    if (rx->len == MODEM_RX_MAX)
        return NULL;
    if (rx->len == rx->cap) {
        size_t cap = rx->cap ? 2 * rx->cap : 8;
        struct rx_entry *entries = realloc(rx->entries, cap * sizeof(*entries));
        if (!entries)
            return NULL;
        rx->entries = entries;
        rx->cap = cap;
    }
    struct rx_entry *e = &rx->entries[rx->len++];
    *e = (struct rx_entry){.index = index, .state = RX_WANTED, .seq = ++rx->seq};
    str_copy(e->store, sizeof(e->store), store);
    return e;
}

void rx_remove(struct modem *m, struct rx_entry *e)
{
    if (e->copy)
        m->rx.copies--;
    free(e->copy);
    *e = m->rx.entries[--m->rx.len];
}

static void arm_held(struct modem *m)
{
    int64_t at_ms = m->rx.pause_ms ? m->rx.pause_ms : RT_NEVER;

    for (size_t i = 0; i < m->rx.len; i++) {
        const struct rx_entry *e = &m->rx.entries[i];
        if (e->state == RX_HELD && e->due_ms < at_ms)
            at_ms = e->due_ms;
    }
    if (m->rx.held.at_ms != at_ms)
        rt_timer_at(m->rt, &m->rx.held, at_ms);
}

void rx_hold(struct modem *m, struct rx_entry *e, enum rx_state then, int64_t after_ms)
{
    e->state = RX_HELD;
    e->held_as = then;
    e->due_ms = modem_now(m) + after_ms;
    arm_held(m);
}

void rx_pause(struct modem *m)
{
    m->rx.pause_ms = modem_now(m) + RX_RETRY_MS;
    arm_held(m);
}

static void on_held(struct rt_timer *t)
{
    struct modem *m = container_of(t, struct modem, rx.held);
    int64_t now_ms = modem_now(m);

    if (m->rx.pause_ms && m->rx.pause_ms <= now_ms)
        m->rx.pause_ms = 0;
    for (size_t i = 0; i < m->rx.len; i++) {
        struct rx_entry *e = &m->rx.entries[i];
        if (e->state != RX_HELD || e->due_ms > now_ms)
            continue;
        e->state = e->held_as;
        if (!*e->store)
            direct_offer_again(m, e);
    }
    arm_held(m);
    rx_next(m);
}

/* ---- offering ---- */

bool rx_pdu_fits(const char *line, int tpdu_len)
{
    size_t len = strlen(line);
    uint8_t smsc_len;

    if (len < 2 || len % 2 || len >= LINE_BYTES || strspn(line, "0123456789abcdefABCDEF") != len)
        return false;
    if (tpdu_len < 0)
        return true;
    hex_decode(line, 2, &smsc_len, 1);
    /* Longer: reports padded to some length. Equal to the TPDU alone: no SMSC in front (ME of some). */
    return len / 2 >= (size_t)tpdu_len + 1 + smsc_len || len / 2 == (size_t)tpdu_len;
}

int rx_told_length(const char *line)
{
    const char *last = strrchr(line, ',');
    struct at_cur c = {last ? last + 1 : line + strcspn(line, ":") + (strchr(line, ':') != NULL)};
    int64_t len;

    return at_cur_number(&c, &len) && at_cur_end(&c) && len >= 0 && len < LINE_BYTES ? (int)len : -1;
}

static void count(struct modem *m, const struct carrier_inbound *in)
{
    enum { MTI_MASK = 3, MTI_STATUS_REPORT = 2 }; /* TS 23.040 9.2.3.1 */
    size_t fo = in->tpdu_len >= 0 && in->len == (size_t)in->tpdu_len ? 0 : (size_t)in->pdu[0] + 1;

    if (!in->malformed && fo < in->len && (in->pdu[fo] & MTI_MASK) == MTI_STATUS_REPORT)
        m->reports++;
    else
        m->received++;
}

void rx_offer(struct modem *m, struct rx_entry *e, const char *line, int tpdu_len, bool malformed)
{
    uint8_t bytes[LINE_BYTES / 2];
    struct carrier_inbound in = {.tpdu_len = tpdu_len, .malformed = malformed, .token = ++m->rx.token};

    if (malformed) {
        in.pdu = (const uint8_t *)line;
        in.len = strlen(line);
    } else {
        in.pdu = bytes;
        in.len = (size_t)hex_decode(line, strlen(line), bytes, sizeof(bytes));
    }
    e->token = in.token;
    e->state = RX_OFFERED;
    count(m, &in);
    if (m->carrier.up)
        m->carrier.up->inbound(m->carrier.up_owner, &m->carrier, &in);
}

void rx_settle(struct carrier *c, uint64_t token, bool stored)
{
    struct modem *m = container_of(c, struct modem, carrier);

    for (size_t i = 0; i < m->rx.len; i++) {
        struct rx_entry *e = &m->rx.entries[i];
        if (e->token != token || e->state != RX_OFFERED)
            continue;
        if (!*e->store)
            direct_settle(m, e, stored);
        else if (!stored)
            rx_hold(m, e, RX_WANTED, MODEM_HELD_MS);
        else
            e->state = RX_DELETE; /* durable: the gateway has committed it */
        rx_next(m);
        modem_drained(m);
        return;
    }
}

/* ---- announcements ---- */

void rx_announced(struct modem *m, const char *line, const char *prefix)
{
    struct at_cur c = at_cur_after(line, prefix);
    char store[8];
    int64_t index;

    if (!at_cur_string(&c, store, sizeof(store)) || strlen(store) >= MODEM_STORE_BYTES ||
        !at_cur_number(&c, &index)) {
        modem_log(warning, m, "unreadable notice \"%s\"", line);
        stores_sweep(m);
        return;
    }
    if (index < 0 || index > INT16_MAX) { /* -1: somewhere (SIM7000) */
        stores_sweep(m);
        return;
    }
    const char *name = *store ? store : m->mem3;
    if (stores_other_view(m, name)) { /* the listing finds it under the name by which it is read */
        stores_sweep(m);
        return;
    }
    struct rx_entry *e = rx_find(m, name, (int)index);
    if (e)
        e->again = e->state != RX_WANTED;
    else if (!rx_add(m, name, (int)index))
        stores_sweep(m);
    rx_next(m);
}

bool rx_drained(const struct modem *m)
{
    /* E160 hangs for minutes when a listing is broken off. */
    if (m->rx.doing == RX_DOING_LIST && (m->profile->quirks & QUIRK_LISTING_UNINTERRUPTED))
        return false;
    for (size_t i = 0; i < m->rx.len; i++) {
        enum rx_state s = m->rx.entries[i].state;
        if (s == RX_OFFERED || s == RX_DELETE || s == RX_DELETING)
            return false;
    }
    return !m->rx.acks_wanted && !m->rx.nacks_wanted;
}

/* ---- life ---- */

void rx_init(struct modem *m)
{
    m->rx.held = (struct rt_timer){.fire = on_held, .at_ms = RT_NEVER};
}

/* What only we have stays, with its token. */
void rx_forget(struct modem *m)
{
    for (size_t i = m->rx.len; i-- > 0;) {
        if (!m->rx.entries[i].copy)
            rx_remove(m, &m->rx.entries[i]);
    }
    m->rx.acks_wanted = m->rx.nacks_wanted = 0;
    m->rx.pause_ms = 0;
    arm_held(m);
}

void rx_fini(struct modem *m)
{
    while (m->rx.len)
        rx_remove(m, &m->rx.entries[m->rx.len - 1]);
    free(m->rx.entries);
    rt_timer_stop(m->rt, &m->rx.held);
}
