/* `people` and `departments`: who is there, who is on duty, when it opens; how much waits. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "ctl/desk.h"

/* ---- people ---- */

/* None belongs to every department. */
static json_t *departments_of(const struct staff *s, const struct person *p)
{
    json_t *list = json_array();

    for (int i = 0; i < s->ndepartments; i++)
        if (p->departments[i])
            json_array_append_new(list, json_text(s->departments[i].name));
    return list;
}

void do_people(struct call *call)
{
    const struct staff *s = desk_staff(call->ctl->world.desk);
    int64_t now = rt_wall_ms(call->ctl->world.rt);
    json_t *rows = json_array();

    for (int i = 0; i < s->npeople; i++) {
        const struct person *p = &s->people[i];
        json_t *o = json_pack("{soso}", "name", json_text(p->name), "departments", departments_of(s, p));

        json_put_text(o, "number", p->number);
        json_object_set_new(o, "lead", json_boolean(p->lead));
        json_object_set_new(o, "on_duty", json_boolean(staff_on_duty(p, now)));
        json_array_append_new(rows, o);
    }
    call_ok(call, json_pack("{so}", "people", rows));
}

/* ---- departments ---- */

struct counting {
    struct call *call;
    struct store_conv_counts counts;
};

static void counting_clear(void *own)
{
    free(((struct counting *)own)->counts.rows);
}

static void put_hours(json_t *o, const struct hours *h, int64_t now)
{
    bool open = !h || hours_open(h, now);

    json_object_set_new(o, "open", json_boolean(open));
    if (h)
        json_put_time(o, open ? "closes" : "opens",
                      open ? hours_next_close(h, now) : hours_next_open(h, now));
}

static void put_counts(json_t *o, const struct conv_count *c)
{
    static const struct conv_count none;
    json_t *states = json_object();
    int live = 0;

    c = c ? c : &none;
    for (int s = CONV_NEW; s < CONV_CLOSED; s++) {
        live += c->by_state[s];
        json_object_set_new(states, conv_state_name((enum conv_state)s), json_integer(c->by_state[s]));
    }
    json_object_set_new(o, "live", json_integer(live));
    json_object_set_new(o, "states", states);
    json_object_set_new(o, "waiting", json_integer(c->waiting));
    json_put_time(o, "waiting_since", c->longest_wall_ms);
    json_object_set_new(o, "overdue", json_integer(c->overdue));
    json_object_set_new(o, "flagged", json_integer(c->flagged));
    json_object_set_new(o, "unassigned", json_integer(c->unassigned));
}

static const struct conv_count *count_of(const struct store_conv_counts *c, const char *department)
{
    for (int i = 0; i < c->count; i++)
        if (!strcmp(c->rows[i].department, department))
            return &c->rows[i];
    return NULL;
}

static json_t *department_row(const struct counting *c, const char *name, int64_t now)
{
    const struct staff *s = desk_staff(c->call->ctl->world.desk);
    const struct conv_count *counts = count_of(&c->counts, name);
    json_t *o = json_pack("{so}", "name", json_text(name));
    int on_duty = 0;

    for (int i = 0; i < s->npeople; i++)
        on_duty += (!*name || staff_belongs(s, &s->people[i], name)) && staff_on_duty(&s->people[i], now);
    put_hours(o, staff_hours(s, name), now);
    json_object_set_new(o, "on_duty", json_integer(on_duty));
    put_counts(o, counts);
    return o;
}

/* Those of gateway.conf, those that only conversations still have, and what is of none. */
static void on_counted(struct store_op *op, int status)
{
    struct counting *c = container_of(op, struct counting, counts.op);
    const struct staff *s = desk_staff(c->call->ctl->world.desk);
    int64_t now = rt_wall_ms(c->call->ctl->world.rt);
    json_t *rows;

    if (status < 0) {
        call_fail(c->call, status, op->err.text);
        return;
    }
    rows = json_array();
    for (int i = 0; i < s->ndepartments; i++)
        json_array_append_new(rows, department_row(c, s->departments[i].name, now));
    for (int i = 0; i < c->counts.count; i++) {
        const char *name = c->counts.rows[i].department;

        if (*name && !staff_department(s, name))
            json_array_append_new(rows, department_row(c, name, now));
    }
    json_array_append_new(rows, department_row(c, "", now));
    call_ok(c->call, json_pack("{so}", "departments", rows));
}

void do_departments(struct call *call)
{
    struct counting *c = call_keep(call, sizeof *c, counting_clear);

    c->call = call;
    c->counts.op.done = on_counted;
    store_conv_counts(call->ctl->world.store, &c->counts);
}
