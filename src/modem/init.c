/* Getting to know a modem and setting it up, as tables of commands for script.c. Works with any modem that
 * follows TS 27.005 and 27.007.
 *
 * What a modem claims to support is often wrong (Qualcomm-based ones list modes that they refuse), so
 * settings are lists of attempts: set, the first OK wins, then read back. Nothing is saved in the modem (&W).
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

enum {
    AT_PATIENCE_MS = 12000,   /* 3 tries of 3 s and some (autobauding, a port just woken up) */
    BOOT_PATIENCE_MS = 30000, /* SMS commands fail until the modem says "SMS Ready" (SIM800: up to 30 s) */
};

/* ---- identification ---- */

/* One free-form line: its first is taken, quotes and the command's own prefix cut off. */
static void take_text(char *out, size_t size, const char *line)
{
    if (*out)
        return;
    if (*line == '+') {
        const char *colon = strchr(line, ':');
        line = colon ? colon + 1 : line;
    }
    line += strspn(line, " \"");
    snprintf(out, size, "%s", line);
    for (size_t n = strlen(out); n && (out[n - 1] == ' ' || out[n - 1] == '"'); n--)
        out[n - 1] = '\0';
}

static void manufacturer_line(struct modem *m, const char *line)
{
    take_text(m->manufacturer, sizeof(m->manufacturer), line);
}

static void model_line(struct modem *m, const char *line)
{
    take_text(m->model, sizeof(m->model), line);
}

static void revision_line(struct modem *m, const char *line)
{
    take_text(m->revision, sizeof(m->revision), line);
}

static void probe_ended(struct modem *m)
{
    modem_log(notice, m, "found \"%s\" \"%s\" revision=\"%s\" imei=%s port=%s", m->manufacturer, m->model,
              m->revision, m->carrier.imei, m->user.spec);
    modem_set_state(m, MODEM_INITIALISING, "setting up");
    script_start(m, &script_init);
}

static void probe_failed(struct modem *m, const char *why)
{
    modem_request(m, MOVE_RECOVER, 0, "%s", why);
}

static enum script_verdict at_done(struct modem *m, const struct at_result *r)
{
    (void)m;
    return r->code == AT_OK ? STEP_NEXT : STEP_AGAIN;
}

static const struct script_step probe_steps[] = {
    {.text = "AT", .cls = AT_QUICK, .must = true, .patience_ms = AT_PATIENCE_MS, .done = at_done},
    {.text = "ATE0", .cls = AT_QUICK},
    {.text = "ATV1", .cls = AT_QUICK},
    {.text = "ATQ0", .cls = AT_QUICK},
    {.text = "AT+CMEE=1", .cls = AT_QUICK},
    {.text = "AT+CGMI", .prefix = "", .cls = AT_QUERY, .line = manufacturer_line},
    {.text = "AT+CGMM", .prefix = "", .cls = AT_QUERY, .line = model_line},
    {.text = "AT+CGMR", .prefix = "", .cls = AT_QUERY, .line = revision_line},
    /* A must: without an answer the modem cannot be told from another. */
    {.text = "AT+CGSN",
     .prefix = "",
     .cls = AT_QUERY,
     .must = true,
     .line = identity_imei_line,
     .done = identity_imei_done},
};
const struct script script_probe = {.name = "probe",
                                    .steps = probe_steps,
                                    .count = ARRAY_LEN(probe_steps),
                                    .end = probe_ended,
                                    .failed = probe_failed};

/* ---- plan and notifications, TS 27.005 3.4.1 (+CNMI), 3.2.1 (+CSMS) ---- */

static bool make_csms(struct modem *m, char *text, size_t size)
{
    static const char *const direct[] = {"AT+CSMS=1", "AT+CSMS=128"}; /* 128: Quectel M26 */

    if (m->plan == MODEM_PLAN_DIRECT && m->run.attempt < ARRAY_LEN(direct))
        return str_copy(text, size, direct[m->run.attempt]);
    m->plan = MODEM_PLAN_STORE;
    /* Written although it is the default: what a former user left makes +CDS wait for AT+CNMA. */
    return str_copy(text, size, "AT+CSMS=0");
}

static enum script_verdict csms_done(struct modem *m, const struct at_result *r)
{
    m->acks = r->code == AT_OK && m->plan == MODEM_PLAN_DIRECT;
    if (r->code == AT_OK)
        return STEP_NEXT;
    return m->plan == MODEM_PLAN_DIRECT ? STEP_REPEAT : STEP_FAIL;
}

/* mode 2 keeps notices while the line is busy; ds 1 gives reports at once, 2 by way of a store; bm 0: no cell
 * broadcast. bfr 1 is all that some Cinterion take. */
static const char *const store_attempts[] = {
    "2,1,0,1,0", "2,1,0,2,0", "1,1,0,1,0", "2,1,0,1,1", "2,1,0,2,1",
    "1,1,0,2,0", "2,1,0,0,0", "1,1,0,0,0", "2,1",       "1,1",
};
static const char *const direct_attempts[] = {
    "2,2,0,1,0",
    "1,2,0,1,0",
    "2,2,0,1,1",
    "1,2,0,0,1",
};

static const char *cnmi_attempt(const struct modem *m, unsigned n)
{
    if (m->plan != MODEM_PLAN_DIRECT)
        return n < ARRAY_LEN(store_attempts) ? store_attempts[n] : NULL;
    return n < ARRAY_LEN(direct_attempts) ? direct_attempts[n] : NULL;
}

static bool make_cnmi(struct modem *m, char *text, size_t size)
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

static enum script_verdict cnmi_done(struct modem *m, const struct at_result *r)
{
    m->cnmi = -1;
    if (r->code != AT_OK)
        return cnmi_attempt(m, m->run.attempt + 1) || m->plan == MODEM_PLAN_DIRECT ? STEP_REPEAT : STEP_FAIL;
    m->cnmi = (int)m->run.attempt;
    const char *set = cnmi_attempt(m, m->run.attempt);
    m->reports_stored = strlen(set) > 6 && set[6] == '2';
    return STEP_NEXT;
}

static bool make_cnmi_check(struct modem *m, char *text, size_t size)
{
    m->cnmi_kept = true;
    return m->cnmi >= 0 && str_copy(text, size, "AT+CNMI?");
}

/* +CNMI: mode,mt,… */
static void cnmi_line(struct modem *m, const char *line)
{
    struct at_cur c = at_cur_after(line, "+CNMI:");
    int64_t mode, mt;

    if (at_cur_number(&c, &mode) && at_cur_number(&c, &mt))
        m->cnmi_kept = mt != 0;
}

static enum script_verdict cnmi_checked(struct modem *m, const struct at_result *r)
{
    (void)r;
    if (!m->cnmi_kept) {
        modem_log(warning, m, "AT+CNMI=%s was accepted and not kept: messages are found by polling",
                  cnmi_attempt(m, (unsigned)m->cnmi));
        m->cnmi = -1;
    }
    return STEP_NEXT;
}

void init_describe_plan(const struct modem *m, char *out, size_t size)
{
    const char *plan = m->plan == MODEM_PLAN_DIRECT ? "direct" : "store";

    if (m->cnmi < 0)
        snprintf(out, size, "%s, polled", plan);
    else
        snprintf(out, size, "%s, AT+CNMI=%s", plan, cnmi_attempt(m, (unsigned)m->cnmi));
}

/* ---- SMSC, numbers ---- */

/* +CSCA: "address",type */
static void csca_line(struct modem *m, const char *line)
{
    struct at_cur c = at_cur_after(line, "+CSCA:");

    at_cur_phone(&c, m->smsc, sizeof(m->smsc));
}

static enum script_verdict csca_done(struct modem *m, const struct at_result *r)
{
    if (r->code == AT_OK && !*m->smsc && !*m->conf->smsc)
        modem_log(warning, m, "the SIM has no service centre number: sending will fail (set modems[].smsc)");
    return STEP_NEXT;
}

static bool make_csca(struct modem *m, char *text, size_t size)
{
    if (!*m->conf->smsc || number_same(m->smsc, m->conf->smsc))
        return false;
    snprintf(text, size, "AT+CSCA=\"%s\",%d", m->conf->smsc, *m->conf->smsc == '+' ? 145 : 129);
    return true;
}

static enum script_verdict csca_set(struct modem *m, const struct at_result *r)
{
    if (r->code != AT_OK)
        return STEP_FAIL;
    modem_log(notice, m, "service centre changed from %s to %s", *m->smsc ? m->smsc : "none", m->conf->smsc);
    str_copy(m->smsc, sizeof(m->smsc), m->conf->smsc);
    return STEP_NEXT;
}

/* +CNUM: [alpha],number,type: the first line that has one. */
static void cnum_line(struct modem *m, const char *line)
{
    struct at_cur c = at_cur_after(line, "+CNUM:");

    if (!*m->carrier.number && at_cur_skip(&c))
        at_cur_phone(&c, m->carrier.number, sizeof(m->carrier.number));
}

static bool make_cnum(struct modem *m, char *text, size_t size)
{
    str_copy(m->carrier.number, sizeof(m->carrier.number), m->conf->number);
    return !*m->carrier.number && str_copy(text, size, "AT+CNUM");
}

/* ---- radio ---- */

/* +CFUN: 1, or +CFUN: 0 or 4 when the radio is off. ZTE answers the test form: left alone. */
static void cfun_line(struct modem *m, const char *line)
{
    struct at_cur c = at_cur_after(line, "+CFUN:");
    int64_t fun;

    if (at_cur_number(&c, &fun) && (fun == 0 || fun == 4))
        m->run.attempt = 1;
}

static bool make_cfun(struct modem *m, char *text, size_t size)
{
    return str_copy(text, size, m->run.attempt ? "AT+CFUN=1" : "AT+CFUN?");
}

static enum script_verdict cfun_done(struct modem *m, const struct at_result *r)
{
    bool was_query = strcmp(m->run.cmd.text, "AT+CFUN?") == 0;

    if (was_query && r->code == AT_OK && m->run.attempt == 1) {
        modem_log(notice, m, "the radio was off: switching it on");
        return STEP_REPEAT;
    }
    return r->code == AT_OK ? STEP_NEXT : STEP_FAIL;
}

/* ---- the script ---- */

static void init_ended(struct modem *m)
{
    char plan[48];

    init_describe_plan(m, plan, sizeof(plan));
    modem_log(info, m, "set up plan=\"%s\" store=%s smsc=%s", plan, *m->mem3 ? m->mem3 : "none",
              *m->smsc ? m->smsc : "none");
    m->register_ms = modem_now(m);
    m->register_n = 0;
    modem_set_state(m, MODEM_REGISTERING, "waiting for the network");
    stores_sweep(m);
    script_start(m, &script_register);
}

static void init_failed(struct modem *m, const char *why)
{
    modem_request(m, MOVE_RECOVER, 0, "%s", why);
}

static const struct script_step init_steps[] = {
    {.make = make_cfun, .prefix = "+CFUN:", .cls = AT_RADIO, .line = cfun_line, .done = cfun_done},
    {.text = "AT+CPIN?",
     .prefix = "+CPIN:",
     .cls = AT_QUERY,
     .ok_optional = true,
     .patience_ms = MODEM_BUSY_PATIENCE_MS,
     .must = true,
     .line = pin_line,
     .done = pin_asked},
    {.make = identity_make_iccid, .cls = AT_QUERY, .line = identity_iccid_line, .done = identity_iccid_done},
    {.make = identity_make_guard, .cls = AT_QUICK, .must = true, .done = identity_guard},
    /* A must: its handler decides whether the PIN may be entered. "Not supported" is an answer. */
    {.make = pin_make_tries,
     .must = true,
     .prefix = "+CPINR:",
     .cls = AT_QUERY,
     .line = pin_tries_line,
     .done = pin_tries_done},
    {.make = pin_make_entry, .cls = AT_SIM, .done = pin_entered},
    {.make = pin_make_check,
     .prefix = "+CPIN:",
     .cls = AT_QUERY,
     .ok_optional = true,
     .patience_ms = MODEM_BUSY_PATIENCE_MS,
     .must = true,
     .line = pin_line,
     .done = pin_checked},
    {.make = identity_make_imsi,
     .prefix = "",
     .cls = AT_QUERY,
     .must = true,
     .patience_ms = BOOT_PATIENCE_MS,
     .line = identity_imsi_line,
     .done = identity_imsi_done},
    {.make = identity_make_iccid_again,
     .cls = AT_QUERY,
     .line = identity_iccid_line,
     .done = identity_iccid_again},
    {.text = "AT+CMGF=0", .cls = AT_QUERY, .must = true, .patience_ms = BOOT_PATIENCE_MS},
    {.text = "AT+CSCS=\"GSM\"", .cls = AT_QUERY}, /* numbers and names as they are, not as UCS2 hex */
    {.make = make_csms, .prefix = "+CSMS:", .cls = AT_QUERY, .done = csms_done},
    {.text = "AT+CPMS=?", .prefix = "+CPMS:", .cls = AT_SIM, .line = stores_list_line},
    {.make = stores_make_select, .prefix = "+CPMS:", .cls = AT_SIM, .done = stores_selected},
    {.make = make_cnmi, .cls = AT_QUERY, .done = cnmi_done},
    {.make = make_cnmi_check, .prefix = "+CNMI:", .cls = AT_QUERY, .line = cnmi_line, .done = cnmi_checked},
    {.text = "AT+CMMS=?", .prefix = "+CMMS:", .cls = AT_QUERY, .line = send_more_line},
    {.text = "AT+CSCA?", .prefix = "+CSCA:", .cls = AT_SIM, .line = csca_line, .done = csca_done},
    {.make = make_csca, .cls = AT_SIM, .done = csca_set},
    {.make = identity_make_imsi_late, .prefix = "", .cls = AT_QUERY, .line = identity_imsi_line},
    {.make = make_cnum, .prefix = "+CNUM:", .cls = AT_QUERY, .line = cnum_line},
    {.text = "AT+CREG=1", .cls = AT_QUERY},
    {.text = "AT+CEREG=1", .cls = AT_QUERY},
    {.text = "AT+CGREG=1", .cls = AT_QUERY},
};
const struct script script_init = {.name = "initialisation",
                                   .steps = init_steps,
                                   .count = ARRAY_LEN(init_steps),
                                   .end = init_ended,
                                   .failed = init_failed};

/* After an acknowledgement that came too late: some modems set mt and ds to 0 then (TS 27.005 3.4.1). */
static enum script_verdict cnmi_still_set(struct modem *m, const struct at_result *r)
{
    (void)r;
    if (m->cnmi_kept || m->cnmi < 0)
        return STEP_NEXT;
    modem_log(warning, m, "the modem has switched off delivery after a missed acknowledgement: set again");
    return STEP_NEXT;
}

static bool make_cnmi_again(struct modem *m, char *text, size_t size)
{
    if (m->cnmi_kept || m->cnmi < 0)
        return false;
    snprintf(text, size, "AT+CNMI=%s", cnmi_attempt(m, (unsigned)m->cnmi));
    return true;
}

static const struct script_step cnmi_steps[] = {
    {.make = make_cnmi_check, .prefix = "+CNMI:", .cls = AT_QUERY, .line = cnmi_line, .done = cnmi_still_set},
    {.make = make_cnmi_again, .cls = AT_QUERY},
};
const struct script script_cnmi = {
    .name = "notifications", .steps = cnmi_steps, .count = ARRAY_LEN(cnmi_steps)};
