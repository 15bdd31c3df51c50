/* The words of the store: states and rows that the rooms above share. */
#ifndef SIMGATE_STORE_TYPES_H
#define SIMGATE_STORE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/number.h"

/* States of messages and of parts. Stored as these numbers: never renumber.
 *
 *   outbound: QUEUED -> SUBMITTING -> SENT -> DELIVERED | UNDELIVERED
 *             QUEUED | SUBMITTING -> FAILED | EXPIRED | CANCELLED | UNKNOWN; SUBMITTING -> QUEUED (retry)
 *             UNKNOWN -> SENT | DELIVERED | UNDELIVERED | FAILED | QUEUED (settled by report, late result,
 * policy) inbound:  RECEIVED -> HANDLED
 */
enum msg_state {
    MSG_QUEUED = 1,
    MSG_SUBMITTING = 2,
    MSG_SENT = 3,
    MSG_DELIVERED = 4,
    MSG_UNDELIVERED = 5,
    MSG_FAILED = 6,
    MSG_EXPIRED = 7,
    MSG_CANCELLED = 8,
    MSG_UNKNOWN = 9,
    MSG_RECEIVED = 10,
    MSG_HANDLED = 11,
    MSG_STATES = 12,
};
const char *msg_state_name(enum msg_state s); /* "queued" … */
bool msg_state_from_name(const char *name, enum msg_state *out);
/* May a message go from one state to the other? The one table of the diagram above. */
bool msg_state_allowed(enum msg_state from, enum msg_state to);
/* DELIVERED, UNDELIVERED, FAILED, EXPIRED, CANCELLED, HANDLED; SENT is final only where no report was asked.
 */
bool msg_state_final(enum msg_state s);

enum msg_direction { MSG_OUT = 1, MSG_IN = 2 };

/* Bits of msg_row.flags; stored: never renumber. */
enum {
    MSG_F_REPORT = 1 << 0,             /* TP-SRR: a delivery report was asked for */
    MSG_F_FLASH = 1 << 1,              /* class 0 */
    MSG_F_POSSIBLE_DUPLICATE = 1 << 2, /* sent again after an unknown outcome */
    MSG_F_INCOMPLETE = 1 << 3,         /* inbound: segments are missing */
    MSG_F_BINARY = 1 << 4,             /* text is hex of the payload */
    MSG_F_UNDECODABLE = 1 << 5,        /* inbound: text is hex of the raw PDU */
    MSG_F_AUTOMATIC = 1 << 6,          /* outbound: made by a rule */
    MSG_F_CONSENT = 1 << 7,            /* outbound: the confirmation of STOP/START/HELP: passes an opt-out */
    MSG_F_PREFER = 1 << 8,             /* outbound: `modem` is a wish, another of the pool may carry it */
    MSG_F_SILENT = 1 << 9,             /* inbound: type 0 (TP-PID 0x40), not meant for people */
    MSG_F_CALL = 1 << 10,              /* inbound: a telephone call; it has no text, and perhaps no sender */
    MSG_F_PERSON = 1 << 11,            /* outbound: written by a person of ours, to a customer */
    MSG_F_MARKETING = 1 << 12,         /* outbound: wants an opt-in and keeps quiet hours */
    MSG_F_OVERRIDE = 1 << 13, /* outbound: a person sends it in spite of an opt-out; the reason is kept */
    MSG_F_MASKED = 1 << 14,   /* text was stored masked; the raw PDU is not kept */
    MSG_F_STAFF = 1 << 15,    /* to or from a person of ours (the relay): no customer's message */
    MSG_F_CHEAPEST = 1 << 16, /* outbound: by the cheapest carrier of its pool that can take it */
    MSG_F_QUIET = 1 << 17,    /* outbound: keeps the recipient's quiet hours: marketing that is no answer */
};

enum {
    MSG_REASON_BYTES = 160,
    MSG_SOURCE_BYTES = 96,
    MSG_KEY_BYTES = 160,
    MSG_MODEM_BYTES = 32,
    MSG_IMSI_BYTES = 20
};

/* A message as read from the store. text is heap, owned by the row's holder (msg_row_clear). */
struct msg_row {
    int64_t id;
    enum msg_direction direction;
    enum msg_state state;
    char reason[MSG_REASON_BYTES]; /* why queued so long, failed, … */
    char peer[64];                 /* the other side: recipient or sender, canonical or alphanumeric */
    char modem[MSG_MODEM_BYTES];   /* carried it, or received it; wanted one while queued; "" any */
    char pool[MSG_MODEM_BYTES];
    char imsi[MSG_IMSI_BYTES];
    char source[MSG_SOURCE_BYTES]; /* door or rule: "spool:NAME", "ctl:USER", "rule:NAME" */
    char key[MSG_KEY_BYTES];       /* idempotency, "" none */
    char *text;                    /* UTF-8 */
    char *meta;                    /* JSON of headers a door wants back; NULL none */
    uint32_t flags;
    int priority; /* 0 low, 1 normal, 2 high */
    int parts;
    int64_t created_wall_ms;
    int64_t due_wall_ms;     /* not before */
    int64_t expires_wall_ms; /* 0 never */
    int64_t final_wall_ms;   /* time of the present state */
    int64_t scts_wall_ms;    /* inbound: service centre's time, -1 unknown */
    int64_t reply_to;        /* outbound: the inbound message answered, 0 none */
    int64_t conversation;    /* 0 none */
    int64_t cost_micros;     /* outbound */
};
void msg_row_clear(struct msg_row *r);

struct part_row {
    int seq; /* 1.. */
    enum msg_state state;
    int mr; /* -1 unknown */
    int attempts;
    char modem[MSG_MODEM_BYTES];
    char imsi[MSG_IMSI_BYTES];
    int64_t submitted_wall_ms; /* 0 never */
    int64_t sent_wall_ms;
    int64_t report_wall_ms; /* discharge time or arrival of the last report */
    int report_status;      /* TP-ST, -1 none */
};

struct history_row {
    int64_t at_wall_ms;
    int part; /* 0 = the message */
    enum msg_state state;
    char reason[MSG_REASON_BYTES];
    char modem[MSG_MODEM_BYTES];
};

enum consent_state { CONSENT_UNKNOWN, CONSENT_IN, CONSENT_OUT };

#endif
