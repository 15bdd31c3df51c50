/* Routing and auto-reply: a chain of handlers with one interface. The built-in ones: consent
 * (STOP/START/HELP), guard (loops, floods), rules. First to say STOP ends the chain.
 *
 * The engine sees a received message, asks the store what it must know of the sender, and gives the gateway
 * one verdict; marking the message handled and queueing its replies is then one transaction of the gateway's.
 */
#ifndef SIMGATE_ENGINE_ENGINE_H
#define SIMGATE_ENGINE_ENGINE_H

#include "base/buf.h"
#include "engine/conf.h"
#include "gateway/gateway.h"

struct engine;
struct program;
struct template;

/* Texts and templates may hold {{value|default}}: engine/template.h lists the values. STOP, START and HELP
 * are always among the words; of the default ones "yes" means START to those only who are opted out. A rule
 * with keywords and pattern wants both. An opt-out, a START and a request for help are the whole message.
 *
 * Compiles every rule and template; all errors at once are told through `problem` ("place.pattern: …", NULL:
 * nobody reads them), then the result is ERR_INVALID and *out NULL. rt may be NULL for a check only. conf is
 * not needed afterwards. */
int engine_new(struct rt *rt, const struct engine_conf *conf, void (*problem)(void *owner, const char *text),
               void *owner, struct engine **out);
/* What foreign handlers stand on; before engine_attach. Borrowed until engine_free; NULL members: handlers
 * that need them fail. */
struct engine_world {
    struct child_host *children;
    struct transfer_host *transfers;
};
void engine_set_world(struct engine *en, const struct engine_world *w);
/* Messages then come, by gateway_set_engine. Once. g and s are borrowed until engine_free. */
void engine_attach(struct engine *en, struct gateway *g, struct store *s);
/* Another configuration, for all that is not decided yet. ERR_INVALID as engine_new: the old one stays. */
int engine_reconfigure(struct engine *en, const struct engine_conf *conf,
                       void (*problem)(void *owner, const char *text), void *owner);
/* Frees at once, calling nothing. The store must be closed or abandoned before, if one was attached. */
void engine_free(struct engine *en);

/* The configured handlers, in the order of gateway.conf, and their kind ("exec", "webhook" …); NULL beyond
 * the last. Valid until the next turn of the loop. */
struct handler;
const struct handler *engine_handler_at(const struct engine *en, int index, const char **kind);

/* What is in use: people, hours, templates. Valid until the next turn of the loop. */
const struct program *engine_program(const struct engine *en);

/* From when on replies are to be counted, in a question to the store whose answer is for engine_trial.known.
 */
void engine_guard_ask(const struct engine *en, int64_t now_wall_ms, struct store_situation *k);

/* `simgate rules test`: what would be done with this text from this number, and why. Nothing is stored,
 * counted, or told to handlers outside. The explanation is lines of text: each rule tried, each condition's
 * result, the messages rendered, segments. `from` canonical. */
struct engine_trial {
    enum engine_on on;
    const char *from, *text; /* a call has no text: "" */
    enum consent_state consent;
    int automatic_replies;
    bool own_number;
    const struct store_situation
        *known; /* all that the store knows of the number; NULL: only the two above */
    const char *modem, *pool, *to, *name; /* as in handler_event; NULL "" */
    int64_t at_wall_ms;                   /* 0 now */
};
enum { TRIAL_MESSAGES = 8 };
struct engine_trial_message {
    char to[64], source[96];
    struct buf text;
    int segments; /* 0 not known */
};
struct engine_trial_result {
    char handler[32]; /* that decided: "consent", "guard", "rules" */
    char rule[64];    /* the first that matched, "" none */
    char reason[160]; /* as it would stand in the message's history */
    int replies;      /* messages in all; more than one only with `also` or `send` */
    struct engine_trial_message messages[TRIAL_MESSAGES];
    struct buf effects; /* a line each */
    struct buf reply;   /* the first, rendered; empty none */
    struct buf why;     /* all of them too */
};
void engine_try(struct engine *en, const struct engine_trial *t, struct engine_trial_result *out);
void engine_trial_clear(struct engine_trial_result *r);

/* `simgate rules check`: rules and keywords that nothing reaches, events that make each other for ever,
 * templates that may become too long (a line each in warnings), and the tests of gateway.conf (a line for
 * each that fails). */
struct engine_check {
    struct buf warnings, failures;
    int warned, tests, failed;
};
void engine_check(struct engine *en, int64_t now_wall_ms, struct engine_check *out);
void engine_check_clear(struct engine_check *c);

/* A text with {{values}}, or "@NAME" of a template, for the contact that `known` has; appended. language
 * NULL: the contact's. ERR_NOT_FOUND: there is no such template; ERR_INVALID: what is wrong with the text;
 * ERR_REFUSED: a value without default is missing. */
int engine_render(struct engine *en, const char *text, const struct store_situation *known,
                  const char *language, struct buf *out, struct err *e);

/* Templates of the store, as they are from now on; engine_attach reads what there is. ERR_INVALID: what is
 * wrong. NULL text takes it away. */
int engine_put_template(struct engine *en, const char *name, const char *language, const char *text,
                        struct err *e);
/* A template of gateway.conf or the store by name; NULL: there is none. Whether gateway.conf has it. */
const struct template *engine_template(const struct engine *en, const char *name, bool *configured);
/* The names of gateway.conf's templates; NULL beyond the last. */
const char *engine_template_at(const struct engine *en, int index, int *max_segments);
/* The rules that say "@NAME": a line each in out. Returns how many. */
int engine_template_uses(const struct engine *en, const char *name, struct buf *out);

#endif
