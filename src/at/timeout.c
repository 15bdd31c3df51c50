/* How long each kind of command may take. Real modems differ widely; these are the longest of the usual ones,
 * since a timeout costs a resynchronisation and, after a submission, an unknown outcome. */
#include "at/internal.h"

static const struct {
    int prompt_ms;
    int result_ms;
    int total_ms; /* 0: information lines do not prolong */
} limits[AT_CLASSES] = {
    /* A modem that answers at all answers these from its own memory. */
    [AT_QUICK] = {10000, 3000, 0},
    [AT_QUERY] = {10000, 5000, 0},
    /* PIN verification on slow SIMs takes up to 30 s (SIMCom and Quectel manuals: 5 s, u-blox: 10 s). */
    [AT_SIM] = {10000, 30000, 0},
    /* One record of the SIM; manuals say 5..10 s for both, a delete of all 25 s. */
    [AT_READ] = {10000, 10000, 0},
    /* 20 s in SIMCom's manual, and about half a second a message; interrupting a listing hangs some modems
     * for minutes (E160), so each line prolongs it. */
    [AT_LIST] = {10000, 60000, 600000},
    /* +COPS? may ask the network for the name. */
    [AT_OPERATOR] = {10000, 20000, 0},
    /* +CFUN=1 waits for the SIM: 15..30 s. */
    [AT_RADIO] = {10000, 30000, 0},
    /* The prompt: 10 s as smstools and ModemManager wait. The result: Quectel's manual says up to 120 s. */
    [AT_SEND] = {10000, 120000, 0},
    /* The network's own timer for the acknowledgement is 12..20 s (TS 24.011 TR2M); answers take < 0.3 s. */
    [AT_ACK] = {3000, 3000, 0},
    /* The OK of +CUSD; the network's answer comes later, unsolicited. SIMCom's manual: 20 s. */
    [AT_USSD] = {10000, 20000, 0},
};

int at_prompt_ms(enum at_class cls)
{
    return limits[cls].prompt_ms;
}

int64_t at_result_ms(const struct at_chan *ch, enum at_class cls)
{
    return ch->result_ms[cls] > 0 ? ch->result_ms[cls] : limits[cls].result_ms;
}

int at_total_ms(enum at_class cls)
{
    return limits[cls].total_ms;
}
