/* The desk: what people do with conversations (by the control socket; by telephone it is the relay of the
 * engine), and its clocks: late answers, snoozed conversations that wake, silent ones that are closed,
 * surveys that are due.
 *
 * Everything is one gateway_apply(): durable when it is told, done once or not at all.
 */
#ifndef SIMGATE_DESK_DESK_H
#define SIMGATE_DESK_DESK_H

#include "engine/engine.h"
#include "engine/operations.h"

struct desk;

/* Borrowed until desk_free: all. The clocks begin at once. */
struct desk *desk_new(struct rt *rt, struct engine *en, struct gateway *g, struct store *s);
/* Frees at once, calling nothing but `done` of erasures (ERR_CANCELLED; they go on at the next start). The
 * store must be closed or abandoned before. */
void desk_free(struct desk *d);

/* Departments, people and hours now; valid until the next turn of the loop. */
const struct staff *desk_staff(const struct desk *d);

/* One operation on one conversation. In place, with what it borrows, until `done`, which comes once, never
 * before the call returns. ERR_NOT_FOUND: no such conversation; ERR_INVALID, ERR_REFUSED, ERR_TOO_LONG:
 * err.text says why and what was expected (the customer has opted out: who and when); ERR_FULL, ERR_IO. */
struct desk_do {
    enum operation op;
    int64_t conversation;        /* in, out: another one where it was folded into that by a merge */
    const char *value;           /* see enum operation; NULL: "" */
    const char *person;          /* of gateway.conf, who does it; NULL: nobody of them */
    const char *who;             /* "ctl:root", where person is NULL */
    const char *override_reason; /* OP_REPLY in spite of an opt-out, and why; NULL does not */
    const char *key;             /* OP_REPLY: idempotency key, given once: else nothing is done; NULL none */
    void (*done)(struct desk_do *r, int status);
    struct err err;        /* out */
    char words[160];       /* out: what was done, for a person */
    enum conv_state state; /* out: as far as this operation set it, else as it was */
    int64_t message;       /* out: of OP_REPLY; 0 none */
    void *impl;
};
void desk_do(struct desk *d, struct desk_do *r);

#endif
