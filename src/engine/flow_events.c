/* Where events come from: the store keeps them until they are handled (store_events), alarms of modems are
 * put there. At most EVENTS_OPEN_MAX are under way at a time; those that are asked about again later, and
 * those of the same numbers that wait for them, keep nobody else's place.
 *
 * What can fail: the store. Reading is tried again with the next commit that makes events, or a minute later;
 * an alarm that cannot be stored is told by log and watchers all the same, only rules do not see it.
 */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/util.h"
#include "engine/flow.h"

struct event_source {
    struct engine *en;
    struct store_events read;
    bool reading, more;
    int64_t last_id;
    int open, all;
    struct rt_timer again;
    struct gateway_watcher watcher;
    struct alarm_put *alarms; /* on their way into the store; owned */
};

struct alarm_put {
    struct store_put_event put;
    struct event_source *source;
    char text[512];
    struct alarm_put *prev, *next;
};

/* ---- reading --------------------------------------------------------------------------------------------
 */

static void read_more(struct event_source *src);

static void take(struct event_source *src, struct event_row *row)
{
    struct job *j = calloc(1, sizeof *j);

    if (!j)
        abort();
    j->row = *row;
    src->last_id = row->id;
    src->all++;
    job_add(src->en, j);
}

static void on_read(struct store_op *op, int status)
{
    struct event_source *src = container_of(op, struct event_source, read.op);
    struct event_row *rows = src->read.rows;
    int count = src->read.count;

    src->reading = false;
    if (status == ERR_CANCELLED)
        return;
    if (status != 0) {
        log_err(FLOW_WHO, "events are not read yet: %s", op->err.text);
        src->more = true;
        rt_timer_at(src->en->rt, &src->again, rt_now_ms(src->en->rt) + RETRY_MOST_MS);
        return;
    }
    src->more = src->more || count == src->read.max;
    for (int i = 0; i < count; i++)
        take(src, &rows[i]);
    free(rows);
    read_more(src);
}

static void read_more(struct event_source *src)
{
    int room = EVENTS_OPEN_MAX - src->open, most = EVENTS_MAX - src->all;

    if (src->reading || !src->more || room <= 0 || most <= 0)
        return;
    src->reading = true;
    src->more = false;
    src->read =
        (struct store_events){.op.done = on_read, .after_id = src->last_id, .max = room < most ? room : most};
    store_events(src->en->store, &src->read);
}

static void on_work(void *owner)
{
    struct engine *en = owner;

    en->events->more = true;
    read_more(en->events);
    if (en->deliveries)
        en->deliveries(en);
}

static void read_again(struct rt_timer *t)
{
    struct event_source *src = container_of(t, struct event_source, again);

    read_more(src);
}

void flow_events_open(struct job *j, bool open)
{
    struct event_source *src = j->en->events;

    if (j->message || j->open == open)
        return;
    j->open = open;
    src->open += open ? 1 : -1;
    if (!open)
        read_more(src);
}

void flow_events_ended(struct engine *en)
{
    en->events->all--;
    read_more(en->events);
}

/* ---- alarms ---------------------------------------------------------------------------------------------
 */

static void on_put(struct store_op *op, int status)
{
    struct alarm_put *a = container_of(op, struct alarm_put, put.op);

    if (status != 0 && status != ERR_CANCELLED)
        log_err(FLOW_WHO, "alarm %s is not stored for rules: %s", a->put.row.name, op->err.text);
    DL_DELETE(a->source->alarms, a);
    free(a);
}

/* Only those of modems and of the disk: what a rule tells is no event for rules. */
static void on_gateway_event(struct gateway_watcher *w, const struct gateway_event *ev)
{
    struct event_source *src = container_of(w, struct event_source, watcher);
    struct alarm_put *a;

    if (ev->kind != EV_ALARM || !ev->alarm || !(program_on(src->en->program) >> ENGINE_ON_ALARM & 1U))
        return;
    a = calloc(1, sizeof *a);
    if (!a)
        abort();
    a->source = src;
    str_copy(a->text, sizeof a->text, ev->text ? ev->text : "");
    a->put = (struct store_put_event){.op.done = on_put, .key = ""};
    a->put.row = (struct event_row){.kind = DESK_ALARM, .text = a->text, .at_wall_ms = ev->at_wall_ms};
    str_copy(a->put.row.name, sizeof a->put.row.name, ev->alarm);
    if (!ev->raised)
        str_copy(a->put.row.name + strlen(a->put.row.name), sizeof a->put.row.name - strlen(a->put.row.name),
                 " over");
    str_copy(a->put.row.sim, sizeof a->put.row.sim, ev->modem ? ev->modem : "");
    DL_APPEND(src->alarms, a);
    store_put_event(src->en->store, &a->put);
}

/* ---- start and end --------------------------------------------------------------------------------------
 */

void flow_events_want(struct engine *en)
{
    store_want_events(en->store, program_on(en->program) >> ENGINE_ON_REPORT << DESK_REPORT);
}

void flow_events_start(struct engine *en)
{
    struct event_source *src = calloc(1, sizeof *src);

    if (!src)
        abort();
    en->events = src;
    src->en = en;
    src->again.fire = read_again;
    src->watcher.event = on_gateway_event;
    src->more = true; /* what the last life left */
    flow_events_want(en);
    gateway_watch(en->gateway, &src->watcher);
    gateway_set_work(en->gateway, on_work, en);
    read_more(src);
}

void flow_events_stop(struct engine *en)
{
    struct event_source *src = en->events;
    struct alarm_put *a, *next;

    DL_FOREACH_SAFE(src->alarms, a, next)
    {
        free(a);
    }
    rt_timer_stop(en->rt, &src->again);
    free(src);
    en->events = NULL;
}
