/* Departments, people and hours: compiled once for each gateway.conf. See engine/staff.h.
 *
 * A department without opening hours of its own has the business's, and its closed days besides; a person
 * without is always on duty, but for closed days (holidays).
 */
#include "engine/staff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "engine/program.h"
#include "store/desk.h"

static char *copy(const char *text)
{
    char *out = strdup(text ? text : "");

    if (!out)
        abort();
    return out;
}

static void *room(size_t count, size_t size)
{
    void *out = calloc(count + 1, size);

    if (!out)
        abort();
    return out;
}

/* ---- compiling ------------------------------------------------------------------------------------------
 */

struct compiling {
    struct staff *s;
    const struct engine_conf *conf;
    struct problems *p;
};

/* The form for comparing; heap. */
static char *folded(const struct staff *s, const char *text)
{
    struct span name = fold_trim(s->fold, (struct span){text, strlen(text)});
    char out[FOLD_BYTES];
    int len = fold_normal(s->fold, name, out, sizeof out - 1);

    out[len < 0 ? 0 : len] = '\0';
    return copy(out);
}

/* Each zone once. NULL after a problem; "" is the business's. */
static struct zone *zone_of(struct compiling *c, const char *name, const char *place)
{
    struct staff *s = c->s;
    struct zone *z;
    struct err e = {0};

    if (s->zone && (!name || !*name || strcmp(zone_name(s->zone), name) == 0))
        return s->zone;
    for (int i = 0; i < s->nzones; i++)
        if (strcmp(zone_name(s->zones[i]), name) == 0)
            return s->zones[i];
    if (zone_new(name ? name : "", &z, &e) != 0) {
        problem(c->p, "%s.zone: %s", place, e.text);
        return NULL;
    }
    s->zones = realloc(s->zones, ((size_t)s->nzones + 1) * sizeof *s->zones);
    if (!s->zones)
        abort();
    return s->zones[s->nzones++] = z;
}

static int length(const char *const *list)
{
    int n = 0;

    while (list && list[n])
        n++;
    return n;
}

/* Each entry that is wrong is told with its place; how many were. */
static int check_entries(struct compiling *c, const char *const *list, bool closed, const char *place)
{
    int wrong = 0;

    for (int i = 0; i < length(list); i++) {
        const char *const one[] = {list[i], NULL};
        struct hours *h = NULL;
        struct err e = {0};

        if (hours_new(NULL, closed ? NULL : one, closed ? one : NULL, &h, &e) != 0) {
            problem(c->p, "%s.%s[%d]: %s", place, closed ? "closed" : "open", i, e.text);
            wrong++;
        }
        hours_free(h);
    }
    return wrong;
}

/* NULL after a problem. Those of the business's entries that a department shares are told with the business.
 */
static struct hours *hours_of(struct compiling *c, const struct hours_conf *hc, const char *const *open,
                              const char *const *more_closed, const char *place)
{
    struct zone *z = zone_of(c, hc->zone, place);
    int own = length(hc->closed), more = length(more_closed);
    const char **closed = room((size_t)(own + more), sizeof *closed);
    struct hours *h = NULL;
    struct err e = {0};

    for (int i = 0; i < own; i++)
        closed[i] = hc->closed[i];
    for (int i = 0; i < more; i++)
        closed[own + i] = more_closed[i];
    if (check_entries(c, hc->open, false, place) + check_entries(c, hc->closed, true, place) == 0 && z &&
        hours_new(z, open, closed, &h, &e) != 0 && open == hc->open)
        problem(c->p, "%s: %s", place, e.text);
    free(closed);
    return h;
}

static void compile_business(struct compiling *c)
{
    char prefix[PLACE_BYTES], place[PLACE_BYTES + 8];

    snprintf(place, sizeof place, "%shours", conf_prefix(c->conf, prefix));
    c->s->zone = zone_of(c, c->conf->hours.zone, place);
    if (c->s->zone)
        c->s->hours = hours_of(c, &c->conf->hours, c->conf->hours.open, NULL, place);
    if (!c->s->zone) { /* which was told */
        check_entries(c, c->conf->hours.open, false, place);
        check_entries(c, c->conf->hours.closed, true, place);
    }
}

/* A name that can be said in a text, and that no other has. */
static void check_name(struct compiling *c, const char *name, const char *fold, const char *place, size_t max,
                       bool taken)
{
    if (!*fold || strpbrk(name, "\r\n\t,#") || strlen(name) >= max)
        problem(c->p, "%s.name: expected a name of up to %zu bytes, without ',' and '#'", place, max - 1);
    else if (taken)
        problem(c->p, "%s.name: another one is called \"%s\" too", place, name);
}

static void compile_department(struct compiling *c, const struct department_conf *dc)
{
    struct staff *s = c->s;
    struct department *d = &s->departments[s->ndepartments];
    const char *place = dc->place ? dc->place : "departments";
    char where[PLACE_BYTES + 8];
    bool own = dc->hours.open != NULL;

    *d = (struct department){.name = copy(dc->name),
                             .folded = folded(s, dc->name ? dc->name : ""),
                             .modem = copy(dc->modem),
                             .pool = copy(dc->pool),
                             .first_response_ms = dc->first_response_ms,
                             .next_response_ms = dc->next_response_ms,
                             .resolution_ms = dc->resolution_ms};
    check_name(c, d->name, d->folded, place, DESK_WORD_BYTES, staff_department(s, d->name) != NULL);
    snprintf(where, sizeof where, "%s.hours", place);
    if (own || dc->hours.closed)
        d->hours = hours_of(c, &dc->hours, own ? dc->hours.open : c->conf->hours.open,
                            own ? NULL : c->conf->hours.closed, where);
    s->ndepartments++;
}

static void compile_memberships(struct compiling *c, const struct person_conf *pc, struct person *person,
                                const char *place)
{
    struct staff *s = c->s;

    person->departments = room((size_t)s->ndepartments, sizeof *person->departments);
    for (int i = 0; i < s->ndepartments; i++)
        person->departments[i] = pc->departments == NULL;
    for (int i = 0; i < length(pc->departments); i++) {
        const struct department *d = staff_department(s, pc->departments[i]);
        struct buf known = {0};

        if (d) {
            person->departments[d - s->departments] = true;
            continue;
        }
        staff_department_names(s, &known);
        problem(c->p, "%s.departments[%d]: no department \"%.60s\": expected one of %s", place, i,
                pc->departments[i],
                known.len ? buf_str(&known) : "departments = ( … ), of which there is none");
        buf_free(&known);
    }
}

static const struct person *exactly(const struct staff *s, const char *fold)
{
    for (int i = 0; i < s->npeople; i++)
        if (strcmp(s->people[i].folded, fold) == 0)
            return &s->people[i];
    return NULL;
}

static void compile_person(struct compiling *c, const struct person_conf *pc)
{
    struct staff *s = c->s;
    struct person *person = &s->people[s->npeople];
    const char *place = pc->place ? pc->place : "people";
    char where[PLACE_BYTES + 8];

    *person = (struct person){.name = copy(pc->name),
                              .folded = folded(s, pc->name ? pc->name : ""),
                              .number = copy(pc->number),
                              .lead = pc->lead};
    check_name(c, person->name, person->folded, place, DESK_NAME_BYTES - 8, exactly(s, person->folded));
    if (*person->number && staff_by_number(s, person->number))
        problem(c->p, "%s.number: %s has this number too: who would have written?", place,
                staff_by_number(s, person->number)->name);
    compile_memberships(c, pc, person, place);
    snprintf(where, sizeof where, "%s.hours", place);
    if (pc->hours.open || pc->hours.closed)
        person->hours = hours_of(c, &pc->hours, pc->hours.open, NULL, where);
    s->npeople++;
}

void staff_compile(struct staff *s, const struct engine_conf *conf, const struct fold *fold,
                   struct problems *p)
{
    struct compiling c = {s, conf, p};

    *s = (struct staff){.fold = fold,
                        .country = copy(conf->country),
                        .departments = room((size_t)conf->ndepartments, sizeof *s->departments),
                        .people = room((size_t)conf->npeople, sizeof *s->people)};
    compile_business(&c);
    if (!s->zone)
        return; /* told; hours without a zone would only repeat it */
    for (int i = 0; i < conf->ndepartments; i++)
        compile_department(&c, &conf->departments[i]);
    for (int i = 0; i < conf->npeople; i++)
        compile_person(&c, &conf->people[i]);
}

void staff_fini(struct staff *s)
{
    for (int i = 0; i < s->ndepartments; i++) {
        struct department *d = &s->departments[i];

        hours_free(d->hours);
        free(d->name), free(d->folded), free(d->modem), free(d->pool);
    }
    for (int i = 0; i < s->npeople; i++) {
        struct person *p = &s->people[i];

        hours_free(p->hours);
        free(p->name), free(p->folded), free(p->number), free(p->departments);
    }
    hours_free(s->hours);
    for (int i = 0; i < s->nzones; i++)
        zone_free(s->zones[i]);
    free(s->zones);
    free(s->departments);
    free(s->people);
    free(s->country);
    *s = (struct staff){0};
}

/* ---- finding --------------------------------------------------------------------------------------------
 */

const struct department *staff_department(const struct staff *s, const char *name)
{
    const struct department *found = NULL;
    char *fold;

    if (!name || !*name)
        return NULL;
    fold = folded(s, name);
    for (int i = 0; i < s->ndepartments && !found && *fold; i++)
        if (strcmp(s->departments[i].folded, fold) == 0)
            found = &s->departments[i];
    free(fold);
    return found;
}

const struct person *staff_person(const struct staff *s, const char *name)
{
    const struct person *found;
    char *fold;
    int n = 0;

    if (!name || !*name)
        return NULL;
    fold = folded(s, name);
    found = exactly(s, fold);
    for (int i = 0; i < s->npeople && !found && *fold; i++)
        n += strncmp(s->people[i].folded, fold, strlen(fold)) == 0;
    for (int i = 0; i < s->npeople && !found && n == 1; i++)
        if (strncmp(s->people[i].folded, fold, strlen(fold)) == 0)
            found = &s->people[i];
    free(fold);
    return found;
}

const struct person *staff_by_number(const struct staff *s, const char *number)
{
    for (int i = 0; i < s->npeople && *number; i++)
        if (number_is(s->people[i].number, number, s->country))
            return &s->people[i];
    return NULL;
}

bool staff_belongs(const struct staff *s, const struct person *p, const char *department)
{
    const struct department *d = staff_department(s, department);

    return !d || p->departments[d - s->departments];
}

const struct hours *staff_hours(const struct staff *s, const char *department)
{
    const struct department *d = staff_department(s, department);

    return d && d->hours ? d->hours : s->hours;
}

bool staff_on_duty(const struct person *p, int64_t wall_ms)
{
    return !p->hours || hours_open(p->hours, wall_ms);
}

int staff_phones(const struct staff *s, const char *department, const char *assignee, int64_t wall_ms,
                 const struct person **out, int max)
{
    const struct person *own = assignee && *assignee ? staff_person(s, assignee) : NULL;
    int n = 0;

    if (own && *own->number && staff_on_duty(own, wall_ms)) {
        out[0] = own;
        return max > 0;
    }
    for (int i = 0; i < s->npeople && n < max; i++) {
        const struct person *p = &s->people[i];

        if (*p->number && staff_belongs(s, p, department) && staff_on_duty(p, wall_ms))
            out[n++] = p;
    }
    return n;
}

int staff_next_phones(const struct staff *s, const char *department, int64_t wall_ms, int64_t *at_wall_ms,
                      const struct person **out, int max)
{
    int n = 0;

    *at_wall_ms = 0;
    for (int i = 0; i < s->npeople; i++) {
        const struct person *p = &s->people[i];
        bool may = *p->number && p->hours && staff_belongs(s, p, department);
        int64_t at = may ? hours_next_open(p->hours, wall_ms) : 0;

        if (at == 0 || (*at_wall_ms && at > *at_wall_ms))
            continue;
        if (at != *at_wall_ms)
            n = 0;
        *at_wall_ms = at;
        if (n < max)
            out[n++] = p;
    }
    return n;
}

int staff_leads(const struct staff *s, const char *department, int64_t wall_ms, const struct person **out,
                int max)
{
    int n = 0;

    for (int duty = 1; duty >= 0 && n == 0; duty--)
        for (int i = 0; i < s->npeople && n < max; i++) {
            const struct person *p = &s->people[i];

            if (p->lead && *p->number && staff_belongs(s, p, department) &&
                staff_on_duty(p, wall_ms) == (duty != 0))
                out[n++] = p;
        }
    return n;
}

void staff_names(const struct staff *s, struct buf *out)
{
    for (int i = 0; i < s->npeople; i++)
        buf_addf(out, "%s%s", i > 0 ? ", " : "", s->people[i].name);
}

void staff_department_names(const struct staff *s, struct buf *out)
{
    for (int i = 0; i < s->ndepartments; i++)
        buf_addf(out, "%s%s", i > 0 ? ", " : "", s->departments[i].name);
}
