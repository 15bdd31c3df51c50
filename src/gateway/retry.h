/* What follows a refused part: one answer per class of error. Pure. */
#ifndef SIMGATE_GATEWAY_RETRY_H
#define SIMGATE_GATEWAY_RETRY_H

#include "modem/carrier.h"

/* The rows of the table that a message's failures are counted by (queue_entry.fails). */
enum retry_class { RETRY_SIM, RETRY_NETWORK, RETRY_MODEM, RETRY_BUSY, RETRY_UNCLEAR, RETRY_CLASSES };

enum retry_action { RETRY_FAIL, RETRY_LATER, RETRY_IS_SENT };

struct retry_answer {
    enum retry_action action;
    int64_t delay_ms;
    bool other_sim; /* another SIM of the pool is to be preferred */
};

/* `fails` is counted on. `may_change`: nothing of the message went out yet and another SIM may carry it. */
struct retry_answer retry_decide(enum carrier_error error, uint8_t fails[RETRY_CLASSES], bool may_change);

#endif
