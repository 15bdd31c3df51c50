/* What a modem's family changes (hw/profiles, modem/profile.h): which one it is, its settings for the
 * channel, and its own commands as steps of script.c.
 *
 * What a port's USB id says is taken at once, since it tells how long the modem may take to start; what the
 * modem says of itself is better, and counts from then on. Quirks are not here: each is in the one place
 * where it makes a difference.
 */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

static bool begins_with_one_of(const char *const *prefixes, const char *line)
{
    for (; prefixes && *prefixes; prefixes++) {
        if (strncmp(line, *prefixes, strlen(*prefixes)) == 0)
            return true;
    }
    return false;
}

/* ---- which one ---- */

static void set_channel(struct modem *m)
{
    enum { EARLY_OK_MS = 2000, NO_EARLY_OK = -1 };
    const struct profile *p = m->profile;
    struct at_chan *ch = &m->chan;

    for (int i = 0; i < AT_CLASSES; i++)
        ch->result_ms[i] = p->timeout_ms[i];
    if (ch->result_ms[AT_SEND] < m->conf->send_timeout_ms)
        ch->result_ms[AT_SEND] = m->conf->send_timeout_ms;
    ch->gap_ms = (int)p->gap_ms;
    ch->prompt_gap_ms = (int)p->prompt_gap_ms;
    ch->known[0] = p->noise;
    ch->known[1] = p->banners;
    ch->known[2] = p->ready_signs;
    ch->known[3] = p->wedged;
    ch->early_ok_ms = 0;
    if (p->quirks & QUIRK_OK_BEFORE_PDU) /* MC7455 while its GPS talks: OK comes with the prompt */
        ch->early_ok_ms = EARLY_OK_MS;
    else if (p->quirks &
             QUIRK_SENT_WITHOUT_CMGS) /* MC7455: OK is all that comes of a message that was sent */
        ch->early_ok_ms = NO_EARLY_OK;
}

static void take(struct modem *m, const char *manufacturer, const char *model)
{
    const struct profile *before = m->profile;
    const struct profile *p = NULL;

    if (*m->conf->profile)
        p = profile_named(m->conf->profiles, m->conf->profile);
    if (p)
        str_copy(m->profile_why, sizeof(m->profile_why), "gateway.conf names it");
    else
        p = profile_match(m->conf->profiles, &m->info, manufacturer, model, m->profile_why,
                          sizeof(m->profile_why));
    m->profile = p;
    set_channel(m);
    if (p != before)
        log_write(finder_stranger(m) ? LOG_DEBUG : LOG_NOTICE, m->who, "profile %s: %s%s%s", p->name,
                  m->profile_why, p->hint && *p->hint ? "; " : "", p->hint ? p->hint : "");
}

void family_guess(struct modem *m)
{
    take(m, "", "");
}

void family_choose(struct modem *m)
{
    take(m, m->manufacturer, m->model);
}

/* ---- its lines ---- */

bool family_ready_sign(const struct modem *m, const char *line)
{
    static const char *const usual[] = {"SMS Ready", "SMS DONE", "+QIND: SMS DONE", NULL};

    return begins_with_one_of(usual, line) || begins_with_one_of(m->profile->ready_signs, line);
}

bool family_banner(const struct modem *m, const char *line)
{
    return begins_with_one_of(m->profile->banners, line);
}

bool family_noise(const struct modem *m, const char *line)
{
    return begins_with_one_of(m->profile->noise, line);
}

/* ---- its commands: lists of attempts, steps with `list` ---- */

static const struct profile_command *command(const struct modem *m)
{
    const struct profile *p = m->profile;
    int n = (int)m->run.attempt;

    if (m->sim_usable)
        return n < p->ninit_sim ? &p->init_sim[n] : NULL;
    return n < p->ninit ? &p->init[n] : NULL;
}

bool family_make_command(struct modem *m, char *text, size_t size)
{
    const struct profile_command *c = command(m);

    return c && str_copy(text, size, c->text);
}

bool family_must(const struct modem *m)
{
    const struct profile_command *c = command(m);

    return c && c->must;
}

/* Telit sold to Verizon stands on 3GPP2's format, in which nothing here is understood. */
bool family_make_format(struct modem *m, char *text, size_t size)
{
    return (m->profile->quirks & QUIRK_3GPP2_FORMAT) && str_copy(text, size, "AT#SMSFORMAT=0");
}

/* Numbers and names as they are, not as UCS2 hex. */
bool family_make_charset(struct modem *m, char *text, size_t size)
{
    snprintf(text, size, "AT+CSCS=\"%s\"", m->profile->charset ? m->profile->charset : "GSM");
    return true;
}
