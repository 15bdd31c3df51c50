/* STOP, START and HELP: the consent of the person who writes.
 *
 * The whole message decides: "stop." is an opt-out, "stop please" most likely is one too but is left to a
 * person, unanswered. Who is opted out gets one confirmation and then nothing until START, but for HELP. The
 * store refuses every other producer by what is decided here.
 *
 * Confirmations are counted as automatic replies. They have a few more of these than rules have: a person
 * who was answered often still learns that STOP worked, while two machines that confirm each other's
 * confirmations fall silent.
 */
#include "engine/program.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/util.h"

enum { CONFIRMATIONS_BEYOND_GUARD = 3, NEAR_MISS_WORDS = 5 };

static const char *const default_stop[] = {"stop", "stopall", "stop all", "unsubscribe", "cancel",  "end",
                                           "quit", "revoke",  "optout",   "opt out",     "opt-out", NULL};
static const char *const default_start[] = {"start", "unstop", NULL};
static const char *const default_again[] = {"yes", NULL};
static const char *const default_help[] = {"help", "info", NULL};
static const char *const none[] = {NULL};
static const char *const fillers[] = {
    "please", "pls",     "now",   "it",       "this", "that",    "all",       "me",  "you",   "thanks",
    "thank",  "texting", "texts", "messages", "sms",  "sending", "messaging", "the", "these", NULL};

static const char default_stop_reply[] =
    "{{gateway.name|This number}}: you are unsubscribed and will receive "
    "no more messages from us. Reply START to resubscribe.";
static const char default_start_reply[] = "{{gateway.name|This number}}: you are subscribed to our messages. "
                                          "Reply HELP for help, STOP to unsubscribe.";
static const char default_help_reply[] =
    "{{gateway.name|This number}}: customer service by SMS. Reply STOP to receive no more messages, START to "
    "receive them again. Msg&data rates may apply.";

/* ---- compiling ------------------------------------------------------------------------------------------
 */

static void add_words(struct consent *c, const struct engine_conf *conf, enum consent_word kind,
                      const char *setting, const char *const *list, struct problems *p)
{
    char place[PLACE_BYTES];

    for (int i = 0; list[i]; i++) {
        struct err e = {0};

        if (words_add(c->words, list[i], (int)kind, &e) != 0)
            problem(p, "%sconsent.%s[%d]: %s", conf_prefix(conf, place), setting, i, e.text);
    }
}

static struct template *reply_of(const struct engine_conf *conf, const char *setting, const char *configured,
                                 const char *fallback, struct problems *p)
{
    struct template_scope scope = {0};
    char file[PLACE_BYTES], place[PLACE_BYTES + 32];

    if (configured && *configured == '\0')
        return NULL;
    snprintf(place, sizeof place, "%sconsent.%s", conf_prefix(conf, file), setting);
    return compile_reply(conf, configured ? configured : fallback, place, &scope, p);
}

static enum handler_answer consent_decide(struct handler *h, const struct handler_event *ev,
                                          struct verdict *v, struct walk *walk);

void consent_compile(struct consent *c, const struct engine_conf *conf, const struct fold *fold,
                     struct problems *p)
{
    static const char *const stop[] = {"stop", NULL}, *const start[] = {"start", NULL},
                             *const help[] = {"help", NULL};
    const char *const *again = conf->consent.start_words ? none : default_again;

    c->handler = (struct handler){.name = "consent", .decide = consent_decide};
    c->fold = fold;
    c->words = words_new(fold);
    c->fillers = words_new(fold);
    c->most_replies = conf->guard.replies + CONFIRMATIONS_BEYOND_GUARD;
    /* The three words themselves always work: laws and our own texts promise them. */
    add_words(c, conf, WORD_STOP, "stop_words", stop, p);
    add_words(c, conf, WORD_START, "start_words", start, p);
    add_words(c, conf, WORD_HELP, "help_words", help, p);
    add_words(c, conf, WORD_STOP, "stop_words",
              conf->consent.stop_words ? conf->consent.stop_words : default_stop, p);
    add_words(c, conf, WORD_START, "start_words",
              conf->consent.start_words ? conf->consent.start_words : default_start, p);
    add_words(c, conf, WORD_AGAIN, "start_words", again, p);
    add_words(c, conf, WORD_HELP, "help_words",
              conf->consent.help_words ? conf->consent.help_words : default_help, p);
    for (int i = 0; fillers[i]; i++)
        words_add(c->fillers, fillers[i], 0, NULL);
    c->replies[WORD_STOP] = reply_of(conf, "stop_reply", conf->consent.stop_reply, default_stop_reply, p);
    c->replies[WORD_START] = reply_of(conf, "start_reply", conf->consent.start_reply, default_start_reply, p);
    c->replies[WORD_HELP] = reply_of(conf, "help_reply", conf->consent.help_reply, default_help_reply, p);
}

void consent_fini(struct consent *c)
{
    words_free(c->words);
    words_free(c->fillers);
    for (int i = 0; i < CONSENT_WORDS; i++)
        template_free(c->replies[i]);
}

bool consent_takes(const struct consent *c, const char *keyword)
{
    const struct word_use *use =
        words_find(c->words, fold_trim(c->fold, (struct span){keyword, strlen(keyword)}));

    return use && use->owner != WORD_AGAIN;
}

/* ---- deciding -------------------------------------------------------------------------------------------
 */

static void confirm(const struct consent *c, enum consent_word kind, const struct handler_event *ev,
                    struct verdict *v)
{
    struct template_values values = {.business = c->business, .event = ev};
    const struct template *t = c->replies[kind];
    struct verdict_reply *r;

    if (!t) {
        verdict_why(v, "consent: no text is configured for the answer");
    } else if (number_kind(ev->from) != NUMBER_E164) {
        verdict_why(v, "consent: no answer, the sender is a short code");
    } else if (ev->known->automatic_replies >= c->most_replies) {
        verdict_why(v, "consent: no answer, the sender got %d automatic ones already",
                    ev->known->automatic_replies);
    } else if ((r = verdict_reply(v, "consent", true))) {
        template_render(t, &values, &r->text);
    }
}

static void change(struct verdict *v, enum consent_state to, const struct handler_event *ev)
{
    verdict_effect(v, &(struct store_effect){.kind = EFFECT_CONSENT, .n = to, .value = ev->text.at});
}

static enum handler_answer decide_stop(const struct consent *c, const struct handler_event *ev,
                                       const char *word, struct verdict *v)
{
    if (ev->known->consent == CONSENT_OUT) {
        verdict_reason(v, "consent: \"%s\" again, opted out before", word);
        return HANDLER_STOP;
    }
    verdict_reason(v, "consent: opted out by \"%s\"", word);
    change(v, CONSENT_OUT, ev);
    confirm(c, WORD_STOP, ev, v);
    return HANDLER_STOP;
}

static enum handler_answer decide_start(const struct consent *c, const struct handler_event *ev,
                                        const char *word, struct verdict *v)
{
    if (ev->known->consent == CONSENT_IN) {
        verdict_why(v, "consent: \"%s\", but opted in before: an ordinary message", word);
        return HANDLER_NEXT;
    }
    verdict_reason(v, "consent: opted in by \"%s\"", word);
    change(v, CONSENT_IN, ev);
    confirm(c, WORD_START, ev, v);
    return HANDLER_STOP;
}

static enum handler_answer decide_again(const struct consent *c, const struct handler_event *ev,
                                        const char *word, struct verdict *v)
{
    if (ev->known->consent == CONSENT_OUT)
        return decide_start(c, ev, word, v);
    verdict_why(v, "consent: \"%s\", but not opted out: an ordinary message", word);
    return HANDLER_NEXT;
}

static enum handler_answer decide_help(const struct consent *c, const struct handler_event *ev,
                                       const char *word, struct verdict *v)
{
    verdict_reason(v, "consent: help asked for by \"%s\"", word);
    confirm(c, WORD_HELP, ev, v);
    return HANDLER_STOP;
}

static enum handler_answer (*const by_word[CONSENT_WORDS])(const struct consent *c,
                                                           const struct handler_event *ev, const char *word,
                                                           struct verdict *v) = {
    [WORD_STOP] = decide_stop,
    [WORD_START] = decide_start,
    [WORD_AGAIN] = decide_again,
    [WORD_HELP] = decide_help,
};

/* "stop please", "Stop. Thank you": a STOP word and nothing else that says anything. */
static bool near_miss(const struct consent *c, struct span text)
{
    bool stop = false;

    for (int n = 0;; n++) {
        struct span word = fold_next_word(c->fold, &text);
        const struct word_use *use;

        if (word.len == 0)
            return stop;
        if (n == NEAR_MISS_WORDS)
            return false;
        word = fold_trim(c->fold, word);
        use = words_find(c->words, word);
        if (use && use->owner == WORD_STOP)
            stop = true;
        else if (!words_find(c->fillers, word))
            return false;
    }
}

/* Senders whose consent means anything: those that can be written to, and are not ourselves. */
static bool has_consent(const struct handler_event *ev)
{
    return *ev->from != '\0' && !ev->own_number && number_kind(ev->from) != NUMBER_ALPHA;
}

static enum handler_answer consent_decide(struct handler *h, const struct handler_event *ev,
                                          struct verdict *v, struct walk *walk)
{
    const struct consent *c = container_of(h, struct consent, handler);
    const struct word_use *use = NULL;
    struct span text;

    (void)walk;
    if (!has_consent(ev)) {
        verdict_why(v, "consent: not asked of this sender");
        return HANDLER_NEXT;
    }
    text = fold_trim(c->fold, ev->text);
    /* The whole message counts, and a part of one is not that. */
    if (!ev->incomplete)
        use = words_find(c->words, text);
    if (use)
        return by_word[use->owner](c, ev, use->text, v);
    if (ev->known->consent == CONSENT_OUT) {
        verdict_reason(v, "consent: opted out, no automatic reply");
        return HANDLER_STOP;
    }
    if (near_miss(c, text)) {
        verdict_reason(v, "consent: may be an opt-out, for a person to read");
        return HANDLER_STOP;
    }
    verdict_why(v, "consent: no STOP, START or HELP");
    return HANDLER_NEXT;
}
