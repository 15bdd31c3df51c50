/* What the requests about customers and people share: rows as JSON, who acts, which number is meant. */
#ifndef SIMGATE_CTL_DESK_H
#define SIMGATE_CTL_DESK_H

#include "ctl/private.h"
#include "desk/desk.h"
#include "store/query_desk.h"

/* json_desk.c: each returns a new reference */
const char *consent_name(enum consent_state s); /* "in", "out", "unknown" */
json_t *json_conversation(const struct conv_row *c);
json_t *json_timeline(const struct timeline_row *t);
json_t *json_contact(const struct contact_row *c);
json_t *json_words(const char *words); /* ",a,b," or "a,b" as a list; NULL an empty one */
json_t *json_consent(const struct consent_row *c);
json_t *json_ledger(const struct ledger_row *l);
json_t *json_delivery(const struct delivery_row *d);
json_t *json_handler(const struct handler *h, const char *kind); /* do_deliveries.c */

/* acting.c: each of those that return false has failed the call */

/* Who does it: `as`, a person of gateway.conf, or else the Unix user. */
struct acting {
    char person[DESK_NAME_BYTES]; /* "" nobody of gateway.conf */
    char who[DESK_WHO_BYTES];     /* "person:Anna", "ctl:root" */
};
bool call_acting(struct call *call, struct acting *out);
/* The person or department that a field names, as gateway.conf writes it; "" where it was not given. */
bool call_person(struct call *call, const char *field, char *out, size_t size);
bool call_department(struct call *call, const char *field, char *out, size_t size);
/* The same where a request that is not good any more may have been accepted: ERR_INVALID, and no answer. */
int acting_of(const struct call *call, struct acting *out, struct err *e);
int department_of(const struct call *call, const char *field, char *out, size_t size, struct err *e);
/* A number as people write it, in canonical form. */
bool call_number_of(struct call *call, const char *field, char out[NUMBER_BYTES]);
/* As far as a text is a number, or the beginning of one, the canonical form of it; else the text. */
void call_search_number(struct call *call, const char *text, char *out, size_t size);

/* contact_check.c: what a contact may be made of; ERR_INVALID, ERR_TOO_LONG */
bool contact_is_field(const char *name); /* of the contact itself; others are attributes */
int contact_check(const char *name, const char *value, struct err *e);
int contact_check_tag(const char *tag, struct err *e);

/* contact_change.c */
enum { CHANGE_EFFECTS = 64 };
struct contact_change {
    struct call *call;
    struct acting acting;
    char number[NUMBER_BYTES];
    struct store_situation known;
    struct store_effect effects[CHANGE_EFFECTS]; /* texts borrowed from the request, or kept */
    int neffects;
    char *kept[CHANGE_EFFECTS];
    int nkept;
    bool (*fill)(struct contact_change *c); /* adds what depends on what is known; NULL nothing does */
    bool tell_contact;                      /* `contact` is read for the answer */
    void (*answer)(struct contact_change *c);
    struct gateway_verdict verdict;
    struct gateway_apply apply;
    struct store_contact contact;
};
/* Of the field `number`, by the one who acts. NULL: the call has failed. */
struct contact_change *change_new(struct call *call, void (*answer)(struct contact_change *c));
bool change_add(struct contact_change *c, struct store_effect e); /* false: the call has failed */
const char *change_keep(struct contact_change *c, const char *text);
void change_start(struct contact_change *c);

/* do_contacts.c */
json_t *contact_answer(const struct store_contact *c);

#endif
