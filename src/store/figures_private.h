/* Counting figures inside the transactions that make them. Private to store/.
 *
 * What one transaction counts is gathered in its connection and written before its commit, so that a batch of
 * messages costs a few rows. Whoever rolls back drops what was gathered.
 */
#ifndef SIMGATE_STORE_FIGURES_PRIVATE_H
#define SIMGATE_STORE_FIGURES_PRIVATE_H

#include "store/query_desk.h"

struct zone;

/* Sums as they are stored: the scores and then enum figure, in its order, to which others may be appended;
 * each a varint of 7 bits an octet, the lowest first, of the number doubled (and, below 0, its complement
 * plus one); those that are missing at the end are 0. */
enum { FIGURE_SUMS = FIGURE_SCORES + FIGURES, FIGURE_SUMS_BYTES = FIGURE_SUMS * 10 };
int figure_pack(const int64_t n[FIGURE_SUMS], uint8_t out[FIGURE_SUMS_BYTES]); /* bytes */
void figure_add_packed(int64_t n[FIGURE_SUMS], const uint8_t *bytes, int len);

/* What is counted for a day, desk and SIM within the transaction. */
struct figure_cell {
    int32_t day;
    int64_t desk;
    char sim[MSG_MODEM_BYTES];
    int64_t n[FIGURE_SUMS];
};
enum { FIGURE_CELLS = 12 };
struct figure_tally {
    struct figure_cell cells[FIGURE_CELLS];
    int count;
    /* What was asked for last: the quarter of an hour, and its day in that zone. */
    int64_t day_from, day_until;
    const struct zone *day_zone;
    int32_t day;
};

struct store_db;
struct msg_head;
struct msg_change;

/* The day of a moment, in the zone of the business. */
int32_t figure_day(struct store_db *db, int64_t wall_ms);
/* Its Monday, the first of its month, and of the month behind one's first. */
int32_t figure_week(int32_t day);
int32_t figure_month(int32_t day);
int32_t figure_next_month(int32_t first);

/* figure_desk.id of a department and person, both "" or NULL for none: 0. Made when it is not there. */
int figure_desk(struct store_db *db, const char *department, const char *person, int64_t *id);

/* n of a figure, at a moment. */
int figure_count(struct store_db *db, int64_t wall_ms, int64_t desk, const char *sim, enum figure what,
                 int64_t n);
/* The same for a conversation: its department, SIM; person NULL: the assignee. */
int figure_conv(struct store_db *db, int64_t wall_ms, const struct conv_row *c, const char *person,
                enum figure what, int64_t n);
int figure_flush(struct store_db *db);
void figure_drop(struct store_db *db);

/* ---- figure_times.c ---- */

/* What a conversation took from one moment to another. */
int figure_time_add(struct store_db *db, enum figure_time kind, const struct conv_row *c, const char *person,
                    int64_t began_wall_ms, int64_t ended_wall_ms);
/* It did not end on this day, after all. */
int figure_time_void(struct store_db *db, enum figure_time kind, int64_t conversation, int32_t day);
/* Times of a kind and days, in no order. */
struct figure_sample {
    int64_t took_ms, business_ms; /* -1: not known yet */
    int32_t day, desk, sim;       /* figure_desk.id, figure_sim.id */
};
int figure_times_read(struct store_db *db, enum figure_time kind, int32_t first_day, int32_t last_day,
                      int (*sample)(void *owner, const struct figure_sample *s), void *owner);

/* ---- figure_spread.c ---- */

/* Times of one kind, each with the row of figures that it belongs to (-1: the total alone). {0} is none;
 * memory is kept from kind to kind. */
struct figure_times {
    int64_t *took, *business; /* -1: not known yet */
    int *row;
    int count, cap;
    bool unordered; /* rows did not come in their order */
};
/* ERR_NOMEM; what was gathered stays. */
int figure_gather(struct figure_times *t, int64_t took, int64_t business, int row);
void figure_gather_none(struct figure_times *t);
void figure_gather_free(struct figure_times *t);
/* Median and ninth decile of each row and of all into times[kind]; what was gathered loses its order. Rows
 * without times: count 0, -1. ERR_NOMEM. */
int figure_spreads(struct figure_times *t, struct figure_row *rows, int nrows, enum figure_time kind,
                   struct figure_row *total);

/* ---- where the store's parts count -----------------------------------------------------------------------
 */

/* An outbound message's desk, when it is stored: of its conversation's department (NULL: none) and, where it
 * is MSG_F_PERSON, who wrote it. */
int figure_message_desk(struct store_db *db, const char *department, uint32_t flags, const char *who,
                        int64_t *desk);
/* An outbound message goes from h->state to c->to. */
int figure_message_moves(struct store_db *db, const struct msg_head *h, const struct msg_change *c);
/* A received message is HANDLED; conv NULL: it belongs to none. */
int figure_received(struct store_db *db, const struct msg_head *h, const char *sim, const struct conv_row *c);
/* A person answers in a conversation: before first_response, waiting and person of *c follow. */
int figure_answered(struct store_db *db, const struct conv_row *c, const char *person, int64_t now_wall_ms);
/* A conversation begins, is opened again (before reopened and closed of *c follow), ends in CLOSED or SPAM
 * (before closed follows; who: "person:Anna"). */
int figure_opened(struct store_db *db, const struct conv_row *c, int64_t now_wall_ms);
int figure_reopened(struct store_db *db, const struct conv_row *c, int64_t now_wall_ms);
int figure_ended(struct store_db *db, const struct conv_row *c, enum conv_state to, const char *who,
                 int64_t now_wall_ms);
/* A survey is asked, is answered: after c->survey… were set. */
int figure_asked(struct store_db *db, const struct conv_row *c);
int figure_scored(struct store_db *db, const struct conv_row *c, int64_t score);
int figure_overdue(struct store_db *db, const struct conv_row *c, int64_t now_wall_ms);
/* Consent changes; conv NULL or id 0: outside a conversation. */
int figure_consent(struct store_db *db, enum consent_state to, const char *sim, const struct conv_row *c,
                   int64_t now_wall_ms);

#endif
