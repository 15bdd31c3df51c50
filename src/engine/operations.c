/* The table of what a person does with a conversation. See engine/operations.h. */
#include "engine/operations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"
#include "engine/due.h"

#define DAY_MS INT64_C(86400000)

enum { DAY_MINUTES = 1440 };

static const char *const priorities[] = {"low", "normal", "high", "urgent"};

/* One operation under way. */
struct planning {
    const struct staff *s;
    const struct conv_row *c;
    const struct operation_request *r;
    const struct person *person; /* who does it; NULL an administrator */
    const char *value;
    struct operation_plan *out;
    struct err *e;
};

static struct store_effect *add(struct planning *p, enum effect_kind kind)
{
    struct store_effect *e = &p->out->effects[p->out->neffects++];

    *e = (struct store_effect){.kind = kind, .conversation = p->c->id, .number = p->c->number};
    return e;
}

static void set_state(struct planning *p, enum conv_state state, int64_t until_wall_ms)
{
    struct store_effect *e = add(p, EFFECT_STATE);

    e->n = state;
    e->at_wall_ms = until_wall_ms;
}

static void add_clocks(struct planning *p, const struct store_effect *clocks, int count)
{
    for (int i = 0; i < count; i++)
        p->out->effects[p->out->neffects++] = clocks[i];
}

static void say(struct planning *p, const char *fmt, const char *what)
{
    snprintf(p->out->words, sizeof p->out->words, fmt, what);
    utf8_mend(p->out->words);
}

static int refuse_closed(struct planning *p)
{
    if (p->c->state < CONV_CLOSED)
        return 0;
    return err_set(p->e, ERR_REFUSED, "#%lld is %s: reopen it first", (long long)p->c->id,
                   p->c->state == CONV_SPAM ? "marked as spam" : "closed");
}

static void tell(struct planning *p, const struct person *person)
{
    if (person != p->person && *person->number && p->out->ntold < OPERATION_TOLD)
        p->out->told[p->out->ntold++] = person;
}

/* ---- one function an operation ---- */

static int reply(struct planning *p)
{
    struct store_effect clocks[CLOCKS];

    if (refuse_closed(p))
        return ERR_REFUSED;
    p->out->reply = true; /* by which the store lets it wait for the customer */
    add_clocks(p, clocks, due_on_answer(p->s, p->c, p->r->now_wall_ms, clocks));
    if (p->c->flagged)
        add(p, EFFECT_FLAG)->value = "answered";
    say(p, "%s", "answered");
    if (*p->c->assignee && staff_person(p->s, p->c->assignee))
        tell(p, staff_person(p->s, p->c->assignee)); /* whose it is hears what others say in it */
    return 0;
}

static int note(struct planning *p)
{
    add(p, EFFECT_NOTE)->value = p->value;
    say(p, "%s", "noted");
    return 0;
}

static int close_it(struct planning *p)
{
    if (p->c->state >= CONV_CLOSED)
        return err_set(p->e, ERR_REFUSED, "#%lld is %s already", (long long)p->c->id,
                       p->c->state == CONV_SPAM ? "marked as spam" : "closed");
    set_state(p, CONV_CLOSED, 0);
    say(p, "%s", "closed");
    return 0;
}

static int reopen(struct planning *p)
{
    struct store_effect clocks[CLOCKS];

    if (p->c->state == CONV_NEW || p->c->state == CONV_OPEN)
        return err_set(p->e, ERR_REFUSED, "#%lld is open", (long long)p->c->id);
    set_state(p, CONV_OPEN, 0);
    add_clocks(p, clocks, due_on_resume(p->s, p->c, p->r->now_wall_ms, clocks));
    say(p, "%s", "open again");
    return 0;
}

/* A lead may take it from another; everybody gives away their own, and what is nobody's. */
static int refuse_anothers(struct planning *p)
{
    const char *mine = p->person ? p->person->name : "";

    if (!p->person || p->person->lead || !*p->c->assignee || strcmp(p->c->assignee, mine) == 0 ||
        !staff_person(p->s, p->c->assignee))
        return 0;
    return err_set(p->e, ERR_REFUSED, "#%lld is %s's: only they or a lead may give it to another",
                   (long long)p->c->id, p->c->assignee);
}

static void assign_to(struct planning *p, const struct person *to)
{
    add(p, EFFECT_ASSIGN)->value = to->name;
    tell(p, to);
    say(p, staff_on_duty(to, p->r->now_wall_ms) ? "assigned to %s" : "assigned to %s, who is not on duty now",
        to->name);
}

static int assign(struct planning *p)
{
    const struct person *to = staff_person(p->s, p->value);
    struct buf known = {0};

    if (refuse_closed(p) || refuse_anothers(p))
        return ERR_REFUSED;
    if (!*p->value) {
        add(p, EFFECT_ASSIGN)->value = "";
        say(p, "%s", "nobody's");
        return 0;
    }
    if (to) {
        assign_to(p, to);
        return 0;
    }
    staff_names(p->s, &known);
    err_set(p->e, ERR_INVALID, "nobody, or more than one, is called \"%.40s\": expected one of %.200s",
            p->value, known.len ? buf_str(&known) : "people = ( … ) in gateway.conf, where there is nobody");
    buf_free(&known);
    return ERR_INVALID;
}

static int take(struct planning *p)
{
    if (!p->person)
        return err_set(p->e, ERR_INVALID, "who takes it? Expected a person of gateway.conf");
    if (refuse_closed(p) || refuse_anothers(p))
        return ERR_REFUSED;
    if (p->c->state == CONV_NEW)
        set_state(p, CONV_OPEN, 0);
    assign_to(p, p->person);
    return 0;
}

static int department(struct planning *p)
{
    const struct department *to = staff_department(p->s, p->value);
    const struct person *assignee = staff_person(p->s, p->c->assignee), *people[OPERATION_TOLD];
    struct store_effect clocks[CLOCKS];
    struct buf known = {0};

    if (refuse_closed(p))
        return ERR_REFUSED;
    if (*p->value && !to) {
        staff_department_names(p->s, &known);
        err_set(p->e, ERR_INVALID, "no department \"%.40s\": expected one of %.200s", p->value,
                known.len ? buf_str(&known) : "departments = ( … ) in gateway.conf, where there is none");
        buf_free(&known);
        return ERR_INVALID;
    }
    add(p, EFFECT_DEPARTMENT)->value = to ? to->name : "";
    if (assignee && to && !staff_belongs(p->s, assignee, to->name))
        add(p, EFFECT_ASSIGN)->value = "";
    add_clocks(p, clocks, due_on_department(p->s, p->c, to ? to->name : "", clocks));
    for (int i = 0, n = to ? staff_phones(p->s, to->name, "", p->r->now_wall_ms, people, OPERATION_TOLD) : 0;
         i < n; i++)
        tell(p, people[i]);
    say(p, to ? "moved to %s" : "%sof no department now", to ? to->name : "");
    return 0;
}

/* "tomorrow", "9:00", "2026-12-01 09:00" by the business's clock, or a duration. 0: none of these. */
static int64_t moment_of(const struct planning *p)
{
    int64_t now = p->r->now_wall_ms, ms, at;
    struct zone_time t;
    int year, month, day, hour, minute, end = 0;

    zone_local(p->s->zone, now, &t);
    if (strcasecmp(p->value, "tomorrow") == 0) {
        int64_t midnight = zone_moment(p->s->zone, t.year, t.month, t.day + 1, 0);

        at = hours_next_open(staff_hours(p->s, p->c->department), midnight);
        return at ? at : midnight;
    }
    if (sscanf(p->value, "%4d-%2d-%2d %2d:%2d%n", &year, &month, &day, &hour, &minute, &end) == 5 &&
        !p->value[end] && month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour >= 0 && minute >= 0)
        return zone_moment(p->s->zone, year, month, day, hour * 60 + minute);
    if (sscanf(p->value, "%2d:%2d%n", &hour, &minute, &end) == 2 && !p->value[end] && hour >= 0 &&
        minute >= 0 && hour * 60 + minute <= DAY_MINUTES) {
        at = zone_moment(p->s->zone, t.year, t.month, t.day, hour * 60 + minute);
        return at > now ? at : zone_moment(p->s->zone, t.year, t.month, t.day + 1, hour * 60 + minute);
    }
    if (!p->value[strspn(p->value, "0123456789")]) /* "2": hours, days? */
        return 0;
    return str_to_duration_ms(p->value, &ms) ? now + ms : 0;
}

static int snooze(struct planning *p)
{
    int64_t now = p->r->now_wall_ms, until = *p->value ? moment_of(p) : 0;
    struct store_effect clocks[CLOCKS];
    struct zone_time t;
    char words[32];

    if (refuse_closed(p))
        return ERR_REFUSED;
    if (*p->value && (until <= now || until > now + 366 * DAY_MS))
        return err_set(
            p->e, ERR_INVALID,
            "\"%.40s\": expected a time within a year such as \"2h\", \"3d\", \"tomorrow\", \"14:00\" "
            "or \"2026-12-01 09:00\"",
            p->value);
    set_state(p, CONV_SNOOZED, until);
    add_clocks(p, clocks, due_on_answer(p->s, p->c, now, clocks));
    if (until == 0) {
        say(p, "%s", "snoozed until the customer writes");
        return 0;
    }
    zone_local(p->s->zone, until, &t);
    snprintf(words, sizeof words, "%04d-%02d-%02d %d:%02d", t.year, t.month, t.day, t.minute / 60,
             t.minute % 60);
    say(p, "snoozed until %s", words);
    return 0;
}

static int priority(struct planning *p)
{
    for (size_t i = 0; i < ARRAY_LEN(priorities); i++)
        if (strcasecmp(priorities[i], p->value) == 0) {
            add(p, EFFECT_PRIORITY)->n = (int64_t)i;
            say(p, "priority %s", priorities[i]);
            return 0;
        }
    return err_set(p->e, ERR_INVALID, "no priority \"%.40s\": expected low, normal, high or urgent",
                   p->value);
}

static int tag_with(struct planning *p, enum effect_kind kind, const char *words)
{
    if (!tag_is_good(p->value))
        return err_set(p->e, ERR_INVALID, "expected a tag: " TAG_EXPECTED);
    add(p, kind)->name = p->value;
    say(p, words, p->value);
    return 0;
}

static int tag(struct planning *p)
{
    return tag_with(p, EFFECT_TAG, "tagged %s");
}

static int untag(struct planning *p)
{
    return tag_with(p, EFFECT_UNTAG, "no longer tagged %s");
}

static int spam(struct planning *p)
{
    if (p->c->state == CONV_CLOSED)
        return refuse_closed(p);
    set_state(p, CONV_SPAM, 0);
    say(p, "%s", "marked as spam");
    return 0;
}

static int unflag(struct planning *p)
{
    add(p, EFFECT_FLAG)->value = "looked at";
    say(p, "%s", "no longer flagged");
    return 0;
}

static const struct row {
    const char *name, *wants;
    int (*plan)(struct planning *p);
    bool optional; /* its value may be left out */
} table[OPERATIONS] = {
    [OP_REPLY] = {"reply", "a text for the customer", reply, false},
    [OP_NOTE] = {"note", "a text for us", note, false},
    [OP_CLOSE] = {"close", "", close_it, true},
    [OP_REOPEN] = {"reopen", "", reopen, true},
    [OP_ASSIGN] = {"assign", "a person's name", assign, true},
    [OP_TAKE] = {"take", "", take, true},
    [OP_DEPARTMENT] = {"department", "a department's name", department, true},
    [OP_SNOOZE] = {"snooze", "a time such as 2h or tomorrow", snooze, true},
    [OP_PRIORITY] = {"priority", "low, normal, high or urgent", priority, false},
    [OP_TAG] = {"tag", "a word", tag, false},
    [OP_UNTAG] = {"untag", "a word", untag, false},
    [OP_SPAM] = {"spam", "", spam, true},
    [OP_UNFLAG] = {"unflag", "", unflag, true},
};

const char *operation_name(enum operation op)
{
    return table[op].name;
}

bool operation_from_name(const char *name, enum operation *out)
{
    for (int i = 0; i < OPERATIONS; i++)
        if (strcasecmp(table[i].name, name) == 0) {
            *out = (enum operation)i;
            return true;
        }
    return false;
}

const char *operation_wants(enum operation op)
{
    return table[op].wants;
}

static int plan(struct planning *p)
{
    const struct operation_request *r = p->r;
    const struct row *row = &table[r->op];

    if (r->person && *r->person && !(p->person = staff_person(p->s, r->person)))
        return err_set(p->e, ERR_INVALID, "nobody is called \"%.60s\" in gateway.conf", r->person);
    if (!*row->wants && *p->value)
        return err_set(p->e, ERR_INVALID, "%s: expected nothing behind it", row->name);
    if (!row->optional && !*p->value)
        return err_set(p->e, ERR_INVALID, "%s: expected %s", row->name, row->wants);
    return row->plan(p);
}

int operation_plan(const struct staff *s, const struct conv_row *c, const struct operation_request *r,
                   struct operation_plan *out, struct err *e)
{
    struct planning p = {.s = s, .c = c, .r = r, .value = r->value ? r->value : "", .out = out, .e = e};
    int rc;

    *out = (struct operation_plan){0};
    rc = plan(&p);
    if (rc != 0 && e)
        utf8_mend(e->text); /* a value was cut within a character */
    return rc;
}

void operation_route(const struct staff *s, const struct conv_row *c, const char **modem, const char **pool)
{
    const struct department *d = staff_department(s, c->department);
    bool own = d && (*d->modem || *d->pool);

    *modem = own ? (*d->modem ? d->modem : NULL) : c->sim;
    *pool = own && *d->pool ? d->pool : NULL;
}
