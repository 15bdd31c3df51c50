/* gateway.conf's tables of consent, guard, quiet hours, sensitive data, premium numbers, routes and costs.
 * What tables cannot say is checked where it is compiled: engine/consent.c, gateway/policy.c. */
#include <stdio.h>
#include <string.h>

#include "app/conf_parts.h"
#include "base/util.h"

/* Offsets of all groups here but those of lists count from the start of `struct conf`. */
#define ENGINE(m) offsetof(struct conf, engine.m)
#define POLICY(m) offsetof(struct conf, policy.m)

static const struct schema_key consent_keys[] = {
    {"stop_words", SCHEMA_STRINGS, ENGINE(consent.stop_words),
     .help = "messages that opt the sender out; left out: the usual ones of each language"},
    {"start_words", SCHEMA_STRINGS, ENGINE(consent.start_words),
     .help = "messages that opt the sender in again"},
    {"help_words", SCHEMA_STRINGS, ENGINE(consent.help_words), .help = "messages that ask for help"},
    {"languages", SCHEMA_STRINGS, ENGINE(consent.languages),
     .help = "of the usual words, the first also of answers where nothing tells another; left out: all"},
    {"per_sim", SCHEMA_BOOL, ENGINE(consent.per_sim), .def = "false",
     .help = "STOP closes the SIM that it was written to, not the business"},
    {"stop_reply", SCHEMA_STRING, ENGINE(consent.stop_reply), .def = "@default", .max = 4000,
     .help = "the one confirmation; \"\" for none"},
    {"start_reply", SCHEMA_STRING, ENGINE(consent.start_reply), .def = "@default", .max = 4000,
     .help = "the answer to START"},
    {"help_reply", SCHEMA_STRING, ENGINE(consent.help_reply), .def = "@default", .max = 4000,
     .help = "the answer to HELP"},
};
const struct schema_group conf_consent_group = {consent_keys, ARRAY_LEN(consent_keys), 0, SCHEMA_NO_PLACE};

static const struct schema_key guard_keys[] = {
    {"replies", SCHEMA_INT, ENGINE(guard.replies), .def = "5", .min = 0, .max = 1000,
     .help = "automatic replies to one number …"},
    {"window", SCHEMA_DURATION, ENGINE(guard.window_ms), .def = "10m", .min = MINUTE, .max = DAY,
     .help = "… in this time"},
    {"replies_day", SCHEMA_INT, ENGINE(guard.replies_day), .def = "30", .min = 0, .max = 10000,
     .help = "to one number within 24 hours; 0 no limit"},
    {"replies_all", SCHEMA_INT, ENGINE(guard.replies_all), .def = "500", .min = 0, .max = 10000,
     .help = "to all numbers in this time; 0 no limit"},
    {"same_text", SCHEMA_INT, ENGINE(guard.same_text), .def = "2", .min = 0, .max = SITUATION_TEXTS,
     .help = "the same text to one number so often …; 0 no limit"},
    {"same_text_window", SCHEMA_DURATION, ENGINE(guard.same_text_ms), .def = "1h", .min = MINUTE, .max = DAY,
     .help = "… in this time"},
    {"rounds", SCHEMA_INT, ENGINE(guard.rounds), .def = "10", .min = 0, .max = 1000,
     .help = "who writes so often in a row right behind an automatic reply is a machine; 0 nobody is"},
    {"mute", SCHEMA_DURATION, ENGINE(guard.mute_ms), .def = "1h", .min = MINUTE, .max = 30 * DAY,
     .help = "then no automatic reply goes to it for so long"},
    {"cost_per_day", SCHEMA_STRING, POLICY(cost_per_day), .max = 20,
     .help = "what may be accepted for sending a day, by costs: \"20.00\"; left out: no cap"},
};
const struct schema_group conf_guard_group = {guard_keys, ARRAY_LEN(guard_keys), 0, SCHEMA_NO_PLACE};

static const struct schema_key sensitive_keys[] = {
    {"cards", SCHEMA_BOOL, ENGINE(sensitive.cards), .def = "true",
     .help = "numbers of payment cards are sensitive"},
    {"patterns", SCHEMA_STRINGS, ENGINE(sensitive.patterns),
     .help = "what else is: Perl-style patterns; of one with groups, what the groups match"},
    {"store_masked", SCHEMA_BOOL, ENGINE(sensitive.store_masked), .def = "false",
     .help = "received messages are stored masked, without their raw PDUs"},
    {"reply", SCHEMA_STRING, ENGINE(sensitive.reply), .max = 4000,
     .help = "to who sends such data, such as a request not to"},
};
const struct schema_group conf_sensitive_group = {sensitive_keys, ARRAY_LEN(sensitive_keys), 0,
                                                  SCHEMA_NO_PLACE};

#define COUNTRY(m) offsetof(struct quiet_country_conf, m)
static const struct schema_key country_keys[] = {
    {"to", SCHEMA_STRINGS, COUNTRY(to), .required = true, .help = "numbers: \"+49*\""},
    {"zones", SCHEMA_STRINGS, COUNTRY(zones),
     .help = "time zones that they may be in: all of them must allow; left out: the built-in map's"},
    {"hours", SCHEMA_STRINGS, COUNTRY(hours), .help = "when marketing may go there; left out: quiet.hours"},
};
static const struct schema_group country_group = {country_keys, ARRAY_LEN(country_keys),
                                                  sizeof(struct quiet_country_conf), SCHEMA_NO_PLACE};

static const struct schema_key quiet_keys[] = {
    {"on", SCHEMA_BOOL, POLICY(quiet.on), .def = "true",
     .help = "what is marked marketing waits for these hours"},
    {"hours", SCHEMA_STRINGS, POLICY(quiet.hours),
     .help = "when it may go out, on the recipient's clock; left out: \"daily 08:00-21:00\""},
    {"united_states", SCHEMA_BOOL, POLICY(quiet.united_states), .def = "true",
     .help = "shorter hours of some of its states, by area code"},
    {"countries", SCHEMA_LIST, POLICY(quiet.countries), POLICY(quiet.ncountries), .group = &country_group,
     .help = "( { to = ( \"+49*\" ); hours = ( \"Mon-Sat 09:00-20:00\" ); } ): the first that fits"},
};
const struct schema_group conf_quiet_group = {quiet_keys, ARRAY_LEN(quiet_keys), 0, SCHEMA_NO_PLACE};

static const struct schema_key premium_keys[] = {
    {"deny", SCHEMA_BOOL, POLICY(premium.deny), .def = "true",
     .help = "nothing is sent to the well-known premium-rate and satellite numbers"},
    {"also", SCHEMA_STRINGS, POLICY(premium.also), .help = "nor to these: \"+4470*\", \"12345\""},
    {"allow", SCHEMA_STRINGS, POLICY(premium.allow),
     .help = "but to these: the longest beginning decides, and `allow` where both are as long"},
};
const struct schema_group conf_premium_group = {premium_keys, ARRAY_LEN(premium_keys), 0, SCHEMA_NO_PLACE};

#define ROUTE(m) offsetof(struct route_conf, m)
static const char *const prefer_names[] = {"least_loaded", "cheapest", NULL};
static const struct schema_key route_keys[] = {
    {"name", SCHEMA_STRING, ROUTE(name), .min = 1, .max = 60, .required = true,
     .help = "for `simgate route test` and counting"},
    {"to", SCHEMA_STRINGS, ROUTE(to), .help = "numbers: \"+49*\"; left out: all"},
    {"source", SCHEMA_STRINGS, ROUTE(sources),
     .help = "senders: \"spool:*\", \"rule:hours\", \"campaign:*\"; left out: all"},
    {"department", SCHEMA_STRINGS, ROUTE(departments), .help = "on whose behalf; left out: all"},
    {"modem", SCHEMA_STRING, ROUTE(modem), .max = MSG_MODEM_BYTES - 1, .help = "goes by this modem"},
    {"pool", SCHEMA_STRING, ROUTE(pool), .max = MSG_MODEM_BYTES - 1,
     .help = "or by any of this pool; neither: by any of the default pool"},
    {"prefer", SCHEMA_ENUM, ROUTE(prefer), .def = "least_loaded", .names = prefer_names,
     .help = "\"least_loaded\": by whichever is free first; \"cheapest\": of those that can, by costs"},
    {"failover", SCHEMA_STRINGS, ROUTE(failover),
     .help = "pools that stand in, in this order, when nothing can carry for a minute"},
    {"per_day", SCHEMA_INT, ROUTE(per_day), .max = 10000000,
     .help = "quota in parts a calendar day; then the next route that fits; 0 none"},
    {"per_month", SCHEMA_INT, ROUTE(per_month), .max = 100000000, .help = "quota in parts a calendar month"},
};
const struct schema_group conf_routes_group = {route_keys, ARRAY_LEN(route_keys), sizeof(struct route_conf),
                                               SCHEMA_NO_PLACE};

#define COST(m) offsetof(struct cost_conf, m)
static const struct schema_key cost_keys[] = {
    {"to", SCHEMA_STRINGS, COST(to), .help = "numbers: \"+49*\"; left out: all others"},
    {"modem", SCHEMA_STRING, COST(modem), .max = MSG_MODEM_BYTES - 1,
     .help = "by this modem, or the modems of this pool; left out: any"},
    {"per_part", SCHEMA_STRING, COST(per_part), .max = 20, .required = true, .help = "such as \"0.07\""},
};
const struct schema_group conf_costs_group = {cost_keys, ARRAY_LEN(cost_keys), sizeof(struct cost_conf),
                                              SCHEMA_NO_PLACE};

/* ---- checks ---------------------------------------------------------------------------------------------
 */

static bool is_modem(const struct conf *c, const char *name, bool pool)
{
    for (int i = 0; i < c->nmodems; i++)
        if (strcmp(pool ? c->modems[i].modem.pool : c->modems[i].modem.name, name) == 0)
            return true;
    return false;
}

static void check_pool(const struct conf *c, const char *pool, const char *path, const struct conf_teller *t)
{
    if (*pool && !is_modem(c, pool, true))
        t->say(t->owner, path, "expected a pool that a modem of this file belongs to");
}

static void check_route(const struct conf *c, int i, const struct conf_teller *t)
{
    const struct route_conf *r = &c->policy.routes[i];
    char path[64];

    snprintf(path, sizeof path, "routes[%d].modem", i);
    if (*r->modem && !is_modem(c, r->modem, false))
        t->say(t->owner, path, "expected the name of a modem of this file");
    snprintf(path, sizeof path, "routes[%d].pool", i);
    check_pool(c, r->pool, path, t);
    for (int k = 0; r->failover && r->failover[k]; k++) {
        snprintf(path, sizeof path, "routes[%d].failover[%d]", i, k);
        check_pool(c, r->failover[k], path, t);
    }
}

static void check_cost(const struct conf *c, int i, const struct conf_teller *t)
{
    const char *name = c->policy.costs[i].modem;
    char path[64];

    snprintf(path, sizeof path, "costs[%d].modem", i);
    if (*name && !is_modem(c, name, false) && !is_modem(c, name, true))
        t->say(t->owner, path, "expected the name of a modem or of a pool of this file");
}

/* "@default" stands for the engine's own text. */
static void default_text(const char **text)
{
    if (strcmp(*text, "@default") == 0)
        *text = NULL;
}

static const char *numbered(struct conf *c, const char *name, int i)
{
    char path[64];

    snprintf(path, sizeof path, "%s[%d]", name, i);
    return schema_strdup(c->memory, path);
}

static void fill_policy(struct conf *c)
{
    struct policy_conf *p = &c->policy;
    struct policy_department *d =
        schema_alloc(c->memory, ((size_t)c->engine.ndepartments + 1) * sizeof(struct policy_department));

    for (int i = 0; i < p->nroutes; i++)
        ((struct route_conf *)p->routes)[i].place = numbered(c, "routes", i);
    for (int i = 0; i < p->ncosts; i++)
        ((struct cost_conf *)p->costs)[i].place = numbered(c, "costs", i);
    for (int i = 0; i < p->quiet.ncountries; i++)
        ((struct quiet_country_conf *)p->quiet.countries)[i].place = numbered(c, "quiet.countries", i);
    for (int i = 0; i < c->engine.ndepartments; i++)
        d[i] = (struct policy_department){c->engine.departments[i].name, c->engine.departments[i].modem,
                                          c->engine.departments[i].pool};
    p->departments = d;
    p->ndepartments = c->engine.ndepartments;
    p->mask_cards = c->engine.sensitive.cards;
    p->mask_patterns = c->engine.sensitive.patterns;
    p->store_masked = c->engine.sensitive.store_masked;
    c->gateway.gateway.policy = p;
}

void conf_restraint_check(struct conf *c, const struct conf_teller *t,
                          void (*problem)(void *owner, const char *text), void *owner)
{
    struct policy *policy;

    default_text(&c->engine.consent.stop_reply);
    default_text(&c->engine.consent.start_reply);
    default_text(&c->engine.consent.help_reply);
    fill_policy(c);
    for (int i = 0; i < c->policy.nroutes; i++)
        check_route(c, i, t);
    for (int i = 0; i < c->policy.ncosts; i++)
        check_cost(c, i, t);
    policy_new(&c->policy, problem, owner, &policy);
    policy_free(policy);
}
