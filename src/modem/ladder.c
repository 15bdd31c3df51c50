/* What is tried, in this order, when a modem does not answer or cannot be set up.
 *
 * The channel has resynchronised in vain by then (ESC, probe). Each rung ends by probing from the first AT;
 * if that fails, the next rung's turn has come. Rungs that disturb the radio or restart the modem are not
 * used again for a while: then they are passed over, and behind the last the port is closed for a growing
 * time (BACKOFF), after which the ladder begins anew.
 *
 * A port that was only tried in search of an IMEI is asked twice (the first bytes may be lost when it wakes
 * up) and then left: it may be no modem at all, or somebody else's.
 */
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

static const struct rung {
    const char *name;
    const char *commands[2];
    int64_t wait_ms;  /* behind the commands, before it is probed */
    int64_t every_ms; /* not more often than that */
    bool reopen;
} rungs[] = {
    {.name = "asked again"},
    /* A submission of a former life may still be on the air: busy modems do not listen (60 s and more). */
    {.name = "asked again later", .wait_ms = 20000},
    {.name = "soft reset (ATZ)", .commands = {"ATZ"}, .wait_ms = 1000, .every_ms = 60000},
    {.name = "radio off and on (AT+CFUN=4, 1)",
     .commands = {"AT+CFUN=4", "AT+CFUN=1"},
     .wait_ms = 5000,
     .every_ms = 600000},
    {.name = "restart (AT+CFUN=1,1)", .commands = {"AT+CFUN=1,1"}, .wait_ms = 15000, .every_ms = 600000},
    {.name = "port closed and opened", .wait_ms = 2000, .every_ms = 60000, .reopen = true},
};
enum { DUMP_LINES = 12 };

static const char *newest_lines(const char *text, int lines)
{
    const char *p = text + strlen(text);

    while (p > text && lines >= 0) {
        p--;
        lines -= *p == '\n';
    }
    return *p == '\n' ? p + 1 : p;
}

static void log_exchanges(struct modem *m)
{
    struct buf dump = {0};

    at_dump(&m->chan, &dump);
    const char *p = newest_lines(buf_str(&dump), DUMP_LINES);
    while (*p) {
        size_t len = strcspn(p, "\n");
        modem_log(info, m, "  %.*s", (int)len, p);
        p += len + (p[len] == '\n');
    }
    buf_free(&dump);
}

static bool used_lately(const struct modem *m, size_t rung)
{
    return m->rung_used_ms[rung] && modem_now(m) - m->rung_used_ms[rung] < rungs[rung].every_ms;
}

/* A modem that answers, but refuses what it must do, is not helped by asking again. */
static bool of_use(const struct modem *m, size_t rung)
{
    bool answers = m->timeouts == 0;

    return !used_lately(m, rung) && (!answers || rungs[rung].commands[0]);
}

static void begin_probe(struct rt_timer *t)
{
    struct modem *m = container_of(t, struct modem, rung_timer);

    m->rung_active = false;
    modem_probe(m, m->reason);
}

static void next_command(struct modem *m);

static void command_done(struct at_cmd *c, const struct at_result *r)
{
    struct modem *m = c->owner;

    (void)r; /* a modem that cannot answer may still obey */
    if (m->rung_active)
        next_command(m);
}

static void next_command(struct modem *m)
{
    const struct rung *r = &rungs[m->rung - 1];

    while (m->rung_step < ARRAY_LEN(r->commands) && r->commands[m->rung_step]) {
        m->rung_cmd = (struct at_cmd){.cls = AT_QUERY, .done = command_done};
        str_copy(m->rung_cmd.text, sizeof(m->rung_cmd.text), r->commands[m->rung_step++]);
        if (line_send(m, &m->rung_cmd, false) == 0)
            return;
    }
    rt_timer_at(m->rt, &m->rung_timer, modem_now(m) + r->wait_ms);
}

static void climb(struct modem *m, size_t rung, const char *why)
{
    const struct rung *r = &rungs[rung];

    m->rung = rung + 1;
    m->rung_used_ms[rung] = modem_now(m);
    m->recoveries++;
    modem_log(warning, m, "%s: %s", why, r->name);
    log_exchanges(m);
    if (r->reopen) {
        modem_set_state(m, MODEM_BACKOFF, "%s", why);
        modem_teardown(m);
        modem_request(m, MOVE_OPEN, r->wait_ms, "%s", why);
        return;
    }
    modem_probe(m, why);
    rt_timer_stop(m->rt, &m->drain_timer); /* probed behind the rung's commands */
    m->rung_active = true;
    m->rung_step = 0;
    next_command(m);
}

static void leave_stranger(struct modem *m, const char *why)
{
    bool asked_twice = m->rung > 0;

    m->rung = asked_twice ? 0 : 1;
    if (asked_twice)
        modem_open(m);
    else
        modem_probe(m, why);
}

void ladder_recover(struct modem *m, const char *why)
{
    if (!m->port)
        return;
    if (m->state == MODEM_DRAINING) {
        modem_close(m);
        return;
    }
    if (finder_stranger(m)) {
        leave_stranger(m, why);
        return;
    }
    if (modem_up(m) && modem_now(m) - m->state_ms >= MODEM_SETTLED_MS)
        ladder_calm(m);
    size_t rung = m->rung;
    while (rung < ARRAY_LEN(rungs) && !of_use(m, rung))
        rung++;
    if (rung < ARRAY_LEN(rungs)) {
        climb(m, rung, why);
        return;
    }
    m->rung = 0;
    m->recoveries++;
    modem_back_off(m, RT_NEVER, why);
}

bool ladder_radio(struct modem *m, const char *why)
{
    if (used_lately(m, RUNG_RADIO))
        return false;
    climb(m, RUNG_RADIO, why);
    return true;
}

void ladder_calm(struct modem *m)
{
    m->rung = 0;
    m->backoff_n = 0;
}

void ladder_stop(struct modem *m)
{
    m->rung_active = false;
    rt_timer_stop(m->rt, &m->rung_timer);
}

void ladder_init(struct modem *m)
{
    m->rung_timer = (struct rt_timer){.fire = begin_probe, .at_ms = RT_NEVER};
}
