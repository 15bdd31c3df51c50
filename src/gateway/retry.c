/* Retry by class of error; see retry.h. The delays are those that operators' networks reward: a temporary
 * fault of the network is asked again slowly until the message expires, a busy SIM within moments, and what
 * is wrong with the message or its recipient never again. */
#include "gateway/retry.h"

#include <stddef.h>

#include "base/util.h"

struct ladder {
    const int64_t *delays_ms;
    size_t steps;
    bool last_for_ever;        /* the last delay repeats until the message expires */
    enum retry_class go_on_as; /* when the steps are used up and the last is not for ever; itself: fail */
    int other_sim_after;       /* so many failures on one SIM; 0: never */
};

static const int64_t sim_ms[] = {30000, 120000};
static const int64_t network_ms[] = {5000, 30000, 120000, 600000, 1800000};
static const int64_t modem_ms[] = {5000};
/* about 60 s in all */
static const int64_t busy_ms[] = {200,  500,  1000, 2000, 4000, 4000, 4000, 4000, 4000,
                                  4000, 4000, 4000, 4000, 4000, 4000, 4000, 4000};
static const int64_t unclear_ms[] = {5000, 30000};

static const struct ladder ladders[RETRY_CLASSES] = {
    [RETRY_SIM] = {sim_ms, ARRAY_LEN(sim_ms), false, RETRY_SIM, 1},
    [RETRY_NETWORK] = {network_ms, ARRAY_LEN(network_ms), true, RETRY_NETWORK, 2},
    [RETRY_MODEM] = {modem_ms, ARRAY_LEN(modem_ms), false, RETRY_NETWORK, 2},
    [RETRY_BUSY] = {busy_ms, ARRAY_LEN(busy_ms), false, RETRY_NETWORK, 0},
    [RETRY_UNCLEAR] = {unclear_ms, ARRAY_LEN(unclear_ms), false, RETRY_UNCLEAR, 2},
};

static struct retry_answer climb(enum retry_class c, uint8_t fails[RETRY_CLASSES], bool may_change)
{
    const struct ladder *l = &ladders[c];
    size_t step = fails[c];
    if (step >= l->steps && !l->last_for_ever)
        return l->go_on_as == c ? (struct retry_answer){.action = RETRY_FAIL}
                                : climb(l->go_on_as, fails, may_change);
    if (fails[c] < UINT8_MAX)
        fails[c]++;
    struct retry_answer a = {.action = RETRY_LATER,
                             .delay_ms = l->delays_ms[step < l->steps ? step : l->steps - 1]};
    if (may_change && l->other_sim_after && fails[c] >= l->other_sim_after) {
        a.other_sim = true;
        if (c == RETRY_SIM)
            a.delay_ms = 0; /* this SIM's trouble says nothing about the other's */
    }
    return a;
}

struct retry_answer retry_decide(enum carrier_error error, uint8_t fails[RETRY_CLASSES], bool may_change)
{
    switch (error) {
    case CARRIER_E_OURS:
    case CARRIER_E_PERMANENT:
        return (struct retry_answer){.action = RETRY_FAIL};
    case CARRIER_E_ACCEPTED:
        return (struct retry_answer){.action = RETRY_IS_SENT};
    case CARRIER_E_SIM:
        return climb(RETRY_SIM, fails, may_change);
    case CARRIER_E_NETWORK:
        return climb(RETRY_NETWORK, fails, may_change);
    case CARRIER_E_MODEM:
        return climb(RETRY_MODEM, fails, may_change);
    case CARRIER_E_BUSY:
        return climb(RETRY_BUSY, fails, may_change);
    case CARRIER_E_NONE:
    case CARRIER_E_UNCLEAR:
    case CARRIER_E_COUNT:
        break;
    }
    return climb(RETRY_UNCLEAR, fails, may_change);
}
