/* What a line means: echo, part of an unsolicited code, final result, information for the command in flight,
 * unsolicited code, late answer, or noise. First that fits; the order is the point of this file.
 *
 *  1 echo                     equal to what was written, not merely like a command
 *  2 second line of a code    +CMT's PDU, by its length
 *  3 (resynchronising)        at/resync.c
 *  4 PDU line of +CMGR, +CMGL
 *  5 final result
 *  6 information line         by the command's prefix; +CREG's family by its form as well
 *  7 late "+CMGS:"
 *  8 unsolicited code         by the table
 *  9 information line         of a command whose answer has no prefix
 * 10 unsolicited code         of a vendor we do not know, by its form
 *
 * Any callback may close the channel; then nothing of it is touched afterwards.
 */
#include "at/internal.h"

enum { ECHO_LOST = 2 }; /* characters that an echo may lack at one end */

/* The line is the text, or all of it but a character or two (the first ones are lost when a port wakes up).
 */
static bool is_echo_of(const char *text, size_t len, const char *line, size_t line_len)
{
    if (line_len == len)
        return memcmp(line, text, len) == 0;
    if (line_len > len || len - line_len > ECHO_LOST || line_len < 3)
        return false;
    return memcmp(line, text, line_len) == 0 || memcmp(line, text + len - line_len, line_len) == 0;
}

static bool is_echo(const struct at_chan *ch, const char *line)
{
    if (!ch->flight)
        return false;
    size_t text_len = strlen(ch->flight->text);
    size_t line_len = strlen(line);
    if (is_echo_of(ch->flight->text, text_len, line, line_len))
        return true;
    /* "AT+X?AT+X?": echoed twice and the line end lost */
    if (line_len == 2 * text_len && is_echo_of(ch->flight->text, text_len, line, text_len) &&
        is_echo_of(ch->flight->text, text_len, line + text_len, text_len))
        return true;
    if (ch->state != AT_STATE_DATA)
        return false;
    /* Echo stays on for the data whatever ATE says: "> 0011…", perhaps with more than one prompt. */
    const char *data = line + strspn(line, "> ");
    return *data == '\0' || is_echo_of(ch->flight->data, strlen(ch->flight->data), data, strlen(data));
}

static bool resyncing(const struct at_chan *ch)
{
    return ch->state == AT_STATE_SETTLE || ch->state == AT_STATE_PROBE;
}

static bool may_dial(const struct at_chan *ch)
{
    const char *text = ch->flight ? ch->flight->text : "";

    return at_starts(text, "ATD") || at_starts(text, "ATA") || at_starts(text, "ATH");
}

static void tell_line(struct at_cmd *c, const char *line)
{
    if (c->line)
        c->line(c, line);
}

/* ---- 4: the PDU line ---- */

static bool take_pdu(struct at_chan *ch, const char *line)
{
    struct at_cmd *c = ch->flight;

    if (!c || !(ch->text_wanted || (ch->pdu_wanted && at_is_hex(line))))
        return false;
    ch->pdu_wanted = false;
    ch->text_wanted = false;
    tell_line(c, line);
    return true;
}

/* ---- 5: final results ---- */

/* The OK that MC7455 sends, once, between the prompt and the network's answer. Nothing that a network
 * answered comes that soon, but an OK is the only answer of some modems. */
static bool is_early_ok(const struct at_chan *ch, const struct at_result *r, int64_t now_ms)
{
    if (r->code != AT_OK || !ch->flight->data)
        return false;
    if (ch->state == AT_STATE_PROMPT || ch->state == AT_STATE_WRITE)
        return true;
    int64_t early_ms = ch->early_ok_ms ? ch->early_ok_ms : AT_EARLY_OK_MS;
    return ch->flight->prefix && !ch->informed && !ch->ok_ignored && now_ms - ch->data_ms < early_ms;
}

static void take_final(struct at_chan *ch, char *line, const struct at_result *r, int64_t now_ms)
{
    if (!ch->flight) {
        /* A network's refusal of a USSD request comes after its OK (MC55i, E1752). */
        if (r->code == AT_CME_ERROR || r->code == AT_CMS_ERROR)
            ch->ev->urc(ch->owner, &(struct at_urc){.line = line});
        return;
    }
    if (is_early_ok(ch, r, now_ms)) {
        ch->ok_ignored = true;
        return;
    }
    at_set_state(ch, AT_STATE_IDLE, RT_NEVER);
    at_finish(ch, r, now_ms);
}

/* ---- 6, 9: information ---- */

/* "+CREG: …" to "AT+CREG?": a command without a prefix of its own has at least that of its name. */
static bool has_name_of(const char *text, const char *line)
{
    size_t len = strcspn(text, "=?") - (at_starts(text, "AT") ? 2 : 0);

    if (!at_starts(text, "AT") || len == 0)
        return false;
    return strncmp(line, text + 2, len) == 0 && line[len] == ':';
}

static bool is_information(const struct at_chan *ch, const char *line)
{
    const struct at_cmd *c = ch->flight;

    if (!c || !c->prefix || !(*c->prefix ? at_starts(line, c->prefix) : has_name_of(c->text, line)))
        return false;
    if (c->data && ch->state != AT_STATE_DATA)
        return false; /* nothing was submitted yet that this could answer */
    return !at_urc_registration(line) || at_urc_is_answer(line);
}

static void inform(struct at_chan *ch, char *line, int64_t now_ms)
{
    struct at_cmd *c = ch->flight;
    char *pdu = c->pdu_lines ? (char *)(uintptr_t)at_glued_pdu(line) : NULL;

    if (pdu)
        pdu[-1] = '\0';
    ch->informed = true;
    ch->text_wanted = c->pdu_lines && line[strlen(c->prefix) + strspn(line + strlen(c->prefix), " ")] == '"';
    ch->pdu_wanted = c->pdu_lines && !pdu && !ch->text_wanted;
    if (c->ok_optional || c->data)
        at_arm(ch, AT_TIMER_QUIET, now_ms + AT_OK_OPTIONAL_MS);
    if (at_total_ms(c->cls) > 0) {
        int64_t limit_ms = ch->written_ms + at_total_ms(c->cls);
        int64_t next_ms = now_ms + at_result_ms(ch, c->cls);
        at_arm(ch, AT_TIMER_STATE, next_ms < limit_ms ? next_ms : limit_ms);
    }
    tell_line(c, line);
    if (pdu && ch->flight == c)
        tell_line(c, pdu);
}

static bool takes_any(const struct at_chan *ch)
{
    const struct at_cmd *c = ch->flight;

    return c && c->prefix && !*c->prefix && ch->state == AT_STATE_COMMAND;
}

/* ---- 7, 8, 10 ---- */

static void stray(struct at_chan *ch, char *line, int64_t now_ms)
{
    if (at_starts(line, "+CMGS:")) {
        ch->ev->late(ch->owner, line);
        return;
    }
    enum at_urc_kind kind = at_urc_kind(ch, line);
    if (kind == AT_URC_KNOWN)
        at_urc_begin(ch, line, now_ms);
    else if (takes_any(ch))
        inform(ch, line, now_ms);
    else if (kind == AT_URC_VENDOR)
        at_urc_begin(ch, line, now_ms);
}

void at_dialogue_line(struct at_chan *ch, char *line, int64_t now_ms)
{
    struct at_result r;
    const char *rest;
    unsigned epoch = ch->epoch;

    if (ch->state == AT_STATE_DEAD || is_echo(ch, line))
        return;
    at_ring_add(&ch->ring, '<', line);
    if (at_urc_continue(ch, line))
        return;
    if (resyncing(ch)) {
        at_resync_line(ch, line, now_ms);
        return;
    }
    if (take_pdu(ch, line))
        return;
    if (at_final(line, may_dial(ch), &r, &rest)) {
        take_final(ch, line, &r, now_ms);
        if (rest && ch->epoch == epoch)
            at_dialogue_line(ch, (char *)(uintptr_t)rest, now_ms);
    } else if (is_information(ch, line))
        inform(ch, line, now_ms);
    else
        stray(ch, line, now_ms);
}
