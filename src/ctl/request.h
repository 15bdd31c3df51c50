/* The requests that the control socket knows, as one table: name, fields with their types, what is done. And
 * the parser, which checks a line against it before anything is done. Errors name the request and the field.
 */
#ifndef SIMGATE_CTL_REQUEST_H
#define SIMGATE_CTL_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum field_type {
    FIELD_TEXT,
    FIELD_TEXTS,  /* a text, or an array of at least one */
    FIELD_NUMBER, /* an integer within min..max */
    FIELD_BOOL,
    FIELD_DURATION, /* "90s", "2h", "1d12h" */
    FIELD_TIME,     /* RFC 3339, "YYYY-MM-DD HH:MM", "HH:MM", "+2h" */
    FIELD_DAY,      /* the same, or "YYYY-MM-DD": the beginning of that day, where the business is */
    FIELD_CHOICE,   /* one of `choices` */
    FIELD_SETTINGS, /* an object of texts */
    FIELD_ROWS,     /* an array of at least one object, at most max; the handler checks them */
};

struct field {
    const char *name; /* NULL ends the list */
    enum field_type type;
    bool required;
    int64_t min, max; /* NUMBER: value; TEXT, TEXTS: at most max bytes, count (0: the line's bound) */
    const char *const *choices; /* NULL-terminated */
};

struct call;

struct request {
    const char *name;
    const struct field *fields;
    void (*run)(struct call *call);
};

/* Ends a table of fields or requests. */
#define END                                                                                                  \
    {                                                                                                        \
        .name = NULL                                                                                         \
    }

extern const struct request desk_requests[];     /* table_desk.c */
extern const struct request rules_requests[];    /* table_rules.c */
extern const struct request campaign_requests[]; /* table_campaign.c */

const struct request *request_find(const char *name);
const struct request *request_next(const struct request *r); /* of all tables; NULL before the first */

/* A line that was understood. The holder frees it, also after a failure (the id may be known then). */
struct parsed {
    const struct request *kind; /* NULL: not known */
    json_t *id;                 /* integer or text; NULL when none was given */
    json_t *args;               /* the object, without `id` and `do` */
};

/* ERR_INVALID or ERR_TOO_LONG with what was expected. */
int request_parse(const char *line, size_t len, struct parsed *out, struct err *e);
void parsed_clear(struct parsed *p);

/* The handlers. */
void do_send(struct call *call);
void do_status(struct call *call);
void do_modems(struct call *call);
void do_messages(struct call *call);
void do_show(struct call *call);
void do_cancel(struct call *call);
void do_retry(struct call *call);
void do_watch(struct call *call);
void do_backup(struct call *call);
void do_reload(struct call *call);
void do_at(struct call *call);
void do_ussd(struct call *call);
void do_ussd_reply(struct call *call);
void do_ussd_cancel(struct call *call);
void do_balance(struct call *call);
void do_unlock(struct call *call);
void do_trace(struct call *call);
void do_probe(struct call *call);
void do_route_test(struct call *call);
void do_rules_test(struct call *call);
void do_rules_check(struct call *call);
void do_templates(struct call *call);
void do_template(struct call *call);
void do_template_add(struct call *call);
void do_template_edit(struct call *call);
void do_template_remove(struct call *call);
void do_template_preview(struct call *call);

void do_conversations(struct call *call);
void do_conversation(struct call *call);
void do_operation(struct call *call); /* "conversation close" … */
void do_contacts(struct call *call);
void do_contact(struct call *call);
void do_contact_set(struct call *call);
void do_contact_tag(struct call *call);
void do_contact_untag(struct call *call);
void do_contact_note(struct call *call);
void do_contact_export(struct call *call);
void do_contact_erase(struct call *call);
void do_contacts_import(struct call *call);
void do_contacts_merge(struct call *call);
void do_consent(struct call *call);
void do_consent_in(struct call *call);
void do_consent_out(struct call *call);
void do_consent_list(struct call *call);
void do_campaigns(struct call *call);
void do_campaign(struct call *call);
void do_campaign_new(struct call *call);
void do_campaign_add(struct call *call);
void do_campaign_preview(struct call *call);
void do_campaign_move(struct call *call); /* "campaign start" … */
void do_campaign_recipients(struct call *call);
void do_stats(struct call *call);
void do_people(struct call *call);
void do_departments(struct call *call);
void do_handlers(struct call *call);
void do_deliveries(struct call *call);
void do_delivery_retry(struct call *call);
void do_delivery_drop(struct call *call);

#endif
