/* How messages come in: AT+CSMS (TS 27.005 3.2.1) and AT+CNMI (3.4.1), as steps of script.c.
 *
 * The plan "store" lets the modem store and announce; "direct" has messages come on the line, where each
 * waits for its acknowledgement (direct.c). The profile's attempts come first, then those that any modem may
 * take.
 */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

/* ---- +CSMS ---- */

static const char *csms_value(const struct modem *m, unsigned n)
{
    static const char *const usual[] = {"1", "128", NULL}; /* 128: Quectel M26 */
    const char *const *values = m->profile->csms_direct ? m->profile->csms_direct : usual;

    for (unsigned i = 0; i < n; i++) {
        if (!values[i])
            return NULL;
    }
    return values[n];
}

bool plan_make_csms(struct modem *m, char *text, size_t size)
{
    if (m->plan == MODEM_PLAN_AUTO)
        m->plan = m->profile->direct ? MODEM_PLAN_DIRECT : MODEM_PLAN_STORE;
    const char *value = m->plan == MODEM_PLAN_DIRECT ? csms_value(m, m->run.attempt) : NULL;

    if (!value) {
        m->plan = MODEM_PLAN_STORE;
        /* Written although it is the default: what a former user left makes +CDS wait for AT+CNMA. */
        value = "0";
    }
    snprintf(text, size, "AT+CSMS=%s", value);
    return true;
}

enum script_verdict plan_csms_done(struct modem *m, const struct at_result *r)
{
    m->acks = r->code == AT_OK && m->plan == MODEM_PLAN_DIRECT;
    if (m->plan == MODEM_PLAN_DIRECT)
        m->csms = m->acks;
    if (r->code == AT_OK)
        return STEP_NEXT;
    return m->plan == MODEM_PLAN_DIRECT ? STEP_REPEAT : STEP_FAIL;
}

/* ---- +CNMI ---- */

/* mode 2 keeps notices while the line is busy; ds 1 gives reports at once, 2 by way of a store; bm 0: no cell
 * broadcast. bfr 1 is all that some Cinterion take. */
static const char *const store_attempts[] = {
    "2,1,0,1,0", "2,1,0,2,0", "1,1,0,1,0", "2,1,0,1,1", "2,1,0,2,1", "1,1,0,2,0",
    "2,1,0,0,0", "1,1,0,0,0", "2,1",       "1,1",       NULL,
};
static const char *const direct_attempts[] = {"2,2,0,1,0", "1,2,0,1,0", "2,2,0,1,1", "1,2,0,0,1", NULL};

static bool listed(const char *const *list, const char *text)
{
    for (; list && *list; list++) {
        if (strcmp(*list, text) == 0)
            return true;
    }
    return false;
}

/* The n-th of the profile's and then of the usual ones, none twice. */
static const char *cnmi_attempt(const struct modem *m, unsigned n)
{
    bool direct = m->plan == MODEM_PLAN_DIRECT;
    const char *const *own = direct ? m->profile->cnmi_direct : m->profile->cnmi;
    const char *const *usual = direct ? direct_attempts : store_attempts;

    for (const char *const *p = own; p && *p; p++) {
        if (n-- == 0)
            return *p;
    }
    for (; *usual; usual++) {
        if (!listed(own, *usual) && n-- == 0)
            return *usual;
    }
    return NULL;
}

bool plan_make_cnmi(struct modem *m, char *text, size_t size)
{
    const char *attempt = cnmi_attempt(m, m->run.attempt);

    if (!attempt && m->plan == MODEM_PLAN_DIRECT) {
        m->plan = MODEM_PLAN_STORE; /* CSMS=1 stays: what comes on the line is acknowledged as before */
        m->run.attempt = 0;
        attempt = cnmi_attempt(m, 0);
    }
    if (!attempt)
        return false;
    snprintf(text, size, "AT+CNMI=%s", attempt);
    return true;
}

enum script_verdict plan_cnmi_done(struct modem *m, const struct at_result *r)
{
    m->cnmi = -1;
    if (r->code != AT_OK)
        return cnmi_attempt(m, m->run.attempt + 1) || m->plan == MODEM_PLAN_DIRECT ? STEP_REPEAT : STEP_FAIL;
    m->cnmi = (int)m->run.attempt;
    const char *set = cnmi_attempt(m, m->run.attempt);
    m->reports_stored = strlen(set) > 6 && set[6] == '2';
    return STEP_NEXT;
}

bool plan_make_cnmi_check(struct modem *m, char *text, size_t size)
{
    m->cnmi_kept = true;
    return m->cnmi >= 0 && str_copy(text, size, "AT+CNMI?");
}

/* +CNMI: mode,mt,… */
void plan_cnmi_line(struct modem *m, const char *line)
{
    struct at_cur c = at_cur_after(line, "+CNMI:");
    int64_t mode, mt;

    if (at_cur_number(&c, &mode) && at_cur_number(&c, &mt))
        m->cnmi_kept = mt != 0;
}

enum script_verdict plan_cnmi_checked(struct modem *m, const struct at_result *r)
{
    (void)r;
    if (!m->cnmi_kept) {
        modem_log(warning, m, "AT+CNMI=%s was accepted and not kept: messages are found by polling",
                  cnmi_attempt(m, (unsigned)m->cnmi));
        m->cnmi = -1;
    }
    return STEP_NEXT;
}

void plan_describe(const struct modem *m, char *out, size_t size)
{
    const char *plan = m->plan == MODEM_PLAN_DIRECT ? "direct" : "store";

    if (m->cnmi < 0)
        snprintf(out, size, "%s, polled", plan);
    else
        snprintf(out, size, "%s, AT+CNMI=%s", plan, cnmi_attempt(m, (unsigned)m->cnmi));
}

/* ---- still set? ---- */

/* After an acknowledgement that came too late: some modems set mt and ds to 0 then (TS 27.005 3.4.1). */
static enum script_verdict still_set(struct modem *m, const struct at_result *r)
{
    (void)r;
    if (m->cnmi_kept || m->cnmi < 0)
        return STEP_NEXT;
    modem_log(warning, m, "the modem has switched off delivery after a missed acknowledgement: set again");
    return STEP_NEXT;
}

static bool make_again(struct modem *m, char *text, size_t size)
{
    if (m->cnmi_kept || m->cnmi < 0)
        return false;
    snprintf(text, size, "AT+CNMI=%s", cnmi_attempt(m, (unsigned)m->cnmi));
    return true;
}

static const struct script_step cnmi_steps[] = {
    {.make = plan_make_cnmi_check,
     .prefix = "+CNMI:",
     .cls = AT_QUERY,
     .line = plan_cnmi_line,
     .done = still_set},
    {.make = make_again, .cls = AT_QUERY},
};
const struct script script_cnmi = {
    .name = "notifications", .steps = cnmi_steps, .count = ARRAY_LEN(cnmi_steps)};
