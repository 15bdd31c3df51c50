/* The examinations: one per stick, all at a time. Each has a modem, waits until that is as ready as it gets,
 * asks the commands of probe_report.c one by one, tells, and stops the modem if it is its own. */
#include "app/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/probe_report.h"
#include "base/util.h"

enum {
    PORTS_MAX = 320,
    DEVICES_MAX = 128,
    LOOK_MS = 100,
    REGISTER_MS = 15000, /* the network is not waited for longer */
    TOTAL_MS = 120000,   /* nor anything else */
};

struct exam {
    struct probe *p;
    struct modem *modem; /* NULL: over */
    bool own;            /* the daemon's: not ours to stop */
    struct modem_conf conf;
    char name[24], port[PORT_NAME_BYTES], usb[PORT_USB_BYTES];
    struct rt_timer look;
    int64_t began_ms, registering_ms;
    size_t next_ask;
    bool asking;
    struct modem_ask ask;
    struct probe_facts facts;
    struct exam *next;
};

struct probe {
    struct probe_conf c;
    struct exam *exams;
    int nexams;
    struct port_info *ports;
    int nports;
    bool stopped;
    struct rt_timer done;
};

/* ---- end ---- */

static void on_done(struct rt_timer *t)
{
    struct probe *p = container_of(t, struct probe, done);

    for (struct exam *x = p->exams; x; x = x->next) {
        if (x->modem) /* begun behind one that was over at once */
            return;
    }
    void (*done)(void *owner) = p->c.done;
    void *owner = p->c.owner;

    for (struct exam *x = p->exams, *next; x; x = next) {
        next = x->next;
        free(x);
    }
    free(p->ports);
    free(p);
    done(owner);
}

static void check_done(struct probe *p)
{
    for (struct exam *x = p->exams; x; x = x->next) {
        if (x->modem)
            return;
    }
    rt_timer_at(p->c.rt, &p->done, rt_now_ms(p->c.rt));
}

static void on_stopped(void *owner)
{
    struct exam *x = owner;

    modem_free(x->modem);
    x->modem = NULL;
    check_done(x->p);
}

static void finish(struct exam *x)
{
    struct probe *p = x->p;

    if (!p->stopped) {
        if (x->own)
            probe_own(&x->facts, x->modem);
        json_t *r = probe_report(x->modem, x->own ? modem_carrier(x->modem)->name : "", &x->facts,
                                 p->c.profiles, p->ports, p->nports);
        p->c.found(p->c.owner, r);
        json_decref(r);
    }
    if (!x->own) {
        modem_stop(x->modem, 0, on_stopped, x);
        return;
    }
    x->modem = NULL;
    check_done(p);
}

/* ---- questions ---- */

static bool may_ask(const struct exam *x, const struct probe_ask *q)
{
    struct modem_status s;

    modem_get_status(x->modem, &s);
    bool up = s.state == MODEM_READY || s.state == MODEM_REGISTERING;
    return (up || (s.state == MODEM_LOCKED && !q->sim)) && !(x->own ? q->changes : q->in_use);
}

static void ask_next(struct exam *x);

/* The daemon's own modem may be freed between two turns of the loop, so what is asked of it goes on from
 * answer to answer, and ends with the first ERR_GONE. Ours is stopped at the end, which must not be from
 * within its answer. */
static void on_answer(struct modem_ask *a, int status, const char *answer)
{
    struct exam *x = container_of(a, struct exam, ask);
    const struct probe_ask *q = &probe_asks[x->next_ask];

    x->asking = false;
    if (status != ERR_GONE && q->take)
        q->take(&x->facts, status == 0, answer);
    x->next_ask++;
    if (!x->own)
        rt_timer_at(x->p->c.rt, &x->look, rt_now_ms(x->p->c.rt));
    else if (status == ERR_GONE || x->p->stopped)
        finish(x);
    else
        ask_next(x);
}

/* What cannot be asked now (an operator's own command is under way) is left out. */
static void ask_next(struct exam *x)
{
    for (; probe_asks[x->next_ask].command; x->next_ask++) {
        const struct probe_ask *q = &probe_asks[x->next_ask];
        if (!may_ask(x, q))
            continue;
        x->ask.done = on_answer;
        x->asking = modem_ask_at(x->modem, q->command, &x->ask, NULL) == 0;
        if (x->asking)
            return;
    }
    finish(x);
}

/* ---- waiting ---- */

/* As ready as it gets? */
static bool settled(struct exam *x)
{
    int64_t now_ms = rt_now_ms(x->p->c.rt);
    struct modem_status s;

    modem_get_status(x->modem, &s);
    if (s.state == MODEM_REGISTERING && !x->registering_ms)
        x->registering_ms = now_ms;
    if (s.state == MODEM_REGISTERING && now_ms - x->registering_ms >= REGISTER_MS)
        return true;
    return s.state == MODEM_READY || s.state == MODEM_LOCKED || s.state == MODEM_BACKOFF ||
           s.state == MODEM_ABSENT || now_ms - x->began_ms >= TOTAL_MS;
}

static void on_look(struct rt_timer *t)
{
    struct exam *x = container_of(t, struct exam, look);
    struct rt *rt = x->p->c.rt;

    if (x->next_ask > 0 || settled(x))
        ask_next(x);
    else
        rt_timer_at(rt, t, rt_now_ms(rt) + LOOK_MS);
}

/* ---- start ---- */

static struct exam *add(struct probe *p)
{
    struct exam *x = calloc(1, sizeof *x), **end = &p->exams;

    if (!x)
        abort();
    x->p = p;
    x->facts.radio = -1;
    x->look = (struct rt_timer){.fire = on_look, .at_ms = RT_NEVER};
    x->began_ms = rt_now_ms(p->c.rt);
    while (*end)
        end = &(*end)->next;
    *end = x;
    p->nexams++;
    return x;
}

static void add_own(struct probe *p, struct modem *m)
{
    struct exam *x = add(p);

    x->modem = m;
    x->own = true;
    ask_next(x);
}

/* The stick at this place on the bus, or the port when usb is "". */
static void add_stick(struct probe *p, const char *port, const char *usb)
{
    struct exam *x = add(p);

    snprintf(x->name, sizeof x->name, "probe-%d", p->nexams);
    str_copy(x->port, sizeof x->port, *usb ? "" : port);
    str_copy(x->usb, sizeof x->usb, usb);
    x->conf = (struct modem_conf){.name = x->name,
                                  .port = x->port,
                                  .imei = "",
                                  .imsi = "",
                                  .iccid = "",
                                  .usb = x->usb,
                                  .profile = "",
                                  .profiles = p->c.profiles,
                                  .pool = "",
                                  .number = "",
                                  .pin = "",
                                  .smsc = "",
                                  .baud = 115200,
                                  .plan = MODEM_PLAN_STORE,
                                  .calls = MODEM_CALLS_IGNORE,
                                  .balance = {.code = "", .pattern = "", .below = ""},
                                  .look_only = true,
                                  .sweep_ms = 180000,
                                  .send_timeout_ms = 120000};
    x->modem = modem_new(p->c.rt, p->c.ports, &x->conf);
    if (!x->modem)
        abort();
    modem_start(x->modem);
    rt_timer_at(p->c.rt, &x->look, x->began_ms + LOOK_MS);
}

static bool taken(const struct probe *p, const struct port_info *port)
{
    for (int k = 0; k < p->c.nown; k++) {
        const struct port_info *i = modem_port_info(p->c.own[k]);
        if (*i->name && strcmp(modem_stick(i), modem_stick(port)) == 0)
            return true;
    }
    for (const struct exam *x = p->exams; x; x = x->next) {
        if (!x->own && (strcmp(x->usb, modem_stick(port)) == 0 || strcmp(x->port, port->name) == 0))
            return true;
    }
    return false;
}

static void add_all(struct probe *p)
{
    for (int i = 0; i < p->c.nown; i++)
        add_own(p, p->c.own[i]);
    for (int i = 0; i < p->nports; i++) {
        const struct port_info *port = &p->ports[i];
        bool alone = strcmp(modem_stick(port), port->name) == 0;
        if (!taken(p, port))
            add_stick(p, port->name, alone ? "" : port->usb_path);
    }
}

static bool is_on(struct modem *m, struct port_source *ports, const char *spec)
{
    struct modem_status s;
    struct port_info a, b;

    modem_get_status(m, &s);
    if (strcmp(s.port, spec) == 0)
        return true;
    return ports->info && ports->info(ports, s.port, &a) && ports->info(ports, spec, &b) &&
           strcmp(a.name, b.name) == 0;
}

/* One of the daemon's own by its name or its port, else the port. */
static void add_named(struct probe *p, const char *spec)
{
    for (int i = 0; i < p->c.nown; i++) {
        if (strcmp(modem_carrier(p->c.own[i])->name, spec) == 0 || is_on(p->c.own[i], p->c.ports, spec)) {
            add_own(p, p->c.own[i]);
            return;
        }
    }
    add_stick(p, spec, "");
}

static void tell_others(struct probe *p)
{
    struct port_usb_device *all = calloc(DEVICES_MAX, sizeof *all);
    int n = all && p->c.ports->usb ? p->c.ports->usb(p->c.ports, all, DEVICES_MAX) : 0;
    char why[200];

    for (int i = 0; i < n; i++) {
        if (!modem_other_mode(p->c.profiles, &all[i], why, sizeof why))
            continue;
        json_t *r = probe_report_other(&all[i], why);
        p->c.found(p->c.owner, r);
        json_decref(r);
    }
    free(all);
}

struct probe *probe_start(const struct probe_conf *c)
{
    struct probe *p = calloc(1, sizeof *p);

    if (!p || !(p->ports = calloc(PORTS_MAX, sizeof *p->ports)))
        abort();
    p->c = *c;
    p->done = (struct rt_timer){.fire = on_done, .at_ms = RT_NEVER};
    p->nports = c->ports->list ? c->ports->list(c->ports, p->ports, PORTS_MAX) : 0;
    for (int i = 0; c->only && i < c->nonly; i++)
        add_named(p, c->only[i]);
    if (!c->only) {
        tell_others(p);
        add_all(p);
    }
    check_done(p);
    return p;
}

void probe_stop(struct probe *p)
{
    p->stopped = true;
    for (struct exam *x = p->exams; x; x = x->next) {
        if (x->own && x->asking)
            continue; /* its answer comes, at the latest when that modem is stopped */
        rt_timer_stop(p->c.rt, &x->look);
        if (x->modem && !x->own)
            modem_free(x->modem);
        x->modem = NULL;
    }
    check_done(p);
}
