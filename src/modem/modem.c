/* A modem's life: its states and what leads from one to the next. modem.h has the picture.
 *
 * OPENING, PROBING and INITIALISING wait for the port or a script; REGISTERING for the network; READY and
 * LOCKED stay until something happens; ABSENT and BACKOFF wait for a time. Every state has a way out that
 * needs no operator, but LOCKED and DISABLED.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

enum {
    POLLED_MS = 60000,       /* sweeps of a modem that announces nothing */
    LOCKED_CHECK_MS = 60000, /* at the least */
    NO_NETWORK_MS = 600000,  /* then the radio is switched off and on */
    RESTART_LOOK_MS = 1000,  /* for one that we have restarted */
};

static const int64_t absent_ms[] = {1000, 2000, 5000, 10000};
static const int64_t backoff_ms[] = {1000, 2000, 5000, 10000, 30000, 60000, 120000, 300000};

/* ---- states ---- */

#define TO(s) (1u << MODEM_##s)

static const struct {
    const char *name;
    unsigned allowed;
    enum carrier_state carrier;
} states[MODEM_STATES] = {
    [MODEM_ABSENT] = {"absent", TO(OPENING) | TO(DISABLED), CARRIER_DOWN},
    [MODEM_OPENING] = {"opening", TO(PROBING) | TO(BACKOFF) | TO(ABSENT) | TO(DISABLED), CARRIER_DOWN},
    [MODEM_PROBING] = {"probing", TO(INITIALISING) | TO(BACKOFF) | TO(ABSENT) | TO(OPENING) | TO(DISABLED),
                       CARRIER_DOWN},
    [MODEM_INITIALISING] = {"initialising",
                            TO(REGISTERING) | TO(PROBING) | TO(OPENING) | TO(BACKOFF) | TO(ABSENT) |
                                TO(LOCKED) | TO(DISABLED),
                            CARRIER_DOWN},
    [MODEM_REGISTERING] = {"registering",
                           TO(READY) | TO(PROBING) | TO(BACKOFF) | TO(ABSENT) | TO(DRAINING) | TO(DISABLED),
                           CARRIER_DOWN},
    [MODEM_READY] = {"ready",
                     TO(REGISTERING) | TO(PROBING) | TO(BACKOFF) | TO(ABSENT) | TO(DRAINING) | TO(DISABLED),
                     CARRIER_READY},
    [MODEM_BACKOFF] = {"backoff", TO(OPENING) | TO(ABSENT) | TO(DISABLED), CARRIER_DOWN},
    [MODEM_LOCKED] = {"locked", TO(PROBING) | TO(BACKOFF) | TO(ABSENT) | TO(DISABLED), CARRIER_LOCKED},
    [MODEM_DRAINING] = {"draining", TO(DISABLED), CARRIER_DOWN},
    [MODEM_DISABLED] = {"disabled", TO(OPENING) | TO(ABSENT), CARRIER_CLOSED},
};

const char *modem_state_name(enum modem_state s)
{
    return states[s].name;
}

bool modem_up(const struct modem *m)
{
    return m->state == MODEM_REGISTERING || m->state == MODEM_READY;
}

void modem_changed(struct modem *m)
{
    if (m->carrier.up)
        m->carrier.up->changed(m->carrier.up_owner, &m->carrier);
}

/* The carrier's part; told only when the gateway can see a difference. */
static void show(struct modem *m)
{
    enum carrier_state cs = states[m->state].carrier;
    bool same = cs == m->carrier.state && strcmp(m->carrier.reason, m->reason) == 0;

    if (cs != m->carrier.state) {
        m->carrier.state = cs;
        m->carrier.since_wall_ms = rt_wall_ms(m->rt);
    }
    str_copy(m->carrier.reason, sizeof(m->carrier.reason), m->reason);
    if (!same)
        modem_changed(m);
}

static void log_state(struct modem *m, enum modem_state from)
{
    /* Attempts to open, and strangers that are asked, repeat the same few states for as long as a stick is
     * out: told once. */
    bool trying = m->state == MODEM_OPENING ||
                  ((m->state == MODEM_PROBING || m->state == MODEM_INITIALISING) && finder_stranger(m));
    bool passing = trying || ladder_restarting(m) || strcmp(m->logged, m->reason) == 0;
    const char *sep = *m->reason ? ": " : "";

    if (passing)
        modem_log(debug, m, "%s -> %s%s%s", states[from].name, states[m->state].name, sep, m->reason);
    else if (m->state == MODEM_LOCKED || m->state == MODEM_ABSENT || m->state == MODEM_BACKOFF)
        modem_log(warning, m, "%s%s%s", states[m->state].name, sep, m->reason);
    else
        modem_log(info, m, "%s -> %s%s%s", states[from].name, states[m->state].name, sep, m->reason);
    if (!trying)
        str_copy(m->logged, sizeof(m->logged), m->reason);
}

/* The one place where the state is assigned. fmt NULL: the reason stays what it was. */
void modem_set_state(struct modem *m, enum modem_state to, const char *fmt, ...)
{
    enum modem_state from = m->state;
    char text[sizeof(m->reason)];

    if (!(states[from].allowed & (1u << to)) && from != to)
        modem_log(err, m, "unexpected move %s -> %s", states[from].name, states[to].name);
    if (fmt) {
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap); /* of which the present reason may be a part */
        va_end(ap);
        memcpy(m->reason, text, sizeof(text));
    }
    m->state = to;
    m->state_ms = modem_now(m);
    m->state_wall_ms = rt_wall_ms(m->rt);
    log_state(m, from);
    trace_state(m);
    show(m);
}

/* ---- down ---- */

/* A move that was asked for belongs to what is ended here. */
static void stop_activities(struct modem *m)
{
    m->move = MOVE_NONE;
    rt_timer_stop(m->rt, &m->move_timer);
    script_stop(m);
    ladder_stop(m);
    rt_timer_stop(m->rt, &m->drain_timer);
    rt_timer_stop(m->rt, &m->idle_timer);
}

void modem_teardown(struct modem *m)
{
    stop_activities(m);
    if (!m->closed_since_ms)
        m->closed_since_ms = modem_now(m);
    line_close(m);
    rx_forget(m);
    ask_end(m, ERR_GONE);
    ussd_end(m, ERR_GONE, "");
    calls_over(m);
    m->timeouts = 0;
}

static bool stopping(struct modem *m)
{
    if (!m->stopped && m->state != MODEM_DRAINING)
        return false;
    modem_close(m);
    return true;
}

void modem_absent(struct modem *m, const char *why)
{
    bool restarting = ladder_restarting(m);

    if (stopping(m))
        return;
    modem_set_state(m, MODEM_ABSENT, "%s%s", restarting ? "restarting: " : "", why);
    modem_teardown(m);
    if (!restarting)
        alarms_of_presence_over(m);
    alarm_absent(m, why);
    int64_t wait_ms = restarting ? RESTART_LOOK_MS : absent_ms[m->absent_n];
    m->absent_n += !restarting && m->absent_n + 1 < ARRAY_LEN(absent_ms);
    modem_request(m, MOVE_OPEN, wait_ms, "%s", why);
}

void modem_back_off(struct modem *m, int64_t max_ms, const char *why)
{
    if (stopping(m))
        return;
    modem_set_state(m, MODEM_BACKOFF, "%s", why);
    modem_teardown(m);
    alarm_absent(m, why);
    int64_t wait_ms = backoff_ms[m->backoff_n];
    m->backoff_n += m->backoff_n + 1 < ARRAY_LEN(backoff_ms);
    modem_request(m, MOVE_OPEN, wait_ms < max_ms ? wait_ms : max_ms, "%s", why);
}

static void on_closed(struct rt_timer *t)
{
    struct modem *m = container_of(t, struct modem, stop_timer);
    void (*stopped)(void *owner) = m->stopped;

    m->stopped = NULL;
    stopped(m->stopped_owner);
}

/* The owner is told from a timer: it frees the modem then, which whoever called this may still be using. */
void modem_close(struct modem *m)
{
    if (modem_up(m))
        modem_set_state(m, MODEM_DRAINING, "stopping");
    modem_teardown(m);
    rt_timer_stop(m->rt, &m->stop_timer);
    finder_leave(m);
    if (m->state != MODEM_DISABLED)
        modem_set_state(m, MODEM_DISABLED, "stopped");
    if (!m->stopped)
        return;
    m->stop_timer.fire = on_closed;
    rt_timer_at(m->rt, &m->stop_timer, modem_now(m));
}

/* ---- up ---- */

void modem_open(struct modem *m)
{
    char spec[PORT_NAME_BYTES];
    struct err e = {0};

    if (m->port)
        modem_teardown(m);
    if (finder_pick(m, spec, &e) < 0) {
        finder_none(m, &e);
        return;
    }
    modem_set_state(m, MODEM_OPENING, NULL);
    if (line_open(m, spec, &e) < 0)
        finder_failed(m, &e);
}

static void on_drained(struct rt_timer *t)
{
    struct modem *m = container_of(t, struct modem, drain_timer);

    script_start(m, &script_probe);
}

static void forget(struct modem *m)
{
    m->manufacturer[0] = m->model[0] = m->revision[0] = m->smsc[0] = m->pin_state[0] = '\0';
    m->carrier.imei[0] = m->carrier.imsi[0] = m->carrier.operator_name[0] = '\0';
    m->carrier.signal_dbm = 0;
    m->lock = LOCK_NONE;
    m->pin_wanted = m->pin_sent = m->sim_usable = false;
    m->iccid[0] = '\0';
    m->plan = m->conf->plan;
    m->acks = false;
    m->csms = -1;
    m->cnmi = -1;
    m->rx.ack_form = ACK_PROBE;
    m->rx.ack_changed = false;
    m->more_max = m->more_now = 0;
    m->wedge_lines = 0;
    registration_forget(m);
    stores_forget(m);
}

void modem_probe(struct modem *m, const char *why)
{
    if (!m->port)
        return;
    if (m->state == MODEM_DRAINING) { /* nothing that it had on the air will end */
        modem_close(m);
        return;
    }
    m->absent_n = 0;
    modem_set_state(m, MODEM_PROBING, "%s", why);
    stop_activities(m);
    at_close(&m->chan, modem_now(m));
    rx_forget(m);
    ask_end(m, ERR_GONE);
    ussd_end(m, ERR_GONE, "");
    calls_over(m);
    forget(m);
    m->timeouts = 0;
    /* A process that died behind AT+CMGS left the modem at its prompt, where commands are text. What it
     * answers, if anything, is drained. TS 27.005 3.5.1. */
    if (m->traces)
        trace_bytes(m, TRACE_TO, "\x1b", 1);
    port_write(m->port, "\x1b", 1);
    rt_timer_at(m->rt, &m->drain_timer, modem_now(m) + MODEM_DRAIN_MS);
}

void modem_here(struct modem *m)
{
    m->closed_since_ms = m->boot_until_ms = m->silent_until_ms = 0;
    modem_alarm_over(m, CARRIER_ALARM_ABSENT);
}

void modem_set_up(struct modem *m)
{
    m->was_up = true;
    modem_here(m);
    if (!m->prompts_in_vain)
        modem_alarm_over(m, CARRIER_ALARM_HUNG);
    alarm_sim(m);
    if (!m->offline_since_ms)
        m->offline_since_ms = modem_now(m);
}

void modem_locked(struct modem *m, enum modem_lock lock, const char *fmt, ...)
{
    char why[CARRIER_TEXT_BYTES];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    if (identity_locked(m, why))
        return;
    m->lock = lock;
    modem_here(m);
    modem_set_state(m, MODEM_LOCKED, "%s", why);
    alarms_of_presence_over(m);
    modem_alarm(m, CARRIER_ALARM_SIM, "%s", why);
    rt_timer_at(m->rt, &m->idle_timer, modem_now(m) + LOCKED_CHECK_MS);
}

/* ---- the network comes and goes ---- */

static void arm_idle(struct modem *m)
{
    static const int64_t polls_ms[] = {2000, 5000, 10000, 20000, 30000, 60000};
    int64_t wait_ms = m->conf->sweep_ms;

    if (m->state == MODEM_REGISTERING) {
        wait_ms = polls_ms[m->register_n];
        m->register_n += m->register_n + 1 < ARRAY_LEN(polls_ms);
    } else if (m->cnmi < 0 && wait_ms > POLLED_MS) {
        wait_ms = POLLED_MS;
    }
    rt_timer_at(m->rt, &m->idle_timer, modem_now(m) + wait_ms);
}

void modem_registered(struct modem *m)
{
    bool ok = registration_ok(m);

    if (m->state == MODEM_REGISTERING && ok) {
        modem_set_state(m, MODEM_READY, "%s", "");
        m->offline_since_ms = 0;
        m->offline_tried = 0;
        modem_alarm_over(m, CARRIER_ALARM_NETWORK);
        script_start(m, &script_ready);
        balance_ready(m);
        arm_idle(m);
    } else if (m->state == MODEM_READY && !ok) {
        m->register_ms = m->offline_since_ms = modem_now(m);
        m->register_n = 0;
        modem_set_state(m, MODEM_REGISTERING, "%s", registration_text(m));
        arm_idle(m);
    } else if (m->state == MODEM_REGISTERING) {
        str_copy(m->reason, sizeof(m->reason), registration_text(m));
        show(m);
        arm_idle(m);
    }
}

static void sweep_if_due(struct modem *m)
{
    if (modem_now(m) - m->swept_ms < m->conf->sweep_ms && m->state != MODEM_READY)
        return;
    m->swept_ms = modem_now(m);
    stores_sweep(m);
}

/* Sweep and health check of a ready modem; otherwise a look at what is waited for. */
static void on_idle(struct rt_timer *t)
{
    struct modem *m = container_of(t, struct modem, idle_timer);

    if (m->state == MODEM_READY) {
        if (modem_now(m) - m->state_ms >= MODEM_SETTLED_MS)
            ladder_calm(m);
        alarm_restarts_over(m);
        script_start(m, &script_health); /* first: it tells sooner than a listing that nothing answers */
        sweep_if_due(m);
        if (m->acks)
            script_start(m, &script_cnmi);
        arm_idle(m);
    } else if (m->state == MODEM_REGISTERING) {
        alarm_offline(m);
        /* A SIM that is refused is not helped by restarts of the modem. */
        if (modem_now(m) - m->register_ms > NO_NETWORK_MS &&
            ladder_useless(m, &m->offline_tried, registration_denied(m), registration_text(m)))
            return;
        sweep_if_due(m);
        script_start(m, &script_register);
        arm_idle(m);
    } else if (m->state == MODEM_LOCKED) {
        script_start(m, &script_locked);
        rt_timer_at(m->rt, &m->idle_timer,
                    modem_now(m) +
                        (m->conf->sweep_ms > LOCKED_CHECK_MS ? m->conf->sweep_ms : LOCKED_CHECK_MS));
    }
}

/* ---- start, stop ---- */

static const struct carrier_ops carrier_ops = {.submit = send_submit, .settle = rx_settle};

struct modem *modem_new(struct rt *rt, struct port_source *ports, const struct modem_conf *conf)
{
    struct modem *m = calloc(1, sizeof(*m));

    if (!m)
        return NULL;
    m->rt = rt;
    m->ports = ports;
    m->conf = conf;
    snprintf(m->who, sizeof(m->who), "modem %s", conf->name);
    m->profile = &profile_generic;
    m->state = MODEM_DISABLED;
    str_copy(m->reason, sizeof(m->reason), "not started");
    m->carrier = (struct carrier){.ops = &carrier_ops, .state = CARRIER_CLOSED};
    str_copy(m->carrier.name, sizeof(m->carrier.name), conf->name);
    str_copy(m->carrier.pool, sizeof(m->carrier.pool), conf->pool);
    str_copy(m->carrier.number, sizeof(m->carrier.number), conf->number);
    str_copy(m->carrier.reason, sizeof(m->carrier.reason), m->reason);
    m->pin_tries = -1;
    m->drain_timer = (struct rt_timer){.fire = on_drained, .at_ms = RT_NEVER};
    m->idle_timer = (struct rt_timer){.fire = on_idle, .at_ms = RT_NEVER};
    line_init(m);
    rx_init(m);
    ladder_init(m);
    ussd_init(m);
    calls_init(m);
    balance_init(m);
    forget(m);
    return m;
}

struct carrier *modem_carrier(struct modem *m)
{
    return &m->carrier;
}

void modem_start(struct modem *m)
{
    if (m->state != MODEM_DISABLED)
        return;
    finder_join(m);
    m->absent_n = m->backoff_n = 0;
    m->closed_since_ms = modem_now(m);
    modem_request(m, MOVE_OPEN, 0, "started");
}

static void on_stop(struct rt_timer *t)
{
    struct modem *m = container_of(t, struct modem, stop_timer);

    if (!modem_up(m) || modem_now(m) >= m->stop_ms) {
        modem_close(m);
        return;
    }
    modem_set_state(m, MODEM_DRAINING, "stopping");
    script_stop(m);
    rt_timer_at(m->rt, &m->stop_timer, m->stop_ms);
    modem_drained(m);
}

void modem_drained(struct modem *m)
{
    if (m->state == MODEM_DRAINING && !m->submit && rx_drained(m))
        modem_request(m, MOVE_CLOSE, 0, "stopped");
}

void modem_stop(struct modem *m, int64_t bound_ms, void (*stopped)(void *owner), void *owner)
{
    m->stopped = stopped;
    m->stopped_owner = owner;
    m->stop_ms = modem_now(m) + bound_ms;
    m->stop_timer = (struct rt_timer){.fire = on_stop, .at_ms = RT_NEVER};
    rt_timer_at(m->rt, &m->stop_timer, modem_now(m));
}

void modem_free(struct modem *m)
{
    if (!m)
        return;
    m->carrier.up = NULL;
    trace_end(m);
    struct rt_timer *const timers[] = {&m->chan_timer,  &m->move_timer,   &m->drain_timer, &m->idle_timer,
                                       &m->stop_timer,  &m->rung_timer,   &m->run.pause,   &m->ussd.timer,
                                       &m->calls.timer, &m->balance.timer};
    for (size_t i = 0; i < ARRAY_LEN(timers); i++)
        rt_timer_stop(m->rt, timers[i]);
    if (m->port)
        port_close(m->port);
    finder_leave(m);
    ladder_fini(m);
    at_fini(&m->chan);
    rx_fini(m);
    buf_free(&m->ask_answer);
    free(m);
}
