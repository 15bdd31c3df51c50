/* Consent, guard and sensitive data, compiled: what keeps automatic replies from doing harm. Parts of struct
 * program.
 */
#ifndef SIMGATE_ENGINE_RESTRAINT_H
#define SIMGATE_ENGINE_RESTRAINT_H

#include "base/mask.h"
#include "engine/consent_words.h"
#include "engine/handler.h"
#include "engine/words.h"

struct problems;
struct template;

/* ---- consent --------------------------------------------------------------------------------------------
 */

enum consent_word {
    WORD_STOP,
    WORD_START,
    WORD_AGAIN, /* means START to those only who are opted out: "yes" */
    WORD_HELP,
    CONSENT_WORDS,
};

struct consent {
    struct handler handler;
    const struct fold *fold;
    const char *business;
    struct words *words;    /* owner: enum consent_word, and the language */
    struct words *fillers;  /* what may stand beside STOP without changing its sense */
    struct words *near;     /* STOP in other scripts, slips of the pen */
    struct words *openings; /* first words of phrases; owner: how many words the phrase has */
    struct words *phrases;
    struct template *replies[CONSENT_LANGUAGES][CONSENT_WORDS]; /* NULL: none, or that of language 0 */
    bool own_reply[CONSENT_WORDS]; /* configured: one for all languages, at language 0 */
    int language;                  /* where nothing tells it */
    bool per_sim;
    int most_replies; /* automatic replies to a number, from which on confirmations are left out too */
};
void consent_compile(struct consent *c, const struct engine_conf *conf, const struct fold *fold,
                     struct problems *p);
void consent_fini(struct consent *c);
/* Whether a message of this word alone never reaches the rules. */
bool consent_takes(const struct consent *c, const char *keyword);

/* No automatic reply goes to the sender, and why; what else is to be done is done. The first reason counts.
 */
void verdict_silence(struct verdict *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- guard ----------------------------------------------------------------------------------------------
 */

struct guard {
    struct handler handler;
    struct guard_conf conf;
    int most_replies;
    int64_t window_ms;
};
/* From when on replies are to be counted. */
void guard_ask(const struct guard *g, int64_t now_wall_ms, struct store_situation *k);
/* What is stamped later than now by more than this is so by a clock that was wrong. */
enum { CLOCK_SLACK_MS = 60000 };
bool guard_muted(const struct guard *g, const struct store_situation *k, int64_t now_wall_ms);
/* Is there room for one more automatic reply, by what was counted then? */
bool guard_has_room(const struct guard *g, const struct store_situation *k);
void guard_compile(struct guard *g, const struct engine_conf *conf, struct problems *p);

/* ---- sensitive data ------------------------------------------------------------------------------------
 */

struct sensitive {
    struct mask *mask;
    struct template *reply; /* to who sends such data; NULL none */
};
void sensitive_compile(struct sensitive *s, const struct engine_conf *conf, struct problems *p);
void sensitive_fini(struct sensitive *s);
/* Fills ev->shown and ev->sensitive (which may be set already: it was stored masked); room keeps the masked
 * text. Whoever makes an event calls it before the walk; handlers show `shown` to others, never `text`. */
void sensitive_show(const struct sensitive *s, struct handler_event *ev, struct buf *room);
/* The titles of conversations are what customers wrote, too, and so may a contact's attributes be; what is
 * decided from goes to others. */
void sensitive_titles(const struct sensitive *s, struct store_situation *known);

#endif
