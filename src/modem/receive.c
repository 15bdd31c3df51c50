/* Messages in the modem's stores: announced by +CMTI and +CDSI or found by a listing, read, offered to the
 * gateway, and deleted when the gateway says that they are durable. TS 27.005 3.4.1, 3.4.2 (+CMGL), 3.4.3
 * (+CMGR), 3.5.4 (+CMGD).
 *
 *      WANTED -> READING -> OFFERED -> DELETE -> DELETING -> gone
 *         ^---------- HELD <--'  (could not be stored: offered again after MODEM_HELD_MS)
 *
 * One command at a time, chosen by rx_next(): while one message is being committed the next is read, and a
 * delete follows its commit. Changing the store costs a command, so that work in the selected store comes
 * first, within reason. Nothing is deleted that has not been settled. A slot that is announced again before
 * it was deleted may hold another message: it is read once more instead (the gateway knows a duplicate).
 *
 * Losing track is harmless: a listing of every store finds what is there, at start, after a full memory and
 * with each health check. Own messages (stat 2 and 3) are left alone.
 */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

enum {
    FAILS_MAX = 3,
    AGE_ENTRIES = 32, /* so much later in order than one in another store: that one is served first */
};

static struct rx_entry *current(struct modem *m)
{
    return rx_find(m, m->rx.store, m->rx.index);
}

/* ---- header lines ---- */

/* "+CMGR: stat,[alpha],len", "+CMGL: index,stat,[alpha],len"; alpha is missing altogether on some (Pantech).
 * A quoted stat is text mode: the modem has restarted without saying so. */
static void parse_head(struct modem *m, const char *line, const char *prefix)
{
    struct at_cur c = at_cur_after(line, prefix);
    int64_t index = m->rx.index, stat = -1;
    bool listed = prefix[4] == 'L';

    m->rx.head.valid = c.p && (!listed || at_cur_number(&c, &index));
    m->rx.head.text_mode = m->rx.head.valid && !at_cur_number(&c, &stat) && *c.p == '"';
    m->rx.head.index = (int)index;
    m->rx.head.stat = (int)stat;
    m->rx.head.tpdu_len = rx_told_length(line);
    str_copy(m->rx.head.text, sizeof(m->rx.head.text), line);
}

static bool own_message(const struct modem *m)
{
    return m->rx.head.stat == 2 || m->rx.head.stat == 3; /* stored unsent, stored sent */
}

static bool lost_pdu_mode(struct modem *m)
{
    if (m->rx.head.text_mode)
        modem_request(m, MOVE_REPROBE, 0, "it has fallen back to text mode");
    return m->rx.head.text_mode;
}

/* ---- results ---- */

static bool is_gone(const struct at_result *r)
{
    return (r->code == AT_CMS_ERROR && r->number == 321) ||
           (r->code == AT_CME_ERROR && (r->number == 21 || r->number == 22));
}

/* After a failed read or delete. */
static void retry(struct modem *m, struct rx_entry *e, enum rx_state as, const struct at_result *r)
{
    char text[CARRIER_TEXT_BYTES];

    if (r->code == AT_TIMEOUT || script_busy_code(r) || ++e->fails < FAILS_MAX) {
        rx_hold(m, e, as, RX_RETRY_MS);
        return;
    }
    errors_text(r, text, sizeof(text));
    modem_log(warning, m, "cannot %s store=%s index=%d: %s", as == RX_DELETE ? "delete" : "read", e->store,
              e->index, text);
    rx_remove(m, e); /* the next listing finds it again */
}

static struct rx_entry *begin_done(struct at_cmd *c, const struct at_result *r)
{
    struct modem *m = c->owner;

    m->rx.doing = RX_DOING_NOTHING;
    line_result(m, r);
    return r->code == AT_CLOSED ? NULL : current(m);
}

/* ---- reading one ---- */

static void read_line(struct at_cmd *c, const char *line)
{
    struct modem *m = c->owner;
    struct rx_entry *e = current(m);

    if (strncmp(line, "+CMGR:", 6) == 0) {
        parse_head(m, line, "+CMGR:");
        str_copy(m->rx.bad_line, sizeof(m->rx.bad_line), line);
        return;
    }
    if (!e || e->state != RX_READING || !m->rx.head.valid || m->rx.head.text_mode || own_message(m))
        return;
    m->rx.got_pdu = rx_pdu_fits(line, m->rx.head.tpdu_len);
    if (m->rx.got_pdu)
        rx_offer(m, e, line, m->rx.head.tpdu_len, false);
    else
        str_copy(m->rx.bad_line, sizeof(m->rx.bad_line), line);
}

static void read_done(struct at_cmd *c, const struct at_result *r)
{
    struct modem *m = c->owner;
    struct rx_entry *e = begin_done(c, r);

    if (e && e->state == RX_READING && !lost_pdu_mode(m)) {
        bool nothing = (r->code == AT_OK && !m->rx.head.valid) || is_gone(r);
        if (nothing && e->again)
            e->state = RX_WANTED;
        else if (nothing || (m->rx.head.valid && own_message(m)))
            rx_remove(m, e);
        else if (r->code != AT_OK)
            retry(m, e, RX_WANTED, r);
        else if (++e->fails < FAILS_MAX)
            e->state = RX_WANTED; /* the line may have been garbled on its way */
        else
            rx_offer(m, e, m->rx.bad_line, m->rx.head.tpdu_len, true);
    }
    if (r->code != AT_CLOSED)
        rx_next(m);
}

/* ---- reading all ---- */

static void list_line(struct at_cmd *c, const char *line)
{
    struct modem *m = c->owner;

    if (strncmp(line, "+CMGL:", 6) == 0) {
        parse_head(m, line, "+CMGL:");
        return;
    }
    if (!m->rx.head.valid || m->rx.head.text_mode)
        return;
    struct rx_entry *e = rx_find(m, m->rx.store, m->rx.head.index);
    m->rx.head.valid = false;
    if (own_message(m)) {
        if (e && e->state == RX_WANTED)
            rx_remove(m, e);
        return;
    }
    if (!e)
        e = rx_add(m, m->rx.store, m->rx.head.index);
    if (!e) {
        m->rx.overflow = true;
        return;
    }
    if (e->state != RX_WANTED)
        return; /* with the gateway, or held */
    if (rx_pdu_fits(line, m->rx.head.tpdu_len))
        rx_offer(m, e, line, m->rx.head.tpdu_len, false);
    else
        e->fails++; /* read by itself */
}

/* What was announced before the listing began and is not in it, is not there. */
static void forget_unlisted(struct modem *m)
{
    for (size_t i = m->rx.len; i-- > 0;) {
        struct rx_entry *e = &m->rx.entries[i];
        if (e->state == RX_WANTED && !e->fails && e->seq <= m->rx.list_seq &&
            strcmp(e->store, m->rx.store) == 0)
            rx_remove(m, e);
    }
}

static void list_failed(struct modem *m, const struct at_result *r)
{
    struct modem_store *s = stores_find(m, m->rx.store);
    char text[CARRIER_TEXT_BYTES];

    for (size_t i = 0; i < m->rx.len; i++) {
        struct rx_entry *e = &m->rx.entries[i];
        if (e->state == RX_WANTED && strcmp(e->store, m->rx.store) == 0)
            e->fails++; /* one by one, then */
    }
    if (r->code == AT_TIMEOUT || script_busy_code(r)) {
        if (s)
            s->sweep = true;
        rx_pause(m);
        return;
    }
    errors_text(r, text, sizeof(text));
    modem_log(warning, m, "cannot list store=%s: %s", m->rx.store, text);
}

static void list_done(struct at_cmd *c, const struct at_result *r)
{
    struct modem *m = c->owner;

    m->rx.doing = RX_DOING_NOTHING;
    line_result(m, r);
    if (r->code == AT_CLOSED || lost_pdu_mode(m))
        return;
    struct modem_store *s = stores_find(m, m->rx.store);
    if (r->code != AT_OK)
        list_failed(m, r);
    else if (m->rx.overflow && s)
        s->sweep = true; /* the rest when these are gone */
    else if (!m->rx.overflow)
        forget_unlisted(m);
    rx_next(m);
    modem_drained(m);
}

/* ---- deleting ---- */

static void delete_done(struct at_cmd *c, const struct at_result *r)
{
    struct modem *m = c->owner;
    struct rx_entry *e = begin_done(c, r);

    if (e && e->state == RX_DELETING) {
        bool deleted = r->code == AT_OK || is_gone(r);

        if (r->code == AT_OK)
            stores_deleted(m, e->store);
        if (deleted && e->again)
            e->state = RX_WANTED; /* the slot was used again at once */
        else if (deleted)
            rx_remove(m, e);
        else /* without an answer it may be done, and the slot may hold another message: looked at first */
            retry(m, e, r->code == AT_TIMEOUT ? RX_WANTED : RX_DELETE, r);
    }
    if (r->code != AT_CLOSED) {
        rx_next(m);
        modem_drained(m);
    }
}

/* ---- selecting a store ---- */

/* Left alone until the next sweep, which finds what is in it. */
static void drop_store(struct modem *m)
{
    struct modem_store *s = stores_find(m, m->rx.store);

    if (s) {
        s->fails++;
        s->sweep = false;
    }
    for (size_t i = m->rx.len; i-- > 0;) {
        if (strcmp(m->rx.entries[i].store, m->rx.store) == 0)
            rx_remove(m, &m->rx.entries[i]);
    }
}

static void select_line(struct at_cmd *c, const char *line)
{
    struct modem *m = c->owner;

    stores_count_line(m, m->rx.store, line);
}

static void select_done(struct at_cmd *c, const struct at_result *r)
{
    struct modem *m = c->owner;
    char text[CARRIER_TEXT_BYTES];

    m->rx.doing = RX_DOING_NOTHING;
    line_result(m, r);
    if (r->code == AT_CLOSED)
        return;
    if (r->code == AT_OK) {
        struct modem_store *s = stores_find(m, m->rx.store);

        str_copy(m->mem1, sizeof(m->mem1), m->rx.store);
        if (s)
            s->fails = 0;
    } else if (r->code == AT_TIMEOUT || script_busy_code(r)) {
        rx_pause(m);
    } else {
        errors_text(r, text, sizeof(text));
        modem_log(warning, m, "cannot select store=%s: %s", m->rx.store, text);
        drop_store(m);
    }
    rx_next(m);
}

/* ---- what is done next ---- */

static bool begin(struct modem *m, enum rx_doing doing, void (*line)(struct at_cmd *c, const char *line),
                  void (*done)(struct at_cmd *c, const struct at_result *r))
{
    static const struct {
        const char *prefix;
        enum at_class cls;
        bool pdu_lines;
    } kinds[] = {
        [RX_DOING_SELECT] = {"+CPMS:", AT_SIM, false},
        [RX_DOING_READ] = {"+CMGR:", AT_READ, true},
        [RX_DOING_LIST] = {"+CMGL:", AT_LIST, true},
        [RX_DOING_DELETE] = {NULL, AT_READ, false},
    };
    struct at_cmd *c = &m->rx.cmd;

    c->prefix = kinds[doing].prefix;
    c->cls = kinds[doing].cls;
    c->pdu_lines = kinds[doing].pdu_lines;
    c->line = line;
    c->done = done;
    m->rx.head.valid = m->rx.head.text_mode = false;
    m->rx.got_pdu = m->rx.overflow = false;
    m->rx.doing = doing;
    if (line_send(m, c, false) == 0)
        return true;
    m->rx.doing = RX_DOING_NOTHING;
    rx_pause(m);
    return false;
}

static bool select_store(struct modem *m, const char *store)
{
    str_copy(m->rx.store, sizeof(m->rx.store), store);
    if (strcmp(m->mem1, store) == 0 || !m->cpms_args)
        return false;
    stores_select_text(m, store, m->rx.cmd.text, sizeof(m->rx.cmd.text));
    begin(m, RX_DOING_SELECT, select_line, select_done);
    return true;
}

static void begin_index(struct modem *m, struct rx_entry *e)
{
    bool deleting = e->state == RX_DELETE;

    m->rx.index = e->index;
    e->again = false;
    str_copy(m->rx.bad_line, sizeof(m->rx.bad_line), "");
    snprintf(m->rx.cmd.text, sizeof(m->rx.cmd.text), "%s=%d", deleting ? "AT+CMGD" : "AT+CMGR", e->index);
    e->state = deleting ? RX_DELETING : RX_READING;
    if (!begin(m, deleting ? RX_DOING_DELETE : RX_DOING_READ, deleting ? NULL : read_line,
               deleting ? delete_done : read_done))
        e->state = deleting ? RX_DELETE : RX_WANTED;
}

static void begin_list(struct modem *m)
{
    str_copy(m->rx.cmd.text, sizeof(m->rx.cmd.text), "AT+CMGL=4");
    m->rx.list_seq = m->rx.seq;
    begin(m, RX_DOING_LIST, list_line, list_done);
}

/* Better to do next than the other? In the selected store first, deletes before reads, in order of arrival.
 */
static bool better(const struct modem *m, const struct rx_entry *a, const struct rx_entry *b)
{
    bool a_here = strcmp(a->store, m->mem1) == 0, b_here = strcmp(b->store, m->mem1) == 0;

    if (a_here != b_here)
        return a_here ? a->seq < b->seq + AGE_ENTRIES : a->seq + AGE_ENTRIES < b->seq;
    if (a->state != b->state)
        return a->state == RX_DELETE;
    return a->seq < b->seq;
}

/* SIM600 deletes the other parts of a long message with the first: all that is there is read before. */
static bool may_delete(const struct modem *m, const struct rx_entry *e)
{
    if (!(m->profile->quirks & QUIRK_DELETES_SIBLINGS) || !modem_up(m))
        return true;
    for (size_t i = 0; i < m->rx.len; i++) {
        const struct rx_entry *o = &m->rx.entries[i];
        bool settled = o->state == RX_DELETE || o->state == RX_DELETING ||
                       (o->state == RX_HELD && o->held_as == RX_DELETE);
        if (!settled && strcmp(o->store, e->store) == 0)
            return false;
    }
    return true;
}

static struct rx_entry *pick(struct modem *m)
{
    struct rx_entry *best = NULL;

    for (size_t i = 0; i < m->rx.len; i++) {
        struct rx_entry *e = &m->rx.entries[i];
        if (e->state == RX_DELETE && e->again)
            e->state = RX_WANTED;
        bool ripe = (e->state == RX_DELETE && may_delete(m, e)) || (e->state == RX_WANTED && modem_up(m));
        if (ripe && *e->store && (!best || better(m, e, best)))
            best = e;
    }
    return best;
}

static bool many_wanted(const struct modem *m, const char *store)
{
    unsigned n = 0;

    for (size_t i = 0; i < m->rx.len; i++) {
        const struct rx_entry *e = &m->rx.entries[i];
        n += e->state == RX_WANTED && !e->fails && strcmp(e->store, store) == 0;
    }
    return n > MODEM_LIST_ABOVE;
}

/* The selected store first: that saves a command. */
static struct modem_store *store_to_sweep(struct modem *m)
{
    struct modem_store *first = NULL;

    for (size_t i = 0; i < m->stores_len; i++) {
        struct modem_store *s = &m->stores[i];
        if (s->sweep && (!first || strcmp(s->name, m->mem1) == 0))
            first = s;
    }
    return first;
}

static void sweep_next(struct modem *m)
{
    struct modem_store *s = store_to_sweep(m);

    if (!s && stores_room_due(m)) /* all was read: is there room now? */
        script_start(m, &script_room);
    if (!s || m->rx.len >= MODEM_RX_MAX / 2 || select_store(m, s->name))
        return;
    s->sweep = false;
    begin_list(m);
}

void rx_next(struct modem *m)
{
    if (m->rx.doing != RX_DOING_NOTHING || (!modem_up(m) && m->state != MODEM_DRAINING))
        return;
    if (m->conf->look_only) /* reading marks a message as read, for whoever is to have it */
        return;
    if (m->rx.pause_ms > modem_now(m))
        return;
    struct rx_entry *e = pick(m);
    if (!e) {
        if (modem_up(m))
            sweep_next(m);
        return;
    }
    if (select_store(m, e->store))
        return;
    if (e->state == RX_WANTED && many_wanted(m, e->store))
        begin_list(m);
    else
        begin_index(m, e);
}
