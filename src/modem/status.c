/* What `simgate modems` and `simgate status` show of a modem. */
#include <string.h>

#include "base/util.h"
#include "modem/finder.h"
#include "modem/trace_mask.h"

static int best_stat(const struct modem *m)
{
    int best = -1;

    for (int i = 0; i < NET_COUNT; i++) {
        bool home_or_roaming = m->stat[i] == 1 || m->stat[i] == 5;
        if (best < 0 || (home_or_roaming && best != 1))
            best = m->stat[i] >= 0 ? m->stat[i] : best;
    }
    return best;
}

static void describe_stores(const struct modem *m, struct modem_status *out)
{
    for (size_t i = 0; i < m->stores_len; i++) {
        const struct modem_store *s = &m->stores[i];
        if (!s->size)
            continue;
        str_copy(out->stores[out->nstores].name, MODEM_STORE_BYTES, s->name);
        out->stores[out->nstores].used = s->used;
        out->stores[out->nstores++].size = s->size;
    }
}

static int takes_cmms(const struct modem *m)
{
    if (m->more_refused)
        return 0;
    return modem_up(m) && m->profile->cmms != CMMS_OFF ? m->more_max > 0 : -1;
}

void modem_get_status(const struct modem *m, struct modem_status *out)
{
    *out = (struct modem_status){.state = m->state,
                                 .since_wall_ms = m->state_wall_ms,
                                 .pin_tries = m->pin_tries,
                                 .registration = best_stat(m),
                                 .csms = m->csms,
                                 .cmms = takes_cmms(m),
                                 .sent = m->sent,
                                 .failed = m->failed,
                                 .received = m->received,
                                 .reports = m->reports,
                                 .recoveries = m->recoveries,
                                 .last_exchange_ms = m->last_exchange_ms,
                                 .seconds_per_part = m->seconds_per_part};
    str_copy(out->reason, sizeof(out->reason), m->reason);
    str_copy(out->port, sizeof(out->port), *m->user.spec ? m->user.spec : m->conf->port);
    str_copy(out->manufacturer, sizeof(out->manufacturer), m->manufacturer);
    str_copy(out->model, sizeof(out->model), m->model);
    str_copy(out->revision, sizeof(out->revision), m->revision);
    str_copy(out->smsc, sizeof(out->smsc), m->smsc);
    str_copy(out->sim, sizeof(out->sim), m->pin_state);
    str_copy(out->iccid, sizeof(out->iccid), m->iccid);
    if (*m->manufacturer || *m->model) {
        str_copy(out->profile, sizeof(out->profile), m->profile->name);
        str_copy(out->profile_why, sizeof(out->profile_why), m->profile_why);
        str_copy(out->hint, sizeof(out->hint), m->profile->hint ? m->profile->hint : "");
    }
    describe_stores(m, out);
    memcpy(out->rungs, m->rungs, sizeof(out->rungs));
    if (modem_up(m))
        plan_describe(m, out->receive_plan, sizeof(out->receive_plan));
}

const char *modem_stick(const struct port_info *p)
{
    return finder_stick(p);
}

const struct port_info *modem_port_info(const struct modem *m)
{
    return &m->info;
}

const struct profile *modem_profile(const struct modem *m)
{
    return m->profile;
}

/* As traces are: it ends up in logs and in reports. Each line has its mark in front, "> " or "< ". */
void modem_dump(const struct modem *m, struct buf *out)
{
    enum { MARK_BYTES = 2 };
    struct trace_mask mask;
    size_t at = out->len, len;

    trace_mask_init(&mask, true);
    for (at_dump(&m->chan, out); at < out->len; at += len + 1) {
        char *line = out->data + at;
        len = strcspn(line, "\n");
        if (len > MARK_BYTES)
            trace_mask_bytes(&mask, *line == '>' ? TRACE_TO : TRACE_FROM, line + MARK_BYTES,
                             len - MARK_BYTES);
    }
}
