/* Everything about one number erased (store_erase), with what it takes outside the store: what waits to be
 * sent to it is cancelled, what is on the air is waited for. An erasure that a restart interrupted goes on by
 * itself.
 */
#ifndef SIMGATE_DESK_ERASE_H
#define SIMGATE_DESK_ERASE_H

#include "desk/desk.h"

/* In place, with what it borrows, until `done`, which comes once, never before the call returns. ERR_BUSY:
 * something is on the air for minutes, or waits for a handler; what was erased until then is, and asking
 * again goes on. */
struct desk_erase {
    const char *number; /* canonical */
    const char *who;    /* "person:Anna", "ctl:root" */
    void (*done)(struct desk_erase *r, int status);
    int rows, cancelled; /* out */
    int numbers;         /* out: of the contact, this one among them */
    bool opt_out;        /* out: the number had opted out, which is kept without it */
    struct err err;      /* out */
    void *impl;
};
void desk_erase(struct desk *d, struct desk_erase *r);

#endif
