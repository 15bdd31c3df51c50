/* What users of SMS gateways complain of, as stories of the whole gateway with a simulated modem. Each
 * function is named after its complaint; docs/architecture.md has the table of all. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "tests/sim/runs.h"

enum { TPDU_BYTES = 176 };

/* What came of the messages received. */
struct seen {
    int rows, whole, incomplete, undecodable;
    const char *text; /* only messages with this in their text are counted; NULL: all */
    char peer[SIMNET_PEER_BYTES];
};

static void see(void *arg, const struct msg_row *row)
{
    struct seen *s = arg;
    bool undecodable = row->flags & MSG_F_UNDECODABLE;

    if (row->direction == MSG_OUT || (s->text && !strstr(row->text, s->text)))
        return;
    s->rows++;
    s->undecodable += undecodable;
    s->incomplete += (row->flags & MSG_F_INCOMPLETE) != 0;
    s->whole += !undecodable && !(row->flags & MSG_F_INCOMPLETE);
    str_copy(s->peer, sizeof s->peer, row->peer);
}

static struct seen look(struct world *w, const char *text)
{
    struct seen s = {.text = text};

    world_each_row(w, see, &s);
    return s;
}

#define EXPECT(w, condition)                                                                                 \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            ledger_problem(&(w)->ledger, "line %d: not " #condition, __LINE__);                              \
    } while (0)

static unsigned places_used(const struct world *w)
{
    struct simmodem_info info;

    simmodem_info(w->sims[0], &info);
    return info.stores[0].used + info.stores[1].used;
}

/* A DELIVER in UCS2 (TS 23.038 4) from +49 17 99 99 99 99, part `seq` of `total` (0: alone). */
static size_t tpdu(uint8_t out[TPDU_BYTES], int ref, int total, int seq, const char *text)
{
    static const uint8_t head[] = {0x04, 0x0C, 0x91, 0x94, 0x71, 0x99, 0x99, 0x99, 0x99,
                                   0x00, 0x08, 0x62, 0x11, 0x12, 0x90, 0x00, 0x00, 0x80};
    const uint8_t header[] = {5, 0, 3, (uint8_t)ref, (uint8_t)total, (uint8_t)seq};
    size_t n = sizeof head, udh = total ? sizeof header : 0, len = strlen(text);

    memcpy(out, head, n);
    out[0] |= total ? 0x40 : 0;
    out[n++] = (uint8_t)(udh + 2 * len);
    memcpy(out + n, header, udh);
    n += udh;
    for (size_t i = 0; i < len; i++) {
        out[n++] = 0;
        out[n++] = (uint8_t)text[i];
    }
    return n;
}

static void part(struct world *w, int ref, int total, int seq, const char *text)
{
    uint8_t bytes[TPDU_BYTES];

    world_tpdu(w, 0, bytes, tpdu(bytes, ref, total, seq, text));
    world_run(w, MINUTE);
}

/* Parts arrive as 1, 3, 2, and across a restart: one message, in its order. */
static void complaint_05_parts_out_of_order(struct world *w)
{
    part(w, 7, 3, 1, "one ");
    part(w, 7, 3, 3, "three");
    world_crash(w);
    world_start(w);
    world_run(w, MINUTE);
    EXPECT(w, look(w, "one").rows == 0);
    part(w, 7, 3, 2, "two ");
    EXPECT(w, look(w, "one two three").whole == 1);
    EXPECT(w, look(w, NULL).rows == 1);
    EXPECT(w, places_used(w) == 0);
}

/* A part never comes: what is there is delivered after a day, marked; nothing waits on the SIM meanwhile, and
 * what comes later is not held up. */
static void complaint_05_never_completed(struct world *w)
{
    part(w, 8, 3, 1, "begun ");
    part(w, 8, 3, 3, "ended");
    EXPECT(w, places_used(w) == 0);
    part(w, 0, 0, 0, "alone");
    EXPECT(w, look(w, "alone").whole == 1);
    world_run(w, 2 * DAY);
    EXPECT(w, look(w, "begun ").incomplete == 1);
    EXPECT(w, look(w, NULL).rows == 2);
}

/* The SIM has fewer places than the message has parts: each part makes room for the next. */
static void complaint_05_sim_too_small(struct world *w)
{
    world_fault(w, 0, "capacity", "SM 2");
    world_text(w, 0, "+491601000001", 900, "");
    world_run(w, HOUR);
    EXPECT(w, look(w, "i0.").whole == 1);
    EXPECT(w, look(w, NULL).rows == 1);
    world_settle(w, DAY);
}

/* Two long messages of one sender with the same reference, a part of the first twice: two messages. */
static void complaint_05_reference_used_again(struct world *w)
{
    part(w, 9, 2, 1, "first ");
    part(w, 9, 2, 1, "first ");
    part(w, 9, 2, 2, "end");
    EXPECT(w, look(w, "first end").whole == 1);
    world_run(w, HOUR);
    part(w, 9, 2, 2, "END");
    part(w, 9, 2, 1, "second ");
    EXPECT(w, look(w, "second END").whole == 1);
    EXPECT(w, look(w, NULL).rows == 2);
}

/* A sender that is a word: received with its name, and nobody answers it. */
static void complaint_12_alphanumeric_sender(struct world *w)
{
    simnet_text(w->net, w->sims[0], "Info & Co", "your parcel", rt_sim_now(w->rt), NULL);
    world_run(w, HOUR);
    EXPECT(w, look(w, "your parcel").whole == 1);
    EXPECT(w, !strcmp(look(w, "your parcel").peer, "Info & Co"));
    EXPECT(w, w->ledger.submits == 0);
    EXPECT(w, places_used(w) == 0);
}

/* A notice of an MMS (WAP push to port 2948, TS 23.040 9.2.3.24.4): kept, deleted from the SIM, never read
 * again. */
static void complaint_12_mms_push(struct world *w)
{
    static const uint8_t push[] = {0x44, 0x0C, 0x91, 0x94, 0x71, 0x99, 0x99, 0x99, 0x99, 0x00,
                                   0x04, 0x62, 0x11, 0x12, 0x90, 0x00, 0x00, 0x80, 0x14, 0x06,
                                   0x05, 0x04, 0x0B, 0x84, 0x23, 0xF0, 0x01, 0x06, 0x03, 0xBE,
                                   0xAF, 0x84, 0x8C, 0x82, 0x98, 0x61, 0x00, 0x8D, 0x92};

    world_tpdu(w, 0, push, sizeof push);
    world_run(w, DAY);
    EXPECT(w, look(w, NULL).rows == 1);
    EXPECT(w, places_used(w) == 0);
}

/* Lengths that do not fit, unknown kinds, cut off, empty: each is kept once as it came, leaves the SIM, and
 * the message behind it is received. */
static void complaint_12_unusual_pdus(struct world *w)
{
    static const struct {
        const uint8_t *bytes;
        size_t len;
    } odd[] = {
        {(const uint8_t *)"\x04\x0B", 2},                         /* cut off */
        {(const uint8_t *)"\x03\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8}, /* reserved kind */
        {(const uint8_t *)"\x04\x14\x91\x94", 4},                 /* number too long */
        {(const uint8_t *)"\x44\x04\x91\x21\x43\x00\x04\x62\x11\x12\x90\x00\x00\x80\x04\xFF\x01\x02\x03", 19},
        {(const uint8_t *)"\x04\x04\x91\x21\x43\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xA0", 15}, /* no time */
    };

    for (size_t i = 0; i < ARRAY_LEN(odd); i++)
        world_tpdu(w, 0, odd[i].bytes, odd[i].len);
    part(w, 0, 0, 0, "behind them");
    world_run(w, DAY);
    EXPECT(w, look(w, "behind them").whole == 1);
    EXPECT(w, look(w, NULL).rows == (int)ARRAY_LEN(odd) + 1);
    EXPECT(w, places_used(w) == 0);
    EXPECT(w, modem_carrier(w->modems[0])->state == CARRIER_READY);
}

static const struct {
    const char *name;
    void (*story)(struct world *w);
} stories[] = {
#define STORY(name)                                                                                          \
    {                                                                                                        \
#name, name                                                                                          \
    }
    STORY(complaint_05_parts_out_of_order),  STORY(complaint_05_never_completed),
    STORY(complaint_05_sim_too_small),       STORY(complaint_05_reference_used_again),
    STORY(complaint_12_alphanumeric_sender), STORY(complaint_12_mms_push),
    STORY(complaint_12_unusual_pdus),
};

void complaints(struct totals *t, int verbose)
{
    for (size_t i = 0; i < ARRAY_LEN(stories); i++) {
        for (int plan = MODEM_PLAN_STORE; plan <= MODEM_PLAN_DIRECT; plan++) {
            struct world_conf c = {
                .seed = 1, .modems = 1, .net_ms = 500, .plan = (enum modem_plan)plan, .verbose = verbose};
            struct world *w = world_new(&c);

            if (world_start(w)) {
                world_run(w, MINUTE);
                stories[i].story(w);
            }
            run_finish(t, w, stories[i].name);
        }
    }
}
