/* Routing and auto-reply: a chain of handlers with one interface. The built-in ones: consent
 * (STOP/START/HELP), guard (loops, floods), rules. First to say STOP ends the chain.
 *
 * The engine sees a received message, asks the store what it must know of the sender, and gives the gateway
 * one verdict; marking the message handled and queueing its replies is then one transaction of the gateway's.
 */
#ifndef SIMGATE_ENGINE_ENGINE_H
#define SIMGATE_ENGINE_ENGINE_H

#include "base/buf.h"
#include "gateway/gateway.h"

/* A rule as app/ reads it from gateway.conf. Arrays are NULL-terminated; NULL = condition not set. */
struct engine_rule_conf {
    const char *name;
    const char *const *keywords; /* whole message or its first word, case and punctuation do not matter */
    const char *pattern;         /* PCRE2, UTF; named groups are values {{match.NAME}} */
    const char *reply;           /* text, or "@NAME" of a template; NULL: no reply */
    bool also;                   /* gateway.conf `continue`: later rules may match too */
    const char *place;           /* "gateway.conf:42: rules[3]", for errors and `simgate rules test` */
};
struct engine_template_conf {
    const char *name, *text;
    const char *place;
};
struct engine_conf {
    const char *business; /* {{gateway.name}} */
    const struct engine_rule_conf *rules;
    int nrules;
    const struct engine_template_conf *templates;
    int ntemplates;
    const char *stop_reply, *start_reply, *help_reply; /* NULL = the default text; "" = none */
    const char *const *stop_words, *const *start_words, *const *help_words; /* NULL = defaults */
    int guard_replies;       /* at most so many automatic replies to a number … */
    int64_t guard_window_ms; /* … in this time: 5 in 10 min */
};

struct engine;

/* Compiles every rule and template; all errors at once are told through `problem` ("place.pattern: …"), then
 * the result is ERR_INVALID and *out NULL. */
int engine_new(struct rt *rt, const struct engine_conf *conf, void (*problem)(void *owner, const char *text),
               void *owner, struct engine **out);
/* gateway and store may be NULL for a check only. Messages then come by gateway_set_engine. */
void engine_attach(struct engine *en, struct gateway *g, struct store *s);
void engine_free(struct engine *en);

/* `simgate rules test`: what would be done with this text from this number, and why. Nothing is stored or
 * counted. The explanation is lines of text: each rule tried, each condition's result, the reply rendered,
 * segments. `from` canonical. */
struct engine_trial {
    const char *from, *text;
    enum consent_state consent;
    int automatic_replies;
    bool own_number;
};
struct engine_trial_result {
    char handler[32]; /* "consent", "guard", "rules" */
    char rule[64];    /* "" none matched */
    struct buf reply; /* rendered; empty none. The caller frees */
    struct buf why;   /* the caller frees */
};
void engine_try(struct engine *en, const struct engine_trial *t, struct engine_trial_result *out);

#endif
