/* The fields of struct at_chan, so that it can be embedded; only src/at may touch them, but for the two
 * settings at its top. Included by at/channel.h alone. */
#ifndef SIMGATE_AT_CHANNEL_PRIVATE_H
#define SIMGATE_AT_CHANNEL_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { AT_KNOWN_LISTS = 4 };
enum { AT_RING_LINE_BYTES = 112 }; /* one remembered line, shortened to this */

/* Bytes to lines (at/framer.c). `line` is the present line so far, NUL-terminated when a token is told. */
struct at_framer {
    char line[AT_LINE_BYTES + 1];
    size_t len;
    size_t cut_bytes; /* beyond AT_LINE_BYTES, dropped */
};

/* The last exchanges (at/ring.c). */
struct at_ring {
    char lines[AT_RING_LINES][AT_RING_LINE_BYTES];
    unsigned written; /* in all; the next goes to written % AT_RING_LINES */
};

enum at_state {
    AT_STATE_IDLE,
    AT_STATE_COMMAND, /* written, waits for its final result */
    AT_STATE_PROMPT,  /* written, waits for '>' */
    AT_STATE_WRITE,   /* '>' is there; the data waits for the end of the chunk and prompt_gap_ms */
    AT_STATE_DATA,    /* data and 0x1A handed out, waits for its final result */
    AT_STATE_SETTLE,  /* resynchronising: waits for silence */
    AT_STATE_PROBE,   /* resynchronising: waits for the probe's answer */
    AT_STATE_DEAD,
};

/* In the order in which they are served when several are due. */
enum at_timer {
    AT_TIMER_URC,   /* the second line of an unsolicited code */
    AT_TIMER_TAIL,  /* a final result that lacks its line end */
    AT_TIMER_QUIET, /* silence after an information line stands for OK */
    AT_TIMER_DATA,  /* prompt_gap_ms */
    AT_TIMER_STALE, /* a prompt that nobody asked for */
    AT_TIMER_STATE, /* the state's own limit */
    AT_TIMER_GAP,   /* gap_ms */
    AT_TIMERS,
};

/* What the line after an unsolicited code's first one is. */
enum at_second {
    AT_SECOND_NONE,
    AT_SECOND_PDU,  /* +CMT, +CDS, +CBM in PDU mode */
    AT_SECOND_TEXT, /* +CMT, +CBM of a modem that has fallen back to text mode: any one line */
    AT_SECOND_USSD, /* +CUSD whose string holds line ends: lines up to the closing quote */
};

struct at_chan {
    /* Settings: 0 after at_init(); a modem that needs a breath has them set by its profile. */
    int gap_ms;        /* from a final result to the next command (V.250 5.8: some want 20..100 ms) */
    int prompt_gap_ms; /* from the prompt to the data (slow serial lines: 50..100 ms) */
    int64_t result_ms[AT_CLASSES]; /* AT_SEND: from the data to its result; 0: as in at/timeout.c */
    int64_t early_ok_ms; /* an OK this soon behind the data is not yet the network's answer; 0: as in
                            at/internal.h; below 0: each OK is the answer */
    /* Lists of the beginnings of lines that are unsolicited on this modem, beside those of at/urc.c; NULL:
     * none. Borrowed. */
    const char *const *known[AT_KNOWN_LISTS];

    const struct at_events *ev;
    void *owner;

    enum at_state state;
    int64_t timer_ms[AT_TIMERS];
    unsigned depth; /* inside at_feed(), at_tick(), at_close(): no command is started */
    unsigned epoch; /* counts at_close(), so that a loop sees it happen in a callback */
    bool closing;
    int64_t free_ms; /* earliest time of the next command */
    int64_t hold_ms; /* … of one that was not sent `first` */

    /* the command in flight and those that wait */
    struct at_cmd *flight;
    struct at_cmd *head;
    struct at_cmd *tail;
    unsigned queued;
    int64_t written_ms; /* when the command was written */
    int64_t data_ms;    /* when its data was */
    bool ok_ignored;    /* an OK came before the network can have answered */
    bool data_sent;
    bool informed;    /* an information line came */
    bool pdu_wanted;  /* its PDU line is next */
    bool text_wanted; /* the same of a modem in text mode: any line */

    /* an unsolicited code whose second line is awaited */
    struct buf urc;
    enum at_second second;

    /* resynchronisation */
    char lost[32]; /* prefix of the command whose answer may come late; "": none */
    unsigned tries;
    unsigned probe;        /* index of the probe in use; differs from try to try */
    unsigned probes;       /* chosen in all */
    bool probe_answered;   /* its information line came, its OK is next */
    bool finals_seen;      /* something answered in this try, if not the probe */
    int64_t settle_end_ms; /* silence is waited for until then */
    int64_t last_line_ms;

    struct at_framer framer;
    struct buf out;
    struct at_ring ring;
};

#endif
