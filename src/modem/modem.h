/* One modem: life cycle, SIM, network, sending, receiving, USSD.
 *
 *   ABSENT -> OPENING -> PROBING -> INITIALISING -> REGISTERING -> READY
 *               any failure -> BACKOFF(n) -> OPENING       SIM wants a PIN we may not try -> LOCKED
 *               device gone -> ABSENT                       operator -> DRAINING -> DISABLED
 */
#ifndef SIMGATE_MODEM_MODEM_H
#define SIMGATE_MODEM_MODEM_H

#include "base/buf.h"
#include "base/err.h"
#include "base/rt.h"
#include "modem/carrier.h"
#include "modem/profile.h"
#include "os/port.h"

enum modem_state {
    MODEM_ABSENT,
    MODEM_OPENING,
    MODEM_PROBING,
    MODEM_INITIALISING,
    MODEM_REGISTERING,
    MODEM_READY,
    MODEM_BACKOFF,
    MODEM_LOCKED,
    MODEM_DRAINING,
    MODEM_DISABLED,
    MODEM_STATES,
};
enum {
    MODEM_STORES = 4,      /* SM, ME, MT, SR */
    MODEM_STORE_BYTES = 4, /* "SM" */
};
const char *modem_state_name(enum modem_state s); /* "ready" … */

enum modem_plan { MODEM_PLAN_AUTO, MODEM_PLAN_STORE, MODEM_PLAN_DIRECT }; /* auto: as the profile says */

enum modem_calls { MODEM_CALLS_RING, MODEM_CALLS_REJECT, MODEM_CALLS_IGNORE };

/* The SIM's balance, asked by USSD. code "" = not asked. */
struct modem_balance_conf {
    const char *code; /* "*100#" */
    const char
        *pattern; /* around the amount, e.g. "balance is {amount}"; "" = the first number with decimals */
    int64_t every_ms;
    const char *below; /* alarm under this amount, "5.00"; "" none */
};

/* What is known of a SIM before it has its PIN. "" unknown. */
struct modem_sim {
    const char *name; /* of the modem in gateway.conf */
    const char *imei; /* of the modem */
    const char *iccid;
};

enum modem_pin_leave {
    PIN_BY_ITSELF,         /* the modem does not tell how many tries the SIM has left */
    PIN_UNTOUCHED,         /* it tells that all are left */
    PIN_AS_OPERATOR_ASKED, /* somebody said `simgate unlock`, and the modem tells that two are left */
    PIN_BLIND_BY_OPERATOR, /* somebody said so, and the modem does not tell: not the third one */
};

/* Remembers over restarts of the process that a PIN was sent to a SIM and not yet seen to be right, whichever
 * PIN it was: app/ gives it. Called at most three times per start; each may block while it writes. */
struct modem_pins {
    /* A PIN is about to be sent. 0: the try is durable, send it. ERR_REFUSED: not without an operator's word.
     * Another negative code: it could not be noted, with why in *e. */
    int (*begin)(void *owner, const struct modem_sim *sim, enum modem_pin_leave leave, struct err *e);
    /* The SIM has refused it: an operator has to say that it may be tried again. */
    void (*refused)(void *owner, const struct modem_sim *sim);
    /* The SIM was seen unlocked. */
    void (*forget)(void *owner, const struct modem_sim *sim);
    void *owner;
};

/* What is tried when a modem does not answer or cannot be set up, in this order. */
enum modem_rung {
    RUNG_ASK, /* from the first AT */
    RUNG_ASK_LATER,
    RUNG_SOFT,    /* ATZ */
    RUNG_RADIO,   /* AT+CFUN=4, 1 */
    RUNG_RESTART, /* AT+CFUN=1,1 or the profile's command */
    RUNG_REOPEN,
    RUNG_REPLUG,  /* USB: off the bus and on again */
    RUNG_COMMAND, /* modems[].reset_command */
    MODEM_RUNGS,
};
const char *modem_rung_name(enum modem_rung r); /* "restart" … */

/* Declared here, filled by app/ from gateway.conf. Strings are borrowed for the modem's life. */
struct modem_conf {
    const char *name;
    const char *port; /* device path, tcp://, unix:; "" = the USB serial port on which all of these are met */
    const char *imei; /* "" = any; otherwise a port whose modem has another IMEI is not used */
    const char *imsi, *iccid; /* the same of its SIM */
    const char *usb;          /* place on the bus ("1-1.4") or serial number of the USB device; "" = any */
    const char *profile;      /* name, "" = found out */
    const struct profile_set *profiles;
    const char *pool;
    const char *number;            /* the SIM's own number in canonical form, "" = ask the SIM */
    const char *pin;               /* "" = none configured */
    const struct modem_pins *pins; /* NULL: tries are remembered for the modem's life only */
    const char *smsc;              /* "" = keep the SIM's; else set by +CSCA when it differs */
    int baud;                      /* 115200 */
    bool rtscts;
    enum modem_plan plan;
    enum modem_calls calls;
    struct modem_balance_conf balance;
    const char *const *reset_command; /* a user's, as the ladder's last rung; NULL none */
    bool trace;                       /* the exchange goes to the trace file from the start */
    bool look_only;                   /* examined only: no PIN is entered, no message read, nothing sent */
    int64_t sweep_ms;        /* between readings of all stores and of signal and registration; 180000 */
    int64_t send_timeout_ms; /* result after the PDU; 120000 */
};

/* What this USB device is when it is a stick that is no modem now: "stick in CD-ROM mode (12d1:1446 at 1-1):
 * install usb-modeswitch". False: it is none of these. */
bool modem_other_mode(const struct profile_set *set, const struct port_usb_device *d, char *out, size_t size);

/* A command for a profile's `signal` that is understood: AT+CSQ, AT+CESQ and what some vendors have. */
bool modem_reads_signal(const char *command);

struct modem;

/* Heap; NULL only when out of memory. rt, ports and conf must outlive it. */
struct modem *modem_new(struct rt *rt, struct port_source *ports, const struct modem_conf *conf);
struct carrier *modem_carrier(struct modem *m);

void modem_start(struct modem *m);
/* Finishes what is on the air, at most `bound_ms`, closes the port, then calls stopped once. */
void modem_stop(struct modem *m, int64_t bound_ms, void (*stopped)(void *owner), void *owner);
/* Frees at once, in any state; no callback is called (a crash's view of the world). */
void modem_free(struct modem *m);

/* What `simgate modems` and `simgate status` show. */
struct modem_status {
    enum modem_state state;
    int64_t since_wall_ms;
    char reason[CARRIER_TEXT_BYTES];
    char port[128];
    char manufacturer[40], model[40], revision[40];
    char profile[40];                     /* name; "" not chosen yet */
    char profile_why[CARRIER_TEXT_BYTES]; /* "AT+CGMM is …" */
    char hint[CARRIER_TEXT_BYTES];        /* the profile's, for an administrator */
    char smsc[NUMBER_BYTES];
    char iccid[24];
    char sim[24];          /* what +CPIN? said, "READY"; "" not asked yet */
    int pin_tries;         /* -1 unknown */
    int registration;      /* TS 27.007 <stat>, -1 unknown */
    char receive_plan[48]; /* e.g. "store, AT+CNMI=2,1,0,1,0" */
    struct {
        char name[MODEM_STORE_BYTES];
        int used, size; /* when it was last selected, less what was deleted since */
    } stores[MODEM_STORES];
    int nstores;
    int csms, cmms; /* AT+CSMS=1, AT+CMMS=1: 1 taken (+CMMS: listed, not refused), 0 not, -1 not known */
    uint64_t sent, failed, received, reports;
    uint64_t recoveries, rungs[MODEM_RUNGS]; /* in all, and by what was tried */
    int64_t last_exchange_ms;                /* monotonic */
    double seconds_per_part;                 /* moving average, 0 unknown */
};
void modem_get_status(const struct modem *m, struct modem_status *out);
/* What tells one stick from another: its place on the bus; the port's name where each port is a modem of its
 * own (adapters with a serial chip) or it is not on USB. Borrowed from *p. */
const char *modem_stick(const struct port_info *p);
/* Of the port that is open; its name is "" when none is. */
const struct port_info *modem_port_info(const struct modem *m);
const struct profile *modem_profile(const struct modem *m); /* never NULL */
void modem_dump(const struct modem *m, struct buf *out);    /* last exchanges on the line, masked */

/* A recording of the line, in the format of base/trace.h; embedded in its owner, in place from start to stop
 * or `ended`. Any number at a time. Numbers and texts are masked (modem/trace_mask.h) unless `unmasked`, PINs
 * always. */
struct modem_trace {
    bool unmasked;
    /* Whole lines of a trace file, the header first, which comes before modem_trace_start() returns. It must
     * not call back into the modem. */
    void (*text)(struct modem_trace *t, const char *text, size_t len);
    /* The modem is being freed; what was recorded has been given. NULL: not wanted. */
    void (*ended)(struct modem_trace *t);
    /* modem/trace.c's own */
    struct modem_trace *next;
    struct trace_mask *mask;
    struct buf held; /* from the modem, its line not yet at an end */
    int64_t held_ms; /* its last byte came */
    int64_t began_ms;
    bool begun;
};
void modem_trace_start(struct modem *m, struct modem_trace *t);
void modem_trace_stop(struct modem *m, struct modem_trace *t); /* gives what is held; `ended` is not called */

/* An operator's command or USSD request. `done` once, with the lines of the answer. ERR_REFUSED for commands
 * that would break the gateway (+CMGS, +CNMI, +CPIN=, +CFUN= …), ERR_GONE when the modem is not up. */
struct modem_ask {
    void (*done)(struct modem_ask *a, int status, const char *answer);
    void *os[8];
};
int modem_ask_at(struct modem *m, const char *command, struct modem_ask *a, struct err *e);

/* A USSD session, TS 22.090; one at a time. `answered` comes for the code and for each reply: status 0 with
 * the network's text. With `more` the network waits for a reply, two minutes at most; otherwise the session
 * is over, as it is with a status: ERR_REFUSED with what network or modem said, ERR_TIMEOUT, ERR_GONE. It may
 * also end so between an answer and its reply. Never called from inside a call. */
struct modem_ussd {
    void (*answered)(struct modem_ussd *u, int status, const char *text, bool more);
};
/* `code`: digits, '*', '#'. ERR_INVALID, ERR_TOO_LONG, ERR_GONE (not ready), ERR_BUSY. */
int modem_ussd_begin(struct modem *m, const char *code, struct modem_ussd *u, struct err *e);
/* ERR_GONE when the network does not wait, ERR_INVALID when this modem cannot be given such a text. */
int modem_ussd_reply(struct modem *m, struct modem_ussd *u, const char *text, struct err *e);
/* Ends a session early; nothing is told of it any more. Without effect when it is over. */
void modem_ussd_end(struct modem *m, struct modem_ussd *u);

/* The last balance that was told. */
struct modem_balance {
    int64_t at_wall_ms;   /* 0: none yet */
    bool has_amount;      /* one was found in the text */
    int64_t amount_milli; /* thousandths */
    bool low;             /* under modem_balance_conf.below */
    char text[320];       /* as the network wrote it */
};
void modem_get_balance(const struct modem *m, struct modem_balance *out);
/* Asks now. `done` with the network's text. ERR_INVALID where no code is configured; else as
 * modem_ussd_begin(). */
int modem_ask_balance(struct modem *m, struct modem_ask *a, struct err *e);
/* The amount in a text by a pattern ("balance is {amount}"; "": the first that looks like one), in
 * thousandths. Both "1.234,56" and "1,234.56" are understood. Pure. */
bool modem_read_amount(const char *text, const char *pattern, int64_t *milli);

/* An operator unlocks a LOCKED modem: tries again, with the configured PIN once more, also over restarts. */
void modem_unlock(struct modem *m);

#endif
