/* Calls that come in (calls.c); part of struct modem, not for other rooms.
 * TS 27.007 6.11 (+CRING), 7.6 (+CLIP); V.250 6.3.4 (RING). */
#ifndef SIMGATE_MODEM_CALLS_H
#define SIMGATE_MODEM_CALLS_H

#include <stdbool.h>

#include "at/channel.h"
#include "base/number.h"
#include "base/rt.h"

struct modem;

struct calls_caller {
    char number[NUMBER_BYTES]; /* with '+' where the network says international; "" none was told */
    bool withheld;             /* the caller wants it so; false with "": the network could not tell */
};

/* "+CLIP: "+2782…",145,,,,0", also with the number as UCS2 hex. False: no such line. Pure. */
bool calls_read_clip(const char *line, struct calls_caller *out);
/* "MISSED_CALL: 02:25AM 07717890123" (SIMCom). Pure. */
bool calls_read_missed(const char *line, struct calls_caller *out);

struct calls {
    bool ringing; /* a call is under way: the fields below are its */
    bool caller_known;
    bool rejected;
    struct calls_caller caller;
    int rings, hang_ups;
    int64_t began_ms, began_wall_ms;
    int64_t over_ms; /* no ring until then: it is over */
    int64_t told_ms; /* when the last one was told; 0 never */
    struct rt_timer timer;
    struct at_cmd cmd;
    bool hanging_up; /* cmd is in the channel */
};

void calls_init(struct modem *m);
bool calls_urc(struct modem *m, const char *line); /* true: it was about a call */
void calls_over(struct modem *m);                  /* the modem goes away: what rang is told */
/* Steps of script_init. */
bool calls_make_clip(struct modem *m, char *text, size_t size);
bool calls_make_crc(struct modem *m, char *text, size_t size);

#endif
