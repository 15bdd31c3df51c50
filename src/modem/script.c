/* Runs a table of commands, one after the other: initialisation, health checks, registration.
 *
 * One script runs at a time; others that are asked for follow it. A step that fails ends the script only
 * if it is a must. A SIM that is busy is asked again. A script is over before its end() or failed() is
 * called, so that these may start the next.
 */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

enum { AGAIN_MS = 1000 };

static void run_step(struct modem *m);

bool script_busy_code(const struct at_result *r)
{
    /* CMS 314 SIM busy, 301 service reserved, 515 please wait (Wavecom; after power-on, up to 20 s),
     * 512 SIM not ready (Quectel); CME 14 SIM busy, 515 please wait. */
    static const int cms[] = {301, 314, 512, 515};
    static const int cme[] = {14, 515};

    if (r->code == AT_CMS_ERROR) {
        for (size_t i = 0; i < ARRAY_LEN(cms); i++) {
            if (r->number == cms[i])
                return true;
        }
    }
    if (r->code == AT_CME_ERROR) {
        for (size_t i = 0; i < ARRAY_LEN(cme); i++) {
            if (r->number == cme[i])
                return true;
        }
    }
    return false;
}

static const struct script_step *step_of(const struct modem *m)
{
    return &m->run.script->steps[m->run.step];
}

static void begin_step(struct modem *m, size_t step)
{
    m->run.step = step;
    m->run.attempt = 0;
    m->run.since_ms = modem_now(m);
}

static void start_next(struct modem *m)
{
    struct script_run *run = &m->run;

    if (run->next_len == 0)
        return;
    const struct script *next = run->next[0];
    memmove(&run->next[0], &run->next[1], --run->next_len * sizeof(run->next[0]));
    script_start(m, next);
}

static void queue(struct modem *m, const struct script *s)
{
    struct script_run *run = &m->run;

    for (size_t i = 0; i < run->next_len; i++) {
        if (run->next[i] == s)
            return;
    }
    if (run->next_len < SCRIPTS_NEXT)
        run->next[run->next_len++] = s;
}

static void finish(struct modem *m, const char *why)
{
    const struct script *s = m->run.script;

    m->run.script = NULL;
    if (why)
        s->failed(m, why);
    else if (s->end)
        s->end(m);
    if (!m->run.script)
        start_next(m);
}

static void fail_step(struct modem *m, const struct at_result *r)
{
    const struct script_step *s = step_of(m);
    char text[CARRIER_TEXT_BYTES], why[CARRIER_TEXT_BYTES + 160];

    errors_text(r, text, sizeof(text));
    snprintf(why, sizeof(why), "%.*s: %s", (int)strcspn(m->run.cmd.text, "="), m->run.cmd.text, text);
    if (s->must && (!s->list || family_must(m))) {
        finish(m, why);
        return;
    }
    modem_log(debug, m, "not supported: %s", why);
    if (s->list) {
        m->run.attempt++;
        m->run.since_ms = modem_now(m);
    } else {
        begin_step(m, m->run.step + 1);
    }
    run_step(m);
}

/* ZTE: the SIM's commands fail for a while behind its PIN, with whatever error. */
static bool settling(const struct modem *m)
{
    return (m->profile->quirks & QUIRK_SETTLE_AFTER_PIN) && m->pin_sent && m->sim_usable &&
           m->state == MODEM_INITIALISING && step_of(m)->cls == AT_SIM;
}

/* SMS commands fail until the modem says "SMS Ready" (SIM800: up to 30 s); its first AT may be lost, or it
 * may sleep. */
static int64_t patience_of(const struct modem *m)
{
    enum { BOOT_MS = 30000, PROBE_EVERY_MS = 3000 };
    const struct script_step *s = step_of(m);

    if (s->boots)
        return m->profile->ready_ms > BOOT_MS ? m->profile->ready_ms : BOOT_MS;
    if (m->run.script == &script_probe && m->profile->probe_tries && s->patience_ms)
        return (int64_t)m->profile->probe_tries * PROBE_EVERY_MS;
    return s->patience_ms ? s->patience_ms : MODEM_BUSY_PATIENCE_MS;
}

static bool patient(const struct modem *m)
{
    return modem_now(m) - m->run.since_ms < patience_of(m);
}

static enum script_verdict judge(struct modem *m, const struct at_result *r)
{
    const struct script_step *s = step_of(m);

    if (r->code == AT_TIMEOUT)
        return STEP_FAIL;
    if (r->code != AT_OK && (script_busy_code(r) || (settling(m) && patient(m))))
        return STEP_AGAIN;
    if (s->done)
        return s->done(m, r);
    if (r->code == AT_OK)
        return s->list ? STEP_REPEAT : STEP_NEXT;
    return s->patience_ms || s->boots ? STEP_AGAIN : STEP_FAIL;
}

static void on_done(struct at_cmd *c, const struct at_result *r)
{
    struct modem *m = c->owner;

    m->run.sent = false;
    line_result(m, r);
    if (r->code == AT_CLOSED)
        return;
    if (!m->run.script) { /* it was stopped meanwhile */
        start_next(m);
        return;
    }
    const struct script *before = m->run.script;
    enum script_verdict v = judge(m, r);
    if (m->run.script != before)
        return;
    if (v == STEP_AGAIN && !patient(m))
        v = STEP_FAIL;
    switch (v) {
    case STEP_NEXT:
        begin_step(m, m->run.step + 1);
        run_step(m);
        break;
    case STEP_AGAIN:
        rt_timer_at(m->rt, &m->run.pause, modem_now(m) + AGAIN_MS);
        break;
    case STEP_REPEAT:
        m->run.attempt++;
        run_step(m);
        break;
    case STEP_FAIL:
        fail_step(m, r);
        break;
    case STEP_STOP:
        script_stop(m);
        break;
    }
}

static void on_line(struct at_cmd *c, const char *line)
{
    struct modem *m = c->owner;

    if (m->run.script && step_of(m)->line)
        step_of(m)->line(m, line);
}

static bool write_command(struct modem *m, const struct script_step *s)
{
    if (s->make)
        return s->make(m, m->run.cmd.text, sizeof(m->run.cmd.text));
    return str_copy(m->run.cmd.text, sizeof(m->run.cmd.text), s->text);
}

static void run_step(struct modem *m)
{
    while (m->run.script && m->run.step < m->run.script->count) {
        const struct script_step *s = step_of(m);
        m->run.cmd = (struct at_cmd){.prefix = s->prefix,
                                     .cls = s->cls,
                                     .ok_optional = s->ok_optional,
                                     .line = on_line,
                                     .done = on_done};
        if (write_command(m, s)) {
            m->run.sent = line_send(m, &m->run.cmd, false) == 0;
            if (!m->run.sent) /* the queue is full or the channel is dead: later */
                rt_timer_at(m->rt, &m->run.pause, modem_now(m) + AGAIN_MS);
            return;
        }
        begin_step(m, m->run.step + 1);
    }
    if (m->run.script)
        finish(m, NULL);
}

static void on_pause(struct rt_timer *t)
{
    struct modem *m = container_of(t, struct modem, run.pause);

    if (m->run.script && !m->run.sent)
        run_step(m);
}

void script_start(struct modem *m, const struct script *s)
{
    if (m->run.script || m->run.sent) {
        if (m->run.script != s)
            queue(m, s);
        return;
    }
    m->run.pause.fire = on_pause;
    m->run.script = s;
    begin_step(m, 0);
    run_step(m);
}

void script_hurry(struct modem *m)
{
    if (m->run.script && !m->run.sent)
        rt_timer_at(m->rt, &m->run.pause, modem_now(m));
}

void script_stop(struct modem *m)
{
    rt_timer_stop(m->rt, &m->run.pause);
    m->run.script = NULL;
    m->run.next_len = 0;
}
