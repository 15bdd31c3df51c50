/* What can carry an SMS, as the gateway sees it: a modem, or anything else that can stand there.
 *
 * The carrier owns its struct; the gateway sets `up` and `up_owner` before the carrier is started. All calls
 * in both directions are on the loop's thread; a callback never comes from inside a call.
 */
#ifndef SIMGATE_MODEM_CARRIER_H
#define SIMGATE_MODEM_CARRIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/number.h"
#include "pdu/pdu.h"

enum { CARRIER_NAME_BYTES = 32, CARRIER_IMSI_BYTES = 20, CARRIER_TEXT_BYTES = 160 };

enum carrier_state {
    CARRIER_DOWN,   /* absent, opening, recovering: comes back by itself */
    CARRIER_READY,  /* registered: takes messages */
    CARRIER_LOCKED, /* waits for a person (PIN, PUK, no SIM) */
    CARRIER_CLOSED, /* stopped by its operator or by shutdown */
};

/* Classes of errors, facts of TS 24.011 8.2.5.4, TS 23.040 9.2.3.22, TS 27.005 3.2.5 and of real modems; each
 * has its own answer in gateway/retry.c. */
enum carrier_error {
    CARRIER_E_NONE,
    CARRIER_E_OURS,      /* bad PDU or number format: do not retry unchanged */
    CARRIER_E_PERMANENT, /* for this recipient */
    CARRIER_E_SIM,       /* SIM or subscription of this carrier: another SIM may do */
    CARRIER_E_NETWORK,   /* temporary: backoff, another SIM after two */
    CARRIER_E_MODEM,     /* modem or memory state: the carrier repairs itself, then retry */
    CARRIER_E_BUSY,      /* retry in moments */
    CARRIER_E_UNCLEAR,   /* capped retries */
    CARRIER_E_ACCEPTED,  /* an error that means success (197 duplicate rejected by the SC) */
    CARRIER_E_COUNT,
};

enum carrier_result {
    CARRIER_SENT,   /* the network took it; `mr` is valid */
    CARRIER_FAILED, /* the network or the modem refused it: it was not sent; `error`, `code` tell why */
    CARRIER_NOT_SUBMITTED, /* it never left: port lost, prompt missing, shutting down. Safe to send again */
    CARRIER_UNKNOWN,       /* the PDU was written and no result came: it may have been sent */
};

struct carrier_outcome {
    enum carrier_result result;
    int mr;                        /* TP-MR from +CMGS, 0..255; -1 when the modem told none */
    enum carrier_error error;      /* of FAILED and NOT_SUBMITTED */
    int code;                      /* +CMS ERROR number (CME: 1000 + number), -1 none */
    char text[CARRIER_TEXT_BYTES]; /* for the history: "+CMS ERROR: 38 (network out of order)" */
};

/* One part to submit. Embedded in its owner, in place until `done`, which comes exactly once. */
struct carrier_submit {
    const uint8_t *pdu; /* full PDU, SMSC address first */
    size_t len;
    int tpdu_len;
    bool more; /* another part follows at once on this carrier (TS 27.005 +CMMS) */
    /* Right before its first byte that can make the network send it is written. Not called when it never came
     * so far. NULL: not wanted. It must not call the carrier. */
    void (*leaving)(struct carrier_submit *s);
    void (*done)(struct carrier_submit *s, const struct carrier_outcome *o);
};

/* A PDU that came in. It stays on the modem, or unacknowledged, until carrier settle(). */
struct carrier_inbound {
    const uint8_t *pdu; /* valid during the call; full PDU as the modem gave it */
    size_t len;
    int tpdu_len;   /* as the modem said; -1 unknown */
    bool malformed; /* not hex: `pdu` is then the line's text as it came */
    uint64_t token; /* for settle() */
};

/* A call that came in. Told once per call: when it has ended, was rejected, or rings no more. */
struct carrier_call {
    const char
        *from; /* as the network gave it, with '+' where it said international; "" withheld or untold */
    bool withheld;
    bool rejected; /* by us, as configured */
    int rings;
    int64_t began_wall_ms;
};

/* What an administrator should know of a carrier. Each is on or off, with its text and since when. */
enum carrier_alarm {
    CARRIER_ALARM_ABSENT,   /* no device, for a while */
    CARRIER_ALARM_HUNG,     /* the whole ladder was climbed in vain */
    CARRIER_ALARM_RESTARTS, /* it restarts by itself again and again */
    CARRIER_ALARM_SIM,      /* no SIM, PIN, PUK, locked, another SIM than configured */
    CARRIER_ALARM_NETWORK,  /* registration denied, or none for long */
    CARRIER_ALARM_SMSC,     /* no service centre number */
    CARRIER_ALARM_CREDIT,   /* the network refuses message after message */
    CARRIER_ALARM_MEMORY,   /* full, and stays full */
    CARRIER_ALARM_BALANCE,  /* under the configured value */
    CARRIER_ALARMS,
};
const char *carrier_alarm_name(enum carrier_alarm a); /* "sim" … */

struct carrier_alarm_state {
    bool on;
    int64_t since_wall_ms;
    char text[CARRIER_TEXT_BYTES]; /* what is wrong and what to do, in words */
};

struct carrier;

struct carrier_events {
    void (*changed)(void *owner, struct carrier *c); /* state, reason, imsi, number or operator */
    void (*inbound)(void *owner, struct carrier *c, const struct carrier_inbound *in);
    /* A result that came after its submit had ended as CARRIER_UNKNOWN; mr of the late +CMGS. */
    void (*late)(void *owner, struct carrier *c, int mr);
    void (*call)(void *owner, struct carrier *c, const struct carrier_call *call); /* borrowed for the call */
    /* The network wrote by USSD without being asked (UTF-8, borrowed). */
    void (*ussd)(void *owner, struct carrier *c, const char *text);
    /* One of its alarms was raised, or has ended: see carrier.alarms. */
    void (*alarm)(void *owner, struct carrier *c, enum carrier_alarm a);
};

struct carrier_ops {
    /* One at a time: ERR_BUSY while one is under way, ERR_GONE when not CARRIER_READY. */
    int (*submit)(struct carrier *c, struct carrier_submit *s);
    /* The PDU with this token is durable (`stored`): delete or acknowledge it. Or not (disk full): leave it
     * and offer it again later. Tokens of an earlier life of the modem are ignored. */
    void (*settle)(struct carrier *c, uint64_t token, bool stored);
};

struct carrier {
    const struct carrier_ops *ops;
    char name[CARRIER_NAME_BYTES];
    char pool[CARRIER_NAME_BYTES]; /* "" = the default pool */
    enum carrier_state state;
    char reason[CARRIER_TEXT_BYTES]; /* why it is not ready, for a person */
    int64_t since_wall_ms;           /* of state */
    char imsi[CARRIER_IMSI_BYTES];   /* the SIM; "" until known */
    char imei[CARRIER_IMSI_BYTES];
    char number[NUMBER_BYTES]; /* the SIM's own number, "" unknown */
    char operator_name[40];
    int signal_dbm;          /* 0 unknown */
    double seconds_per_part; /* moving average of submit to result, 0 unknown: shares a pool's load */
    struct carrier_alarm_state alarms[CARRIER_ALARMS];
    const struct carrier_events *up;
    void *up_owner;
};

#endif
