/* Getting to know a modem and setting it up, as tables of commands for script.c. Works with any modem that
 * follows TS 27.005 and 27.007; what its family wants besides is in family.c, how it receives in plan.c.
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
    AT_PATIENCE_MS = 12000, /* 3 tries of 3 s and some (autobauding, a port just woken up) */
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

/* Audio ports and the like answer AT with OK, and everything else with ERROR. */
static bool nobody(const struct modem *m)
{
    return !*m->manufacturer && !*m->model && !*m->revision && !*m->carrier.imei;
}

static void probe_ended(struct modem *m)
{
    if (nobody(m)) {
        line_wrong_port(m, "answers AT and nothing else: not the modem's AT port");
        return;
    }
    /* Whether a stranger's SIM is ours is known later; most are not, and are asked again and again. */
    bool stranger = finder_stranger(m);
    log_write(stranger ? LOG_DEBUG : LOG_NOTICE, m->who,
              "found \"%s\" \"%s\" revision=\"%s\" imei=%s port=%s", m->manufacturer, m->model, m->revision,
              m->carrier.imei, m->user.spec);
    family_choose(m);
    if (!stranger)
        modem_here(m);
    modem_set_state(m, MODEM_INITIALISING, "setting up");
    script_start(m, &script_init);
}

static void probe_failed(struct modem *m, const char *why)
{
    modem_request(m, MOVE_RECOVER, 0, "%s", why);
}

static enum script_verdict at_done(struct modem *m, const struct at_result *r)
{
    (void)m; /* the patience is the step's; profile.probe_tries in script.c */
    return r->code == AT_OK ? STEP_NEXT : STEP_AGAIN;
}

static enum script_verdict cmee_done(struct modem *m, const struct at_result *r)
{
    m->numbered = r->code == AT_OK;
    return STEP_NEXT;
}

static const struct script_step probe_steps[] = {
    {.text = "AT", .cls = AT_QUICK, .must = true, .patience_ms = AT_PATIENCE_MS, .done = at_done},
    {.text = "ATE0", .cls = AT_QUICK},
    {.text = "ATV1", .cls = AT_QUICK},
    {.text = "ATQ0", .cls = AT_QUICK},
    {.text = "AT+CMEE=1", .cls = AT_QUICK, .done = cmee_done},
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

/* ---- SMSC, numbers ---- */

#define NO_SMSC                                                                                              \
    "the SIM has no service centre number, without which nothing can be sent: ask the operator for it and "  \
    "set "                                                                                                   \
    "modems[].smsc"

/* +CSCA: "address",type */
static void csca_line(struct modem *m, const char *line)
{
    struct at_cur c = at_cur_after(line, "+CSCA:");

    at_cur_phone(&c, m->smsc, sizeof(m->smsc));
}

static enum script_verdict csca_done(struct modem *m, const struct at_result *r)
{
    if (r->code == AT_OK && !*m->smsc && !*m->conf->smsc)
        modem_alarm(m, CARRIER_ALARM_SMSC, NO_SMSC);
    else if (*m->smsc)
        modem_alarm_over(m, CARRIER_ALARM_SMSC);
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
    modem_alarm_over(m, CARRIER_ALARM_SMSC);
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

    if (at_cur_number(&c, &fun) && (fun == 0 || fun == 4) && !m->conf->look_only)
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

    plan_describe(m, plan, sizeof(plan));
    modem_log(info, m, "set up port=%s imei=%s plan=\"%s\" store=%s smsc=%s", m->user.spec, m->carrier.imei,
              plan, *m->mem3 ? m->mem3 : "none", *m->smsc ? m->smsc : "none");
    modem_set_up(m);
    m->register_ms = modem_now(m);
    m->register_n = 0;
    modem_set_state(m, MODEM_REGISTERING, "waiting for the network");
    stores_sweep(m);
    script_start(m, &script_register);
}

/* A dial-up port answers much, but knows nothing of messages; where the modem was looked for, another port of
 * it may. So do variants that are sold without SMS (A7670E-LNXY). */
static void no_messages(struct modem *m, const char *why)
{
    if (*m->conf->port)
        modem_request(m, MOVE_RECOVER, 0, "%s: a variant of the modem that has no SMS, or not its AT port",
                      why);
    else
        line_wrong_port(m, "knows no SMS commands: not the AT port, or a variant of the modem without SMS");
}

static void no_sim(struct modem *m, const char *why)
{
    modem_alarm(
        m, CARRIER_ALARM_SIM,
        "the SIM does not get ready: if a restart does not help, take it out and put it in again (%s)", why);
    modem_request(m, MOVE_RECOVER, 0, "%s", why);
}

static void init_failed(struct modem *m, const char *why)
{
    bool answers = m->timeouts == 0;

    if (answers && strcmp(m->run.cmd.text, "AT+CMGF=0") == 0)
        no_messages(m, why);
    else if (answers && strcmp(m->run.cmd.text, "AT+CPIN?") == 0)
        no_sim(m, why);
    else
        modem_request(m, MOVE_RECOVER, 0, "%s", why);
}

static const struct script_step init_steps[] = {
    {.make = family_make_command, .cls = AT_QUERY, .list = true, .must = true},
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
     .boots = true,
     .line = identity_imsi_line,
     .done = identity_imsi_done},
    {.make = identity_make_iccid_again,
     .cls = AT_QUERY,
     .line = identity_iccid_line,
     .done = identity_iccid_again},
    {.text = "AT+CMGF=0", .cls = AT_QUERY, .must = true, .boots = true},
    {.make = family_make_command, .cls = AT_QUERY, .list = true, .must = true},
    {.make = family_make_format, .cls = AT_QUERY},
    {.make = family_make_charset, .cls = AT_QUERY},
    {.make = plan_make_csms, .prefix = "+CSMS:", .cls = AT_QUERY, .done = plan_csms_done},
    {.text = "AT+CPMS=?", .prefix = "+CPMS:", .cls = AT_SIM, .line = stores_list_line},
    {.make = stores_make_select,
     .prefix = "+CPMS:",
     .cls = AT_SIM,
     .line = stores_selected_line,
     .done = stores_selected},
    {.make = stores_make_cycle, .prefix = "+CPMS:", .cls = AT_SIM, .list = true},
    {.make = plan_make_cnmi, .cls = AT_QUERY, .done = plan_cnmi_done},
    {.make = plan_make_cnmi_check,
     .prefix = "+CNMI:",
     .cls = AT_QUERY,
     .line = plan_cnmi_line,
     .done = plan_cnmi_checked},
    {.make = send_make_more, .prefix = "+CMMS:", .cls = AT_QUERY, .line = send_more_line},
    {.text = "AT+CSCA?", .prefix = "+CSCA:", .cls = AT_SIM, .line = csca_line, .done = csca_done},
    {.make = make_csca, .cls = AT_SIM, .done = csca_set},
    {.make = identity_make_imsi_late, .prefix = "", .cls = AT_QUERY, .line = identity_imsi_line},
    {.make = make_cnum, .prefix = "+CNUM:", .cls = AT_QUERY, .line = cnum_line},
    {.make = calls_make_clip, .cls = AT_QUERY},
    {.make = calls_make_crc, .cls = AT_QUERY},
    {.text = "AT+CREG=1", .cls = AT_QUERY},
    {.text = "AT+CEREG=1", .cls = AT_QUERY},
    {.text = "AT+CGREG=1", .cls = AT_QUERY},
};
const struct script script_init = {.name = "initialisation",
                                   .steps = init_steps,
                                   .count = ARRAY_LEN(init_steps),
                                   .end = init_ended,
                                   .failed = init_failed};
