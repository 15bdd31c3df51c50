/* The SIM's lock, TS 27.007 8.3 (+CPIN) and 8.66 (+CPINR).
 *
 * Three wrong PINs block a SIM, and only its owner has the PUK: so a PIN is tried once. It counts as tried
 * from the moment it is sent until the SIM is seen unlocked; after a refusal, or an answer that never came,
 * it is not tried again unless an operator asks for it (modem_unlock) or configures another. That holds over
 * restarts of the process, which are many where a wrong setting makes a service manager start it again and
 * again: the try is durable (struct modem_pins) before the PIN is sent. And it is never tried when the modem
 * tells that fewer than two tries are left.
 */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

enum { TRIES_MIN = 2, TRIES_ALL = 3 };

/* The text behind "+CPIN:", quoted or not, with or without the space. */
void pin_line(struct modem *m, const char *line)
{
    struct at_cur c = at_cur_after(line, "+CPIN:");
    char text[sizeof(m->pin_state)];

    if (at_cur_string(&c, text, sizeof(text)))
        str_copy(m->pin_state, sizeof(m->pin_state), text);
}

static bool starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static enum script_verdict lock(struct modem *m, enum modem_lock kind, const char *why)
{
    modem_locked(m, kind, "%s", why);
    return STEP_STOP;
}

#define WHY_PUK                                                                                              \
    "the SIM is blocked and asks for its PUK: unlock it in a telephone, then run `simgate unlock MODEM`"

void pin_forget(struct modem *m)
{
    m->pin_refused = false;
    if (m->conf->pins)
        m->conf->pins->forget(m->conf->pins->owner, m->conf->name);
}

/* Nothing asks for a PIN now. Only a SIM that says so shows that the PIN was right: an answer that was lost
 * or not understood does not. */
static enum script_verdict unlocked(struct modem *m, bool said)
{
    m->pin_wanted = false;
    if (said && *m->conf->pin)
        pin_forget(m);
    return STEP_NEXT;
}

/* What +CPIN? tells in words. TS 27.007 8.3; PIN2 and PUK2 do not concern messages. */
static enum script_verdict judge_text(struct modem *m)
{
    const char *s = m->pin_state;

    if (strcmp(s, "READY") == 0 || strcmp(s, "SIM PIN2") == 0 || strcmp(s, "SIM PUK2") == 0 || !*s)
        return unlocked(m, *s);
    if (strcmp(s, "SIM PIN") == 0) {
        m->pin_wanted = true;
        return STEP_NEXT;
    }
    if (strcmp(s, "SIM PUK") == 0)
        return lock(m, LOCK_PUK, WHY_PUK);
    if (starts(s, "NOT INSERTED") || starts(s, "SIM REMOVED"))
        return lock(m, LOCK_NO_SIM, "no SIM in the modem");
    if (starts(s, "NOT READY"))
        return STEP_AGAIN;
    modem_locked(m, LOCK_OTHER, "the modem asks for \"%s\": it is locked to another SIM or network", s);
    return STEP_STOP;
}

/* And in numbers: +CME ERROR, TS 27.007 9.2.1; +CMS ERROR, TS 27.005 3.2.5. */
static const struct {
    int cme, cms;
    const char *state; /* as +CPIN? would have said it; or */
    enum modem_lock lock;
    const char *why;
} refusals[] = {
    {10, 310, NULL, LOCK_NO_SIM, "no SIM in the modem"},
    {11, 311, "SIM PIN", LOCK_NONE, NULL},
    {12, 316, "SIM PUK", LOCK_NONE, NULL},
    {15, 315, NULL, LOCK_OTHER, "the modem refuses this SIM (locked to another network)"},
    {5, 312, NULL, LOCK_OTHER, "the modem is locked to another SIM (PH-SIM PIN)"},
};

enum script_verdict pin_asked(struct modem *m, const struct at_result *r)
{
    enum { SIM_FAILURE_CME = 13, SIM_FAILURE_CMS = 313 };

    if (r->code == AT_OK)
        return judge_text(m);
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        if (!(r->code == AT_CME_ERROR && r->number == refusals[i].cme) &&
            !(r->code == AT_CMS_ERROR && r->number == refusals[i].cms))
            continue;
        if (refusals[i].why)
            return lock(m, refusals[i].lock, refusals[i].why);
        str_copy(m->pin_state, sizeof(m->pin_state), refusals[i].state);
        return judge_text(m);
    }
    if ((r->code == AT_CME_ERROR && r->number == SIM_FAILURE_CME) ||
        (r->code == AT_CMS_ERROR && r->number == SIM_FAILURE_CMS)) {
        if (modem_now(m) - m->run.since_ms < MODEM_BUSY_PATIENCE_MS)
            return STEP_AGAIN;
        return lock(m, LOCK_NO_SIM, "the SIM does not work in the modem (SIM failure): clean or replace it");
    }
    return unlocked(m, false); /* does not know +CPIN: nothing asks for a PIN */
}

/* ---- tries ---- */

bool pin_make_tries(struct modem *m, char *text, size_t size)
{
    m->pin_tries = -1;
    return m->pin_wanted && str_copy(text, size, "AT+CPINR");
}

/* +CPINR: <code>,<retries>[,<default>]: the line of SIM PIN among those of others */
void pin_tries_line(struct modem *m, const char *line)
{
    struct at_cur c = at_cur_after(line, "+CPINR:");
    char code[16];
    int64_t tries;

    if (at_cur_string(&c, code, sizeof(code)) && strcmp(code, "SIM PIN") == 0 && at_cur_number(&c, &tries))
        m->pin_tries = (int)tries;
}

static enum script_verdict refused(struct modem *m)
{
    char tries[32] = "";

    if (m->pin_tries >= 0)
        snprintf(tries, sizeof(tries), " (%d %s left)", m->pin_tries, m->pin_tries == 1 ? "try" : "tries");
    modem_locked(m, LOCK_PIN,
                 "the PIN was refused%s: correct modems[].pin and reload, or `simgate unlock %s`", tries,
                 m->conf->name);
    return STEP_STOP;
}

/* Notes the try. What cannot be noted, a full disk, may pass: that is tried again later. */
static enum script_verdict begin_try(struct modem *m)
{
    const struct modem_pins *pins = m->conf->pins;
    struct err e = {0};
    int status = 0;

    if (pins)
        status = pins->begin(pins->owner, m->conf->name, m->conf->pin, m->pin_tries >= TRIES_ALL, &e);
    if (status == 0)
        return STEP_NEXT;
    if (status == ERR_REFUSED) {
        modem_locked(
            m, LOCK_PIN,
            "this PIN was tried before, in vain as far as is known: correct modems[].pin and reload, or "
            "`simgate unlock %s`",
            m->conf->name);
        return STEP_STOP;
    }
    modem_request(m, MOVE_BACK_OFF, 0, "PIN not entered, as it cannot be noted: %s", e.text);
    return STEP_STOP;
}

enum script_verdict pin_tries_done(struct modem *m, const struct at_result *r)
{
    (void)r; /* not supported: unknown */
    if (!*m->conf->pin)
        return lock(m, LOCK_PIN, "the SIM asks for its PIN, and none is configured (modems[].pin)");
    if (m->pin_refused)
        return refused(m);
    if (m->pin_tries >= 0 && m->pin_tries < TRIES_MIN) {
        modem_locked(m, LOCK_PIN,
                     "the SIM has %d %s left for its PIN: not risked; enter the PIN in a telephone",
                     m->pin_tries, m->pin_tries == 1 ? "try" : "tries");
        return STEP_STOP;
    }
    return begin_try(m);
}

/* ---- entry ---- */

bool pin_make_entry(struct modem *m, char *text, size_t size)
{
    /* Refused: also when the step is begun again because the SIM was busy. It is not sent twice. */
    if (!m->pin_wanted || m->pin_refused || !*m->conf->pin)
        return false;
    m->pin_sent = true;
    m->pin_refused = true; /* until it is seen to be right */
    modem_log(notice, m, "entering the PIN");
    snprintf(text, size, "AT+CPIN=\"%s\"", m->conf->pin);
    return true;
}

/* Whatever else it answers (busy, PUK required, nothing), what the SIM says next decides. It is not sent
 * again. */
enum script_verdict pin_entered(struct modem *m, const struct at_result *r)
{
    enum { INCORRECT_PASSWORD = 16 };

    if (r->code != AT_CME_ERROR || r->number != INCORRECT_PASSWORD)
        return STEP_NEXT;
    if (m->pin_tries > 0)
        m->pin_tries--;
    return refused(m);
}

bool pin_make_check(struct modem *m, char *text, size_t size)
{
    str_copy(m->pin_state, sizeof(m->pin_state), "NOT READY");
    return m->pin_sent && str_copy(text, size, "AT+CPIN?");
}

/* Right after the entry a SIM may be busy, or still say SIM PIN, for some seconds. */
enum script_verdict pin_checked(struct modem *m, const struct at_result *r)
{
    if (r->code == AT_OK && strcmp(m->pin_state, "SIM PIN") == 0) {
        if (modem_now(m) - m->run.since_ms < MODEM_BUSY_PATIENCE_MS)
            return STEP_AGAIN;
        return refused(m);
    }
    if (r->code == AT_OK && strcmp(m->pin_state, "READY") == 0)
        modem_log(notice, m, "the SIM accepted the PIN");
    return pin_asked(m, r);
}

/* ---- while locked, and by itself ---- */

static enum script_verdict locked_asked(struct modem *m, const struct at_result *r)
{
    bool usable = r->code == AT_OK && strcmp(m->pin_state, "READY") == 0;
    bool inserted = m->lock == LOCK_NO_SIM && r->code == AT_OK && starts(m->pin_state, "SIM ");

    if (usable || inserted)
        modem_request(m, MOVE_REPROBE, 0, "the SIM says %s", m->pin_state);
    return STEP_NEXT;
}

static const struct script_step locked_steps[] = {
    {.text = "AT+CPIN?",
     .prefix = "+CPIN:",
     .cls = AT_QUERY,
     .ok_optional = true,
     .line = pin_line,
     .done = locked_asked},
};
const struct script script_locked = {
    .name = "lock check", .steps = locked_steps, .count = ARRAY_LEN(locked_steps)};

static enum script_verdict check_asked(struct modem *m, const struct at_result *r)
{
    char text[CARRIER_TEXT_BYTES];

    if (r->code == AT_OK && (strcmp(m->pin_state, "READY") == 0 || !*m->pin_state))
        return STEP_NEXT;
    errors_text(r, text, sizeof(text));
    modem_request(m, MOVE_REPROBE, 0, "the SIM says %s", r->code == AT_OK ? m->pin_state : text);
    return STEP_STOP;
}

static const struct script_step check_steps[] = {
    {.text = "AT+CPIN?",
     .prefix = "+CPIN:",
     .cls = AT_QUERY,
     .ok_optional = true,
     .line = pin_line,
     .done = check_asked},
};
const struct script script_check = {
    .name = "SIM check", .steps = check_steps, .count = ARRAY_LEN(check_steps)};

/* The SIM was taken out, put in, or has unlocked itself after a restart. */
void pin_urc(struct modem *m, const char *line)
{
    pin_line(m, line);
    bool ready = strcmp(m->pin_state, "READY") == 0;
    if (modem_up(m) && !ready && !starts(m->pin_state, "SIM PIN2") && !starts(m->pin_state, "SIM PUK2"))
        modem_request(m, MOVE_REPROBE, 1000, "the SIM says %s", m->pin_state);
    else if (m->state == MODEM_LOCKED && (ready || (m->lock == LOCK_NO_SIM && starts(m->pin_state, "SIM "))))
        modem_request(m, MOVE_REPROBE, 1000, "the SIM says %s", m->pin_state);
}
