/* Inside of the relay: its jobs, and what its files share. */
#ifndef SIMGATE_ENGINE_RELAY_PRIVATE_H
#define SIMGATE_ENGINE_RELAY_PRIVATE_H

#include "engine/program.h"
#include "engine/relay_command.h"
#include "store/query_desk.h"

enum {
    RELAY_LISTED = 6,      /* conversations in an answer: three segments or so */
    RELAY_LISTED_OF = 200, /* looked at for it */
    RELAY_RECENT = 120,    /* messages to and from a person that are looked at for what was relayed last */
};

/* Staff's message on its way. */
struct relay_job {
    struct relay *relay;
    const struct person *person;
    struct relay_command command;
    struct walk *walk; /* NULL: given up, only the store still answers */
    bool asked;        /* of the store: its turn has come */
    struct store_situation known;
    struct store_conv timeline;
    struct store_convs open;
    struct store_list sent; /* to and from the person */
    char from[64];          /* as it was received: by that the store knows what came */
    struct relay_job *prev, *next;
};

/* ---- relay_tell.c ---- */

/* At most so many characters, in one line; the second with sensitive data masked: staff's telephones are not
 * ours. */
void relay_add_line(struct buf *out, const char *text, size_t len, int characters);
void relay_add_masked(const struct program *p, struct buf *out, const char *text, int characters);
void relay_add_since(struct buf *out, int64_t ms); /* "12 min", "3 h" */
/* A message to a person of ours; NULL where there is no room. `conversation` is what it is about, 0 none. */
struct buf *relay_message(struct verdict *v, const struct person *to, int64_t conversation,
                          const char *modem);

/* ---- relay.c ---- */

/* Answers who wrote, unless a machine seems to write there: NULL. */
struct buf *relay_answer(struct relay_job *j, int64_t conversation);
/* The same in one go. */
void relay_say(struct relay_job *j, const char *words);

/* ---- relay_questions.c ---- */

const char *relay_who(const char *who); /* "Anna" of "person:Anna" */
/* Is it theirs to know of? */
bool relay_concerns(const struct relay_job *j, const struct conv_row *c);
void relay_tell_details(struct relay_job *j);
void relay_tell_open(struct relay_job *j);
/* The conversations relayed to this person not long ago, the last first. */
int relay_recent(const struct relay_job *j, int64_t ids[RELAY_LISTED]);
void relay_ask_back(struct relay_job *j, const int64_t *ids, int n);
/* true: a telephone that answers by itself seems to have written the text without number; it goes nowhere. */
bool relay_stop_machine(struct relay_job *j);

#endif
