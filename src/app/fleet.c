#include "app/fleet.h"

#include <stdlib.h>
#include <string.h>

#include "app/traces.h"
#include "base/log.h"

/* One configured modem, for as long as it lives. */
struct fleet_modem {
    struct fleet *f;
    struct conf *conf; /* held */
    const struct conf_modem *settings;
    struct modem *modem;
    bool stopping;
    struct fleet_modem *next;
};

static const struct conf_modem *settings_of(const struct conf *c, const char *name)
{
    for (int i = 0; i < c->nmodems; i++)
        if (!strcmp(c->modems[i].modem.name, name))
            return &c->modems[i];
    return NULL;
}

static struct fleet_modem *find(const struct fleet *f, const char *name)
{
    struct fleet_modem *m = f->first;

    while (m && strcmp(m->settings->modem.name, name))
        m = m->next;
    return m;
}

static void forget(struct fleet_modem *m)
{
    modem_free(m->modem);
    conf_unref(m->conf);
    free(m);
}

static int start(struct fleet *f, const struct conf_modem *settings, struct err *e)
{
    struct fleet_modem *m = calloc(1, sizeof *m), **end = &f->first;

    if (!m)
        abort();
    m->f = f;
    m->conf = conf_ref(f->conf);
    m->settings = settings;
    m->modem = modem_new(f->rt, f->ports, &settings->modem);
    if (!m->modem)
        abort();
    if (gateway_attach(f->gateway, modem_carrier(m->modem), &settings->limits, settings->report, e) < 0) {
        forget(m);
        return err_wrap(e, "modem %s", settings->modem.name);
    }
    while (*end)
        end = &(*end)->next;
    *end = m;
    if (settings->modem.trace)
        traces_start(f->rt, f->state_dir, settings->modem.name, m->modem);
    modem_start(m->modem);
    return 0;
}

/* Starts what is named and not there. */
static int fill(struct fleet *f, struct err *e)
{
    int rc = 0;

    for (int i = 0; i < f->conf->nmodems; i++) {
        struct err why = {0};

        if (find(f, f->conf->modems[i].modem.name) || start(f, &f->conf->modems[i], &why) == 0)
            continue;
        log_err("simgated", "%s", why.text);
        if (rc == 0 && e)
            *e = why;
        rc = why.code;
    }
    return rc;
}

/* The list has a new place, and whoever keeps it is told in the same breath. */
static void changed(struct fleet *f)
{
    int n = 0;

    for (struct fleet_modem *m = f->first; m; m = m->next)
        n++;
    f->modems = realloc(f->modems, ((size_t)n + 1) * sizeof(struct modem *));
    if (!f->modems)
        abort();
    f->nmodems = 0;
    for (struct fleet_modem *m = f->first; m; m = m->next)
        f->modems[f->nmodems++] = m->modem;
    f->changed(f->owner);
}

static void modem_stopped(void *owner)
{
    struct fleet_modem *m = owner, **p = &m->f->first;
    struct fleet *f = m->f;

    gateway_detach(f->gateway, modem_carrier(m->modem));
    while (*p != m)
        p = &(*p)->next;
    *p = m->next;
    if (!f->stopping)
        fill(f, NULL); /* perhaps this very one, with other settings */
    changed(f);
    forget(m);
    if (f->stopping && !f->first)
        f->stopped(f->owner);
}

static void stop(struct fleet_modem *m, int64_t bound_ms)
{
    if (m->stopping)
        return;
    m->stopping = true;
    modem_stop(m->modem, bound_ms, modem_stopped, m);
}

int fleet_use(struct fleet *f, struct conf *conf, struct err *e)
{
    struct fleet_modem *m, *next;
    struct conf *old = f->conf;
    int rc;

    f->conf = conf_ref(conf);
    for (int i = 0; i < conf->nmodems; i++)
        conf->modems[i].modem.pins = f->pins;
    for (m = f->first; m; m = next) {
        const struct conf_modem *settings = settings_of(conf, m->settings->modem.name);

        next = m->next;
        if (settings && conf_modem_same(settings, m->settings))
            gateway_set_limits(f->gateway, modem_carrier(m->modem), &settings->limits, settings->report);
        else
            stop(m, conf->gateway.drain_ms);
    }
    rc = fill(f, e);
    conf_unref(old);
    changed(f);
    return rc;
}

struct modem *const *fleet_modems(struct fleet *f, int *count)
{
    *count = f->nmodems;
    return f->modems;
}

void fleet_stop(struct fleet *f, int64_t bound_ms)
{
    struct fleet_modem *m, *next;

    f->stopping = true;
    if (!f->first) {
        f->stopped(f->owner);
        return;
    }
    for (m = f->first; m; m = next) {
        next = m->next;
        stop(m, bound_ms);
    }
}

void fleet_fini(struct fleet *f)
{
    conf_unref(f->conf);
    free(f->modems);
}
