/* Customers who write and people who answer, for the tests of the desk's queries and figures. */
#ifndef SIMGATE_TESTS_STORE_CUSTOMERS_H
#define SIMGATE_TESTS_STORE_CUSTOMERS_H

#include "fixture.h"

#include "store/db.h"
#include "store/query_desk.h"

static int customers_received;
static int customers_reference;

/* A message, stored as RECEIVED. */
static inline int64_t receive_from(struct fixture *f, const char *number, const char *sim, const char *text,
                                   int64_t at)
{
    static const uint8_t pdu[] = {0x00, 0x04, 0x0B, 0x91};
    struct store_inbound in = {.modem = sim,
                               .imsi = "262",
                               .pdu = pdu,
                               .len = sizeof pdu,
                               .now_wall_ms = at,
                               .hash = {(uint8_t)customers_received, (uint8_t)(customers_received >> 8),
                                        (uint8_t)(customers_received >> 16)},
                               .duplicate_window_ms = MINUTE,
                               .sender = number,
                               .scts_wall_ms = at,
                               .total = 1,
                               .seq = 1,
                               .text = text};

    customers_received++;
    assert_int_equal(DO(f, store_inbound, &in), 0);
    assert_true(in.message > 0);
    return in.message;
}

/* A decision about a received message, or about a conversation where message is 0. */
struct deed {
    int64_t message, conversation;
    const char *number, *sim, *who;
    enum store_thread thread;
    struct store_effect effects[6];
    int neffects;
    struct store_new_message *reply; /* NULL none */
    int64_t at;
};

static inline int64_t decide_on(struct fixture *f, struct deed *d)
{
    struct store_handle h = {.message = d->message,
                             .conversation = d->conversation,
                             .number = d->number,
                             .sim = d->sim,
                             .reason = "test",
                             .who = d->who ? d->who : "engine",
                             .thread = d->thread,
                             .reopen_ms = 3 * DAY,
                             .effects = d->effects,
                             .neffects = d->neffects,
                             .replies = d->reply,
                             .nreplies = d->reply ? 1 : 0,
                             .now_wall_ms = d->at};

    assert_int_equal(DO(f, store_handle, &h), 0);
    return h.conversation;
}

/* A customer writes, and it is handled at once; department and assignee NULL: left as they are. */
static inline int64_t customer_writes(struct fixture *f, const char *number, const char *sim,
                                      const char *text, const char *department, const char *assignee,
                                      int64_t at)
{
    struct deed d = {.message = receive_from(f, number, sim, text, at), .thread = THREAD_OPEN, .at = at};

    if (department)
        d.effects[d.neffects++] = (struct store_effect){.kind = EFFECT_DEPARTMENT, .value = department};
    if (assignee)
        d.effects[d.neffects++] = (struct store_effect){.kind = EFFECT_ASSIGN, .value = assignee};
    return decide_on(f, &d);
}

static inline void on_conversation(struct fixture *f, int64_t id, const char *who, struct store_effect e,
                                   int64_t at)
{
    decide_on(f, &(struct deed){.conversation = id, .who = who, .effects = {e}, .neffects = 1, .at = at});
}

static inline void close_it(struct fixture *f, int64_t id, const char *who, int64_t at)
{
    on_conversation(f, id, who, (struct store_effect){.kind = EFFECT_STATE, .n = CONV_CLOSED}, at);
}

static const uint8_t customers_pdu[] = {0x00, 0x31, 0x00, 0x0B, 0x91, 0x94, 0x71, 0x10};
static const struct store_new_part customers_parts[3] = {{customers_pdu, sizeof customers_pdu, 7},
                                                         {customers_pdu, sizeof customers_pdu, 7},
                                                         {customers_pdu, sizeof customers_pdu, 7}};

/* A message in a conversation: by a person ("person:Anna"), or automatic (who NULL). The message's id. */
static inline int64_t answer(struct fixture *f, int64_t conversation, const char *number, const char *who,
                             const char *text, int nparts, int64_t at)
{
    struct store_new_message m = {.peer = number,
                                  .text = text,
                                  .source = "test",
                                  .flags = MSG_F_REPORT | (who ? MSG_F_PERSON : MSG_F_AUTOMATIC),
                                  .who = who,
                                  .parts = customers_parts,
                                  .nparts = nparts,
                                  .cost_micros = 70000 * nparts};

    decide_on(f, &(struct deed){.conversation = conversation, .who = who, .reply = &m, .at = at});
    assert_true(m.id > 0);
    return m.id;
}

/* All its parts, taken by the network (or not) by this modem. */
static inline void carry(struct fixture *f, int64_t id, int nparts, const char *sim, enum msg_state to,
                         int64_t at)
{
    for (int seq = 1; seq <= nparts; seq++) {
        struct store_intend i = {.message = id, .seq = seq, .modem = sim, .imsi = "262", .now_wall_ms = at};
        struct store_outcome o = {.message = id,
                                  .seq = seq,
                                  .state = to,
                                  .mr = customers_reference++ & 255,
                                  .modem = sim,
                                  .imsi = "262",
                                  .now_wall_ms = at};

        assert_int_equal(DO(f, store_intend, &i), 0);
        assert_false(i.skipped);
        assert_int_equal(DO(f, store_outcome, &o), 0);
        if (to != MSG_SENT)
            return;
    }
}

/* The reports of all its parts. */
static inline void report(struct fixture *f, int64_t id, const char *number, int group, int64_t at)
{
    struct store_show h = show(f, id);

    for (int i = 0; i < h.nparts; i++) {
        struct store_report r = {.modem = "m0",
                                 .imsi = "262",
                                 .recipient = number,
                                 .pdu = customers_pdu,
                                 .len = sizeof customers_pdu,
                                 .hash = {(uint8_t)customers_received, (uint8_t)(customers_received >> 8), 1},
                                 .mr = h.parts[i].mr,
                                 .group = group,
                                 .window_ms = 30 * DAY,
                                 .discharge_wall_ms = at,
                                 .now_wall_ms = at};

        customers_received++;
        assert_int_equal(DO(f, store_report, &r), 0);
        assert_int_equal(r.message, id);
    }
    store_show_clear(&h);
}

/* One number of a statement on the database. */
static inline int64_t ask(struct fixture *f, const char *sql)
{
    struct store_db db;
    struct err e;
    sqlite3_stmt *st;
    int64_t n;

    assert_int_equal(db_open(&db, f->path, SQLITE_OPEN_READWRITE, &e), 0);
    if (db_first(&db, &st, sql, NULL, 0) != 1)
        fail_msg("%s: %s", sql, db.err->text);
    n = db_col(st, 0);
    db_end(st);
    db_close(&db, false);
    return n;
}

#endif
