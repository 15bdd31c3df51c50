/* What the files of src/at share; not for other rooms. */
#ifndef SIMGATE_AT_INTERNAL_H
#define SIMGATE_AT_INTERNAL_H

#include <string.h>

#include "at/channel.h"
#include "base/rt.h"

enum {
    AT_ESC = 0x1b,              /* abandons an open prompt (TS 27.005 3.5.1) */
    AT_CTRL_Z = 0x1a,           /* ends the data (TS 27.005 3.5.1) */
    AT_OK_OPTIONAL_MS = 2000,   /* silence that stands for a missing OK */
    AT_SECOND_LINE_MS = 2000,   /* for the second line of an unsolicited code */
    AT_STALE_PROMPT_MS = 500,   /* a '>' that stands alone for so long is a prompt */
    AT_EARLY_OK_MS = 300,       /* an OK this soon after the data is not yet the network's answer (MC7455) */
    AT_SETTLE_MS = 500,         /* silence before a probe */
    AT_SETTLE_LIMIT_MS = 10000, /* a modem that does not fall silent is probed then nevertheless */
    AT_PROBE_MS = 3000,
};

/* ---- framer.c ---- */
enum at_token {
    AT_TOKEN_NONE, /* all bytes used, no token yet */
    AT_TOKEN_LINE, /* framer.line, not empty, without spaces around */
    AT_TOKEN_PROMPT,
    AT_TOKEN_OVERLONG, /* framer.line is the beginning */
};
/* Uses bytes up to and including those that complete a token; returns how many. `echo` is the command whose
 * prompt is awaited (the prompt may follow its echo without a line end), NULL when no prompt is. The line
 * stays readable until the next call. */
size_t at_framer_take(struct at_framer *f, const uint8_t *bytes, size_t len, const char *echo,
                      enum at_token *token);
void at_framer_reset(struct at_framer *f);
/* The unfinished line, NUL-terminated. */
const char *at_framer_tail(struct at_framer *f);

/* ---- results.c ---- */
/* True if `line` is a final result (V.250 5.7.1, TS 27.005 3.2.5, TS 27.007 9.2). `dial`: it may end a dial
 * command. *rest is what was glued behind it, or NULL. */
bool at_final(const char *line, bool dial, struct at_result *out, const char **rest);

/* ---- urc.c ---- */
enum at_urc_kind {
    AT_URC_NO,
    AT_URC_KNOWN,
    AT_URC_VENDOR, /* has the form of a code, but is not in the table: may be an answer as well */
};
enum at_urc_kind at_urc_kind(const struct at_chan *ch, const char *line);
enum at_second at_urc_second(const char *line); /* what follows this first line */
/* A +CREG family line that begins with <n>, as only the answer to a query does (TS 27.007 7.2). */
bool at_urc_is_answer(const char *line);
bool at_urc_registration(const char *line);
/* Hex of even length, and as long as the first line says (TS 27.005 3.4.1). `padded`: may be longer. */
bool at_urc_pdu_fits(const char *header, const char *pdu, bool padded);
/* The PDU behind "header PDU" on one line, or NULL. */
const char *at_glued_pdu(const char *line);
bool at_is_hex(const char *text);

/* Takes the line if it is, begins, or continues an unsolicited code; delivers it when it is whole. */
bool at_urc_continue(struct at_chan *ch, char *line);
void at_urc_begin(struct at_chan *ch, char *line, int64_t now_ms);
void at_urc_give_up(struct at_chan *ch); /* the second line did not come: delivered without */

/* ---- timeout.c ---- */
int at_prompt_ms(enum at_class cls);
int64_t at_result_ms(const struct at_chan *ch, enum at_class cls);
int at_total_ms(enum at_class cls); /* beyond which information lines do not prolong the wait */

/* ---- resync.c ---- */
/* `escape`: a prompt may be open. `settle`: wait for silence before the probe. */
void at_resync_begin(struct at_chan *ch, bool escape, bool settle, int64_t now_ms);
void at_resync_timer(struct at_chan *ch, int64_t now_ms);
void at_resync_line(struct at_chan *ch, char *line, int64_t now_ms);

/* ---- ring.c ---- */
void at_ring_add(struct at_ring *r, char mark, const char *line);

/* ---- dialogue.c: what a line means ---- */
void at_dialogue_line(struct at_chan *ch, char *line, int64_t now_ms);

/* ---- channel.c ---- */
void at_set_state(struct at_chan *ch, enum at_state state,
                  int64_t limit_ms); /* limit: absolute or RT_NEVER */
void at_finish(struct at_chan *ch, const struct at_result *r, int64_t now_ms); /* leaves the state alone */
void at_die(struct at_chan *ch, int64_t now_ms);

static inline bool at_starts(const char *line, const char *prefix)
{
    return strncmp(line, prefix, strlen(prefix)) == 0;
}

static inline void at_arm(struct at_chan *ch, enum at_timer t, int64_t at_ms)
{
    ch->timer_ms[t] = at_ms;
}

#endif
