/* The policy compiled. See gateway/policy.h. Owns copies of all texts. */
#include "gateway/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "gateway/policy_private.h"

enum { MICROS = 1000000, AMOUNT_MOST = 1000000, DECIMALS = 6 };

struct route {
    struct route_conf conf; /* owned texts */
    struct prefixes to;
};

struct cost {
    struct prefixes to;
    char *modem; /* of a modem or pool; "" any */
    int64_t per_part_micros;
};

struct policy {
    struct route *routes;
    int nroutes;
    struct cost *costs;
    int ncosts;
    int64_t cost_per_day_micros;
    bool deny_premium;
    struct prefixes allow, deny;
    struct policy_department *departments;
    int ndepartments;
    struct quiet *quiet;
    struct mask *mask;
    bool store_masked;
};

/* ---- texts ----------------------------------------------------------------------------------------------
 */

static void *alloc(size_t size)
{
    void *p = calloc(1, size ? size : 1);

    if (!p)
        abort();
    return p;
}

static char *copy(const char *text)
{
    char *out = strdup(text ? text : "");

    if (!out)
        abort();
    return out;
}

const char *const *policy_copy_list(const char *const *list)
{
    char **out;
    size_t n = 0;

    if (!list)
        return NULL;
    while (list[n])
        n++;
    out = alloc((n + 1) * sizeof *out);
    for (size_t i = 0; i < n; i++)
        out[i] = copy(list[i]);
    return (const char *const *)out;
}

void policy_free_list(const char *const *list)
{
    for (size_t i = 0; list && list[i]; i++)
        free((char *)list[i]);
    free((void *)list);
}

void policy_problem(struct policy_problems *pp, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    pp->count++;
    if (pp->tell)
        pp->tell(pp->owner, text);
}

bool policy_amount(const char *text, int64_t *micros)
{
    size_t whole = strspn(text, "0123456789"), part = 0;
    int64_t value = 0;

    if (whole > 7 || whole == 0)
        return false;
    for (size_t i = 0; i < whole; i++)
        value = value * 10 + (text[i] - '0');
    if (text[whole] == '.' || text[whole] == ',') {
        part = strspn(text + whole + 1, "0123456789");
        if (part == 0 || part > DECIMALS || text[whole + 1 + part])
            return false;
    } else if (text[whole]) {
        return false;
    }
    for (size_t i = 0; i < DECIMALS; i++)
        value = value * 10 + (i < part ? text[whole + 1 + i] - '0' : 0);
    *micros = value;
    return value <= (int64_t)AMOUNT_MOST * MICROS;
}

/* ---- beginnings of numbers ------------------------------------------------------------------------------
 */

static bool prefix_read(const char *text, struct prefix *out)
{
    size_t len = strlen(text), plus = *text == '+', digits = strspn(text + plus, "0123456789");
    bool star = len > 0 && text[len - 1] == '*';

    if (len - star >= NUMBER_BYTES || plus + digits + star != len || (digits == 0 && (plus || !star)))
        return false;
    out->len = len - star;
    out->whole = !star;
    memcpy(out->text, text, out->len);
    out->text[out->len] = '\0';
    return true;
}

void prefixes_compile(struct prefixes *out, const char *const *list, const char *place, const char *key,
                      struct policy_problems *pp)
{
    int n = 0;

    *out = (struct prefixes){0};
    if (!list)
        return;
    while (list[n])
        n++;
    out->list = alloc((size_t)(n + 1) * sizeof *out->list);
    for (int i = 0; i < n; i++) {
        if (prefix_read(list[i], &out->list[out->count]))
            out->count++;
        else
            policy_problem(
                pp, "%s.%s[%d]: expected a number such as \"+49*\" or \"+491701234567\", not \"%.40s\"",
                place, key, i, list[i]);
    }
}

void prefixes_free(struct prefixes *p)
{
    free(p->list);
    *p = (struct prefixes){0};
}

int prefixes_longest(const struct prefixes *p, const char *number)
{
    int longest = -1;

    for (int i = 0; i < p->count; i++) {
        const struct prefix *x = &p->list[i];

        if (strncmp(x->text, number, x->len) == 0 && (!x->whole || !number[x->len]) && (int)x->len > longest)
            longest = (int)x->len;
    }
    return longest;
}

bool prefixes_hold(const struct prefixes *p, const char *number)
{
    return !p->list || prefixes_longest(p, number) >= 0;
}

/* Does the name fit one of these ("rule:*")? */
static bool names_hold(const char *const *list, const char *name)
{
    if (!list)
        return true;
    for (; *list; list++) {
        size_t len = strlen(*list);

        if (len > 0 && (*list)[len - 1] == '*' ? strncmp(*list, name, len - 1) == 0
                                               : strcmp(*list, name) == 0)
            return true;
    }
    return false;
}

/* ---- compiling ------------------------------------------------------------------------------------------
 */

static const char *place_of(const char *place, const char *fallback)
{
    return place && *place ? place : fallback;
}

static void add_route(struct policy *p, const struct route_conf *c, struct policy_problems *pp)
{
    struct route *r = &p->routes[p->nroutes++];
    const char *place = place_of(c->place, "routes");

    r->conf = (struct route_conf){.name = copy(c->name),
                                  .sources = policy_copy_list(c->sources),
                                  .departments = policy_copy_list(c->departments),
                                  .modem = copy(c->modem),
                                  .pool = copy(c->pool),
                                  .prefer = c->prefer,
                                  .failover = policy_copy_list(c->failover),
                                  .per_day = c->per_day,
                                  .per_month = c->per_month};
    prefixes_compile(&r->to, c->to, place, "to", pp);
    for (int i = 0; i < p->nroutes - 1; i++)
        if (strcmp(p->routes[i].conf.name, r->conf.name) == 0)
            policy_problem(pp, "%s.name: another route is called \"%.60s\"; each needs its own", place,
                           r->conf.name);
    if (*r->conf.modem && *r->conf.pool)
        policy_problem(pp, "%s: expected a modem or a pool, not both", place);
    if (*r->conf.modem && c->prefer == ROUTE_CHEAPEST)
        policy_problem(pp, "%s.prefer: expected with a pool: there is one modem only to choose from", place);
}

static void add_cost(struct policy *p, const struct cost_conf *c, struct policy_problems *pp)
{
    struct cost *out = &p->costs[p->ncosts++];
    const char *place = place_of(c->place, "costs");

    out->modem = copy(c->modem);
    prefixes_compile(&out->to, c->to, place, "to", pp);
    if (!policy_amount(c->per_part ? c->per_part : "", &out->per_part_micros))
        policy_problem(pp, "%s.per_part: expected an amount such as \"0.07\", not \"%.40s\"", place,
                       c->per_part ? c->per_part : "");
}

static void set_cap(struct policy *p, const struct policy_conf *conf, struct policy_problems *pp)
{
    const char *cap = conf->cost_per_day;

    if (!cap || !*cap)
        return;
    if (!policy_amount(cap, &p->cost_per_day_micros))
        policy_problem(pp, "guard.cost_per_day: expected an amount such as \"20.00\", not \"%.40s\"", cap);
    else if (conf->ncosts == 0)
        policy_problem(pp,
                       "guard.cost_per_day: expected costs = ( … ) too: nothing is known to cost anything");
}

static void add_departments(struct policy *p, const struct policy_conf *conf)
{
    p->departments = alloc((size_t)conf->ndepartments * sizeof *p->departments);
    for (; p->ndepartments < conf->ndepartments; p->ndepartments++) {
        const struct policy_department *d = &conf->departments[p->ndepartments];

        p->departments[p->ndepartments] =
            (struct policy_department){copy(d->name), copy(d->modem), copy(d->pool)};
    }
}

int policy_new(const struct policy_conf *conf, void (*problem)(void *owner, const char *text), void *owner,
               struct policy **out)
{
    struct policy_problems pp = {problem, owner, 0};
    struct policy *p = alloc(sizeof *p);
    struct err e = {0};

    p->routes = alloc((size_t)conf->nroutes * sizeof *p->routes);
    p->costs = alloc((size_t)conf->ncosts * sizeof *p->costs);
    for (int i = 0; i < conf->nroutes; i++)
        add_route(p, &conf->routes[i], &pp);
    for (int i = 0; i < conf->ncosts; i++)
        add_cost(p, &conf->costs[i], &pp);
    set_cap(p, conf, &pp);
    p->deny_premium = conf->premium.deny;
    prefixes_compile(&p->allow, conf->premium.allow, "premium", "allow", &pp);
    prefixes_compile(&p->deny, conf->premium.also, "premium", "also", &pp);
    add_departments(p, conf);
    p->quiet = quiet_new(&conf->quiet, &pp);
    p->store_masked = conf->store_masked;
    /* A broken pattern is the engine's to tell, which has the same ones; cards are masked all the same. */
    if (mask_new(conf->mask_cards, conf->mask_patterns, &p->mask, &e) < 0)
        mask_new(conf->mask_cards, NULL, &p->mask, &e);
    *out = p;
    return pp.count;
}

void policy_free(struct policy *p)
{
    if (!p)
        return;
    for (int i = 0; i < p->nroutes; i++) {
        struct route_conf *c = &p->routes[i].conf;

        prefixes_free(&p->routes[i].to);
        policy_free_list(c->sources);
        policy_free_list(c->departments);
        policy_free_list(c->failover);
        free((char *)c->name);
        free((char *)c->modem);
        free((char *)c->pool);
    }
    for (int i = 0; i < p->ncosts; i++) {
        prefixes_free(&p->costs[i].to);
        free(p->costs[i].modem);
    }
    for (int i = 0; i < p->ndepartments; i++) {
        free((char *)p->departments[i].name);
        free((char *)p->departments[i].modem);
        free((char *)p->departments[i].pool);
    }
    prefixes_free(&p->allow);
    prefixes_free(&p->deny);
    quiet_free(p->quiet);
    mask_free(p->mask);
    free(p->routes);
    free(p->costs);
    free(p->departments);
    free(p);
}

/* ---- questions ------------------------------------------------------------------------------------------
 */

static const struct premium_range *premium_range_of(const char *to)
{
    const struct premium_range *longest = NULL;

    for (int i = 0; i < premium_range_count; i++) {
        const struct premium_range *r = &premium_ranges[i];

        if (strncmp(r->prefix, to, strlen(r->prefix)) == 0 &&
            (!longest || strlen(r->prefix) > strlen(longest->prefix)))
            longest = r;
    }
    return longest;
}

static const char *denied(const struct policy *p, const char *to, char words[96])
{
    const struct premium_range *r = p->deny_premium ? premium_range_of(to) : NULL;
    int allowed = prefixes_longest(&p->allow, to), denied = prefixes_longest(&p->deny, to);

    if (r && (int)strlen(r->prefix) > allowed && (int)strlen(r->prefix) > denied) {
        snprintf(words, 96, "a premium-rate number (%s)", r->what);
        return words;
    }
    if (denied > allowed) {
        snprintf(words, 96, "a number that premium.also denies");
        return words;
    }
    return NULL;
}

const char *policy_premium(const struct policy *p, const char *to, char words[96])
{
    char whole[NUMBER_BYTES]; /* digits without '+' are most likely read as international ones */
    const char *why = denied(p, to, words);

    return why || *to == '+' || !number_other_form(to, whole) ? why : denied(p, whole, words);
}

int64_t policy_cost(const struct policy *p, const char *to, const char *modem, const char *pool)
{
    for (int i = 0; i < p->ncosts; i++) {
        const struct cost *c = &p->costs[i];

        if (prefixes_hold(&c->to, to) &&
            (!*c->modem || strcmp(c->modem, modem) == 0 || strcmp(c->modem, pool) == 0))
            return c->per_part_micros;
    }
    return 0;
}

bool policy_has_costs(const struct policy *p)
{
    return p->ncosts > 0;
}

int64_t policy_cost_per_day(const struct policy *p)
{
    return p->cost_per_day_micros;
}

const char *policy_route_unfit(const struct policy *p, int index, const char *to, const char *source,
                               const char *department)
{
    const struct route *r = &p->routes[index];

    if (!prefixes_hold(&r->to, to))
        return "is for other numbers";
    if (!names_hold(r->conf.sources, source))
        return "is for other senders";
    return names_hold(r->conf.departments, department) ? NULL : "is for other departments";
}

int policy_route(const struct policy *p, int from, const char *to, const char *source, const char *department)
{
    for (int i = from; i < p->nroutes; i++)
        if (!policy_route_unfit(p, i, to, source, department))
            return i;
    return -1;
}

const struct route_conf *policy_route_at(const struct policy *p, int index)
{
    return index >= 0 && index < p->nroutes ? &p->routes[index].conf : NULL;
}

const struct policy_department *policy_department(const struct policy *p, const char *name)
{
    for (int i = 0; i < p->ndepartments; i++)
        if (strcasecmp(p->departments[i].name, name) == 0)
            return &p->departments[i];
    return NULL;
}

int policy_failover(const struct policy *p, const char *pool, const char *other)
{
    int before = 0;

    for (int i = 0; i < p->nroutes; i++) {
        const struct route_conf *r = &p->routes[i].conf;

        if (*r->modem || strcmp(r->pool, pool) != 0)
            continue;
        for (int k = 0; r->failover && r->failover[k]; k++)
            if (++before && strcmp(r->failover[k], other) == 0)
                return before;
    }
    return 0;
}

bool policy_has_failover(const struct policy *p)
{
    for (int i = 0; i < p->nroutes; i++)
        if (p->routes[i].conf.failover && !*p->routes[i].conf.modem)
            return true;
    return false;
}

int64_t policy_quiet_until(struct policy *p, const char *to, int64_t wall_ms, char words[160])
{
    return quiet_until(p->quiet, to, wall_ms, words);
}

struct mask *policy_mask(const struct policy *p)
{
    return p->mask;
}

bool policy_stores_masked(const struct policy *p)
{
    return p->store_masked;
}
