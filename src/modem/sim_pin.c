/* The SIM's lock, TS 27.007 8.3 (+CPIN) and 8.66 (+CPINR).
 *
 * Three wrong PINs block a SIM, and only its owner has the PUK. So simgate by itself never spends the last
 * but one try: it enters a PIN when the modem tells that the SIM has all of its tries, or, where that is not
 * told, when none was ever noted for this SIM. A try counts from the moment it is sent until the SIM is seen
 * unlocked. After a refusal only an operator (modem_unlock) can have it tried again, whatever PIN is
 * configured by then, and as long as two tries are left where that is told.
 *
 * That holds over restarts of the process, which are many where a wrong setting makes a service manager start
 * it again and again, over other names for the modem, and over another modem for the SIM: the try is durable
 * (struct modem_pins), by ICCID, IMEI and name, before the PIN is sent.
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

static struct modem_sim sim_of(const struct modem *m)
{
    return (struct modem_sim){.name = m->conf->name, .imei = m->carrier.imei, .iccid = m->iccid};
}

/* Nothing asks for a PIN now. Only a SIM that says so shows that the PIN was right: an answer that was lost
 * or not understood does not. */
static enum script_verdict unlocked(struct modem *m, bool said)
{
    struct modem_sim sim = sim_of(m);

    m->pin_wanted = false;
    m->sim_usable = true;
    if (!said)
        return STEP_NEXT;
    m->pin_tried = m->pin_granted = false;
    if (m->conf->pins && *m->conf->pin)
        m->conf->pins->forget(m->conf->pins->owner, &sim);
    return STEP_NEXT;
}

/* PIN2 and PUK2 do not concern messages. "": it was not said. */
static bool asks_nothing(const char *state)
{
    return strcmp(state, "READY") == 0 || strcmp(state, "SIM PIN2") == 0 || strcmp(state, "SIM PUK2") == 0 ||
           !*state;
}

static bool no_sim(const char *state)
{
    return starts(state, "NOT INSERTED") || starts(state, "SIM REMOVED");
}

/* What +CPIN? tells in words. TS 27.007 8.3. */
static enum script_verdict judge_text(struct modem *m)
{
    const char *s = m->pin_state;

    if (asks_nothing(s))
        return unlocked(m, *s);
    if (strcmp(s, "SIM PIN") == 0) {
        m->pin_wanted = true;
        return STEP_NEXT;
    }
    if (strcmp(s, "SIM PUK") == 0)
        return lock(m, LOCK_PUK, WHY_PUK);
    if (strstr(s, "BLOCKED"))
        return lock(m, LOCK_PUK, "the SIM is blocked for good, its PUK was wrong too often: replace it");
    if (no_sim(s))
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

/* AT+CPINR, then the profile's own commands, until one tells. */
static const struct profile_tries *tries_command(const struct modem *m, unsigned attempt)
{
    static const struct profile_tries standard = {"AT+CPINR", "+CPINR:", 1};

    if (attempt == 0)
        return &standard;
    return (int)attempt <= m->profile->ntries ? &m->profile->tries[attempt - 1] : NULL;
}

bool pin_make_tries(struct modem *m, char *text, size_t size)
{
    const struct profile_tries *t = tries_command(m, m->run.attempt);

    m->pin_tries = -1;
    if (!m->pin_wanted || !t)
        return false;
    m->run.cmd.prefix = t->prefix;
    return str_copy(text, size, t->command);
}

/* +CPINR: <code>,<retries>[,<default>]: of its lines the one of SIM PIN. Others: the field that the profile
 * says. */
void pin_tries_line(struct modem *m, const char *line)
{
    const struct profile_tries *t = tries_command(m, m->run.attempt);
    struct at_cur c = at_cur_after(line, t->prefix);
    char code[16];
    int64_t tries;

    if (m->run.attempt == 0 && (!at_cur_string(&c, code, sizeof(code)) || strcmp(code, "SIM PIN") != 0))
        return;
    for (int i = 0; m->run.attempt > 0 && i < t->field; i++) {
        if (!at_cur_skip(&c))
            return;
    }
    /* More than a PIN ever has is something else, such as the tries of the PUK. */
    if (at_cur_number(&c, &tries) && tries >= 0 && tries <= TRIES_ALL)
        m->pin_tries = (int)tries;
}

static const char *tries_text(const struct modem *m, char *out, size_t size)
{
    if (m->pin_tries < 0)
        str_copy(out, size, "");
    else
        snprintf(out, size, " (%d %s left)", m->pin_tries, m->pin_tries == 1 ? "try" : "tries");
    return out;
}

static enum script_verdict refused(struct modem *m)
{
    struct modem_sim sim = sim_of(m);
    char tries[32];

    if (m->conf->pins)
        m->conf->pins->refused(m->conf->pins->owner, &sim);
    modem_locked(m, LOCK_PIN,
                 "the SIM refused the PIN%s: correct modems[].pin, reload, then `simgate unlock %s`",
                 tries_text(m, tries, sizeof(tries)), m->conf->name);
    return STEP_STOP;
}

static enum script_verdict only_by_operator(struct modem *m, const char *why)
{
    char tries[32];

    modem_locked(m, LOCK_PIN, "%s%s: check modems[].pin, then `simgate unlock %s`", why,
                 tries_text(m, tries, sizeof(tries)), m->conf->name);
    return STEP_STOP;
}

/* A try is remembered for the SIM that it was made on, where SIMs can be told apart. */
static bool tried_in_this_life(const struct modem *m)
{
    bool another = *m->iccid && *m->pin_iccid && strcmp(m->iccid, m->pin_iccid) != 0;

    return m->pin_tried && !another;
}

/* Notes the try. What cannot be noted, a full disk, may pass: that is tried again later. */
static enum script_verdict begin_try(struct modem *m)
{
    const struct modem_pins *pins = m->conf->pins;
    struct modem_sim sim = sim_of(m);
    struct err e = {0};
    enum modem_pin_leave leave = m->pin_granted && m->pin_tries >= 0 ? PIN_AS_OPERATOR_ASKED
                                 : m->pin_granted                    ? PIN_BLIND_BY_OPERATOR
                                 : m->pin_tries >= TRIES_ALL         ? PIN_UNTOUCHED
                                                                     : PIN_BY_ITSELF;
    int status = pins ? pins->begin(pins->owner, &sim, leave, &e) : 0;

    if (status == 0)
        return STEP_NEXT;
    if (status == ERR_REFUSED && m->pin_granted)
        return lock(
            m, LOCK_PIN,
            "PINs were tried twice on this SIM, in vain as far as is known: the last try is not risked, see "
            "simgate(1), unlock");
    if (status == ERR_REFUSED)
        return only_by_operator(m, "a PIN was tried before on this SIM, in vain as far as is known");
    modem_request(m, MOVE_BACK_OFF, 0, "PIN not entered, as it cannot be noted: %s", e.text);
    return STEP_STOP;
}

enum script_verdict pin_tries_done(struct modem *m, const struct at_result *r)
{
    (void)r; /* not supported: the next command, or unknown */
    if (m->pin_tries < 0 && tries_command(m, m->run.attempt + 1))
        return STEP_REPEAT;
    if (m->conf->look_only)
        return lock(m, LOCK_PIN, "the SIM asks for its PIN");
    if (!*m->conf->pin)
        return lock(m, LOCK_PIN, "the SIM asks for its PIN, and none is configured (modems[].pin)");
    if (m->pin_tries >= 0 && m->pin_tries < TRIES_MIN) {
        modem_locked(m, LOCK_PIN,
                     "the SIM has %d %s left for its PIN: not risked; enter the PIN in a telephone",
                     m->pin_tries, m->pin_tries == 1 ? "try" : "tries");
        return STEP_STOP;
    }
    if (!m->pin_granted && tried_in_this_life(m))
        return only_by_operator(m, "the PIN was tried before, in vain as far as is known");
    if (!m->pin_granted && m->pin_tries >= 0 && m->pin_tries < TRIES_ALL)
        return only_by_operator(m, "a PIN was tried before on this SIM, in vain, and is not risked again");
    return begin_try(m);
}

/* ---- entry ---- */

bool pin_make_entry(struct modem *m, char *text, size_t size)
{
    /* Sent: also when the step is begun again because the SIM was busy. It is not sent twice. */
    if (!m->pin_wanted || m->pin_sent || !*m->conf->pin)
        return false;
    m->pin_sent = m->pin_tried = true; /* until it is seen to be right */
    m->pin_granted = false;
    str_copy(m->pin_iccid, sizeof(m->pin_iccid), m->iccid);
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
    if (!m->pin_sent)
        return false;
    str_copy(m->pin_state, sizeof(m->pin_state), "NOT READY");
    return str_copy(text, size, "AT+CPIN?");
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

/* What a locked SIM says now is worth another look. */
static bool has_changed(const struct modem *m)
{
    const char *s = m->pin_state;

    return (*s && asks_nothing(s)) || (m->lock == LOCK_NO_SIM && starts(s, "SIM ") && !no_sim(s));
}

static enum script_verdict locked_asked(struct modem *m, const struct at_result *r)
{
    if (r->code == AT_OK && has_changed(m))
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
    bool unknown = r->code == AT_ERROR && !*m->pin_state; /* the command, to this modem */

    if (unknown || (r->code == AT_OK && asks_nothing(m->pin_state)))
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

/* A vendor's word that something is new about the SIM: each has its own numbers for it, so the SIM is asked.
 */
void pin_notice(struct modem *m, const char *line)
{
    (void)line;
    if (modem_up(m))
        script_start(m, &script_check);
    else if (m->state == MODEM_LOCKED)
        script_start(m, &script_locked);
}

/* The SIM was taken out, put in, or has unlocked itself after a restart. */
void pin_urc(struct modem *m, const char *line)
{
    pin_line(m, line);
    if ((modem_up(m) && !asks_nothing(m->pin_state)) || (m->state == MODEM_LOCKED && has_changed(m)))
        modem_request(m, MOVE_REPROBE, 1000, "the SIM says %s", m->pin_state);
}

/* ---- an operator ---- */

void modem_unlock(struct modem *m)
{
    if (modem_up(m)) { /* the SIM that is in now is meant to be; nothing asks for a PIN */
        str_copy(m->home_imsi, sizeof(m->home_imsi), m->carrier.imsi);
        modem_alarm_over(m, CARRIER_ALARM_SIM);
        return;
    }
    m->pin_granted = true;
    if (m->state == MODEM_LOCKED)
        modem_request(m, MOVE_REPROBE, 0, "unlocked by an operator");
}
