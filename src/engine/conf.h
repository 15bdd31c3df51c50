/* What app/ reads from gateway.conf for the engine and the desk: plain structs, one for each setting group.
 * Arrays of texts are NULL-terminated; NULL or 0 = not set. `place` is "gateway.conf:42: rules[3]", for
 * errors. */
#ifndef SIMGATE_ENGINE_CONF_H
#define SIMGATE_ENGINE_CONF_H

#include <stdbool.h>
#include <stdint.h>

/* What a rule or handler is asked about. Names in engine_on_names, NULL-terminated; from ENGINE_ON_REPORT on
 * they are the store's events (enum desk_event). */
enum engine_on {
    ENGINE_ON_MESSAGE,
    ENGINE_ON_CALL,
    ENGINE_ON_REPORT,
    ENGINE_ON_OPENED,
    ENGINE_ON_ASSIGNED,
    ENGINE_ON_CLOSED,
    ENGINE_ON_OVERDUE,
    ENGINE_ON_SURVEY,
    ENGINE_ON_ALARM,
    ENGINE_ON_SCHEDULE,
    ENGINE_ON_KINDS
};
extern const char *const engine_on_names[ENGINE_ON_KINDS + 1]; /* "message", "call", "report", "opened" … */

/* ---- hours, departments, people ---- */

struct hours_conf {
    const char *zone; /* "" the system's */
    const char *const *open, *const *closed;
};
struct department_conf {
    const char *name, *place;
    const char *modem, *pool; /* it answers from; "" by the SIM that the customer wrote to */
    struct hours_conf hours;  /* open NULL: the business's */
    int64_t first_response_ms, next_response_ms, resolution_ms; /* of business time; 0 none */
};
struct person_conf {
    const char *name, *place;
    const char *number;             /* canonical; "" none: no relay */
    const char *const *departments; /* NULL: every one */
    struct hours_conf hours;        /* open NULL: always relayed to */
    bool lead;                      /* may assign others' conversations, and is told of what is overdue */
};
struct desk_conf {
    int64_t reopen_ms;        /* a closed conversation is opened again within this time */
    int64_t close_after_ms;   /* silence for so long, while waiting for the customer, closes it; 0 never */
    const char *department;   /* of conversations that no rule gives one; "" none */
    const char *greeting;     /* reply to the first message of a conversation; "" none */
    const char *office_reply; /* when closed: at most once a day and conversation; "" none */
    bool relay;               /* customers' messages go to the phones of their department's people */
    int64_t keep_messages_ms, keep_contacts_ms, keep_raw_ms; /* erased when older; 0 never */
};
struct survey_conf {
    bool on;
    int scale_min, scale_max;    /* 1-5, 1-9, 0-10 */
    const char *text;            /* template or text, with {{survey.scale}} */
    const char *comment;         /* asked for behind the score; "" none */
    const char *thanks;          /* "" none */
    int64_t delay_ms, window_ms; /* after closing; an answer counts for so long */
};

/* What is wished for: "95 of 100 first answers within a business day". */
struct objective_conf {
    const char *name, *place;
    const char *figure;     /* "first_response" …, "satisfied" …: engine/objectives.c */
    const char *target;     /* of a time: "15m", "4h business", "1d business"; "" none */
    double share;           /* 0..1 */
    const char *department; /* "" all */
};

/* ---- rules ---- */

enum engine_want { WANT_ANY, WANT_YES, WANT_NO };
struct engine_rule_conf {
    const char *name;
    int on; /* enum engine_on */
    const char *place;
    /* conditions: all that are set must hold */
    const char *const *keywords; /* whole message or its first word, case and punctuation do not matter */
    const char *const *words;    /* any word of it */
    const char *pattern;         /* PCRE2, UTF; named groups are values {{match.NAME}} */
    const char *const *from,
        *const *to;                 /* numbers, prefixes "+4917*", "@LIST"; to: of a report, a SIM's number */
    const char *const *modems;      /* names of modems or pools */
    const char *const *languages;   /* of the text, or the contact's; "de" */
    const char *const *scripts;     /* "Latin", "Cyrillic" … as Unicode names them */
    const char *const *tags;        /* the contact has one of them; "!vip": has it not */
    const char *const *attributes;  /* "plan=gold", "plan", "!plan" */
    const char *const *states;      /* of the conversation before this message; "none" */
    const char *const *departments; /* of the conversation; "" none */
    const char *const *names;       /* of an event: the alarm, "new", "first", a score, a person */
    const char *hours;              /* "open", "closed"; of the department, else the business */
    const char *dates;              /* "2026-12-01..2026-12-24", "12-24..12-26" */
    const char *schedule; /* on = "schedule": "Mon-Fri 08:30", "1 09:00" (day of the month), "every 15m" */
    int first;            /* of a conversation: enum engine_want */
    int incomplete;       /* likewise */
    int message_class;    /* 1 + the class; 0 not asked */
    int64_t once_per_ms;  /* this rule acts so seldom for one contact */
    /* actions */
    const char *reply;          /* text, or "@NAME" of a template; NULL: no reply */
    const char *const *send_to; /* numbers, names of people or departments, "@LIST": with */
    const char *send;           /* text or "@NAME" */
    const char *const *forward; /* the message itself: numbers, people, "mailto:…", names of handlers */
    const char *department, *assign, *conversation; /* conversation: "open", "close", "spam", "snooze 2h" */
    const char *const *tag, *const *untag;
    const char *const *set;         /* "name=text with {{values}}" */
    const char *priority, *consent; /* "low" …; "in", "out" */
    const char *note, *log;
    const char *alarm;   /* text for an administrator, written as a reply is; NULL: none */
    const char *handler; /* that handler decides what else is done */
    bool drop;           /* nothing more: no conversation, no later handler */
    bool also;           /* gateway.conf `continue`: later rules may match too */
};
struct shelf;
struct engine_template_conf { /* one text: a name may come once for each language */
    const char *name, *text;
    const char *language; /* "" any */
    int max_segments;     /* warned of when its longest form needs more; 0 not asked */
    const char *place;
};
/* `tests`, beside the rules; run by `simgated -t`. */
struct engine_test_conf {
    const char *place;
    const char *from, *text, *at; /* at: "2026-12-24 20:00" in the business's zone; NULL now */
    const char *modem, *state, *department;
    const char *const *tags;
    int on;
    const char *name;         /* of an event; of a schedule: its rule */
    const char *expect;       /* name of the first rule that matches; "none"; NULL not asked */
    const char *expect_reply; /* contained in it; NULL not asked */
};
struct engine_list_conf {
    const char *name, *text; /* "file:/path", one number or prefix a line, read live; or "a, b, c" */
    const char *place;
};

/* ---- handlers ---- */

enum handler_kind {
    HANDLER_EXEC,
    HANDLER_WEBHOOK,
    HANDLER_LUA,
    HANDLER_SHARED,
    HANDLER_SMSTOOLS, /* "eventhandler" */
    HANDLER_MAIL,
    HANDLER_CHECK, /* "checkhandler" */
    HANDLER_KINDS
};
enum handler_failure { ON_FAILURE_NEXT, ON_FAILURE_STOP, ON_FAILURE_HOLD };
struct engine_handler_conf {
    const char *name, *place;
    int kind;              /* enum handler_kind */
    const char *const *on; /* engine_on_names that it is asked about; NULL: messages */
    int64_t deadline_ms;
    int on_failure;             /* enum handler_failure */
    bool asynchronous;          /* not waited for: told afterwards (webhook, mail: always at least once) */
    const char *const *command; /* exec, smstools: the argument array */
    bool stay;                  /* exec: one long-lived process, a line an event */
    const char *url, *secret, *ca_file, *user, *password; /* webhook, mail; secrets may be "file:/path" */
    int64_t retry_for_ms;                                 /* a delivery is given up after this time */
    const char *from, *const *to, *subject;               /* mail */
    const char *file;                                     /* lua script, shared object */
    int memory_mib;                                       /* lua */
    int instructions;                                     /* lua, thousands an event */
    const char *options;                                  /* given to lua and shared objects as it is */
};

/* ---- consent and restraint ---- */

struct consent_conf {
    const char *stop_reply, *start_reply,
        *help_reply; /* NULL = the default text of the language; "" = none */
    const char *const *stop_words, *const *start_words,
                                       *const *help_words; /* NULL = defaults, all languages */
    const char *const *languages; /* of the default lists; NULL: all that there are */
    bool per_sim;                 /* scope: each SIM, not the business */
};
struct guard_conf {
    int replies;          /* at most so many automatic replies to a number … */
    int64_t window_ms;    /* … in this time: 5 in 10 min */
    int replies_day;      /* to a number within 24 h; 0 no limit */
    int replies_all;      /* to all numbers in this time; 0 no limit */
    int same_text;        /* the same text to a number … */
    int64_t same_text_ms; /* … in this time: 2 in 1 h */
    int rounds;           /* so many answers in a row right behind an automatic reply: a machine */
    int64_t mute_ms;      /* then no automatic replies for so long */
};
struct sensitive_conf {
    bool cards;                  /* payment-card numbers (Luhn) */
    const char *const *patterns; /* PCRE2 */
    bool store_masked;
    const char *reply; /* to the sender; "" none */
};

struct engine_conf {
    const char *business; /* {{gateway.name}} */
    const char *country;  /* calling code */
    const struct engine_rule_conf *rules;
    int nrules;
    const struct engine_template_conf *templates;
    int ntemplates;
    /* Is there a template of this name in the store? Asked of names that `templates` lacks, while this is
     * read. NULL: there is none. */
    bool (*stored)(void *owner, const char *name);
    void *stored_owner;
    const struct shelf *shelf; /* set by the engine itself */
    const struct engine_test_conf *tests;
    int ntests;
    const struct engine_list_conf *lists;
    int nlists;
    const struct engine_handler_conf *handlers;
    int nhandlers;
    const struct department_conf *departments;
    int ndepartments;
    const struct person_conf *people;
    int npeople;
    const char *const
        *chain; /* names of handlers; NULL: consent, relay, survey, guard, rules, then the configured */
    struct hours_conf hours;
    struct desk_conf desk;
    struct survey_conf survey;
    const struct objective_conf *objectives;
    int nobjectives;
    struct consent_conf consent;
    struct guard_conf guard;
    struct sensitive_conf sensitive;
    const char *file; /* "gateway.conf", for errors of what has no place of its own; NULL not said */
};

#endif
