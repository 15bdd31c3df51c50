/* gateway.conf as typed structs: one generation. A reload reads a new one beside the old, which stays
 * untouched when the new one has problems. */
#ifndef SIMGATE_APP_CONF_H
#define SIMGATE_APP_CONF_H

#include "app/schema.h"
#include "engine/engine.h"
#include "gateway/gateway.h"
#include "modem/modem.h"

struct conf_modem {
    struct modem_conf modem;
    struct gateway_limits limits;
    bool report; /* ask for delivery reports of what goes out by this modem, where the message does not say */
    const char *place;
};

struct conf {
    struct {
        const char *name, *country, *database, *spool, *socket;
        int log;                             /* index into the level names */
        int64_t drain_ms;                    /* on SIGTERM: time for what is on the air */
        const char *language, *language_ext; /* national tables for sending */
        struct gateway_conf gateway;
    } gateway;
    struct conf_modem *modems;
    int nmodems;
    struct engine_rule_conf *rules;
    int nrules;
    struct schema_text *templates, *lists;
    int ntemplates, nlists;
    struct engine_test_conf *tests;
    int ntests;
    struct policy_conf policy; /* gateway.gateway points to it */
    struct engine_conf engine; /* rules and templates filled in after reading */
    struct schema *memory;
    int refs;
};

/* Reads and checks the whole file. NULL when there were problems (each a line in *problems) or no memory.
 * `profiles` is given to each modem, and outlives the generation; NULL: names of profiles are not looked up.
 */
struct conf *conf_read(const char *path, const struct profile_set *profiles, struct buf *problems);

/* A generation lives until the last that borrows from it lets go; conf_read() gives the first hold. NULL is
 * allowed. */
struct conf *conf_ref(struct conf *c);
void conf_unref(struct conf *c);

/* The same modem, as far as a running one is concerned? (Limits and the report default may differ.) */
bool conf_modem_same(const struct conf_modem *a, const struct conf_modem *b);

#endif
