#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/conf.h"
#include "app/profiles.h"
#include "base/log.h"
#include "base/util.h"

enum {
    LIST_ROWS = 500,
    SETTLE_STEP_MS = 60000,
};

static void quiet(enum log_level level, const char *who, const char *line)
{
    (void)level, (void)who, (void)line;
}

/* ---- the outside ---- */

sqlite3 *world_eye(struct world *w)
{
    if (!w->eye && sqlite3_open_v2(w->path, &w->eye, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        abort();
    return w->eye;
}

/* Is this PDU in the database, committed, at this instant? */
static bool stored(void *arg, const uint8_t *pdu, size_t len)
{
    struct world *w = arg;
    bool found;

    world_eye(w);
    if (!w->is_stored && sqlite3_prepare_v2(w->eye,
                                            "SELECT EXISTS (SELECT 1 FROM segment WHERE pdu = ?1) OR EXISTS "
                                            "(SELECT 1 FROM report WHERE pdu = ?1)",
                                            -1, &w->is_stored, NULL) != SQLITE_OK) {
        ledger_problem(&w->ledger, "looking into the database: %s", sqlite3_errmsg(w->eye));
        return false;
    }
    sqlite3_bind_blob(w->is_stored, 1, pdu, (int)len, SQLITE_STATIC);
    found = sqlite3_step(w->is_stored) == SQLITE_ROW && sqlite3_column_int(w->is_stored, 0);
    sqlite3_reset(w->is_stored);
    return found;
}

static void event(void *arg, const struct simnet_event *ev)
{
    struct world *w = arg;

    ledger_event(&w->ledger, ev, stored, w);
    if (w->conf.heard)
        w->conf.heard(w->conf.arg, ev);
}

/* ---- the bus: hot-plug, and a user's reset command (a relay: `reset NAME`) ---- */

static struct world *the_world; /* one at a time; a port_source knows no owner */

static void on_plugged(struct rt_timer *t)
{
    struct world *w = container_of(t, struct world, plugged);

    for (struct port_user *u = port_sim_source(w->bus)->users, *next; u; u = next) {
        next = u->next;
        if (u->changed)
            u->changed(u);
    }
}

static void wake(struct simmodem *m, void *arg)
{
    struct world *w = arg;

    port_sim_wake(m, w->bus);
    for (int i = 0; i < w->conf.modems; i++) {
        if (w->sims[i] != m || w->was_present[i] == simmodem_present(m))
            continue;
        w->was_present[i] = simmodem_present(m);
        rt_timer_at(w->rt, &w->plugged, rt_sim_now(w->rt));
    }
}

static void on_reset(struct rt_timer *t)
{
    for (int i = 0; i < WORLD_MODEMS; i++) {
        struct port_task *task = the_world->resets[i].task;

        if (t != &the_world->resets[i].timer)
            continue;
        the_world->resets[i].task = NULL;
        task->done(task, 0, NULL);
    }
}

static int reset_command(struct port_source *src, const char *const *argv, struct port_task *t, struct err *e)
{
    enum { RELAY_MS = 2000 };
    struct world *w = the_world;

    (void)src;
    for (int i = 0; i < w->conf.modems; i++) {
        if (strcmp(w->names[i], argv[1]) != 0 || w->resets[i].task)
            continue;
        w->resets[i].task = t;
        w->resets[i].timer.fire = on_reset;
        simmodem_power_cycle(w->sims[i], rt_sim_now(w->rt));
        wake(w->sims[i], w);
        rt_timer_at(w->rt, &w->resets[i].timer, rt_sim_now(w->rt) + RELAY_MS);
        return 0;
    }
    return err_set(e, ERR_NOT_FOUND, "%s: no such modem", argv[1]);
}

/* Read once for all worlds. */
static const struct profile_set *families(void)
{
    static const char *const folders[] = {"hw/profiles", NULL};
    static struct profiles *p;
    struct buf problems = {0};

    if (!p)
        p = profiles_read(folders, &problems);
    if (problems.len)
        fputs(buf_str(&problems), stderr);
    buf_free(&problems);
    return profiles_set(p);
}

static void make_modems(struct world *w)
{
    for (int i = 0; i < w->conf.modems; i++) {
        struct simmodem_conf c = {
            .net_ms = w->conf.net_ms, .wake = wake, .arg = w, .sm_slots = 10, .me_slots = 20};

        snprintf(w->names[i], sizeof w->names[i], "m%d", i);
        snprintf(w->ports[i], sizeof w->ports[i], "/dev/ttyUSB%d", i);
        snprintf(w->numbers[i], sizeof w->numbers[i], "+4917000000%02d", i);
        c.name = w->names[i];
        c.personality = w->conf.personalities[i];
        c.number = w->numbers[i];
        c.pin = i % 2 ? "1234" : NULL;
        w->sims[i] = simmodem_new(w->net, &c, rt_sim_now(w->rt));
        w->was_present[i] = true;
        w->reset_argv[i][0] = "reset";
        w->reset_argv[i][1] = w->names[i];
        port_sim_plug(w->bus, w->ports[i], w->sims[i]);
    }
}

/* gateway.conf as the daemon reads it. */
static void read_settings(struct world *w)
{
    struct buf problems = {0};
    char path[128];
    FILE *f;

    snprintf(path, sizeof path, "%s/gateway.conf", w->dir);
    f = fopen(path, "w");
    if (!f || fputs(w->conf.settings, f) < 0 || fclose(f) != 0)
        abort();
    w->settings = conf_read(path, w->profiles, &problems);
    unlink(path);
    if (!w->settings) {
        fputs(buf_str(&problems), stderr);
        abort();
    }
    buf_free(&problems);
}

struct world *world_new(const struct world_conf *conf)
{
    struct simnet_conf nc = {.seed = conf->seed,
                             .wall_offset_ms = RT_SIM_START_WALL_MS - RT_SIM_START_MS,
                             .report_ms = 4000,
                             .keep_events = 16};
    struct world *w = calloc(1, sizeof *w);

    if (!w)
        abort();
    w->conf = *conf;
    w->ledger.verbose = conf->verbose;
    log_set_level(conf->verbose ? LOG_DEBUG : LOG_ERR);
    log_set_sink(conf->verbose ? NULL : quiet);
    snprintf(w->dir, sizeof w->dir, "%s/simgate-sim-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(w->dir))
        abort();
    snprintf(w->path, sizeof w->path, "%s/simgate.db", w->dir);
    w->rt = rt_sim_new(conf->seed);
    w->outside = rt_sim_world(w->rt);
    w->net = simnet_new(&nc);
    simnet_watch(w->net, event, w);
    w->bus = port_sim_new(w->rt);
    w->plugged = (struct rt_timer){.fire = on_plugged, .at_ms = RT_NEVER};
    w->profiles = families();
    w->ledger.told = conf->heard != NULL;
    if (conf->settings)
        read_settings(w);
    the_world = w;
    port_sim_source(w->bus)->command = reset_command;
    make_modems(w);
    return w;
}

void world_free(struct world *w)
{
    char name[160];

    if (w->alive)
        world_crash(w);
    sqlite3_finalize(w->is_stored);
    sqlite3_close(w->eye);
    port_sim_free(w->bus);
    for (int i = 0; i < w->conf.modems; i++)
        simmodem_free(w->sims[i]);
    simnet_free(w->net);
    rt_sim_free(w->rt);
    for (int i = 0; i < WORLD_JOBS; i++)
        buf_free(&w->jobs[i].text);
    ledger_fini(&w->ledger);
    conf_unref(w->settings);
    for (const char *const *ext = (const char *const[]){"", "-wal", "-shm", "-lock", "-air", NULL}; *ext;
         ext++) {
        snprintf(name, sizeof name, "%s%s", w->path, *ext);
        unlink(name);
    }
    rmdir(w->dir);
    free(w);
}

/* ---- a life ---- */

static void configure(struct world *w)
{
    w->gconf = (struct gateway_conf){.country = "49",
                                     .on_unknown = w->conf.on_unknown,
                                     .unknown_wait_ms = 600000,
                                     .validity_ms = 3 * 86400000LL,
                                     .incomplete_after_ms = 86400000LL,
                                     /* longer than anything waits in this network */
                                     .duplicate_window_ms = 14 * 86400000LL,
                                     .report = w->conf.report,
                                     .max_parts = LEDGER_MAX_PARTS,
                                     .queue_max = 100000,
                                     .smsc = ""};
    w->rule = (struct engine_rule_conf){.name = "all", .reply = "Re: {{message.text}}", .place = "world"};
    w->rule.reply = "Re: thank you";
    w->econf = (struct engine_conf){.business = "World",
                                    .rules = &w->rule,
                                    .nrules = 1,
                                    .guard.replies = 1000000,
                                    .guard.window_ms = 600000};
    if (w->settings)
        w->econf = w->settings->engine;
    for (int i = 0; i < w->conf.modems; i++)
        w->mconf[i] = (struct modem_conf){.name = w->names[i],
                                          .port = w->ports[i],
                                          .imei = "",
                                          .imsi = "",
                                          .iccid = "",
                                          .usb = "",
                                          .profile = "",
                                          .profiles = w->profiles,
                                          .reset_command = w->reset_argv[i],
                                          .balance = {.code = "", .pattern = "", .below = ""},
                                          .pool = "",
                                          .number = "",
                                          .pin = i % 2 ? "1234" : "",
                                          .smsc = "",
                                          .baud = 115200,
                                          .plan = w->conf.plan,
                                          .sweep_ms = w->conf.sweep_ms ? w->conf.sweep_ms : 180000,
                                          .send_timeout_ms = 120000};
}

static void ask(struct job *j);

bool world_start(struct world *w)
{
    struct store_conf sc = {.path = w->path};
    struct gateway_limits none = {0};
    struct err e = {0};

    configure(w);
    w->lives++;
    if (store_open(w->rt, &sc, &w->store, &e) < 0) {
        ledger_problem(&w->ledger, "life %d: %s", w->lives, e.text);
        return false;
    }
    w->alive = true;
    w->gateway = gateway_new(w->rt, w->store, &w->gconf);
    if (gateway_load(w->gateway, &e) < 0 || engine_new(w->rt, &w->econf, NULL, NULL, &w->engine) < 0) {
        ledger_problem(&w->ledger, "life %d: %s", w->lives, e.text);
        return false;
    }
    if (w->conf.outside)
        engine_set_world(w->engine, w->conf.outside);
    engine_attach(w->engine, w->gateway, w->store);
    if (w->settings) {
        w->desk = desk_new(w->rt, w->engine, w->gateway, w->store);
        w->campaigns = campaigns_new(w->rt, w->engine, w->gateway, w->store);
    }
    for (int i = 0; i < w->conf.modems; i++) {
        w->modems[i] = modem_new(w->rt, port_sim_source(w->bus), &w->mconf[i]);
        if (gateway_attach(w->gateway, modem_carrier(w->modems[i]), &none, w->conf.report, &e) < 0)
            ledger_problem(&w->ledger, "life %d: %s", w->lives, e.text);
        modem_start(w->modems[i]);
    }
    for (int i = 0; i < WORLD_JOBS; i++)
        if (w->jobs[i].open)
            ask(&w->jobs[i]);
    if (w->conf.born)
        w->conf.born(w->conf.arg);
    return true;
}

void world_crash(struct world *w)
{
    rt_sim_drop(w->rt);
    for (int i = 0; i < WORLD_MODEMS; i++)
        w->resets[i].task = NULL;
    store_abandon(w->store);
    if (w->settings)
        desk_free(w->desk);
    engine_free(w->engine);
    gateway_free(w->gateway);
    if (w->settings)
        campaigns_free(w->campaigns);
    for (int i = 0; i < w->conf.modems; i++) {
        modem_free(w->modems[i]);
        w->modems[i] = NULL;
    }
    port_sim_drop(w->bus);
    if (w->conf.power_loss) {
        char air[128];

        snprintf(air, sizeof air, "%s-air", w->path);
        unlink(air); /* what is only in memory goes with the machine */
    }
    w->store = NULL;
    w->gateway = NULL;
    w->engine = NULL;
    w->desk = NULL;
    w->campaigns = NULL;
    w->alive = false;
    for (int i = 0; i < WORLD_JOBS; i++)
        w->jobs[i].asked = false;
}

void world_run(struct world *w, int64_t ms)
{
    int64_t until = rt_sim_now(w->rt) + ms;

    while (!rt_sim_run_until(w->rt, until)) {
        world_crash(w);
        if (!world_start(w))
            return;
    }
}

/* ---- producers and customers ---- */

static void answered(struct gateway_admit *a, int status)
{
    struct job *j = container_of(a, struct job, admit);
    struct ledger_out *o = &j->w->ledger.outs[j->n];

    j->asked = false;
    if (status == ERR_FULL || status == ERR_CANCELLED)
        return; /* asked again in the next life */
    j->open = false;
    o->accepted = status == 0;
    o->refused = status != 0;
    o->id = j->result.id;
    if (status)
        ledger_problem(&j->w->ledger, "o%d was refused: %s", j->n, j->result.err.text);
}

static void ask(struct job *j)
{
    struct world *w = j->w;

    gateway_send_init(&j->send);
    j->send.to = j->to;
    j->send.text = buf_str(&j->text);
    j->send.source = "producer";
    j->send.key = j->key;
    j->send.priority = j->urgent ? 2 : -1;
    j->send.modem = *j->modem ? j->modem : NULL;
    j->admit = (struct gateway_admit){.sends = &j->send, .count = 1, .done = answered, .results = &j->result};
    j->asked = true;
    gateway_admit(w->gateway, &j->admit);
}

static int new_job(struct world *w, int modem, bool urgent, const char *to, size_t bytes, const char *spice)
{
    for (int i = 0; i < WORLD_JOBS; i++) {
        struct job *j = &w->jobs[i];

        if (j->open)
            continue;
        j->w = w;
        j->urgent = urgent;
        j->open = true;
        j->n = ledger_new_out(&w->ledger);
        snprintf(j->key, sizeof j->key, "job:%d", j->n);
        str_copy(j->to, sizeof j->to, to);
        str_copy(j->modem, sizeof j->modem, modem < 0 ? "" : w->names[modem]);
        buf_clear(&j->text);
        ledger_text('o', j->n, bytes, spice, &j->text);
        if (w->alive)
            ask(j);
        return j->n;
    }
    return -1;
}

int world_send(struct world *w, int modem, const char *to, size_t bytes, const char *spice)
{
    return new_job(w, modem, false, to, bytes, spice);
}

int world_send_urgent(struct world *w, int modem, const char *to, size_t bytes)
{
    return new_job(w, modem, true, to, bytes, "");
}

int world_text(struct world *w, int modem, const char *from, size_t bytes, const char *spice)
{
    struct buf text = {0};
    struct err e = {0};
    int n = ledger_new_in(&w->ledger);

    ledger_text('i', n, bytes, spice, &text);
    if (simnet_text(w->net, w->sims[modem], from, buf_str(&text), rt_sim_now(w->rt), &e) < 0)
        ledger_problem(&w->ledger, "the network: %s", e.text);
    buf_free(&text);
    return n;
}

void world_tpdu(struct world *w, int modem, const uint8_t *tpdu, size_t len)
{
    uint8_t full[PDU_FULL_BYTES] = {0};
    struct err e = {0};

    memcpy(full + 1, tpdu, len);
    if (simnet_deliver_tpdu(w->net, w->sims[modem], full, len + 1, rt_sim_now(w->rt), &e) < 0)
        ledger_problem(&w->ledger, "the network: %s", e.text);
}

void world_fault(struct world *w, int modem, const char *name, const char *args)
{
    struct err e = {0};

    if (w->conf.verbose)
        fprintf(stderr, "%10lld fault m%d %s %s\n", (long long)rt_sim_now(w->rt), modem, name,
                args ? args : "");
    if (simmodem_fault(w->sims[modem], name, args, rt_sim_now(w->rt), &e) < 0)
        ledger_problem(&w->ledger, "fault %s: %s", name, e.text);
}

/* ---- the end ---- */

struct listing {
    struct store_list op;
    bool done;
};

static void listed(struct store_op *op, int status)
{
    struct listing *l = container_of(op, struct listing, op.op);

    (void)status;
    l->done = true;
}

static bool is_done(void *arg)
{
    return ((struct listing *)arg)->done;
}

void world_each_row(struct world *w, void (*see)(void *arg, const struct msg_row *row), void *arg)
{
    int64_t before = 0;
    int count;

    do {
        struct listing l = {.op = {.op.done = listed, .limit = LIST_ROWS, .before_id = before}};

        store_list(w->store, &l.op);
        if (!rt_sim_run_till(w->rt, is_done, &l, 600000)) {
            ledger_problem(&w->ledger, "the list of messages does not come");
            return;
        }
        count = l.op.count;
        for (int i = 0; i < count; i++) {
            see(arg, &l.op.rows[i]);
            before = l.op.rows[i].id;
            msg_row_clear(&l.op.rows[i]);
        }
        free(l.op.rows);
    } while (count == LIST_ROWS);
}

static void see_row(void *arg, const struct msg_row *row)
{
    ledger_row(arg, row);
}

static bool rests(struct world *w)
{
    struct gateway_stats st;

    for (int i = 0; i < WORLD_JOBS; i++)
        if (w->jobs[i].open)
            return false;
    for (int i = 0; i < w->conf.modems; i++)
        if (simnet_waiting(w->net, w->sims[i]))
            return false;
    gateway_get_stats(w->gateway, &st);
    if (w->conf.on_unknown == ON_UNKNOWN_HOLD)
        return st.queued <=
               st.unknown; /* later parts of a message whose earlier part is unknown are held with it */
    return !st.queued && !st.unknown;
}

static void check_outs(struct world *w)
{
    for (int n = 0; n < w->ledger.nouts; n++) {
        const struct ledger_out *o = &w->ledger.outs[n];

        if (!o->accepted && !o->refused)
            ledger_problem(&w->ledger, "o%d was never answered", n);
        else if (o->accepted && !o->parts)
            ledger_problem(&w->ledger, "o%d was accepted as %lld and is not in the store", n,
                           (long long)o->id);
    }
}

static void check_ins(struct world *w)
{
    for (int n = 0; n < w->ledger.nins; n++) {
        const struct ledger_in *i = &w->ledger.ins[n];

        if (!i->rows && !i->broken && !w->ledger.lossy_line)
            ledger_problem(&w->ledger, "i%d (%d parts, %d acknowledged) was sent and is not in the store", n,
                           i->parts, i->removed);
    }
}

/* Whatever happened, modems come back by themselves, and nobody is kept alarmed. A bad line may turn a PIN
 * into a wrong one, which is tried once. */
static void check_modems(struct world *w)
{
    for (int i = 0; i < w->conf.modems; i++) {
        const struct carrier *c = modem_carrier(w->modems[i]);

        if (c->state != CARRIER_READY && !w->ledger.lossy_line)
            ledger_problem(&w->ledger, "modem %d is not ready: %s", i, c->reason);
        for (int a = 0; a < CARRIER_ALARMS; a++)
            if (c->state == CARRIER_READY && c->alarms[a].on)
                ledger_problem(&w->ledger, "modem %d: the alarm \"%s\" is left on: %s", i,
                               carrier_alarm_name((enum carrier_alarm)a), c->alarms[a].text);
    }
}

void world_settle(struct world *w, int64_t max_ms)
{
    int64_t until = rt_sim_now(w->rt) + max_ms;

    rt_sim_on_work(w->rt, NULL, NULL);
    for (int i = 0; i < w->conf.modems; i++) {
        world_fault(w, i, "clear", NULL);
        world_fault(w, i, "return", NULL);
        world_fault(w, i, "sim_in", NULL);
    }
    /* Long enough for what was begun before: sends without an answer, waits of the policy, incomplete
     * messages. */
    do
        world_run(w, SETTLE_STEP_MS);
    while (w->alive && rt_sim_now(w->rt) < until && !rests(w));
    world_run(w, 3600000);
    if (!w->alive)
        return;
    if (!rests(w)) {
        struct gateway_stats st;

        gateway_get_stats(w->gateway, &st);
        ledger_problem(&w->ledger, "not at rest: queued=%d held=%d unknown=%d", st.queued, st.held,
                       st.unknown);
        for (int i = 0; i < w->conf.modems; i++) {
            struct modem_status ms;

            modem_get_status(w->modems[i], &ms);
            ledger_problem(&w->ledger, "modem %d is %s: %s; the network holds %zu", i,
                           modem_state_name(ms.state), ms.reason, simnet_waiting(w->net, w->sims[i]));
        }
    }
    world_each_row(w, see_row, &w->ledger);
    check_outs(w);
    check_ins(w);
    check_modems(w);
}
