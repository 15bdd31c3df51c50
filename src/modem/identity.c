/* Whether the modem on the port is the one that we look for: IMEI, and of its SIM the IMSI and the card's
 * number (ICCID), as steps of script.c. All that is configured must hold.
 *
 * The card's number can mostly be read before the PIN is entered, the IMSI never: so a PIN is given to a SIM
 * only where the modem is known by something else than its IMSI, or it would be tried on a stranger's SIM.
 * What is met and is not ours is told to the other modems of the port source, one of which may look for it.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "modem/finder.h"

enum {
    IMEI_DIGITS = 14,    /* without its check digit; TS 23.003 6.2 */
    ICCID_DIGITS = 18,   /* the least that are printed; ITU-T E.118: 19, and 20 on some */
    SIM_READY_MS = 30000 /* how long behind the PIN a SIM may refuse to tell */
};

/* The first run of at least `min` digits; false if there is none that fits. */
static bool take_digits(char *out, size_t size, const char *line, size_t min)
{
    for (const char *p = line; *p;) {
        size_t len = strspn(p, "0123456789");
        if (len >= min && len < size) {
            memcpy(out, p, len);
            out[len] = '\0';
            return true;
        }
        p += len ? len : 1;
    }
    return false;
}

/* ---- not ours ---- */

/* By its port, IMEI or USB device it is ours, whatever SIM it holds. */
static bool modem_certain(const struct modem *m)
{
    return !finder_searches(m) || *m->conf->imei || *m->conf->usb;
}

static void refuse(struct modem *m, const char *why)
{
    finder_tell(m);
    finder_not_ours(m);
    finder_miss(m, why);
    modem_request(m, finder_searches(m) ? MOVE_OPEN : MOVE_BACK_OFF, 0, "%s", why);
}

bool identity_locked(struct modem *m, const char *why)
{
    if (m->recognised || modem_certain(m))
        return false;
    refuse(m, why);
    return true;
}

/* ---- comparison ---- */

/* IMEIs are compared without their check digit: some modems give 0 there, or IMEISV (TS 23.003 6.2.2). */
static bool same_imei(const char *a, const char *b)
{
    return strlen(a) >= IMEI_DIGITS && strncmp(a, b, IMEI_DIGITS) == 0;
}

/* Card's numbers: one may lack the check digit. */
static bool same_iccid(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b), len = la < lb ? la : lb;

    return len >= ICCID_DIGITS && la + lb - 2 * len <= 1 && strncmp(a, b, len) == 0;
}

static bool same_imsi(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* One thing that is wanted: 1 it is the same, -1 it is another, 0 not wanted or not known. */
static int compare(const char *wanted, const char *known, bool (*same)(const char *, const char *))
{
    if (!*wanted || !*known)
        return 0;
    return same(known, wanted) ? 1 : -1;
}

bool identity_wanted(const struct modem *other, const struct modem *m)
{
    const struct modem_conf *c = other->conf;
    const int each[] = {compare(c->imei, m->carrier.imei, same_imei),
                        compare(c->imsi, m->carrier.imsi, same_imsi),
                        compare(c->iccid, m->iccid, same_iccid)};
    int same = 0;

    for (size_t i = 0; i < ARRAY_LEN(each); i++) {
        if (each[i] < 0)
            return false;
        same += each[i];
    }
    return same > 0;
}

/* ---- IMEI ---- */

void identity_imei_line(struct modem *m, const char *line)
{
    take_digits(m->carrier.imei, sizeof(m->carrier.imei), line, IMEI_DIGITS);
}

enum script_verdict identity_imei_done(struct modem *m, const struct at_result *r)
{
    const struct modem_conf *c = m->conf;

    (void)r;
    m->iccid[0] = '\0';
    if (!*c->imei || same_imei(m->carrier.imei, c->imei)) {
        m->recognised = !*c->imsi && !*c->iccid;
        return STEP_NEXT;
    }
    char why[CARRIER_TEXT_BYTES];
    snprintf(why, sizeof(why), "%.90s has the modem %s, not %s", m->user.spec,
             *m->carrier.imei ? m->carrier.imei : "without IMEI", c->imei);
    refuse(m, why);
    m->carrier.imei[0] = '\0';
    return STEP_STOP;
}

/* ---- the card's number ---- */

/* No standard has a command for it but the reading of its file, EF_ICCID 2FE2 (TS 27.007 8.18, TS 31.102
 * 4.2.2), which is in the order of the card's half-octets. */
static const struct {
    const char *command, *prefix;
} iccid_attempts[] = {
    {"AT+CCID", ""},          /* SIMCom, Quectel, u-blox, Telit */
    {"AT^ICCID?", "^ICCID:"}, /* Huawei */
    {"AT+QCCID", ""},         /* Quectel */
    {"AT+CICCID", ""},        /* SIMCom 4G */
    {"AT+ICCID", ""},         /* ZTE, others of Qualcomm's */
    {"AT#CCID", "#CCID:"},    /* Telit */
    {"AT+CRSM=176,12258,0,0,10", "+CRSM:"},
};

static void swap_halves(char *digits)
{
    for (char *p = digits; p[0] && p[1]; p += 2) {
        char c = p[0];
        p[0] = p[1];
        p[1] = c;
    }
}

/* The first run of digits, and of the letter that fills it up to 20, that is long enough. Always beginning
 * with 89 (ITU-T E.118: telecommunications), so that halves in the wrong order are seen. */
void identity_iccid_line(struct modem *m, const char *line)
{
    char digits[21];

    if (*m->iccid)
        return;
    for (const char *p = line; *p;) {
        size_t len = strspn(p, "0123456789abcdefABCDEF");
        if (len >= ICCID_DIGITS && len < sizeof(digits)) {
            memcpy(digits, p, len);
            digits[len] = '\0';
            if (strncmp(digits, "98", 2) == 0)
                swap_halves(digits);
            digits[strcspn(digits, "fF")] = '\0';
            bool whole = strspn(digits, "0123456789") == strlen(digits) && strlen(digits) >= ICCID_DIGITS;
            if (whole && strncmp(digits, "89", 2) == 0)
                str_copy(m->iccid, sizeof(m->iccid), digits);
            return;
        }
        p += len ? len : 1;
    }
}

static bool make_iccid(struct modem *m, char *text, size_t size)
{
    if (*m->iccid || m->run.attempt >= ARRAY_LEN(iccid_attempts))
        return false;
    m->run.cmd.prefix = iccid_attempts[m->run.attempt].prefix;
    return str_copy(text, size, iccid_attempts[m->run.attempt].command);
}

bool identity_make_iccid(struct modem *m, char *text, size_t size)
{
    return (*m->conf->iccid || m->pin_wanted) && make_iccid(m, text, size);
}

static bool more_iccid(const struct modem *m)
{
    return !*m->iccid && m->run.attempt + 1 < ARRAY_LEN(iccid_attempts);
}

static enum script_verdict refuse_sim(struct modem *m, const char *is, const char *should)
{
    char why[CARRIER_TEXT_BYTES];

    snprintf(why, sizeof(why), "%.60s has the SIM %s, not %s", m->user.spec, is, should);
    if (modem_certain(m))
        modem_alarm(m, CARRIER_ALARM_SIM, "%s", why);
    refuse(m, why);
    return STEP_STOP;
}

/* Before the PIN. What cannot be told yet is asked again behind it, if this modem is ours otherwise. */
enum script_verdict identity_iccid_done(struct modem *m, const struct at_result *r)
{
    const char *wanted = m->conf->iccid;

    (void)r;
    if (more_iccid(m))
        return STEP_REPEAT;
    int is = compare(wanted, m->iccid, same_iccid);
    if (is < 0)
        return refuse_sim(m, m->iccid, wanted);
    if (is > 0)
        m->recognised = !*m->conf->imsi;
    return STEP_NEXT;
}

/* A step that stands in front of the PIN's entry, whatever became of those before. */
bool identity_make_guard(struct modem *m, char *text, size_t size)
{
    bool known = compare(m->conf->iccid, m->iccid, same_iccid) > 0;

    return m->pin_wanted && !modem_certain(m) && !known && str_copy(text, size, "AT");
}

enum script_verdict identity_guard(struct modem *m, const struct at_result *r)
{
    char why[CARRIER_TEXT_BYTES];

    (void)r;
    snprintf(why, sizeof(why), "%.60s asks for a PIN, before which its SIM is not known", m->user.spec);
    refuse(m, why);
    return STEP_STOP;
}

/* ---- behind the PIN ---- */

void identity_imsi_line(struct modem *m, const char *line)
{
    enum { IMSI_DIGITS = 6 }; /* at least MCC, MNC and something; TS 23.003 2.2: up to 15 */
    take_digits(m->carrier.imsi, sizeof(m->carrier.imsi), line, IMSI_DIGITS);
}

bool identity_make_imsi(struct modem *m, char *text, size_t size)
{
    return *m->conf->imsi && str_copy(text, size, "AT+CIMI");
}

enum script_verdict identity_imsi_done(struct modem *m, const struct at_result *r)
{
    int is = compare(m->conf->imsi, m->carrier.imsi, same_imsi);

    if (r->code != AT_OK && !is && modem_now(m) - m->run.since_ms < SIM_READY_MS)
        return STEP_AGAIN;
    if (is <= 0)
        return refuse_sim(m, is < 0 ? m->carrier.imsi : "that is not told", m->conf->imsi);
    m->recognised = !*m->conf->iccid || compare(m->conf->iccid, m->iccid, same_iccid) > 0;
    return STEP_NEXT;
}

bool identity_make_iccid_again(struct modem *m, char *text, size_t size)
{
    return !m->recognised && *m->conf->iccid && make_iccid(m, text, size);
}

enum script_verdict identity_iccid_again(struct modem *m, const struct at_result *r)
{
    (void)r;
    if (more_iccid(m))
        return STEP_REPEAT;
    if (compare(m->conf->iccid, m->iccid, same_iccid) <= 0)
        return refuse_sim(m, *m->iccid ? m->iccid : "that is not told", m->conf->iccid);
    m->recognised = true;
    return STEP_NEXT;
}

/* ---- for whoever looks ---- */

bool identity_make_imsi_late(struct modem *m, char *text, size_t size)
{
    return !*m->carrier.imsi && str_copy(text, size, "AT+CIMI");
}
