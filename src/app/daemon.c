/* The wiring. Everything is owned by one `struct daemon`; nothing here decides about messages.
 *
 *   start: gateway.conf, store, gateway, engine, modems, spool, control socket, "ready" to systemd
 *   stop:  control socket and spool take nothing new, the gateway drains, modems close, the store closes
 *
 * A reload reads a new generation of gateway.conf beside the old; with a problem the old one keeps running.
 * Modems whose settings did not change are not touched (app/fleet.h). */
#include "app/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <uv.h>

#include "app/conf.h"
#include "app/file_hooks.h"
#include "app/fleet.h"
#include "app/pins.h"
#include "app/probe.h"
#include "app/profiles.h"
#include "base/log.h"
#include "base/util.h"
#include "ctl/ctl.h"
#include "os/child_uv.h"
#include "os/dirwatch.h"
#include "os/ports.h"
#include "os/rt_uv.h"
#include "os/transfer_curl.h"
#include "spool/spool.h"

#define WHO "simgated"

enum {
    SIGNALS = 3,
    MODEM_STOP_MS = 5000, /* for closing ports, after the drain */
};

struct daemon {
    const char *conf_path;
    uv_loop_t loop;
    struct rt *rt;
    struct ports ports;
    struct profiles *profiles; /* of the start */
    struct conf *conf;
    struct store *store;
    struct gateway *gateway;
    struct child_uv children;
    struct transfer_host *transfers;
    struct engine *engine;
    struct desk *desk;
    struct campaigns *campaigns;
    struct spool *spool;
    struct file_hooks hooks; /* of the spool */
    struct dirwatch *watch;
    char spool_dir[4000]; /* of the start: a reload does not move it */
    struct ctl *ctl;
    struct fleet fleet;
    struct probe *probe; /* under way for the control socket; NULL none */
    struct ctl_probe *probe_for;
    char state_dir[4000]; /* of the database of the start: trace files are made in it */
    struct pins pins;     /* beside the database of the start */
    uv_signal_t signals[SIGNALS];
    struct rt_timer watchdog, drain_bound;
    int64_t watchdog_ms;
    bool stopping, drained;
};

/* ---- reload ---- */

static void warn_of_restart(const struct conf *old, const struct conf *now)
{
    if (strcmp(old->gateway.database, now->gateway.database) ||
        strcmp(old->gateway.spool, now->gateway.spool) || strcmp(old->gateway.socket, now->gateway.socket))
        log_warning(WHO, "gateway.conf: database, spool and socket change with the next restart only");
}

static void use_log_level(const struct conf *c)
{
    static const enum log_level levels[] = {LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG};

    log_set_level(levels[c->gateway.log]);
}

static int start_engine(struct daemon *d, const struct conf *c)
{
    int rc;

    if (d->engine) /* messages are under way in it: it goes on, with other rules */
        return engine_reconfigure(d->engine, &c->engine, NULL, NULL);
    rc = engine_new(d->rt, &c->engine, NULL, NULL, &d->engine);
    if (rc == 0) {
        engine_set_world(d->engine, &(struct engine_world){&d->children.host, d->transfers});
        engine_attach(d->engine, d->gateway, d->store);
        d->desk = desk_new(d->rt, d->engine, d->gateway, d->store);
        d->campaigns = campaigns_new(d->rt, d->engine, d->gateway, d->store);
    }
    return rc;
}

/* As SIGHUP: 0, or a negative code with all problems in *problems. */
static int reload(void *owner, struct buf *problems)
{
    struct daemon *d = owner;
    struct conf *conf = conf_read(d->conf_path, profiles_set(d->profiles), problems);
    struct conf *old = d->conf;

    if (!conf)
        return ERR_INVALID;
    d->conf = conf;
    use_log_level(conf);
    warn_of_restart(old, conf);
    gateway_reconfigure(d->gateway, &conf->gateway.gateway);
    start_engine(d, conf); /* compiled once by conf_read already */
    fleet_use(&d->fleet, conf, NULL);
    conf_unref(old);
    log_notice(WHO, "gateway.conf read again modems=%d rules=%d", conf->nmodems, conf->nrules);
    return 0;
}

/* ---- stop ---- */

/* The last: what stands on the store and on the runtime goes before the runtime. */
static void store_closed(void *owner)
{
    struct daemon *d = owner;

    d->store = NULL;
    spool_free(d->spool);
    d->hooks.closed = true;
    desk_free(d->desk);
    engine_free(d->engine);
    transfer_curl_free(d->transfers);
    gateway_free(d->gateway);
    campaigns_free(d->campaigns);
    for (int i = 0; i < SIGNALS; i++)
        uv_close((uv_handle_t *)&d->signals[i], NULL);
    rt_timer_stop(d->rt, &d->watchdog);
    rt_timer_stop(d->rt, &d->drain_bound);
    ports_unwatch(&d->ports);
    rt_uv_close(d->rt);
}

static void modems_stopped(void *owner)
{
    struct daemon *d = owner;

    store_close(d->store, store_closed, d);
}

static void drained(void *owner)
{
    struct daemon *d = owner;

    if (d->drained)
        return;
    d->drained = true;
    rt_timer_stop(d->rt, &d->drain_bound);
    fleet_stop(&d->fleet, MODEM_STOP_MS);
}

static void drain_bound(struct rt_timer *t)
{
    struct daemon *d = container_of(t, struct daemon, drain_bound);

    log_warning(WHO,
                "stopping although a message is still on the air: its outcome is settled at the next start");
    drained(d);
}

static void ctl_closed(void *owner)
{
    struct daemon *d = owner;

    d->ctl = NULL;
    gateway_drain(d->gateway, drained, d);
}

static void stop(struct daemon *d)
{
    if (d->stopping)
        return;
    d->stopping = true;
    sd_notify(0, "STOPPING=1");
    log_notice(WHO, "stopping");
    if (d->watch)
        dirwatch_close(d->watch);
    if (d->spool)
        spool_stop(d->spool);
    if (d->probe)
        probe_stop(d->probe);
    d->drain_bound.fire = drain_bound;
    rt_timer_at(d->rt, &d->drain_bound, rt_now_ms(d->rt) + d->conf->gateway.drain_ms);
    ctl_close(d->ctl, ctl_closed, d);
}

/* ---- what the control socket serves from ---- */

static void probe_found(void *owner, json_t *result)
{
    struct daemon *d = owner;

    d->probe_for->found(d->probe_for, result);
}

static void probe_done(void *owner)
{
    struct daemon *d = owner;
    struct ctl_probe *p = d->probe_for;

    d->probe = NULL;
    d->probe_for = NULL;
    p->done(p);
}

static int examine(void *owner, const char *port, struct ctl_probe *p, struct err *e)
{
    struct daemon *d = owner;
    struct probe_conf c = {.rt = d->rt,
                           .ports = &d->ports.source,
                           .profiles = profiles_set(d->profiles),
                           .only = port ? &port : NULL,
                           .nonly = 1,
                           .found = probe_found,
                           .done = probe_done,
                           .owner = d};

    if (d->probe)
        return err_set(e, ERR_BUSY, "modems are being examined already: try again in a minute");
    c.own = fleet_modems(&d->fleet, &c.nown);
    d->probe_for = p;
    d->probe = probe_start(&c);
    return 0;
}

static struct ctl_world world_of(struct daemon *d)
{
    struct ctl_world w = {.loop = &d->loop,
                          .rt = d->rt,
                          .store = d->store,
                          .gateway = d->gateway,
                          .engine = d->engine,
                          .desk = d->desk,
                          .campaigns = d->campaigns,
                          .reload = reload,
                          .probe = examine,
                          .owner = d};

    w.modems = fleet_modems(&d->fleet, &w.nmodems);
    return w;
}

static void modems_changed(void *owner)
{
    struct daemon *d = owner;
    struct ctl_world w = world_of(d);

    if (d->ctl)
        ctl_update(d->ctl, &w);
}

/* ---- signals and the watchdog ---- */

static void log_lines(struct buf *lines)
{
    char *save = NULL;

    for (char *line = lines->data ? strtok_r(lines->data, "\n", &save) : NULL; line;
         line = strtok_r(NULL, "\n", &save))
        log_err(WHO, "%s", line);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct daemon *d = handle->data;
    struct buf problems = {0};

    if (number != SIGHUP) {
        stop(d);
        return;
    }
    if (d->stopping)
        return;
    sd_notify(0, "RELOADING=1");
    if (reload(d, &problems) < 0) {
        log_lines(&problems);
        log_err(WHO, "gateway.conf has problems: the settings of before keep running");
    }
    buf_free(&problems);
    sd_notify(0, "READY=1");
}

static void watchdog(struct rt_timer *t)
{
    struct daemon *d = container_of(t, struct daemon, watchdog);

    sd_notify(0, "WATCHDOG=1");
    rt_timer_at(d->rt, t, rt_now_ms(d->rt) + d->watchdog_ms);
}

static void start_signals(struct daemon *d)
{
    static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
    uint64_t usec = 0;

    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < SIGNALS; i++) {
        uv_signal_init(&d->loop, &d->signals[i]);
        d->signals[i].data = d;
        uv_signal_start(&d->signals[i], on_signal, numbers[i]);
    }
    if (sd_watchdog_enabled(0, &usec) > 0) {
        d->watchdog_ms = (int64_t)(usec / 2000);
        d->watchdog.fire = watchdog;
        rt_timer_at(d->rt, &d->watchdog, rt_now_ms(d->rt) + d->watchdog_ms);
    }
}

/* ---- start ---- */

static void outgoing_changed(void *owner, const char *name)
{
    struct daemon *d = owner;

    spool_kick(d->spool, name);
}

/* Makes the directories above a file. */
static int make_parents(const char *file, struct err *e)
{
    char path[4096];

    if (!str_copy(path, sizeof path, file))
        return err_set(e, ERR_TOO_LONG, "%s: the path is too long", file);
    for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = '\0';
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return err_errno(e, "%s", path);
        *p = '/';
    }
    return 0;
}

static int start_store(struct daemon *d, const struct conf *c, struct err *e)
{
    static const char *const with_spool[] = {SPOOL_SINK, NULL};
    struct store_conf sc = {.path = c->gateway.database, .sinks = *c->gateway.spool ? with_spool : NULL};

    if (make_parents(c->gateway.database, e) < 0)
        return err_wrap(e, "database");
    if (store_open(d->rt, &sc, &d->store, e) < 0)
        return e->code;
    d->gateway = gateway_new(d->rt, d->store, &c->gateway.gateway);
    if (!d->gateway)
        abort();
    if (gateway_load(d->gateway, e) < 0)
        return err_wrap(e, "queue");
    return start_engine(d, c);
}

/* Watches outgoing/, or what has taken its place. Where it cannot be watched, the rescan finds files. */
static void watch_outgoing(void *owner)
{
    struct daemon *d = owner;
    char outgoing[4096];
    struct err e = {0};
    int rc;

    snprintf(outgoing, sizeof outgoing, "%s/outgoing", d->spool_dir);
    if (d->watch)
        rc = dirwatch_renew(d->watch, &e);
    else
        rc = dirwatch_open(&d->loop, outgoing, outgoing_changed, d, &d->watch, &e);
    if (rc < 0)
        log_warning(WHO, "spool: %s: files are found by the rescan only", e.text);
}

static void file_placed(void *owner, const char *event, const char *path, const char *id)
{
    file_hooks_placed(&((struct daemon *)owner)->hooks, event, path, id);
}

static bool check_file(void *owner, struct spool_check *c)
{
    return file_hooks_check(&((struct daemon *)owner)->hooks, c);
}

static int start_spool(struct daemon *d, const struct conf *c, struct err *e)
{
    struct spool_conf sc = {.dir = c->gateway.spool,
                            .rescan_ms = 180000,
                            .rescanning = watch_outgoing,
                            .placed = file_placed,
                            .check = check_file,
                            .owner = d};

    d->hooks.engine = d->engine;
    if (!*c->gateway.spool)
        return 0;
    if (!str_copy(d->spool_dir, sizeof d->spool_dir, c->gateway.spool))
        return err_set(e, ERR_TOO_LONG, "spool: the path is too long");
    if (make_parents(c->gateway.spool, e) < 0 ||
        spool_new(d->rt, d->gateway, d->store, &sc, &d->spool, e) < 0)
        return err_wrap(e, "spool");
    watch_outgoing(d);
    spool_kick(d->spool, NULL); /* what came before it was watched */
    return 0;
}

static int start_ctl(struct daemon *d, const struct conf *c, struct err *e)
{
    struct ctl_world w = world_of(d);
    struct ctl_conf cc = {.socket = c->gateway.socket, .conf_path = d->conf_path};

    return ctl_open(&w, &cc, &d->ctl, e) < 0 ? err_wrap(e, "control socket") : 0;
}

/* Without udev's monitor (a container) devices are found by the modems' own rescans. */
static void watch_ports(struct daemon *d)
{
    struct err e = {0};

    if (ports_watch(&d->ports, &e) < 0)
        log_notice(WHO, "new devices are found within seconds, not at once: %s", e.text);
}

/* "/var/lib/simgate" of "/var/lib/simgate/simgate.db". */
static void find_state_dir(struct daemon *d)
{
    const char *database = d->conf->gateway.database, *slash = strrchr(database, '/');

    snprintf(d->state_dir, sizeof d->state_dir, "%.*s", slash ? (int)(slash - database) : 1,
             slash ? database : ".");
}

static int start_modems(struct daemon *d, struct err *e)
{
    find_state_dir(d);
    watch_ports(d);
    d->fleet = (struct fleet){.rt = d->rt,
                              .ports = &d->ports.source,
                              .gateway = d->gateway,
                              .pins = &d->pins.memory,
                              .state_dir = d->state_dir,
                              .changed = modems_changed,
                              .stopped = modems_stopped,
                              .owner = d};
    if (pins_init(&d->pins, d->conf->gateway.database, e) < 0)
        return err_wrap(e, "database");
    return fleet_use(&d->fleet, d->conf, e);
}

static int start(struct daemon *d, struct err *e)
{
    const struct conf *c = d->conf;

    if (start_store(d, c, e) < 0 || start_modems(d, e) < 0 || start_ctl(d, c, e) < 0 ||
        start_spool(d, c, e) < 0)
        return e->code ? e->code : ERR_IO;
    start_signals(d);
    log_notice(WHO, "ready version=%s modems=%d rules=%d database=%s", SIMGATE_VERSION, c->nmodems, c->nrules,
               c->gateway.database);
    sd_notifyf(0, "READY=1\nSTATUS=%d modems, %d rules", c->nmodems, c->nrules);
    return 0;
}

/* Families that cannot be read are left out: the others', and any modem after the standard, still work. */
static void read_profiles(struct daemon *d)
{
    struct profiles_folders folders;
    struct buf problems = {0};

    profiles_find(&folders, d->conf_path);
    d->profiles = profiles_read(folders.list, &problems);
    log_lines(&problems);
    if (problems.len)
        log_err(WHO, "profiles with problems are left out");
    if (profiles_set(d->profiles)->count == 1) /* the built-in one */
        log_warning(WHO, "no profiles in %s: every modem is a generic one", folders.list[0]);
    buf_free(&problems);
}

int daemon_run(const char *conf_path, struct err *e)
{
    struct daemon d = {.conf_path = conf_path};
    struct buf problems = {0};
    int rc;

    read_profiles(&d);
    struct conf *conf = conf_read(conf_path, profiles_set(d.profiles), &problems);
    log_lines(&problems);
    buf_free(&problems);
    if (!conf) {
        profiles_free(d.profiles);
        return err_set(e, ERR_INVALID, "%s has problems", conf_path);
    }
    use_log_level(conf);
    d.conf = conf;
    uv_loop_init(&d.loop);
    d.rt = rt_uv_new(&d.loop);
    child_uv_init(&d.children, &d.loop);
    d.transfers = transfer_curl_new(&d.loop);
    ports_init(&d.ports, &d.loop);
    rc = start(&d, e);
    if (rc < 0)
        return rc; /* the process ends: nothing was accepted, nothing is owed */
    uv_run(&d.loop, UV_RUN_DEFAULT);
    uv_loop_close(&d.loop);
    fleet_fini(&d.fleet);
    conf_unref(d.conf);
    profiles_free(d.profiles);
    log_notice(WHO, "stopped");
    return 0;
}
