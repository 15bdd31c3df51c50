/* When marketing may go to a number: hours on the clocks of all places where it may be. Compiled rules, and
 * clocks and hours made when they are first needed. Pure but for the tz database. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hours.h"
#include "base/util.h"
#include "base/zone.h"
#include "gateway/policy_private.h"

enum {
    AREAS = 1000,
    CLOCKS_MOST = 32, /* of one number */
    ROUNDS = 64,      /* of asking one clock after the other */
    LONGEST_MS = 8 * 24 * 3600 * 1000,
};

static const char federal[] = "daily 08:00-21:00";
static const char *const usual[] = {federal, NULL};

/* Hours in a zone. */
struct clock {
    char *zone_name;
    const char *const *open; /* the list itself tells them apart */
    struct zone *zone;
    struct hours *hours; /* NULL: the zone or the hours are none */
    struct clock *next;
};

struct country {
    struct prefixes to;
    char *zones;             /* parted by commas; NULL of the built-in map */
    const char *const *open; /* NULL: the general ones */
};

struct quiet {
    bool on, united_states;
    const char *const *open; /* general; owned unless `usual` */
    struct country *countries;
    int ncountries;
    int16_t areas[AREAS]; /* index into area_zones + 1 */
    struct clock *clocks;
};

/* ---- compiling ------------------------------------------------------------------------------------------
 */

/* Hours as they are written are the same in every zone. */
static bool hours_sound(const char *const *open, const char *place, struct policy_problems *pp)
{
    struct zone *zone;
    struct hours *hours = NULL;
    struct err e = {0};
    bool sound = true;

    if (zone_new("UTC", &zone, &e) < 0)
        return true;
    if (hours_new(zone, open, NULL, &hours, &e) < 0) {
        policy_problem(pp, "%s.hours: %s", place, e.text);
        sound = false;
    } else if (hours_next_open(hours, 0) == 0 && !hours_open(hours, 0)) {
        policy_problem(pp, "%s.hours: expected some time when messages may go out", place);
        sound = false;
    }
    hours_free(hours);
    zone_free(zone);
    return sound;
}

/* One text of a list of zones. */
static char *zones_text(const char *const *zones, const char *place, struct policy_problems *pp)
{
    struct buf text = {0};

    for (int i = 0; zones[i]; i++) {
        struct zone *zone;
        struct err e = {0};

        if (zone_new(zones[i], &zone, &e) < 0) {
            policy_problem(pp, "%s.zones[%d]: %s", place, i, e.text);
            continue;
        }
        zone_free(zone);
        buf_addf(&text, "%s%s", text.len ? "," : "", zones[i]);
    }
    return text.data;
}

static void add_country(struct quiet *q, const struct quiet_country_conf *c, struct policy_problems *pp)
{
    struct country *out = &q->countries[q->ncountries++];
    const char *place = c->place && *c->place ? c->place : "quiet.countries";

    prefixes_compile(&out->to, c->to, place, "to", pp);
    if (c->zones)
        out->zones = zones_text(c->zones, place, pp);
    if (c->hours && hours_sound(c->hours, place, pp))
        out->open = policy_copy_list(c->hours);
}

static void read_areas(struct quiet *q)
{
    for (int i = 0; i < area_zones_count; i++)
        for (const char *at = area_zones[i].areas; *at; at += strspn(at, " ")) {
            q->areas[(at[0] - '0') * 100 + (at[1] - '0') * 10 + (at[2] - '0')] = (int16_t)(i + 1);
            at += 3;
        }
}

struct quiet *quiet_new(const struct quiet_conf *conf, struct policy_problems *pp)
{
    struct quiet *q = calloc(1, sizeof *q);

    if (!q || !(q->countries = calloc((size_t)conf->ncountries + 1, sizeof *q->countries)))
        abort();
    q->on = conf->on;
    q->united_states = conf->united_states;
    q->open = usual;
    if (conf->hours && hours_sound(conf->hours, "quiet", pp))
        q->open = policy_copy_list(conf->hours);
    for (int i = 0; i < conf->ncountries; i++)
        add_country(q, &conf->countries[i], pp);
    read_areas(q);
    return q;
}

void quiet_free(struct quiet *q)
{
    if (!q)
        return;
    while (q->clocks) {
        struct clock *c = q->clocks;

        q->clocks = c->next;
        hours_free(c->hours);
        zone_free(c->zone);
        free(c->zone_name);
        free(c);
    }
    for (int i = 0; i < q->ncountries; i++) {
        prefixes_free(&q->countries[i].to);
        policy_free_list(q->countries[i].open);
        free(q->countries[i].zones);
    }
    if (q->open != usual)
        policy_free_list(q->open);
    free(q->countries);
    free(q);
}

/* ---- asking ---------------------------------------------------------------------------------------------
 */

static struct clock *clock_of(struct quiet *q, const char *zone, size_t len, const char *const *open)
{
    struct clock *c;
    struct err e = {0};

    for (c = q->clocks; c; c = c->next)
        if (c->open == open && strlen(c->zone_name) == len && memcmp(c->zone_name, zone, len) == 0)
            return c;
    c = calloc(1, sizeof *c);
    if (!c || !(c->zone_name = strndup(zone, len)))
        abort();
    c->open = open;
    c->next = q->clocks;
    q->clocks = c;
    if (zone_new(c->zone_name, &c->zone, &e) == 0)
        hours_new(c->zone, open, NULL, &c->hours, &e);
    return c;
}

/* The area's row; NULL: no number of North America, or an area that is not known. */
static const struct area_zones *area_of(const struct quiet *q, const char *to)
{
    int index;

    if (strncmp(to, "+1", 2) != 0 || strspn(to + 2, "0123456789") < 3)
        return NULL;
    index = q->areas[(to[2] - '0') * 100 + (to[3] - '0') * 10 + (to[4] - '0')];
    return index ? &area_zones[index - 1] : NULL;
}

static const char *built_in_zones(const char *to)
{
    const struct country_zones *longest = NULL;

    for (int i = 0; *to == '+' && i < country_zones_count; i++) {
        const struct country_zones *c = &country_zones[i];

        if (strncmp(c->digits, to + 1, strlen(c->digits)) == 0 &&
            (!longest || strlen(c->digits) > strlen(longest->digits)))
            longest = c;
    }
    return longest ? longest->zones : ""; /* the system's: short codes are at home */
}

static const char *const *hours_of_state(const char *state)
{
    for (int i = 0; i < state_hours_count; i++)
        if (strcmp(state_hours[i].state, state) == 0)
            return state_hours[i].hours;
    return NULL;
}

/* Zones parted by commas, and hours; whose they are: "FL", or "". */
struct place {
    const char *zones;
    const char *const *open;
    const char *const *own; /* besides `open`, which is a state's: one's own; NULL none */
    const char *state;
};

static struct place place_of(const struct quiet *q, const char *to)
{
    const struct area_zones *area = area_of(q, to);
    struct place p = {.zones = area ? area->zones : built_in_zones(to), .open = q->open, .state = ""};
    const char *const *law = area && q->united_states ? hours_of_state(area->state) : NULL;

    if (law) {
        p.own = q->open == usual ? NULL : q->open; /* which no state's hours exceed */
        p.open = law;
        p.state = area->state;
    }
    for (int i = 0; i < q->ncountries; i++) {
        const struct country *c = &q->countries[i];

        if (!prefixes_hold(&c->to, to))
            continue;
        if (c->zones)
            p.zones = c->zones;
        if (c->open || c->zones) {
            p.open = c->open ? c->open : q->open;
            p.own = NULL;
        }
        p.state = "";
        break;
    }
    return p;
}

/* Adds the clocks there to the n that there are; returns how many they are then. */
static int clocks_of(struct quiet *q, const struct place *p, const char *const *open,
                     struct clock *out[CLOCKS_MOST], int n)
{
    for (const char *at = p->zones; n < CLOCKS_MOST;) {
        size_t len = strcspn(at, ",");
        struct clock *c = clock_of(q, at, len, open);

        if (c->hours)
            out[n++] = c;
        if (!at[len])
            break;
        at += len + 1;
    }
    return n;
}

/* The next moment that suits all of them; 0: none within the longest time. */
static int64_t moment(struct clock *const clocks[], int n, int64_t wall_ms)
{
    int64_t at = wall_ms;

    for (int round = 0; round < ROUNDS && at <= wall_ms + LONGEST_MS; round++) {
        int64_t before = at;

        for (int i = 0; i < n; i++) {
            at = hours_next_open(clocks[i]->hours, at);
            if (at == 0)
                return 0;
        }
        if (at == before)
            return at;
    }
    return 0;
}

int64_t quiet_until(struct quiet *q, const char *to, int64_t wall_ms, char words[160])
{
    struct clock *clocks[CLOCKS_MOST];
    struct place p;
    int64_t at;
    int n;

    words[0] = '\0';
    if (!q->on)
        return wall_ms;
    p = place_of(q, to);
    n = clocks_of(q, &p, p.open, clocks, 0);
    if (p.own)
        n = clocks_of(q, &p, p.own, clocks, n);
    at = moment(clocks, n, wall_ms);
    if (at == 0 && n > 0)
        at = moment(clocks, 1, wall_ms);
    snprintf(words, 160, "%s%s%s%s", p.state, *p.state ? ", " : "", *p.zones ? p.zones : "local time",
             p.open[0] ? "" : ", always");
    for (int i = 0; p.open[i]; i++)
        snprintf(words + strlen(words), 160 - strlen(words), ", %s", p.open[i]);
    for (int i = 0; p.own && p.own[i]; i++)
        snprintf(words + strlen(words), 160 - strlen(words), "%s%s", i ? ", " : " and ", p.own[i]);
    return at > wall_ms ? at : wall_ms;
}
