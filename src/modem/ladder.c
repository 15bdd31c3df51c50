/* What is tried, in this order, when a modem does not answer or cannot be set up.
 *
 * The channel has resynchronised in vain by then (ESC, probe). Each rung ends by probing from the first AT;
 * if that fails, the next rung's turn has come. Rungs that disturb the radio, restart the modem or cut its
 * power are not used again for a while, and those that cannot be used here (no USB, no permission, no command
 * configured) are passed over, with the reason in the log. Behind the last rung the port is closed for a
 * growing time (BACKOFF), with an alarm, after which the ladder begins anew.
 *
 * A modem that only repeats one of its profile's `wedged` lines is past commands: it is re-plugged, or
 * restarted, at once (wedge.c). Whoever was restarted may leave the bus for a while: that is no failure.
 *
 * One that answers and does not do its work (finds no network, gives no prompts) does not climb from the
 * bottom: what could cure it is tried, each once, and then only its radio.
 *
 * A port that was only tried in search of an IMEI is asked twice (the first bytes may be lost when it wakes
 * up) and then left: it may be no modem at all, or somebody else's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

enum {
    COMMANDS = 3, /* of one rung */
    DUMP_LINES = 12,
    DEAF_MS = 2000, /* a silent modem may obey: its answer is not waited for longer */
    DEAF_RADIO_MS = 2000,
    BOOT_MS = 15000,          /* until it answers again, on the bus or on a serial line; profile.boot_ms */
    BOOT_PATIENCE_MS = 45000, /* facts of USB modems: 5..60 s to come back; then it is gone */
    SILENCE_MS = 10000,       /* behind boot_ms, in which it may be there and not listen */
    RESTART_MS = 5000,        /* before it is asked the first time */
    DEAF_RESTART_MS = 12000,
    REFUSED_MS = 500,
    RESTARTED_LOOK_MS = 1000,
    ANSWERS_EVERY_MS = 3600000, /* power cycles of a modem that answers, but cannot be set up */
};

static const struct rung {
    const char *name, *text;
    const char *commands[COMMANDS];
    int64_t wait_ms;  /* behind the commands, before it is probed */
    int64_t every_ms; /* not more often than that */
    bool beyond;      /* does not need the modem to listen */
} rungs[MODEM_RUNGS] = {
    [RUNG_ASK] = {.name = "ask", .text = "asked again"},
    /* A submission of a former life may still be on the air: busy modems do not listen (60 s and more). */
    [RUNG_ASK_LATER] = {.name = "ask-later", .text = "asked again later", .wait_ms = 20000},
    [RUNG_SOFT] = {.name = "soft-reset",
                   .text = "soft reset (ATZ)",
                   .commands = {"ATZ"},
                   .wait_ms = 500,
                   .every_ms = 60000},
    [RUNG_RADIO] = {.name = "radio",
                    .text = "radio off and on (AT+CFUN=4, 1)",
                    .commands = {"AT+CFUN=4", "AT+CFUN=1"},
                    .wait_ms = 5000,
                    .every_ms = 600000},
    [RUNG_RESTART] = {.name = "restart", .text = "restart", .commands = {"AT+CFUN=1,1"}, .every_ms = 600000},
    [RUNG_REOPEN] = {.name = "reopen", .text = "port closed and opened", .wait_ms = 1000, .every_ms = 60000},
    [RUNG_REPLUG] = {.name = "replug",
                     .text = "USB device off the bus and on again",
                     .wait_ms = 1000,
                     .every_ms = 600000,
                     .beyond = true},
    [RUNG_COMMAND] = {.name = "reset-command",
                      .text = "reset_command",
                      .wait_ms = 1000,
                      .every_ms = 600000,
                      .beyond = true},
};

const char *modem_rung_name(enum modem_rung r)
{
    return rungs[r].name;
}

/* ---- which one ---- */

static bool used_within(const struct modem *m, size_t rung, int64_t ms)
{
    return m->rung_used_ms[rung] && modem_now(m) - m->rung_used_ms[rung] < ms;
}

static bool used_lately(const struct modem *m, size_t rung)
{
    return used_within(m, rung, rungs[rung].every_ms);
}

/* Once the port is closed: as it was before. */
static bool answers(const struct modem *m)
{
    return m->port ? m->timeouts == 0 : !m->rung_deaf;
}

/* Why a rung is not used now, or NULL. */
static const char *against(const struct modem *m, size_t rung)
{
    if (rungs[rung].beyond && m->rung_task)
        return "another way is still being tried";
    if (used_lately(m, rung))
        return "used a short while ago";
    if (answers(m) && rungs[rung].beyond && used_within(m, rung, ANSWERS_EVERY_MS))
        return "used within the last hour, and it answers";
    /* A modem that answers, but refuses what it must do, is not helped by asking again. */
    if (answers(m) && !rungs[rung].commands[0] && !rungs[rung].beyond)
        return "it answers";
    if (rung == RUNG_ASK_LATER && m->was_up)
        return "it was idle";
    if (rung == RUNG_REPLUG && !*m->info.usb_path)
        return "not a USB device, as far as is known";
    if (rung == RUNG_REPLUG && !m->ports->replug)
        return "not possible here";
    if (rung == RUNG_COMMAND && !(m->conf->reset_command && m->conf->reset_command[0]))
        return "none is configured";
    if (rung == RUNG_COMMAND && !m->ports->command)
        return "not possible here";
    return NULL;
}

static size_t usable(const struct modem *m, size_t from)
{
    for (; from < MODEM_RUNGS; from++) {
        const char *why_not = against(m, from);
        if (!why_not)
            break;
        modem_log(debug, m, "%s: passed over: %s", rungs[from].text, why_not);
    }
    return from;
}

/* E220 and its like: only what cuts the power helps. */
static size_t first_rung(struct modem *m)
{
    if (!wedge_shown(m))
        return usable(m, m->rung);
    m->rung_skipped = true;
    size_t rung = usable(m, RUNG_REPLUG);
    return rung < MODEM_RUNGS ? rung : usable(m, m->rung > RUNG_RESTART ? m->rung : RUNG_RESTART);
}

/* ---- what is logged ---- */

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

    modem_dump(m, &dump);
    const char *p = newest_lines(buf_str(&dump), DUMP_LINES);
    while (*p) {
        size_t len = strcspn(p, "\n");
        modem_log(info, m, "  %.*s", (int)len, p);
        p += len + (p[len] == '\n');
    }
    buf_free(&dump);
}

/* ---- rungs of commands ---- */

static const char *command_of(const struct modem *m, size_t rung, size_t n)
{
    if (rung == RUNG_RESTART && m->profile->resets) {
        for (size_t i = 0; i < n; i++) {
            if (!m->profile->resets[i])
                return NULL;
        }
        return m->profile->resets[n];
    }
    return n < COMMANDS ? rungs[rung].commands[n] : NULL;
}

static int64_t boot_ms(const struct modem *m)
{
    return m->profile->boot_ms ? m->profile->boot_ms : BOOT_MS;
}

/* It was restarted, surely or perhaps: it may be away for a while. Surely: it may also be there and not
 * listen yet. */
static void expect_absence(struct modem *m, bool surely)
{
    m->boot_until_ms = modem_now(m) + boot_ms(m) + BOOT_PATIENCE_MS;
    m->silent_until_ms = surely ? modem_now(m) + boot_ms(m) + SILENCE_MS : 0;
}

/* A restart that was promised may take the profile's time; one that a silent modem may have heard shows soon,
 * by a banner, or by its leaving the bus. */
static int64_t wait_behind_restart(struct modem *m)
{
    if (!m->rung_obeyed && !m->rung_deaf)
        return REFUSED_MS;
    expect_absence(m, m->rung_obeyed);
    if (m->rung_obeyed)
        return RESTART_MS;
    return boot_ms(m) < DEAF_RESTART_MS ? boot_ms(m) : DEAF_RESTART_MS;
}

static int64_t wait_behind(struct modem *m, size_t rung)
{
    if (rung == RUNG_RESTART)
        return wait_behind_restart(m);
    return rung == RUNG_RADIO && m->rung_deaf ? DEAF_RADIO_MS : rungs[rung].wait_ms;
}

static void next_command(struct modem *m);

static void command_done(struct at_cmd *c, const struct at_result *r)
{
    struct modem *m = c->owner;

    if (r->code == AT_CLOSED || !m->rung_active)
        return;
    m->rung_waits = false;
    rt_timer_stop(m->rt, &m->rung_timer);
    if (m->rung - 1 == RUNG_RESTART && r->code == AT_OK) {
        m->rung_obeyed = true;
        m->rung_step = SIZE_MAX; /* the first that it takes is enough */
    }
    next_command(m);
}

static void next_command(struct modem *m)
{
    size_t rung = m->rung - 1;
    const char *text = m->rung_step == SIZE_MAX ? NULL : command_of(m, rung, m->rung_step);

    if (text) {
        m->rung_step++;
        m->rung_cmd = (struct at_cmd){.cls = AT_RADIO, .done = command_done};
        str_copy(m->rung_cmd.text, sizeof(m->rung_cmd.text), text);
        if (line_send(m, &m->rung_cmd, false) == 0) {
            m->rung_waits = m->rung_deaf;
            if (m->rung_waits)
                rt_timer_at(m->rt, &m->rung_timer, modem_now(m) + DEAF_MS);
            return;
        }
    }
    rt_timer_at(m->rt, &m->rung_timer, modem_now(m) + wait_behind(m, rung));
}

static void on_rung_timer(struct rt_timer *t)
{
    struct modem *m = container_of(t, struct modem, rung_timer);

    if (m->rung_waits) { /* a modem that cannot answer may still obey */
        m->rung_waits = false;
        at_close(&m->chan, modem_now(m));
        next_command(m);
        return;
    }
    m->rung_active = false;
    modem_probe(m, m->reason);
}

/* ---- rungs beyond the line ---- */

/* On the heap, as it may outlive its modem. */
struct rung_task {
    struct port_task task;
    struct modem *m; /* NULL: it is gone */
    size_t rung;
    char usb_path[PORT_USB_BYTES];
};

static void go_on(struct modem *m, const char *why);

static void on_task(struct port_task *t, int status, const struct err *why)
{
    struct rung_task *task = container_of(t, struct rung_task, task);
    struct modem *m = task->m;
    size_t rung = task->rung;

    free(task);
    if (!m)
        return;
    m->rung_task = NULL;
    if (m->state != MODEM_BACKOFF)
        return;
    if (status < 0) {
        modem_log(warning, m, "%s: passed over: %s", rungs[rung].text, why ? why->text : err_name(status));
        go_on(m, m->reason);
        return;
    }
    expect_absence(m, true);
    modem_request(m, MOVE_OPEN, rungs[rung].wait_ms, "%s", m->reason);
}

static void begin_task(struct modem *m, size_t rung)
{
    struct rung_task *task = calloc(1, sizeof(*task));
    struct err e = {0};
    int status = ERR_NOMEM;

    if (task) {
        *task = (struct rung_task){.task = {.done = on_task}, .m = m, .rung = rung};
        str_copy(task->usb_path, sizeof(task->usb_path), m->info.usb_path);
        status = rung == RUNG_REPLUG ? m->ports->replug(m->ports, task->usb_path, &task->task, &e)
                                     : m->ports->command(m->ports, m->conf->reset_command, &task->task, &e);
    }
    if (status == 0) {
        m->rung_task = task;
        return;
    }
    free(task);
    modem_log(warning, m, "%s: passed over: %s", rungs[rung].text, *e.text ? e.text : err_name(status));
    go_on(m, m->reason);
}

/* ---- climbing ---- */

static void climb(struct modem *m, size_t rung, const char *why)
{
    m->rung_deaf = !answers(m);
    m->rung = rung + 1;
    m->rung_used_ms[rung] = modem_now(m);
    m->rungs[rung]++;
    m->recoveries++;
    m->wedge_lines = 0;
    modem_log(warning, m, "%s: %s", why, rungs[rung].text);
    log_exchanges(m);
    if (rung >= RUNG_REOPEN) {
        modem_set_state(m, MODEM_BACKOFF, "%s", why);
        modem_teardown(m);
        if (rung == RUNG_REOPEN)
            modem_request(m, MOVE_OPEN, rungs[rung].wait_ms, "%s", why);
        else
            begin_task(m, rung);
        return;
    }
    modem_probe(m, why);
    rt_timer_stop(m->rt, &m->drain_timer); /* probed behind the rung's commands */
    m->rung_active = true;
    m->rung_obeyed = false;
    m->rung_step = 0;
    next_command(m);
}

static void give_up(struct modem *m, const char *why)
{
    bool tell = !m->rung_skipped && !m->carrier.alarms[CARRIER_ALARM_HUNG].on;

    m->rung = 0;
    m->rung_skipped = false;
    m->recoveries++;
    if (tell)
        modem_alarm(m, CARRIER_ALARM_HUNG,
                    "take its power away or plug it in again: all else was tried in vain (%s)", why);
    modem_back_off(m, RT_NEVER, why);
}

/* A rung beyond the line could not be used: the next one. The port is closed. */
static void go_on(struct modem *m, const char *why)
{
    size_t rung = usable(m, m->rung);
    char copy[CARRIER_TEXT_BYTES];

    str_copy(copy, sizeof(copy), why);
    if (rung < MODEM_RUNGS)
        climb(m, rung, copy);
    else
        give_up(m, copy);
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

/* ---- modems that answer, and do not work ---- */

static const enum modem_rung for_useless[] = {RUNG_RADIO, RUNG_RESTART, RUNG_REPLUG, RUNG_COMMAND};

static size_t next_useful(const struct modem *m, size_t tried)
{
    while (tried < ARRAY_LEN(for_useless) && against(m, for_useless[tried]))
        tried++;
    return tried;
}

bool ladder_useless(struct modem *m, uint8_t *tried, bool gently, const char *why)
{
    size_t next = gently ? ARRAY_LEN(for_useless) : next_useful(m, *tried);
    bool once_more = next == ARRAY_LEN(for_useless);

    if (m->conf->look_only || (once_more && against(m, for_useless[0])))
        return false;
    *tried = (uint8_t)(once_more ? *tried : next + 1);
    m->rung_skipped = true; /* that it hangs is not shown by rungs which cannot be used */
    climb(m, for_useless[once_more ? 0 : next], why);
    return true;
}

/* It has answered behind each missing prompt, else it would be here as dead. */
static bool recover_prompts(struct modem *m, const char *why)
{
    m->timeouts = 0;
    if (next_useful(m, m->prompt_tried) == ARRAY_LEN(for_useless)) {
        m->prompts_in_vain = true;
        modem_alarm(m, CARRIER_ALARM_HUNG,
                    "take its power away or plug it in again: it answers, but takes no message (it %s)", why);
    }
    return ladder_useless(m, &m->prompt_tried, false, why);
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
    if (m->conf->look_only) {
        modem_back_off(m, RT_NEVER, why);
        return;
    }
    if (m->timeouts > 0 && modem_now(m) < m->silent_until_ms) {
        modem_request(m, MOVE_REPROBE, RESTARTED_LOOK_MS, "%s", why);
        return;
    }
    bool no_prompts = m->no_prompts >= SEND_NO_PROMPTS_MAX;
    m->no_prompts = 0;
    if (no_prompts && recover_prompts(m, why))
        return;
    if (modem_up(m) && modem_now(m) - m->state_ms >= MODEM_SETTLED_MS)
        ladder_calm(m);
    size_t rung = first_rung(m);
    if (rung < MODEM_RUNGS)
        climb(m, rung, why);
    else
        give_up(m, why);
}

/* ---- life ---- */

bool ladder_restarting(const struct modem *m)
{
    return modem_now(m) < m->boot_until_ms;
}

void ladder_calm(struct modem *m)
{
    m->rung = 0;
    m->rung_skipped = false;
    m->backoff_n = 0;
}

void ladder_stop(struct modem *m)
{
    m->rung_active = m->rung_waits = false;
    rt_timer_stop(m->rt, &m->rung_timer);
}

void ladder_init(struct modem *m)
{
    m->rung_timer = (struct rt_timer){.fire = on_rung_timer, .at_ms = RT_NEVER};
}

void ladder_fini(struct modem *m)
{
    if (m->rung_task)
        m->rung_task->m = NULL;
}
