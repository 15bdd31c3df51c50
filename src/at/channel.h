/* The AT channel of one modem: 3GPP TS 27.005 / 27.007 over V.250. Pure: bytes and now_ms in; results, lines,
 * unsolicited codes, bytes to write and the next deadline out.
 *
 * One command is in flight at a time. It ends by its final result, or by its class's time; after a timeout
 * the channel resynchronises (ESC if a prompt was open, then a probe with an answer that cannot be mistaken,
 * dropping lines until then), so that a late OK is never credited to the next command.
 *
 *      IDLE -> COMMAND -> (PROMPT -> DATA ->) IDLE
 *                 any timeout -> RESYNC -> IDLE, or DEAD after AT_RESYNC_TRIES (then `dead` is called)
 *
 * Dead, it ends what was queued with AT_CLOSED, reads nothing and refuses at_send() until at_close() or
 * at_init().
 *
 * Callbacks may call at_send(), at_resync() and at_close() (not at_feed() or at_tick(), nor free the
 * channel). A command sent in one is written when the chunk has been read to its end. During at_close()
 * at_send() is refused, so that a command cannot be queued again by its own end.
 */
#ifndef SIMGATE_AT_CHANNEL_H
#define SIMGATE_AT_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    AT_LINE_BYTES = 4096,   /* longer lines are cut and marked; TS 27.005 lines are under 400 */
    AT_QUEUE_COMMANDS = 64, /* at_send() refuses beyond this */
    AT_RESYNC_TRIES = 3,
    AT_RING_LINES = 64, /* the last exchanges, for at_dump() */
};

/* Times by kind of command; values in at/timeout.c with their sources. */
enum at_class {
    AT_QUICK,    /* AT, ATE0, +CMEE … */
    AT_QUERY,    /* settings and readings that ask the SIM or the network's state */
    AT_SIM,      /* +CPIN=, +CPMS, +CSCA */
    AT_READ,     /* +CMGR, +CMGD */
    AT_LIST,     /* +CMGL */
    AT_OPERATOR, /* +COPS? */
    AT_RADIO,    /* +CFUN */
    AT_SEND,     /* +CMGS: prompt 10 s, then 120 s for the result */
    AT_ACK,      /* +CNMA */
    AT_USSD,
    AT_CLASSES,
};

enum at_code {
    AT_OK,
    AT_ERROR,      /* ERROR, COMMAND NOT SUPPORT, TOO MANY PARAMETERS */
    AT_CMS_ERROR,  /* `number`: TS 27.005 3.2.5; texts of +CMEE=2 are translated; -1 when not readable */
    AT_CME_ERROR,  /* `number`: TS 27.007 9.2 */
    AT_NO_CARRIER, /* NO CARRIER, BUSY, NO ANSWER, NO DIALTONE, only to a dial command */
    AT_TIMEOUT,    /* no final result in time */
    AT_CLOSED,     /* at_close() or the port's end */
};

struct at_result {
    enum at_code code;
    int number;
    bool data_sent; /* the PDU's last octet (0x1A) had been handed out: with AT_TIMEOUT, AT_CLOSED, the
                       outcome is not known. False: nothing was submitted. */
};

struct at_cmd;

/* A command, embedded in its owner, in place from at_send() until `done`. */
struct at_cmd {
    char text[128];     /* without CR, e.g. "AT+CMGS=23" */
    const char *prefix; /* information lines that belong to it, e.g. "+CMGR:"; NULL: none; "": any line that
                           is not an unsolicited code (AT+CGSN, ATI). Borrowed, usually a literal */
    const char *data;   /* written after the prompt, 0x1A is added; NULL: no prompt expected. Borrowed */
    enum at_class cls;
    bool pdu_lines;   /* each information line is followed by a line with a PDU (+CMGR, +CMGL) */
    bool ok_optional; /* an information line alone, then 2 s of silence, is success (some +CPIN?) */
    /* An information line, or the PDU line that follows it. NULL: not wanted. */
    void (*line)(struct at_cmd *c, const char *line);
    /* Right before `data` is handed out: from here on its outcome may be unknown. NULL: not wanted. It must
     * not call back into the channel. */
    void (*leaving)(struct at_cmd *c);
    /* Exactly once. The command may be reused or freed in it. */
    void (*done)(struct at_cmd *c, const struct at_result *r);
    void *owner;
    /* at/channel.c's own */
    struct at_cmd *next;
    bool first;
};

/* An unsolicited code. */
struct at_urc {
    const char *line; /* the whole line */
    const char
        *pdu; /* hex of the second line of +CMT, +CDS, +CBM; NULL otherwise, also when that line did not
                 come in 2 s or the modem is in text mode: the message cannot be read, nor acknowledged */
};

struct at_events {
    void (*urc)(void *owner, const struct at_urc *urc);
    void (*late)(void *owner,
                 const char *line); /* an answer to a command that had timed out, e.g. "+CMGS: 17" */
    void (*dead)(void *owner);      /* resynchronisation failed: nothing answers */
};

struct at_chan; /* size is known below so that it can be embedded; fields are private to at/ */
#include "at/channel_private.h"

void at_init(struct at_chan *ch, const struct at_events *ev, void *owner);
void at_fini(struct at_chan *ch); /* frees; calls nothing */

/* Queues a command. `first` puts it in front of all that wait (an acknowledgement). 0 or ERR_FULL, ERR_GONE.
 */
int at_send(struct at_chan *ch, struct at_cmd *c, bool first, int64_t now_ms);

/* Until until_ms only what is sent `first` is written: an error line that comes meanwhile, with no command in
 * flight, belongs to what the modem does by itself (a USSD session). A time in the past ends it. */
void at_hold(struct at_chan *ch, int64_t until_ms, int64_t now_ms);

void at_feed(struct at_chan *ch, const uint8_t *bytes, size_t len, int64_t now_ms);
void at_tick(struct at_chan *ch, int64_t now_ms);
int64_t at_deadline(const struct at_chan *ch); /* when at_tick() is wanted; RT_NEVER */

/* Bytes to write to the port since the last call; the caller writes and clears them. */
struct buf *at_out(struct at_chan *ch);

/* Ends every command with AT_CLOSED (data_sent told truly) and drops what was read. */
void at_close(struct at_chan *ch, int64_t now_ms);

/* Gets in step with a modem in an unknown state (a port just opened may hold a prompt of a former life): ESC,
 * silence, probe. A command in flight ends with AT_TIMEOUT; those queued follow afterwards. */
void at_resync(struct at_chan *ch, int64_t now_ms);

/* The next command waits until then. Called in the `done` of the one before. */
void at_rest(struct at_chan *ch, int64_t until_ms);

/* Nothing in flight, queued or being resynchronised. */
bool at_idle(const struct at_chan *ch);

/* The last exchanges, oldest first, "< " and "> " in front; PDUs shortened. For logs and `simgate at`. */
void at_dump(const struct at_chan *ch, struct buf *out);

/* ---- cursor over a result line (at/cursor.c): each returns false and stays put when it does not fit ---- */
struct at_cur {
    const char *p;
};
struct at_cur at_cur_after(const char *line, const char *prefix); /* p NULL when line lacks the prefix */
bool at_cur_number(struct at_cur *c, int64_t *out);               /* decimal, quoted or not */
bool at_cur_hex(struct at_cur *c, int64_t *out);                  /* hex, quoted or not (CREG's lac, ci) */
bool at_cur_string(struct at_cur *c, char *out, size_t size);     /* "quoted" or bare up to the comma */
bool at_cur_skip(struct at_cur *c);                               /* one field, of any form */
/* <number>,<type> of a telephone number (TS 27.007 +CSCA, +CNUM …) with '+' in front where type 145 says so,
 * also where the modem kept an AT+CSCS of HEX or UCS2. size: NUMBER_BYTES. */
bool at_cur_phone(struct at_cur *c, char *out, size_t size);
bool at_cur_open_list(struct at_cur *c);
bool at_cur_close_list(struct at_cur *c);
bool at_cur_range(struct at_cur *c, int64_t *min, int64_t *max); /* "1" or "0-3" inside a list */
bool at_cur_end(const struct at_cur *c);

#endif
