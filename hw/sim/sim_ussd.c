/* USSD (AT+CUSD) of a simulated modem, in the codings of its family. TS 27.007 7.15, TS 23.038 5, 6.1.2.3.
 *
 * The standard's modem takes and gives texts in the alphabet of AT+CSCS; others want packed septets as
 * hexadecimal digits, UCS2, or plain text whatever AT+CSCS says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"
#include "hw/sim/sim_int.h"
#include "pdu/gsm7.h"

enum { USSD_MS = 500, DCS_GSM7 = 15, DCS_LANGUAGE_UCS2 = 17, DCS_UCS2 = 72, SEPTETS = 182 };
enum { DONE = 0, REPLY_WANTED = 1, ENDED = 2, NOT_SUPPORTED = 4 }; /* the first parameter of +CUSD */

/* Answers to USSD codes; the one with code "" answers every other. */
struct sim_ussd {
    struct sim_ussd *next;
    char code[SIM_NAME_BYTES];
    char answer[SIM_ARG_BYTES / 4];
};

void sim_ussd_free(struct simmodem *m)
{
    while (m->ussd) {
        struct sim_ussd *u = m->ussd;
        m->ussd = u->next;
        free(u);
    }
}

void simmodem_ussd(struct simmodem *m, const char *code, const char *answer)
{
    struct sim_ussd **p = &m->ussd;
    while (*p && strcmp((*p)->code, code) != 0)
        p = &(*p)->next;
    if (!*p) {
        *p = calloc(1, sizeof(**p));
        if (!*p)
            abort();
        str_copy((*p)->code, sizeof((*p)->code), code);
    }
    str_copy((*p)->answer, sizeof((*p)->answer), answer);
}

static const char *ussd_answer(const struct simmodem *m, const char *code)
{
    const char *answer = NULL;
    for (const struct sim_ussd *u = m->ussd; u; u = u->next) {
        if (strcmp(u->code, code) == 0)
            return u->answer;
        if (!u->code[0])
            answer = u->answer;
    }
    return answer;
}

/* ---- codings ---- */

static size_t pack(const char *utf8, uint8_t *octets)
{
    uint8_t septets[SEPTETS + 2], pair[2];
    size_t len = strlen(utf8), at = 0, n = 0;
    while (at < len && n < SEPTETS) {
        int used = gsm7_from_code_point(utf8_next(utf8, len, &at), 0, 0, pair);
        if (used == 2)
            septets[n++] = GSM7_ESC;
        septets[n++] = used == 2 ? pair[1] : used == 1 ? pair[0] : '?';
    }
    if (n % 8 == 7)
        septets[n++] = '\r'; /* seven spare bits would read as '@': TS 23.038 6.1.2.3.1 */
    return gsm7_pack(septets, n, 0, octets);
}

static void unpack(const uint8_t *octets, size_t len, char *out, size_t size)
{
    uint8_t septets[SEPTETS + 2];
    size_t n = len * 8 / 7, used = 0;
    n = n < SEPTETS ? n : SEPTETS;
    gsm7_unpack(octets, n, 0, septets);
    if (n && n % 8 == 0 && (septets[n - 1] == '\r' || septets[n - 1] == 0))
        n--;
    for (size_t i = 0; i < n && used + 5 < size; i++)
        used += utf8_put(gsm7_locking(0, septets[i]), out + used);
    out[used] = '\0';
}

static void ucs2_hex(const char *utf8, char *out, size_t size)
{
    size_t len = strlen(utf8), at = 0, n = 0;
    out[0] = '\0';
    while (at < len && n + 5 < size) {
        uint32_t cp = utf8_next(utf8, len, &at);
        n += (size_t)snprintf(out + n, size - n, "%04X", cp > 0xFFFF ? 0xFFFDu : cp);
    }
}

static bool ucs2_text(const uint8_t *octets, size_t len, char *out, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i + 1 < len && used + 5 < size; i += 2)
        used += utf8_put((uint32_t)(octets[i] << 8 | octets[i + 1]), out + used);
    out[used] = '\0';
    return len % 2 == 0;
}

static bool accepts(const struct simmodem *m, enum personality_ussd coding)
{
    return m->p.ussd_requests >> coding & 1;
}

/* A request to text. False: not in a coding that this modem takes. */
static bool request(const struct simmodem *m, const char *text, char *out, size_t size)
{
    uint8_t octets[SIM_ARG_BYTES / 2];
    if (m->p.ussd_requests == 0 || accepts(m, USSD_BY_CSCS))
        return sim_unquote(m, text, out, size);
    int n = hex_decode(text, strlen(text), octets, sizeof(octets));
    bool ucs2 = n > 1 && n % 2 == 0 && octets[0] == 0;
    if (ucs2 && accepts(m, USSD_UCS2))
        return ucs2_text(octets, (size_t)n, out, size);
    if (n > 0 && !ucs2 && accepts(m, USSD_PACKED)) {
        unpack(octets, (size_t)n, out, size);
        return true;
    }
    return accepts(m, USSD_PLAIN) && !ucs2 && str_copy(out, size, text);
}

static int coded(const struct simmodem *m, const char *utf8, char *out, size_t size)
{
    uint8_t octets[SEPTETS];
    switch (m->p.ussd_answers) {
    case USSD_BY_CSCS:
        sim_quote(m, utf8, out, size);
        return strcmp(m->set.cscs, "UCS2") == 0 ? DCS_UCS2 : DCS_GSM7;
    case USSD_PACKED:
        hex_encode(octets, pack(utf8, octets), out);
        return DCS_GSM7;
    case USSD_UCS2:
        ucs2_hex(utf8, out, size);
        return DCS_UCS2;
    case USSD_PLAIN:
        str_copy(out, size, utf8);
        return DCS_GSM7;
    case USSD_GARBAGE: /* its memory behind the text is told too */
        ucs2_hex(utf8, out, size - 24);
        strcat(out, "0000FFFF4E2D98000052");
        return DCS_LANGUAGE_UCS2;
    }
    return DCS_GSM7;
}

/* ---- dialogues ---- */

void sim_ussd_show(struct simmodem *m)
{
    char text[2 * SIM_ARG_BYTES];
    m->ussd_at_us = SIM_NEVER;
    if (m->ussd_failed) {
        sim_urc(m, "+CME ERROR: 132");
        return;
    }
    int dcs = coded(m, m->ussd_pending, text, sizeof(text));
    sim_urc(m, "+CUSD: %d,\"%s\",%d", m->ussd_open ? REPLY_WANTED : DONE, text, dcs);
}

static void answer_later(struct simmodem *m, const char *text, int64_t after_ms)
{
    m->ussd_open = text[0] == '?'; /* a menu */
    str_copy(m->ussd_pending, sizeof(m->ussd_pending), text + m->ussd_open);
    m->ussd_at_us = m->now_us + after_ms * SIM_MS;
}

void simmodem_ussd_push(struct simmodem *m, const char *text, int64_t now_ms)
{
    simmodem_tick(m, now_ms);
    m->ussd_failed = false;
    answer_later(m, text, 0);
    simmodem_tick(m, now_ms);
    sim_wake(m);
}

static int cancel(struct simmodem *m)
{
    bool open = m->ussd_open;
    m->ussd_at_us = SIM_NEVER;
    m->ussd_open = false;
    if (open)
        sim_urc(m, "+CUSD: %d", ENDED);
    return SIM_R_OK;
}

static int refused(struct simmodem *m)
{
    if (m->p.ussd_refusal)
        return m->p.ussd_refusal;
    if (m->p.ussd_requests == 0)
        return SIM_CME + 50;
    sim_finish(m, SIM_R_OK);
    sim_urc(m, "+CUSD: %d", NOT_SUPPORTED);
    return SIM_R_LATER;
}

int sim_cmd_cusd(struct simmodem *m, struct sim_cmd *c)
{
    char code[SIM_ARG_BYTES];
    int n = 0;
    if (c->form == SIM_READ) {
        sim_info_line(m, "+CUSD: 1");
        return SIM_R_OK;
    }
    if (c->form == SIM_TEST) {
        sim_info_line(m, "+CUSD: (0-2)");
        return SIM_R_OK;
    }
    if (c->form != SIM_SET || c->argc > 3 || !sim_arg_int(c, 0, 0, 2, &n))
        return SIM_CME + 50;
    if (n == 2)
        return cancel(m);
    if (c->argc < 2)
        return SIM_R_OK;
    if (!request(m, c->arg[1].text, code, sizeof(code)))
        return refused(m);
    if (!sim_registered(m))
        return SIM_CME + 30;
    const char *answer = ussd_answer(m, code);
    m->ussd_failed = !answer && (m->p.quirks & PQ_USSD_LATE_ERROR);
    answer_later(m, answer ? answer : "Unknown application", USSD_MS);
    return SIM_R_OK;
}
