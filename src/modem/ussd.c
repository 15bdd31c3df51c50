/* USSD: AT+CUSD, TS 27.007 7.15. The answer comes as an unsolicited code, before or after the command's OK,
 * or as an error after it.
 *
 * How the text is coded depends on the modem more than on the coding scheme it names: plain text, GSM 7-bit
 * packed as hex, UCS2 as hex. What it looks like decides; a dialogue that the network leaves open is closed.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"
#include "modem/modem_private.h"
#include "pdu/gsm7.h"

enum { OCTETS_MAX = 512, TEXT_BYTES = 2048 };

/* ---- texts ---- */

static size_t put(char *out, size_t at, uint32_t cp)
{
    return at + 4 < TEXT_BYTES ? at + utf8_put(cp, out + at) : at;
}

/* HE910 appends what was in its memory: the text ends at the first 0000 or FFFF. */
static void from_ucs2(const uint8_t *octets, size_t len, char *out)
{
    size_t at = 0;

    for (size_t i = 0; i + 1 < len; i += 2) {
        uint32_t unit = (uint32_t)octets[i] << 8 | octets[i + 1];
        if (unit == 0 || unit == 0xFFFF)
            break;
        if (unit >= 0xD800 && unit < 0xDC00 && i + 3 < len) {
            uint32_t low = (uint32_t)octets[i + 2] << 8 | octets[i + 3];
            if (low >= 0xDC00 && low < 0xE000) {
                unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                i += 2;
            }
        }
        at = put(out, at, unit);
    }
    out[at] = '\0';
}

static void from_gsm7(const uint8_t *octets, size_t len, char *out)
{
    uint8_t septets[OCTETS_MAX * 8 / 7 + 1];
    size_t n = len * 8 / 7, at = 0;

    gsm7_unpack(octets, n, 0, septets);
    /* A last septet of padding: CR, or 0 (TS 23.038 6.1.2.3.1). */
    while (n && (septets[n - 1] == '\r' || septets[n - 1] == 0))
        n--;
    for (size_t i = 0; i < n; i++) {
        uint32_t cp = 0;
        if (septets[i] == GSM7_ESC && i + 1 < n)
            cp = gsm7_single(0, septets[++i]);
        at = put(out, at, cp ? cp : gsm7_locking(0, septets[i]));
    }
    out[at] = '\0';
}

/* Most units of real UCS2 texts share their first octet (00 for Latin, 04 for Cyrillic, 06 for Arabic), and
 * it is a small one; packed septets do not. */
static bool looks_like_ucs2(const uint8_t *octets, size_t len)
{
    size_t counts[256] = {0}, most = 0;

    if (len < 2 || len % 2)
        return false;
    for (size_t i = 0; i < len; i += 2)
        counts[octets[i]]++;
    for (size_t i = 0; i < 0x20; i++)
        most = counts[i] > most ? counts[i] : most;
    return most * 2 > len / 2;
}

static bool says_ucs2(int64_t dcs)
{
    enum { UCS2_WITH_LANGUAGE = 0x11, GENERAL_MASK = 0xCC, GENERAL_UCS2 = 0x48 }; /* TS 23.038 5 */
    return dcs == UCS2_WITH_LANGUAGE || (dcs & GENERAL_MASK) == GENERAL_UCS2;
}

static void decode(const char *text, int64_t dcs, char *out)
{
    uint8_t octets[OCTETS_MAX];
    size_t len = strlen(text);
    /* Digits alone are a balance in plain text, unless they begin as UCS2 of Latin letters does. */
    bool plain = len < 4 || (strspn(text, "0123456789") == len && strncmp(text, "00", 2) != 0);
    int n = plain ? -1 : hex_decode(text, len, octets, sizeof(octets));

    if (n > 0 && (looks_like_ucs2(octets, (size_t)n) || (says_ucs2(dcs) && n % 2 == 0)))
        from_ucs2(octets, (size_t)n, out);
    else if (n > 0)
        from_gsm7(octets, (size_t)n, out);
    else if (utf8_valid(text, len))
        str_copy(out, TEXT_BYTES, text);
    else {
        size_t at = 0;
        for (const char *p = text; *p; p++)
            at = put(out, at, (uint8_t)*p); /* ISO 8859-1 */
        out[at] = '\0';
    }
}

/* ---- the exchange ---- */

static void send_cancel(struct modem *m)
{
    if (m->ussd_cmd_busy)
        return;
    str_copy(m->ussd_cmd.text, sizeof(m->ussd_cmd.text), "AT+CUSD=2");
    m->ussd_cmd_busy = line_send(m, &m->ussd_cmd, false) == 0;
}

void ussd_end(struct modem *m, int status, const char *answer)
{
    struct modem_ask *a = m->ussd;

    rt_timer_stop(m->rt, &m->ussd_timer);
    m->ussd = NULL;
    if (a)
        a->done(a, status, answer);
}

/* TS 27.007 7.15 <m> */
static const char *const outcomes[] = {
    NULL,
    NULL,
    "ended by the network",
    "another client has answered",
    "not supported by the network",
    "the network did not answer in time",
};

static void on_answer(struct modem *m, const char *line)
{
    char text[TEXT_BYTES], out[TEXT_BYTES];
    struct at_cur c = at_cur_after(line, "+CUSD:");
    int64_t kind, dcs = -1;

    if (!at_cur_number(&c, &kind))
        return;
    if (at_cur_string(&c, text, sizeof(text))) {
        at_cur_number(&c, &dcs);
        decode(text, dcs, out);
        ussd_end(m, 0, out);
        if (kind == 1) /* the network waits for more */
            send_cancel(m);
        return;
    }
    bool known = kind >= 0 && kind < (int64_t)ARRAY_LEN(outcomes) && outcomes[kind];
    ussd_end(m, ERR_REFUSED, known ? outcomes[kind] : "no text came");
}

void ussd_urc(struct modem *m, const char *line)
{
    if (!m->ussd) {
        modem_log(info, m, "ussd by the network %s", log_text(line));
        return;
    }
    if (strncmp(line, "+CUSD:", 6) == 0)
        on_answer(m, line);
    else
        ussd_end(m, ERR_REFUSED, line); /* the network's refusal, after the OK */
}

static void on_done(struct at_cmd *c, const struct at_result *r)
{
    struct modem *m = c->owner;
    char text[CARRIER_TEXT_BYTES];

    m->ussd_cmd_busy = false;
    line_result(m, r);
    if (r->code == AT_OK || !m->ussd || strcmp(c->text, "AT+CUSD=2") == 0)
        return;
    errors_text(r, text, sizeof(text));
    ussd_end(m, r->code == AT_TIMEOUT ? ERR_TIMEOUT : r->code == AT_CLOSED ? ERR_GONE : ERR_REFUSED, text);
}

static void on_timeout(struct rt_timer *t)
{
    struct modem *m = container_of(t, struct modem, ussd_timer);

    send_cancel(m);
    ussd_end(m, ERR_TIMEOUT, "the network did not answer in time");
}

int modem_ask_ussd(struct modem *m, const char *code, struct modem_ask *a, struct err *e)
{
    enum { CODE_MAX = 80, GSM7_DCS = 15 };

    if (strlen(code) == 0 || strlen(code) > CODE_MAX || strspn(code, "0123456789*#+") != strlen(code))
        return err_set(e, ERR_INVALID, "\"%s\": expected a code of digits, * and #, such as *100#", code);
    if (m->state != MODEM_READY)
        return err_set(e, ERR_GONE, "the modem is %s", modem_state_name(m->state));
    if (m->ussd || m->ussd_cmd_busy)
        return err_set(e, ERR_BUSY, "another request is under way");
    m->ussd_cmd = (struct at_cmd){.cls = AT_USSD, .done = on_done};
    snprintf(m->ussd_cmd.text, sizeof(m->ussd_cmd.text), "AT+CUSD=1,\"%s\",%d", code, GSM7_DCS);
    m->ussd_timer = (struct rt_timer){.fire = on_timeout, .at_ms = RT_NEVER};
    if (line_send(m, &m->ussd_cmd, false) != 0)
        return err_set(e, ERR_BUSY, "the modem has too much to do");
    m->ussd_cmd_busy = true;
    m->ussd = a;
    rt_timer_at(m->rt, &m->ussd_timer, modem_now(m) + MODEM_USSD_MS);
    return 0;
}
