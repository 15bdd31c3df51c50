/* The parts of gateway.conf that have a file of their own: their tables, which conf.c's root table names, and
 * the checks that tables cannot say. */
#ifndef SIMGATE_APP_CONF_PARTS_H
#define SIMGATE_APP_CONF_PARTS_H

#include "app/conf.h"

/* Bounds of durations. */
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define YEAR   (366 * DAY)

/* Tells a problem of the setting of this path: "people[2].number". */
struct conf_teller {
    void (*say)(void *owner, const char *path, const char *text);
    void *owner;
};

/* conf.c */
bool conf_all_digits(const char *text, size_t min, size_t max);
/* A number of the configuration becomes canonical; "" stays. ERR_INVALID, told, when it is none. */
int conf_number(struct conf *c, const char **number, const char *path, const struct conf_teller *t);

/* conf_modems.c */
extern const struct schema_group conf_modems_group;
/* Numbers become canonical, a PIN's file is read. */
void conf_modems_check(struct conf *c, const struct profile_set *profiles, const struct conf_teller *t);

/* conf_rules.c */
extern const struct schema_group conf_rules_group, conf_tests_group;
/* Rules, templates, lists and tests into c->engine. */
void conf_rules_fill(struct conf *c, const struct conf_teller *t);

/* conf_handlers.c */
extern const struct schema_group conf_handlers_group;

/* conf_desk.c */
extern const struct schema_group conf_hours_group, conf_departments_group, conf_people_group, conf_desk_group,
    conf_survey_group, conf_objectives_group;
/* Numbers of people become canonical. */
void conf_desk_check(struct conf *c, const struct conf_teller *t);

/* conf_restraint.c */
extern const struct schema_group conf_consent_group, conf_guard_group, conf_sensitive_group, conf_quiet_group,
    conf_premium_group, conf_routes_group, conf_costs_group;
/* Fills in what the gateway's policy and the engine want otherwise than it is written; `problem` is told
 * "PATH: text". */
void conf_restraint_check(struct conf *c, const struct conf_teller *t,
                          void (*problem)(void *owner, const char *text), void *owner);

#endif
