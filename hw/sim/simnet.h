/* The simulated network: subscribers, an SMS service centre and the log of everything that passed.
 *
 * Pure like the modems (simmodem.h): time comes in, randomness comes from a seed. A SUBMIT to the number of
 * another simulated modem is delivered there; any other number belongs to "the world", which takes
 * everything. A delivery report is made by policy for each SUBMIT that asked for one. What cannot be
 * delivered now (no modem, no network, memory full, not acknowledged) is kept and delivered again, as
 * TS 23.040 3.2 describes.
 *
 * The log tells what a gateway did, seen from outside: what was submitted, what was injected, what the modem
 * was told to delete or to acknowledge. Loss and duplication are counted from it.
 */
#ifndef SIMGATE_HW_SIM_SIMNET_H
#define SIMGATE_HW_SIM_SIMNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pdu/pdu.h"

struct simnet;
struct simmodem;

struct simnet_conf {
    uint64_t seed;
    int64_t wall_offset_ms; /* SCTS = now_ms + wall_offset_ms, milliseconds since 1970 in UTC */
    int64_t report_ms;      /* from a SUBMIT to its delivery report */
    int64_t retry_ms;       /* until a message that was not acknowledged is tried again; 0 = 30 s */
    size_t keep_events;     /* newest events kept for simnet_event(); 0 = all */
};

/* conf is copied; NULL = zeroes. */
struct simnet *simnet_new(const struct simnet_conf *conf);
/* Modems must have been freed before. */
void simnet_free(struct simnet *net);

/* Injects a text from `from` (a number or an alphanumeric sender) for m, in as many parts as it needs (8-bit
 * references, GSM 7-bit or UCS2). Returns the message's id (> 0, as in the events) or a negative code:
 * ERR_INVALID (not UTF-8, bad sender), ERR_TOO_LONG. */
int64_t simnet_text(struct simnet *net, struct simmodem *m, const char *from, const char *text,
                    int64_t now_ms, struct err *e);

/* Injects a full PDU (SMSC address first) as it is, well formed or not; at most PDU_FULL_BYTES. Returns its
 * id. */
int64_t simnet_deliver_tpdu(struct simnet *net, struct simmodem *m, const uint8_t *full_pdu, size_t len,
                            int64_t now_ms, struct err *e);

/* Reports for recipients that begin with `prefix` ("" = all) end with TP-ST `st` after delay_ms; delay_ms <
 * 0: none is ever made. A pending `st` (0x20..0x3F) is followed by a final 0x00 after the same delay again.
 * The rule added last that matches wins; without rules: 0x00 after conf.report_ms. */
void simnet_report_rule(struct simnet *net, const char *prefix, uint8_t st, int64_t delay_ms);

/* Messages and reports that the network still holds for m, one that waits for AT+CNMA included. */
size_t simnet_waiting(const struct simnet *net, const struct simmodem *m);

/* ---- the log ---- */

enum simnet_kind {
    SIMNET_SUBMITTED, /* the network took a SUBMIT; mr as +CMGS told (or would have told) it */
    SIMNET_REFUSED,   /* a SUBMIT got +CMS ERROR `code`; the network has nothing */
    SIMNET_INJECTED,  /* a DELIVER was made for a modem */
    SIMNET_STORED,    /* a DELIVER or report was put into the modem's `store` at `index` */
    SIMNET_SHOWN,     /* … was put on the line as +CMT or +CDS; code 1: it waits for AT+CNMA */
    SIMNET_ACKED,     /* … was acknowledged by AT+CNMA */
    SIMNET_UNACKED,   /* … was not (15 s, AT+CNMA=2, reboot): the network keeps it */
    SIMNET_DELETED,   /* … was deleted from `store` by AT+CMGD */
    SIMNET_REPORT,    /* a STATUS-REPORT with TP-ST `code` was made for the SUBMIT of `mr` */
    SIMNET_DROPPED,   /* a report or message is gone: lost by a fault, or routed nowhere (ds=0) */
    SIMNET_KINDS,
};

enum { SIMNET_PEER_BYTES = 48 };

struct simnet_event {
    uint64_t seq; /* from 1, without gaps */
    int64_t at_ms;
    enum simnet_kind kind;
    const char *modem;      /* conf.name of the modem */
    int64_t id;             /* of an injected message (all its parts share it); of a SUBMIT or report: the
                               SUBMIT's own id from the same counter */
    uint8_t part, parts;    /* of an injected message, 1 of 1 when alone; of a SUBMIT as its header says */
    bool report;            /* the TPDU is a STATUS-REPORT */
    bool reject_duplicates; /* SUBMIT: TP-RD was set */
    bool status_report;     /* SUBMIT: TP-SRR was set */
    bool resend;            /* INJECTED: a further copy (fault "duplicate"); STORED, SHOWN: tried before */
    uint8_t mr;
    int code;
    char store[3]; /* "SM", "ME", "SR" or "" */
    int index;
    char peer[SIMNET_PEER_BYTES]; /* TP-DA or TP-OA as text */
    uint8_t pdu[PDU_FULL_BYTES];  /* full PDU */
    uint8_t pdu_len;
};

struct simnet_counts {
    uint64_t by_kind[SIMNET_KINDS];       /* number of events */
    uint64_t submitted_reject_duplicates; /* of SIMNET_SUBMITTED, those with TP-RD */
    uint64_t injected_messages;           /* injected, not counting parts and copies */
    uint64_t deleted_messages;            /* of SIMNET_DELETED, those that are not reports */
    uint64_t acked_messages;
    uint64_t lost_input_bytes; /* bytes that came while a modem was busy, silent or booting */
};

const char *simnet_kind_name(enum simnet_kind kind); /* "submitted" … */

/* Events are kept in their order. `i` counts from 0 (the oldest kept). Pointers stay valid until the next
 * call that takes time. */
size_t simnet_events(const struct simnet *net);
const struct simnet_event *simnet_event(const struct simnet *net, size_t i);
const struct simnet_counts *simnet_counts(const struct simnet *net);

/* The text of the event's TPDU as UTF-8 (this part only); "" when it has none. */
void simnet_event_text(const struct simnet_event *ev, char out[PDU_TEXT_BYTES]);

/* Appends the event as one JSON object and a newline. */
void simnet_event_json(const struct simnet *net, const struct simnet_event *ev, struct buf *out);

/* Called for every event as it happens (NULL: off); it must not call back into the network. */
void simnet_watch(struct simnet *net, void (*watch)(void *arg, const struct simnet_event *ev), void *arg);

#endif
