/* A simulated modem as its personality says (personality.h): answers of its own, what it says at the start
 * and unasked, when SMS commands work, and how it hangs.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "hw/sim/sim_int.h"

enum { WEDGE_MS = 2000, TEXT_BYTES = 512 };

/* ---- texts with {fields} ---- */

static void field(struct simmodem *m, const char *name, const char *store, char *out, size_t size)
{
    const struct {
        const char *name, *text;
    } texts[] = {{"imei", m->imei}, {"imsi", m->imsi}, {"iccid", m->iccid}, {"store", store}};
    const struct {
        const char *name;
        int value;
    } numbers[] = {{"rssi", m->signal}, {"pin", m->pin_tries}, {"puk", m->puk_tries}};
    str_copy(out, size, "");
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (strcmp(name, texts[i].name) == 0)
            str_copy(out, size, texts[i].text);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (strcmp(name, numbers[i].name) == 0)
            snprintf(out, size, "%d", numbers[i].value);
    if (strcmp(name, "cpin") == 0)
        str_copy(out, size, sim_cpin(m));
    if (strcmp(name, "random") == 0)
        snprintf(out, size, "%08u", sim_rng_below(&m->rng, 100000000));
}

/* `text` up to the end of its line. */
static void expand_line(struct simmodem *m, const char *text, const char *store, char *out, size_t size)
{
    size_t n = 0;
    while (*text && *text != '\n' && n + 1 < size) {
        const char *end = *text == '{' ? strchr(text, '}') : NULL;
        char name[16], value[SIM_NAME_BYTES];
        if (!end || (size_t)(end - text) > sizeof(name)) {
            out[n++] = *text++;
            continue;
        }
        snprintf(name, sizeof(name), "%.*s", (int)(end - text - 1), text + 1);
        field(m, name, store, value, sizeof(value));
        n += (size_t)snprintf(out + n, size - n, "%s", value);
        n = n < size ? n : size - 1;
        text = end + 1;
    }
    out[n] = '\0';
}

static const char *next_line(const char *text)
{
    const char *end = strchr(text, '\n');
    return end ? end + 1 : text + strlen(text);
}

void sim_say(struct simmodem *m, const char *text, const char *store)
{
    char line[TEXT_BYTES];
    for (; *text; text = next_line(text)) {
        expand_line(m, text, store, line, sizeof(line));
        sim_urc(m, "%s", line);
    }
}

void sim_tell(struct simmodem *m, const char *text)
{
    char line[TEXT_BYTES];
    for (; *text; text = next_line(text)) {
        expand_line(m, text, "", line, sizeof(line));
        sim_info_line(m, "%s", line);
    }
}

/* ---- commands ---- */

static bool fits(const char *ask, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++, ask++) {
        if (*ask == '*')
            return true;
        if (*ask != (char)toupper((unsigned char)text[i]))
            return false;
    }
    return *ask == '\0' || *ask == '*';
}

static int act(struct simmodem *m, const struct personality_answer *a)
{
    switch (a->then) {
    case DO_NOTHING:
        break;
    case DO_QUIET:
        m->noise_off = true;
        break;
    case DO_NOISE:
        m->noise_off = false;
        break;
    case DO_GPS_OFF:
        m->gps_on = false;
        break;
    case DO_GPS_ON:
        m->gps_on = true;
        break;
    case DO_RESTART:
        if (a->say)
            sim_tell(m, a->say);
        return sim_restart(m);
    }
    if (a->say)
        sim_tell(m, a->say);
    return a->result;
}

bool sim_family_answer(struct simmodem *m, const char *text, size_t len, int *result)
{
    while (len && text[len - 1] == ' ')
        len--;
    for (const struct personality_answer *a = m->p.answers; a->ask; a++) {
        if (fits(a->ask, text, len)) {
            *result = act(m, a);
            return true;
        }
    }
    return false;
}

bool sim_family_lacks(const struct simmodem *m, const char *name)
{
    static const struct {
        unsigned quirk;
        const char *name;
    } rows[] = {{PQ_NO_LTE, "+CEREG"}, {PQ_NO_CESQ, "+CESQ"}, {PQ_NO_CPINR, "+CPINR"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if ((m->p.quirks & rows[i].quirk) && strcmp(name, rows[i].name) == 0)
            return true;
    return false;
}

/* The code with which an SMS command is refused for the moment, or SIM_R_OK. */
int sim_not_ready(const struct simmodem *m)
{
    enum { PLEASE_WAIT = SIM_CME + 515 };
    if (sim_window(m, m->ready_at_us))
        return m->p.not_ready;
    return sim_window(m, m->wait_until_us) ? PLEASE_WAIT : SIM_R_OK;
}

bool sim_ok_before_pdu(const struct simmodem *m)
{
    return m->gps_on && (m->p.quirks & PQ_OK_BEFORE_PDU);
}

/* ---- start ---- */

void sim_get_ready(struct simmodem *m)
{
    m->ready_at_us = m->now_us + m->p.ready_ms * SIM_MS;
    m->ready_untold = true;
}

/* What a start sets, with or without a banner. */
void sim_family_reset(struct simmodem *m)
{
    m->noise_off = false;
    m->gps_on = true;
    m->ready_at_us = m->wait_until_us = 0;
    m->ready_untold = false;
    m->noise_at_us = SIM_NEVER;
    if (m->p.noise[0])
        m->noise_at_us = m->now_us + sim_rng_below(&m->rng, (uint32_t)m->p.noise_ms) * SIM_MS;
}

/* ---- what it says unasked ---- */

static bool may_talk(const struct simmodem *m)
{
    return m->entry == SIM_ENTRY_NONE && !sim_silent(m) && !m->noise_off &&
           m->out.len + m->tx.len < SIM_BACKLOG_BYTES;
}

static void noise(struct simmodem *m)
{
    m->noise_at_us = m->now_us + m->p.noise_ms * SIM_MS;
    if (!m->p.noise[++m->noise_next])
        m->noise_next = 0;
    if (may_talk(m))
        sim_say(m, m->p.noise[m->noise_next], "");
}

/* A wedged modem's line does not pass through the rest of it. */
static void wedge_line(struct simmodem *m)
{
    char line[TEXT_BYTES];
    m->wedge_at_us = m->now_us + WEDGE_MS * SIM_MS;
    if (m->out.len >= SIM_BACKLOG_BYTES)
        return;
    expand_line(m, m->p.wedge_line, "", line, sizeof(line));
    buf_addf(&m->out, "\r\n%s\r\n", line);
}

void sim_family_step(struct simmodem *m)
{
    if (m->wedged) {
        if (m->p.wedge_line && m->now_us >= m->wedge_at_us)
            wedge_line(m);
        return;
    }
    if (m->ready_untold && m->now_us >= m->ready_at_us && m->entry == SIM_ENTRY_NONE) {
        m->ready_untold = false;
        sim_say(m, m->p.ready_signs, "");
    }
    if (m->now_us >= m->noise_at_us)
        noise(m);
}

int64_t sim_family_deadline(const struct simmodem *m)
{
    if (m->wedged)
        return m->p.wedge_line ? m->wedge_at_us : SIM_NEVER;
    if (m->ready_untold && m->entry == SIM_ENTRY_NONE && m->ready_at_us < m->noise_at_us)
        return m->ready_at_us;
    return m->noise_at_us;
}

void sim_wedge(struct simmodem *m)
{
    m->wedged = true;
    m->wedge_at_us = m->now_us;
    m->entry = SIM_ENTRY_NONE;
    m->line_len = 0;
    m->busy.on = false;
    buf_clear(&m->tx);
    buf_clear(&m->busy.held);
}
