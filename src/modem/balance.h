/* The SIM's balance (balance.c); part of struct modem, not for other rooms. */
#ifndef SIMGATE_MODEM_BALANCE_H
#define SIMGATE_MODEM_BALANCE_H

#include "base/rt.h"
#include "modem/modem.h"

struct balance {
    struct modem_balance last;     /* when 0: not known */
    char imsi[CARRIER_IMSI_BYTES]; /* of the SIM that it is of */
    struct rt_timer timer;
    int64_t due_ms; /* since when it waits for an idle moment */
    struct modem_ussd ussd;
    bool asking;
    struct modem_ask *ask; /* an operator waits for it; NULL none */
    unsigned fails;        /* in a row */
};

void balance_init(struct modem *m);
void balance_ready(struct modem *m); /* the modem is in service: the first look is planned, if none is */

#endif
