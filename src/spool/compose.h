/* What is written into the files of incoming/, calls/, report/, sent/ and failed/: headers in smstools3's order. Pure
 * but for the time zone. */
#ifndef SIMGATE_SPOOL_COMPOSE_H
#define SIMGATE_SPOOL_COMPOSE_H

#include "base/buf.h"
#include "gateway/gateway.h"

/* Of the modem that carried the message, as far as it is known. */
struct compose_modem {
    const char *number, *imei; /* "" unknown */
};

void compose_received(struct buf *out, const struct msg_row *m, const struct compose_modem *modem);
void compose_call(struct buf *out, const struct msg_row *m, const struct compose_modem *modem);
void compose_report(struct buf *out, const struct msg_row *m, const struct report_row *r,
                    const struct compose_modem *modem);

/* What became of one recipient of a file. */
struct compose_result {
    bool found; /* false: nothing was stored for it, since it has opted out */
    enum msg_state state;
    bool report; /* a delivery report was asked for */
    int mr;      /* TP-MR of the last part, -1 unknown */
    int64_t submitted_wall_ms, sent_wall_ms, changed_wall_ms;
    char to[64], reason[MSG_REASON_BYTES], modem[MSG_MODEM_BYTES], imsi[MSG_IMSI_BYTES];
};
void compose_result_from(struct compose_result *out, const struct store_show *h);
bool compose_result_taken(const struct compose_result *r); /* by the network */
bool compose_result_ended(const struct compose_result *r); /* one way or the other */

/* The lines to be added to a file whose recipients have all ended. True: to sent/, else to failed/. */
bool compose_outcome(struct buf *out, const struct compose_result *results, int n,
                     const struct compose_modem *modem);
/* Of a file that was never accepted. */
void compose_refusal(struct buf *out, const char *reason, int64_t now_wall_ms);

#endif
