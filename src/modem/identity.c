/* Whether the modem on the port is the one that we look for: its IMEI, as steps of script.c.
 *
 * What is met and is not ours is told to the other modems of the port source, one of which may look for it.
 */
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

enum { IMEI_DIGITS = 14 }; /* without its check digit; TS 23.003 6.2 */

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

void identity_imei_line(struct modem *m, const char *line)
{
    take_digits(m->carrier.imei, sizeof(m->carrier.imei), line, IMEI_DIGITS);
}

/* IMEIs are compared without their check digit: some modems give 0 there, or IMEISV (TS 23.003 6.2.2). */
static bool same_imei(const char *a, const char *b)
{
    return strlen(a) >= IMEI_DIGITS && strncmp(a, b, IMEI_DIGITS) == 0;
}

enum script_verdict identity_imei_done(struct modem *m, const struct at_result *r)
{
    (void)r;
    m->recognised = !*m->conf->imei || same_imei(m->carrier.imei, m->conf->imei);
    if (m->recognised)
        return STEP_NEXT;
    char imei[CARRIER_IMSI_BYTES], spec[PORT_NAME_BYTES];
    str_copy(imei, sizeof(imei), m->carrier.imei);
    str_copy(spec, sizeof(spec), m->user.spec);
    m->carrier.imei[0] = '\0';
    if (*imei)
        finder_tell(m, imei);
    modem_request(m, *m->conf->port ? MOVE_BACK_OFF : MOVE_OPEN, 0, "%s has the modem %s, not %s", spec,
                  *imei ? imei : "without IMEI", m->conf->imei);
    return STEP_STOP;
}

void identity_imsi_line(struct modem *m, const char *line)
{
    enum { IMSI_DIGITS = 6 }; /* at least MCC, MNC and something; TS 23.003 2.2: up to 15 */
    take_digits(m->carrier.imsi, sizeof(m->carrier.imsi), line, IMSI_DIGITS);
}
