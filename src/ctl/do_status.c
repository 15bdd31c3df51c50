/* `status` and `modems`: what there is and how it is, with what a person should look after. */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"
#include "ctl/desk.h"
#include "ctl/private.h"
#include "engine/engine.h"
#include "engine/handler.h"

enum {
    DOWN_TELL_MS = 120000, /* a modem that starts or recovers may be down so long before anybody is told */
    HOLDS_MOST = 20,
    REGISTERED_HOME = 1, /* TS 27.007 7.2 +CREG <stat> */
    REGISTERED_ROAMING = 5,
};

static const char *const carrier_states[] = {[CARRIER_DOWN] = "down",
                                             [CARRIER_READY] = "ready",
                                             [CARRIER_LOCKED] = "locked",
                                             [CARRIER_CLOSED] = "closed"};

static const char *registration_text(int stat)
{
    static const char *const texts[] = {"not registered", "home",    "searching",
                                        "denied",         "unknown", "roaming"};

    return stat >= 0 && stat < (int)ARRAY_LEN(texts) ? texts[stat] : "unknown";
}

/* ---- one modem ---- */

static void put_sim_and_network(json_t *o, const struct carrier *c, const struct modem_status *s)
{
    json_put_text(o, "imsi", c->imsi);
    json_put_text(o, "iccid", s->iccid);
    json_put_text(o, "imei", c->imei);
    json_put_text(o, "number", c->number);
    json_put_text(o, "operator", c->operator_name);
    if (c->signal_dbm)
        json_object_set_new(o, "signal_dbm", json_integer(c->signal_dbm));
    json_object_set_new(o, "registration", json_string(registration_text(s->registration)));
    json_put_text(o, "smsc", s->smsc);
    if (s->pin_tries >= 0)
        json_object_set_new(o, "pin_tries", json_integer(s->pin_tries));
}

static void put_device(json_t *o, const struct modem_status *s)
{
    json_put_text(o, "port", s->port);
    json_put_text(o, "manufacturer", s->manufacturer);
    json_put_text(o, "model", s->model);
    json_put_text(o, "revision", s->revision);
    json_put_text(o, "profile", s->profile);
    json_put_text(o, "profile_why", s->profile_why);
    json_put_text(o, "hint", s->hint);
    json_put_text(o, "receive", s->receive_plan);
}

/* An object by the alarm's name: what is wrong, since when. Left out when all is well. */
static void put_alarms(json_t *o, const struct carrier *c)
{
    json_t *all = json_object();

    for (int a = 0; a < CARRIER_ALARMS; a++) {
        const struct carrier_alarm_state *s = &c->alarms[a];
        json_t *one;

        if (!s->on)
            continue;
        one = json_pack("{so}", "text", json_text(s->text));
        json_put_time(one, "since", s->since_wall_ms);
        json_object_set_new(all, carrier_alarm_name((enum carrier_alarm)a), one);
    }
    if (json_object_size(all))
        json_object_set(o, "alarms", all);
    json_decref(all);
}

/* How often each rung of the ladder was used; those that were not are left out. */
static void put_recoveries(json_t *o, const struct modem_status *s)
{
    json_t *by = json_object();

    for (int r = 0; r < MODEM_RUNGS; r++) {
        if (s->rungs[r])
            json_object_set_new(by, modem_rung_name((enum modem_rung)r),
                                json_integer((json_int_t)s->rungs[r]));
    }
    json_object_set_new(o, "recoveries", json_integer((json_int_t)s->recoveries));
    if (json_object_size(by))
        json_object_set(o, "recoveries_by", by);
    json_decref(by);
}

static void put_figures(json_t *o, const struct modem_status *s, const struct gateway_carrier_stats *g)
{
    json_object_set_new(o, "queue", json_integer(g->queue));
    json_object_set_new(o, "sent_today", json_integer(g->sent_day));
    json_object_set_new(o, "sent_this_month", json_integer(g->sent_month));
    json_object_set_new(o, "sent", json_integer((json_int_t)s->sent));
    json_object_set_new(o, "failed", json_integer((json_int_t)s->failed));
    json_object_set_new(o, "received", json_integer((json_int_t)s->received));
    json_object_set_new(o, "reports", json_integer((json_int_t)s->reports));
    put_recoveries(o, s);
    if (s->seconds_per_part > 0)
        json_object_set_new(o, "seconds_per_part", json_real(s->seconds_per_part));
    if (g->share >= 0)
        json_object_set_new(o, "share", json_real(g->share));
}

static void put_balance(json_t *o, const struct modem *m)
{
    struct modem_balance b;

    modem_get_balance(m, &b);
    if (b.at_wall_ms)
        json_object_set_new(o, "balance", json_balance(&b));
}

static json_t *modem_json(const struct ctl *c, const struct modem *m, const struct carrier *carrier)
{
    struct modem_status s = {0};
    struct gateway_carrier_stats g = {0};
    json_t *o = json_object();

    modem_get_status(m, &s);
    gateway_get_carrier_stats(c->world.gateway, carrier, &g);
    json_object_set_new(o, "name", json_text(carrier->name));
    json_put_text(o, "pool", carrier->pool);
    json_object_set_new(o, "state", json_string(modem_state_name(s.state)));
    json_object_set_new(o, "carries", json_string(carrier_states[carrier->state]));
    json_put_time(o, "since", s.since_wall_ms);
    json_put_text(o, "reason", *s.reason ? s.reason : carrier->reason);
    put_sim_and_network(o, carrier, &s);
    put_device(o, &s);
    if (s.last_exchange_ms)
        json_put_time(o, "last_exchange",
                      rt_wall_ms(c->world.rt) - (rt_now_ms(c->world.rt) - s.last_exchange_ms));
    put_figures(o, &s, &g);
    put_balance(o, m);
    put_alarms(o, carrier);
    return o;
}

static json_t *modem_lines(const struct modem *m)
{
    struct buf text = {0};
    json_t *lines = json_array();
    char *save = NULL;

    modem_dump(m, &text);
    for (char *line = text.data ? strtok_r(text.data, "\n", &save) : NULL; line;
         line = strtok_r(NULL, "\n", &save))
        json_array_append_new(lines, json_text(line));
    buf_free(&text);
    return lines;
}

static json_t *modem_and_line(const struct call *call, struct modem *m)
{
    json_t *o = modem_json(call->ctl, m, modem_carrier(m));

    if (call_bool(call, "line", 0))
        json_object_set_new(o, "line", modem_lines(m));
    return o;
}

void do_modems(struct call *call)
{
    const struct ctl_world *w = &call->ctl->world;
    struct modem *only = NULL;
    json_t *list, *result;

    if (call_text(call, "modem") && !(only = call_modem(call)))
        return;
    list = json_array();
    for (int i = 0; i < w->nmodems; i++)
        if (!only || w->modems[i] == only)
            json_array_append_new(list, modem_and_line(call, w->modems[i]));
    result = json_pack("{so}", "modems", list);
    json_put_text(result, "modem", call_text(call, "modem"));
    call_ok(call, result);
}

/* ---- status ---- */

struct standing {
    struct call *call;
    struct store_counts counts;
};

static void problem(json_t *list, const char *text)
{
    json_array_append_new(list, json_text(text));
}

static void modem_problem(json_t *list, const struct carrier *m, const char *what, const char *why)
{
    char text[300];

    snprintf(text, sizeof text, "modem %s: %s: %s", m->name, what, why);
    problem(list, text);
}

/* How many alarms it has. */
static int alarm_problems(const struct carrier *m, json_t *list)
{
    int n = 0;

    for (int a = 0; a < CARRIER_ALARMS; a++) {
        if (!m->alarms[a].on)
            continue;
        modem_problem(list, m, carrier_alarm_name((enum carrier_alarm)a), m->alarms[a].text);
        n++;
    }
    return n;
}

static void modem_problems(const struct ctl *c, json_t *list)
{
    int64_t now_ms = rt_wall_ms(c->world.rt);
    int ready = 0;

    for (int i = 0; i < c->world.nmodems; i++) {
        const struct carrier *m = modem_carrier(c->world.modems[i]);
        int64_t down_ms =
            now_ms - (m->since_wall_ms > c->started_wall_ms ? m->since_wall_ms : c->started_wall_ms);

        ready += m->state == CARRIER_READY;
        if (alarm_problems(m, list) > 0)
            continue;
        if (m->state == CARRIER_LOCKED || (m->state == CARRIER_DOWN && down_ms > DOWN_TELL_MS))
            modem_problem(list, m, carrier_states[m->state], *m->reason ? m->reason : "no reason known");
    }
    if (c->world.nmodems == 0)
        problem(list, "no modem is configured");
    else if (ready == 0 && now_ms - c->started_wall_ms > DOWN_TELL_MS)
        problem(list, "no modem is ready: nothing is sent or received");
}

static json_t *handlers_json(const struct ctl *c)
{
    const struct handler *h;
    const char *kind;
    json_t *list = json_array();

    for (int i = 0; (h = engine_handler_at(c->world.engine, i, &kind)); i++)
        json_array_append_new(list, json_handler(h, kind));
    return list;
}

static void handler_problems(const struct ctl *c, json_t *list)
{
    const struct handler *h;
    const char *kind;
    char text[300];

    for (int i = 0; (h = engine_handler_at(c->world.engine, i, &kind)); i++) {
        struct handler_health health = {0};

        if (h->health)
            h->health(h, &health);
        if (!health.failing)
            continue;
        snprintf(text, sizeof text, "handler %s fails: %s", h->name, health.error);
        utf8_mend(text);
        problem(list, text);
    }
}

static json_t *problems_of(const struct ctl *c, const struct gateway_stats *g)
{
    json_t *list = json_array();
    char text[200];

    modem_problems(c, list);
    handler_problems(c, list);
    if (g->disk_full || store_is_full(c->world.store))
        problem(list, "the disk of the database is full: messages stay on the modems, new ones are refused");
    if (g->undecided > 0) {
        snprintf(text, sizeof text,
                 "messages of which it is not known whether they were sent, and no report came in time: %d; "
                 "simgate messages --state unknown, then retry or cancel",
                 g->undecided);
        problem(list, text);
    }
    return list;
}

static json_t *queue_json(const struct gateway_stats *g)
{
    return json_pack("{sisisisi}", "waiting", g->queued, "held", g->held, "unknown", g->unknown, "undecided",
                     g->undecided);
}

/* What waits for a carrier, and why: no problem by itself, as a limit that somebody has configured is none.
 */
static json_t *holds_json(const struct ctl *c)
{
    struct gateway_hold holds[HOLDS_MOST];
    int n = gateway_get_holds(c->world.gateway, holds, HOLDS_MOST);
    int64_t behind_ms = rt_wall_ms(c->world.rt) - rt_now_ms(c->world.rt);
    json_t *list = json_array();

    for (int i = 0; i < n && i < HOLDS_MOST; i++) {
        json_t *one = json_pack("{si}", "messages", holds[i].messages);

        utf8_mend(holds[i].reason);
        json_put_text(one, "reason", holds[i].reason);
        json_put_time(one, "since", holds[i].since_ms + behind_ms);
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *since_start_json(const struct gateway_stats *g)
{
    return json_pack("{sIsIsIsIsIsIsIsI}", "accepted", (json_int_t)g->admitted, "sent", (json_int_t)g->sent,
                     "failed", (json_int_t)g->failed, "received", (json_int_t)g->received, "calls",
                     (json_int_t)g->calls, "duplicates_received", (json_int_t)g->duplicates_in, "reports",
                     (json_int_t)g->reports, "reports_unmatched", (json_int_t)g->reports_unmatched);
}

static json_t *counts_json(const struct store_counts *n)
{
    json_t *o = json_object();

    for (int s = 1; s < MSG_STATES; s++)
        json_object_set_new(o, msg_state_name((enum msg_state)s), json_integer(n->by_state[s]));
    json_object_set_new(o, "parts_waiting_for_others", json_integer(n->segments_waiting));
    return o;
}

static json_t *modems_json(const struct ctl *c)
{
    json_t *list = json_array();

    for (int i = 0; i < c->world.nmodems; i++)
        json_array_append_new(list, modem_json(c, c->world.modems[i], modem_carrier(c->world.modems[i])));
    return list;
}

static void on_counted(struct store_op *op, int status)
{
    struct standing *s = container_of(op, struct standing, counts.op);
    struct ctl *c = s->call->ctl;
    struct gateway_stats g = {0};
    json_t *result, *problems;

    gateway_get_stats(c->world.gateway, &g);
    problems = problems_of(c, &g);
    if (status < 0)
        problem(problems, *op->err.text ? op->err.text : err_name(status));
    result = json_object();
    json_object_set_new(result, "healthy", json_boolean(json_array_size(problems) == 0));
    json_object_set_new(result, "problems", problems);
    json_object_set_new(result, "version", json_string(SIMGATE_VERSION));
    json_put_text(result, "configuration", c->conf_path);
    json_put_time(result, "started", c->started_wall_ms);
    json_object_set_new(result, "modems", modems_json(c));
    json_object_set_new(result, "handlers", handlers_json(c));
    json_object_set_new(result, "queue", queue_json(&g));
    json_object_set_new(result, "holds", holds_json(c));
    json_object_set_new(result, "since_start", since_start_json(&g));
    if (status == 0)
        json_object_set_new(result, "messages", counts_json(&s->counts));
    call_ok(s->call, result);
}

void do_status(struct call *call)
{
    struct standing *s = call_keep(call, sizeof *s, NULL);

    s->call = call;
    s->counts.op.done = on_counted;
    store_counts(call->ctl->world.store, &s->counts);
}
