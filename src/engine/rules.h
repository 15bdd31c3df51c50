/* The rules compiled: conditions, actions, and the handler "rules" that asks them in their order.
 *
 * Keywords and words of all rules are found by look-ups before any rule is asked; the other conditions of a
 * rule are tried in the order of their cost. Immutable but for the scratch of the event under way.
 */
#ifndef SIMGATE_ENGINE_RULES_H
#define SIMGATE_ENGINE_RULES_H

#include "engine/program.h"
#include "engine/schedule.h"

struct rule;

/* Compiling one rule. */
struct compiling {
    const struct engine_conf *conf;
    struct program *program;
    struct rules *rules;
    struct rule *rule;
    const struct engine_rule_conf *from;
    struct problems *problems;
};

/* A rule being asked about an event. */
struct asking {
    const struct program *program;
    const struct handler_event *event;
    struct verdict *verdict;
    struct rule *rule;
    struct zone_time local; /* now, by the business's clock; filled when first asked for */
    bool local_known;
    enum { OPEN_NOT_ASKED, OPEN_YES, OPEN_NO } open; /* the hours of its conversation, now */
};
const struct zone_time *asking_local(struct asking *a);

/* ---- conditions: conditions.c ---------------------------------------------------------------------------
 */

struct condition;
struct condition_kind {
    const char *key; /* in gateway.conf */
    unsigned needs;  /* RULE_TEXT …: events that lack it cannot have this condition */
    bool (*wanted)(const struct engine_rule_conf *rc);
    void (*compile)(struct compiling *k, struct condition *c);
    bool (*test)(const struct condition *c, struct asking *a);
    void (*seen)(const struct condition *c, const struct asking *a,
                 struct buf *out); /* NULL: nothing to say */
};

extern const struct condition_kind condition_kinds[]; /* condition_kinds.c: the cheap ones first */
extern const int condition_count;

struct condition {
    const struct condition_kind *kind;
    char **texts; /* as configured, NULL-terminated; NULL none */
    int64_t n;
    struct number_set *numbers;
    int *lists; /* indexes, -1 ends; NULL none */
    struct pattern *pattern;
    struct date_range *dates; /* month 0 ends; NULL none */
};

/* What an event has: bits. */
enum {
    RULE_TEXT = 1 << 0,
    RULE_CONTACT = 1 << 1,
    RULE_MESSAGE = 1 << 2,
    RULE_NAME = 1 << 3,
    RULE_MODEM = 1 << 4
};
unsigned rule_event_has(int on);
/* Tells a problem, and returns false, where the rule's event lacks what `key` needs. */
bool rule_may(struct compiling *k, const char *key, unsigned needs);

void conditions_compile(struct compiling *k);
void conditions_fini(struct rule *r);
/* All of them; explains each one asked. */
bool conditions_hold(struct asking *a);
/* Does whatever meets b's conditions meet a's too, as far as their texts tell? */
bool conditions_include(const struct rule *a, const struct rule *b);

/* ---- actions: rule_actions.c ----------------------------------------------------------------------------
 */

enum sendee_kind { SENDEE_NUMBER, SENDEE_PERSON, SENDEE_DEPARTMENT, SENDEE_LIST, SENDEE_PLUGIN };
struct sendee {
    enum sendee_kind kind;
    char *name; /* number, department, handler or "mailto:…" */
    const struct person *person;
    int list;
};

struct setting {
    char *name;
    struct template *value;
};

struct rule_actions {
    struct template *reply, *send, *alarm, *note, *log;
    struct sendee *send_to, *forward;
    int nsend_to, nforward;
    struct setting *set;
    int nset;
    char **tag, **untag;       /* NULL-terminated; NULL none */
    char *department, *assign; /* NULL: stays */
    int state;                 /* enum conv_state; 0 stays */
    int64_t snooze_ms;         /* 0: until the customer writes */
    int priority;              /* -1 stays */
    int consent;               /* enum consent_state; 0 stays */
    struct handler *handler;   /* the program's; NULL none */
    bool drop;
};
void actions_compile(struct compiling *k);
void rule_actions_fini(struct rule_actions *a);
void rule_act(struct asking *a);

/* ---- rules ----------------------------------------------------------------------------------------------
 */

struct rule {
    char *name, *place;
    char *source; /* "rule:NAME" */
    int on;       /* enum engine_on */
    bool keyworded, worded;
    char **keywords, **words; /* as configured, NULL-terminated; NULL none */
    struct condition *conditions;
    int nconditions;
    struct pattern *pattern; /* of the condition; NULL: no such */
    int64_t once_per_ms;
    struct rule_actions actions;
    struct schedule schedule; /* with on = "schedule" */
    bool also;
    /* of the event under way: rules.events when a keyword, or word, was found; and which */
    uint64_t keyword_hit, word_hit;
    const char *keyword, *word;
};

struct rules {
    struct handler handler;
    struct program *program;
    struct matcher *matcher;
    struct words *keywords, *words; /* owner: index of the rule */
    struct pattern *letters;        /* of any script */
    bool has_words, has_class;
    struct rule *list;
    int count;
    unsigned on;     /* bits: there are rules for it */
    uint64_t events; /* evaluated so far */
    struct rule_test *tests;
    int ntests;
};
/* program->rules; staff, lists and plugins are there already. */
void rules_compile(struct program *p, const struct engine_conf *conf, struct problems *problems);
void rules_free(struct rules *r);
/* Is there a rule that has this handler decide, or forwards to it? */
bool rules_name(const struct rules *r, const struct handler *h);

/* "key" of a list of texts, copied; NULL stays NULL. */
char **texts_copy(const char *const *texts);
void texts_free(char **texts);

#endif
