/* USSD sessions: AT+CUSD, TS 27.007 7.15, TS 22.090. One at a time; an answer comes as an unsolicited code,
 * before or after the command's OK, or as an error behind it.
 *
 *   begin -> (answer, or refused in this coding: the next one) -> over
 *                 answer that waits for more -> reply -> answer …      end(): AT+CUSD=2
 *
 * While an answer is awaited no other command is written for a while, since an error line could be that of
 * either. Which coding of requests a modem understands is found by trying and remembered for its life;
 * ussd_text.c knows the codings. What the network sends unasked is told upward; a dialogue that it opens so
 * is closed.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"
#include "modem/modem_private.h"

enum { GSM7_DCS = 15 };

/* ---- out ---- */

static void cancel_done(struct at_cmd *c, const struct at_result *r)
{
    struct modem *m = c->owner;

    m->ussd.cancelling = false;
    m->ussd.cancelled_ms = modem_now(m);
    line_result(m, r);
}

static void send_cancel(struct modem *m)
{
    struct ussd *s = &m->ussd;

    if (s->cancelling || !m->port)
        return;
    s->cancel = (struct at_cmd){.text = "AT+CUSD=2", .cls = AT_USSD, .done = cancel_done};
    s->cancelling = line_send(m, &s->cancel, true) == 0;
}

static void on_done(struct at_cmd *c, const struct at_result *r);

static int send_text(struct modem *m, enum profile_coding coding)
{
    struct ussd *s = &m->ussd;
    char string[USSD_STRING_BYTES];

    if (!ussd_encode(s->text, coding, string))
        return ERR_INVALID;
    s->trying = coding;
    s->cmd = (struct at_cmd){.cls = AT_USSD, .done = on_done};
    snprintf(s->cmd.text, sizeof(s->cmd.text), "AT+CUSD=1,\"%s\",%d", string, GSM7_DCS);
    int status = line_send(m, &s->cmd, false);
    s->sent = status == 0;
    return status;
}

/* ---- what the user of the session is told ---- */

static void quiet_over(struct modem *m)
{
    rt_timer_stop(m->rt, &m->ussd.timer);
    at_hold(&m->chan, 0, modem_now(m));
    line_pump(m);
}

void ussd_end(struct modem *m, int status, const char *text)
{
    struct modem_ussd *u = m->ussd.user;

    quiet_over(m);
    m->ussd.user = NULL;
    m->ussd.open = false;
    if (u)
        u->answered(u, status, text, false);
}

static void told_more(struct modem *m, const char *text)
{
    struct ussd *s = &m->ussd;

    quiet_over(m);
    s->open = true;
    rt_timer_at(m->rt, &s->timer, modem_now(m) + MODEM_USSD_REPLY_MS);
    s->user->answered(s->user, 0, text, true);
}

/* Not understood, perhaps: this modem may want it written otherwise. */
static void refused(struct modem *m, const char *why)
{
    static const enum profile_coding next[] = {[CODING_AUTO] = CODING_AUTO,
                                               [CODING_PLAIN] = CODING_PACKED,
                                               [CODING_PACKED] = CODING_UCS2,
                                               [CODING_UCS2] = CODING_AUTO};
    struct ussd *s = &m->ussd;
    bool may = m->profile->ussd_request == CODING_AUTO && s->coding == CODING_AUTO && !s->open &&
               next[s->trying] != CODING_AUTO;

    if (!*s->refusal)
        str_copy(s->refusal, sizeof(s->refusal), why);
    quiet_over(m);
    if (!may || s->sent || send_text(m, next[s->trying]) != 0)
        ussd_end(m, ERR_REFUSED, s->refusal);
}

/* An error that says nothing of the request's form ends the session. */
static void failed(struct modem *m, const struct at_result *r)
{
    enum carrier_error cls = errors_class(r);
    char text[CARRIER_TEXT_BYTES];

    errors_text(r, text, sizeof(text));
    if (cls == CARRIER_E_NETWORK || cls == CARRIER_E_SIM || cls == CARRIER_E_BUSY)
        ussd_end(m, ERR_REFUSED, text);
    else
        refused(m, text);
}

/* ---- in ---- */

/* TS 27.007 7.15 <m> */
enum { CUSD_DONE, CUSD_MORE, CUSD_ENDED, CUSD_ELSEWHERE, CUSD_UNSUPPORTED, CUSD_TIMEOUT };

static const char *const outcomes[] = {
    [CUSD_DONE] = "no text came",
    [CUSD_MORE] = "no text came",
    [CUSD_ENDED] = "ended by the network",
    [CUSD_ELSEWHERE] = "another client has answered",
    [CUSD_UNSUPPORTED] = "not supported by the network",
    [CUSD_TIMEOUT] = "the network did not answer in time",
};

/* Some modems confirm AT+CUSD=2 so, when the next session may have begun. */
static bool confirms_cancel(const struct modem *m, int64_t kind)
{
    enum { SOON_MS = 1000 };
    const struct ussd *s = &m->ussd;

    return kind == CUSD_ENDED &&
           (s->cancelling || (s->cancelled_ms && modem_now(m) - s->cancelled_ms < SOON_MS));
}

static void outcome(struct modem *m, int64_t kind)
{
    bool known = kind >= 0 && kind < (int64_t)ARRAY_LEN(outcomes);
    char other[40];

    if (kind == CUSD_UNSUPPORTED) {
        refused(m, outcomes[kind]);
        return;
    }
    if (!known)
        snprintf(other, sizeof(other), "the modem answered +CUSD: %lld", (long long)kind);
    ussd_end(m, kind == CUSD_TIMEOUT ? ERR_TIMEOUT : ERR_REFUSED, known ? outcomes[kind] : other);
}

/* Nobody asked: the network speaks first, or answers too late. */
static void unasked(struct modem *m, int64_t kind, const char *text)
{
    modem_log(info, m, "ussd from the network text=%s", log_text(text));
    if (m->carrier.up && m->carrier.up->ussd)
        m->carrier.up->ussd(m->carrier.up_owner, &m->carrier, text);
    if (kind == CUSD_MORE)
        send_cancel(m);
}

static void on_answer(struct modem *m, const char *line)
{
    char string[USSD_TEXT_BYTES], text[USSD_TEXT_BYTES];
    struct at_cur c = at_cur_after(line, "+CUSD:");
    int64_t kind, dcs = -1;

    if (!at_cur_number(&c, &kind))
        return;
    bool has_text = at_cur_string(&c, string, sizeof(string)) && *string;
    if (!has_text || kind < CUSD_DONE || kind > CUSD_ENDED) {
        if (m->ussd.user && !confirms_cancel(m, kind))
            outcome(m, kind);
        return;
    }
    at_cur_number(&c, &dcs);
    ussd_decode(string, dcs, m->profile->ussd_answer, text);
    if (!m->ussd.user) {
        unasked(m, kind, text);
        return;
    }
    m->ussd.coding = m->ussd.trying;
    str_copy(m->ussd.coding_imei, sizeof(m->ussd.coding_imei), m->carrier.imei);
    if (kind == CUSD_MORE)
        told_more(m, text);
    else
        ussd_end(m, 0, text);
}

void ussd_urc(struct modem *m, const char *line)
{
    struct at_cur c = at_cur_after(line, "+CME ERROR:");
    struct at_result late = {.code = AT_CME_ERROR, .number = -1};
    int64_t number;

    if (strncmp(line, "+CUSD:", 6) == 0) {
        on_answer(m, line);
        return;
    }
    if (!m->ussd.user || m->ussd.open) {
        modem_log(debug, m, "ignored \"%s\"", line);
        return;
    }
    if (at_cur_number(&c, &number) && number >= 0 && number <= INT_MAX)
        late.number = (int)number;
    failed(m, &late); /* the network's refusal, behind the OK (MC55i, E1752) */
}

static void on_done(struct at_cmd *c, const struct at_result *r)
{
    struct modem *m = c->owner;
    struct ussd *s = &m->ussd;
    char text[CARRIER_TEXT_BYTES];

    s->sent = false;
    line_result(m, r);
    if (s->left && r->code == AT_OK)
        send_cancel(m);
    s->left = false;
    if (!s->user || s->open)
        return; /* answered before the OK, or left */
    if (r->code == AT_OK) {
        rt_timer_at(m->rt, &s->timer, modem_now(m) + MODEM_USSD_MS);
        at_hold(&m->chan, modem_now(m) + MODEM_USSD_QUIET_MS, modem_now(m));
        return;
    }
    errors_text(r, text, sizeof(text));
    if (r->code == AT_TIMEOUT || r->code == AT_CLOSED)
        ussd_end(m, r->code == AT_TIMEOUT ? ERR_TIMEOUT : ERR_GONE, text);
    else
        failed(m, r);
}

static void on_timeout(struct rt_timer *t)
{
    struct modem *m = container_of(t, struct modem, ussd.timer);
    bool reply = m->ussd.open;

    send_cancel(m);
    ussd_end(m, ERR_TIMEOUT, reply ? "no reply in time" : outcomes[CUSD_TIMEOUT]);
}

/* ---- asking ---- */

void ussd_init(struct modem *m)
{
    m->ussd.timer = (struct rt_timer){.fire = on_timeout, .at_ms = RT_NEVER};
}

static int check_code(const char *code, struct err *e)
{
    size_t len = strlen(code);

    if (len == 0 || len > USSD_REQUEST_CHARS || strspn(code, "0123456789*#+") != len)
        return err_set(e, ERR_INVALID, "\"%.90s\": expected a code of digits, * and #, such as *100#", code);
    return 0;
}

int modem_ussd_begin(struct modem *m, const char *code, struct modem_ussd *u, struct err *e)
{
    struct ussd *s = &m->ussd;
    enum profile_coding coding = m->profile->ussd_request;

    if (check_code(code, e) != 0)
        return ERR_INVALID;
    if (m->state != MODEM_READY)
        return err_set(e, ERR_GONE, "the modem is %s", modem_state_name(m->state));
    if (s->user || s->sent) /* what is being cancelled is over when this one's turn has come */
        return err_set(e, ERR_BUSY, "another USSD request is under way");
    if (strcmp(s->coding_imei, m->carrier.imei) != 0)
        s->coding = CODING_AUTO; /* another modem than the one that was learnt of */
    if (coding == CODING_AUTO)
        coding = s->coding == CODING_AUTO ? CODING_PLAIN : s->coding;
    str_copy(s->text, sizeof(s->text), code);
    s->refusal[0] = '\0';
    s->open = false;
    int status = send_text(m, coding);
    if (status == ERR_INVALID)
        return err_set(e, ERR_TOO_LONG, "\"%s\" is too long for this modem", code);
    if (status)
        return err_set(e, ERR_BUSY, "the modem has too much to do");
    s->user = u;
    return 0;
}

int modem_ussd_reply(struct modem *m, struct modem_ussd *u, const char *text, struct err *e)
{
    struct ussd *s = &m->ussd;

    if (s->user != u || !s->open)
        return err_set(e, ERR_GONE, "the network does not wait for a reply");
    if (s->sent)
        return err_set(e, ERR_BUSY, "another USSD request is under way");
    if (!*text || strlen(text) >= sizeof(s->text) || !utf8_valid(text, strlen(text)))
        return err_set(e, ERR_INVALID, "expected a reply of 1 to %d bytes", (int)sizeof(s->text) - 1);
    str_copy(s->text, sizeof(s->text), text);
    int status = send_text(m, s->coding);
    if (status == ERR_INVALID)
        return err_set(e, ERR_INVALID, "\"%s\": this modem takes digits and plain letters only", text);
    if (status)
        return err_set(e, ERR_BUSY, "the modem has too much to do");
    s->open = false;
    rt_timer_stop(m->rt, &s->timer);
    return 0;
}

void modem_ussd_end(struct modem *m, struct modem_ussd *u)
{
    struct ussd *s = &m->ussd;

    if (s->user != u)
        return;
    quiet_over(m);
    s->user = NULL;
    s->open = false;
    s->left = s->sent; /* then when that has been answered */
    if (!s->sent)
        send_cancel(m);
}
