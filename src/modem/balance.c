/* The SIM's balance: a USSD code asked now and then, an amount found in the answer, an alarm when it is low.
 *
 * Asked some minutes after the modem is ready for the first time and then every modem_balance_conf.every_ms,
 * a little spread so that many SIMs do not ask at once; in a moment without messages, which is waited for up
 * to POSTPONE_MS. What fails is tried again sooner than that. The answer is kept while the SIM is the same.
 */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"
#include "modem/modem_private.h"

enum {
    FIRST_MS = 120000,        /* the earliest, from when it is ready … */
    FIRST_SPREAD_MS = 480000, /* … and so much later */
    LOOK_AGAIN_MS = 30000,    /* it is not idle */
    IDLE_MS = 10000,          /* no message was begun for so long */
    POSTPONE_MS = 3600000,
    RETRY_MS = 600000, /* after a failure; doubles up to every_ms */
    RETRIES_MAX = 6,
    SPREAD_PARTS = 20, /* of every_ms, either way */
};

static int64_t random_below(struct modem *m, int64_t bound)
{
    uint64_t r;

    rt_random(m->rt, &r, sizeof(r));
    return bound > 0 ? (int64_t)(r % (uint64_t)bound) : 0;
}

static void plan(struct modem *m, int64_t after_ms)
{
    m->balance.due_ms = modem_now(m) + after_ms;
    rt_timer_at(m->rt, &m->balance.timer, m->balance.due_ms);
}

/* ---- the answer ---- */

static void judge(struct modem *m)
{
    const struct modem_balance_conf *conf = &m->conf->balance;
    struct modem_balance *b = &m->balance.last;
    int64_t below = 0;

    b->has_amount = modem_read_amount(b->text, conf->pattern, &b->amount_milli);
    b->low = b->has_amount && *conf->below && modem_read_amount(conf->below, "", &below) &&
             b->amount_milli < below;
    if (!b->has_amount)
        modem_log(warning, m, "no amount was found in the balance %s (modems[].balance.pattern)",
                  log_text(b->text));
    else if (b->low)
        modem_alarm(m, CARRIER_ALARM_BALANCE, "the balance is under %s: %.100s", conf->below, b->text);
    if (b->has_amount && !b->low)
        modem_alarm_over(m, CARRIER_ALARM_BALANCE);
}

static void keep(struct modem *m, const char *text)
{
    struct modem_balance *b = &m->balance.last;

    if (!str_copy(b->text, sizeof(b->text), text))
        utf8_mend(b->text);
    b->at_wall_ms = rt_wall_ms(m->rt);
    str_copy(m->balance.imsi, sizeof(m->balance.imsi), m->carrier.imsi);
    judge(m);
    modem_changed(m);
}

static int64_t next_ms(struct modem *m, bool ok)
{
    struct balance *s = &m->balance;
    int64_t every_ms = m->conf->balance.every_ms, retry_ms;

    s->fails = ok ? 0 : s->fails + (s->fails < RETRIES_MAX);
    retry_ms = (int64_t)RETRY_MS << (s->fails ? s->fails - 1 : 0);
    if (!ok && retry_ms < every_ms)
        return retry_ms;
    return every_ms - every_ms / SPREAD_PARTS + random_below(m, 2 * every_ms / SPREAD_PARTS);
}

static void on_answered(struct modem_ussd *u, int status, const char *text, bool more)
{
    struct modem *m = container_of(u, struct modem, balance.ussd);
    struct balance *s = &m->balance;
    struct modem_ask *a = s->ask;

    if (!s->asking) /* a menu that was left */
        return;
    if (more)
        modem_ussd_end(m, u);
    s->asking = false;
    s->ask = NULL;
    if (status == 0)
        keep(m, text);
    else
        modem_log(warning, m, "the balance is not told: %s", *text ? text : err_name(status));
    plan(m, next_ms(m, status == 0));
    if (a)
        a->done(a, status, text);
}

/* ---- asking ---- */

static int ask(struct modem *m, struct err *e)
{
    struct balance *s = &m->balance;

    s->ussd.answered = on_answered;
    int status = modem_ussd_begin(m, m->conf->balance.code, &s->ussd, e);
    s->asking = status == 0;
    return status;
}

static bool idle(const struct modem *m)
{
    return m->state == MODEM_READY && !m->submit && !m->calls.ringing && at_idle(&m->chan) &&
           (!m->submit_ms || modem_now(m) - m->submit_ms > IDLE_MS);
}

static void on_timer(struct rt_timer *t)
{
    struct modem *m = container_of(t, struct modem, balance.timer);
    bool waited = modem_now(m) - m->balance.due_ms >= POSTPONE_MS;
    struct err e = {0};

    if (m->balance.asking)
        return;
    if ((!idle(m) && !waited) || ask(m, &e) != 0)
        rt_timer_at(m->rt, &m->balance.timer, modem_now(m) + LOOK_AGAIN_MS);
}

int modem_ask_balance(struct modem *m, struct modem_ask *a, struct err *e)
{
    if (!*m->conf->balance.code)
        return err_set(e, ERR_INVALID,
                       "no code is configured for it: modems[].balance = { code = \"*100#\"; }");
    if (m->balance.ask)
        return err_set(e, ERR_BUSY, "another request for it is under way");
    if (!m->balance.asking && ask(m, e) != 0)
        return e->code;
    m->balance.ask = a;
    return 0;
}

void modem_get_balance(const struct modem *m, struct modem_balance *out)
{
    bool same = strcmp(m->balance.imsi, m->carrier.imsi) == 0 || !*m->carrier.imsi;

    *out = same ? m->balance.last : (struct modem_balance){0};
}

/* ---- life ---- */

void balance_init(struct modem *m)
{
    m->balance.timer = (struct rt_timer){.fire = on_timer, .at_ms = RT_NEVER};
}

void balance_ready(struct modem *m)
{
    struct balance *s = &m->balance;
    bool another_sim = s->last.at_wall_ms && *m->carrier.imsi && strcmp(s->imsi, m->carrier.imsi) != 0;

    if (!*m->conf->balance.code)
        return;
    if (another_sim) {
        s->last = (struct modem_balance){0};
        modem_alarm_over(m, CARRIER_ALARM_BALANCE);
    }
    if (s->timer.at_ms == RT_NEVER || another_sim)
        plan(m, FIRST_MS + random_below(m, FIRST_SPREAD_MS));
}
