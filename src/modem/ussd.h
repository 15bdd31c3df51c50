/* The USSD session of a modem (ussd.c); part of struct modem, not for other rooms. */
#ifndef SIMGATE_MODEM_USSD_H
#define SIMGATE_MODEM_USSD_H

#include "at/channel.h"
#include "base/rt.h"
#include "modem/modem.h"
#include "modem/ussd_text.h"

enum {
    MODEM_USSD_MS = 60000, /* for the network's answer, behind the command's OK */
    MODEM_USSD_QUIET_MS =
        15000, /* of that, no other command is written so long: most answers are there by then */
    MODEM_USSD_REPLY_MS = 120000, /* for the reply to a menu; networks wait less or as long */
};

struct ussd {
    struct modem_ussd *user; /* NULL: no session */
    bool open;               /* the network waits for a reply */
    bool sent, left;         /* cmd is in the channel; its user has left meanwhile */
    bool cancelling;         /* cancel is */
    int64_t cancelled_ms;    /* when that had its answer last; 0 never */
    enum profile_coding trying;
    enum profile_coding coding; /* the one that worked with this modem; AUTO: not known */
    char coding_imei[CARRIER_IMSI_BYTES];
    char text[USSD_REQUEST_CHARS + 1];
    char refusal[CARRIER_TEXT_BYTES]; /* of the first coding */
    struct at_cmd cmd, cancel;
    struct rt_timer timer;
};

void ussd_init(struct modem *m);
void ussd_urc(struct modem *m, const char *line);             /* +CUSD, or an error behind OK */
void ussd_end(struct modem *m, int status, const char *text); /* tells the session's user, if there is one */

#endif
