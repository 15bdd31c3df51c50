/* STOP, START and HELP: the consent of the person who writes.
 *
 * The whole message decides: "stop." is an opt-out, "stop please" and "no more texts" most likely are, but
 * are left to a person, unanswered and flagged. Who is opted out gets one confirmation and then nothing
 * automatic until START, but for HELP. The store refuses every other producer by what is decided here.
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

enum {
    CONFIRMATIONS_BEYOND_GUARD = 3,
    NEAR_WORDS = 6,    /* STOP and what stands beside it */
    PHRASE_WORDS = 15, /* in longer messages people talk about something else */
    PHRASE_MOST = 5,   /* words of a phrase */
    LANGUAGE_SHIFT = 4 /* owner of a word: kind, and language + 1; 0: of none, or configured */
};

static const char *const universal[CONSENT_WORDS] = {"stop", "start", NULL, "help"};
static const char *const settings[CONSENT_WORDS] = {"stop_words", "start_words", "start_words", "help_words"};

static const char *const *defaults_of(const struct consent_language *l, enum consent_word kind)
{
    const char *const *const lists[CONSENT_WORDS] = {l->stop, l->start, l->again, l->help};

    return lists[kind];
}

static const char *const *configured(const struct engine_conf *conf, enum consent_word kind)
{
    const struct consent_conf *c = &conf->consent;
    const char *const *const lists[CONSENT_WORDS] = {c->stop_words, c->start_words, c->start_words,
                                                     c->help_words};

    return lists[kind];
}

/* ---- compiling ------------------------------------------------------------------------------------------
 */

static void add_word(struct consent *c, const struct engine_conf *conf, enum consent_word kind, int language,
                     const char *text, int index, struct problems *p)
{
    char place[PLACE_BYTES];
    struct err e = {0};

    if (words_add(c->words, text, (int)kind | (language + 1) << LANGUAGE_SHIFT, &e) != 0)
        problem(p, "%sconsent.%s[%d]: %s", conf_prefix(conf, place), settings[kind], index, e.text);
}

static int language_index(const char *code)
{
    size_t len = strcspn(code, "-_");

    for (int i = 0; i < CONSENT_LANGUAGES; i++)
        if (strlen(consent_languages[i].code) == len &&
            strncasecmp(consent_languages[i].code, code, len) == 0)
            return i;
    return -1;
}

/* Whether the lists of this language are used. */
static bool wanted(const struct engine_conf *conf, int language)
{
    const char *const *list = conf->consent.languages;

    for (int i = 0; list && list[i]; i++)
        if (language_index(list[i]) == language)
            return true;
    return !list;
}

static void check_languages(struct consent *c, const struct engine_conf *conf, struct problems *p)
{
    const char *const *list = conf->consent.languages;
    char place[PLACE_BYTES];

    for (int i = 0; list && list[i]; i++) {
        int language = language_index(list[i]);

        if (language < 0)
            problem(
                p,
                "%sconsent.languages[%d]: there are no lists for \"%.20s\": expected \"en\", \"de\", \"fr\", "
                "\"es\", \"it\", \"nl\", \"pt\", \"tr\" or \"pl\"",
                conf_prefix(conf, place), i, list[i]);
        else if (i == 0)
            c->language = language;
    }
}

static void add_kind(struct consent *c, const struct engine_conf *conf, enum consent_word kind,
                     struct problems *p)
{
    const char *const *own = configured(conf, kind);

    /* The three words themselves always work: laws and our own texts promise them. */
    if (universal[kind])
        add_word(c, conf, kind, -1, universal[kind], 0, p);
    for (int i = 0; own && kind != WORD_AGAIN && own[i]; i++)
        add_word(c, conf, kind, -1, own[i], i, p);
    for (int l = 0; !own && l < CONSENT_LANGUAGES; l++)
        for (int i = 0; wanted(conf, l) && defaults_of(&consent_languages[l], kind)[i]; i++)
            add_word(c, conf, kind, l, defaults_of(&consent_languages[l], kind)[i], i, p);
}

static int words_in(const struct fold *fold, const char *text)
{
    struct span rest = {text, strlen(text)};
    int n = 0;

    while (fold_next_word(fold, &rest).len > 0)
        n++;
    return n;
}

static void add_phrase(struct consent *c, const char *phrase)
{
    char first[KEYWORD_BYTES];

    snprintf(first, sizeof first, "%.*s", (int)strcspn(phrase, " "), phrase);
    words_add(c->openings, first, words_in(c->fold, phrase), NULL);
    words_add(c->phrases, phrase, 0, NULL);
}

/* Of all languages, whatever is configured: they only bring a person to look. */
static void add_near(struct consent *c)
{
    for (int l = 0; l < CONSENT_LANGUAGES; l++) {
        for (int i = 0; consent_languages[l].fillers[i]; i++)
            words_add(c->fillers, consent_languages[l].fillers[i], 0, NULL);
        for (int i = 0; consent_languages[l].phrases[i]; i++)
            add_phrase(c, consent_languages[l].phrases[i]);
    }
    for (int i = 0; consent_near_fillers[i]; i++)
        words_add(c->fillers, consent_near_fillers[i], 0, NULL);
    for (int i = 0; consent_near_words[i]; i++)
        words_add(c->near, consent_near_words[i], 0, NULL);
}

static void add_reply(struct consent *c, const struct engine_conf *conf, enum consent_word kind,
                      const char *setting, const char *own, struct problems *p)
{
    struct template_scope scope = {0};
    char file[PLACE_BYTES], place[PLACE_BYTES + 32];

    snprintf(place, sizeof place, "%sconsent.%s", conf_prefix(conf, file), setting);
    c->own_reply[kind] = own != NULL;
    for (int l = 0; l < (own ? 1 : CONSENT_LANGUAGES); l++) {
        const struct consent_language *cl = &consent_languages[l];
        const char *text = own                  ? own
                           : kind == WORD_STOP  ? cl->stop_reply
                           : kind == WORD_START ? cl->start_reply
                                                : cl->help_reply;

        if (*text)
            c->replies[l][kind] = compile_reply(conf, text, place, &scope, p);
    }
}

static enum handler_answer consent_decide(struct handler *h, const struct handler_event *ev,
                                          struct verdict *v, struct walk *walk);

void consent_compile(struct consent *c, const struct engine_conf *conf, const struct fold *fold,
                     struct problems *p)
{
    c->handler =
        (struct handler){.name = "consent", .on = (1u << ENGINE_ON_KINDS) - 1, .decide = consent_decide};
    c->fold = fold;
    c->words = words_new(fold);
    c->fillers = words_new(fold);
    c->near = words_new(fold);
    c->openings = words_new(fold);
    c->phrases = words_new(fold);
    c->most_replies = conf->guard.replies + CONFIRMATIONS_BEYOND_GUARD;
    c->per_sim = conf->consent.per_sim;
    check_languages(c, conf, p);
    for (int kind = 0; kind < CONSENT_WORDS; kind++)
        add_kind(c, conf, (enum consent_word)kind, p);
    add_near(c);
    add_reply(c, conf, WORD_STOP, "stop_reply", conf->consent.stop_reply, p);
    add_reply(c, conf, WORD_START, "start_reply", conf->consent.start_reply, p);
    add_reply(c, conf, WORD_HELP, "help_reply", conf->consent.help_reply, p);
}

void consent_fini(struct consent *c)
{
    words_free(c->words);
    words_free(c->fillers);
    words_free(c->near);
    words_free(c->openings);
    words_free(c->phrases);
    for (int l = 0; l < CONSENT_LANGUAGES; l++)
        for (int i = 0; i < CONSENT_WORDS; i++)
            template_free(c->replies[l][i]);
}

static enum consent_word kind_of(const struct word_use *use)
{
    return (enum consent_word)(use->owner & ((1 << LANGUAGE_SHIFT) - 1));
}

bool consent_takes(const struct consent *c, const char *keyword)
{
    const struct word_use *use =
        words_find(c->words, fold_trim(c->fold, (struct span){keyword, strlen(keyword)}));

    return use && kind_of(use) != WORD_AGAIN;
}

/* ---- answering ------------------------------------------------------------------------------------------
 */

/* The word's own language; of a word of several or of none the contact's, else the text's, else the first
 * configured one. */
static int reply_language(const struct consent *c, const struct word_use *use, const struct handler_event *ev)
{
    int language = (use->owner >> LANGUAGE_SHIFT) - 1;

    if (use->next || language < 0)
        language = language_index(ev->known->contact.language);
    if (language < 0 && ev->language)
        language = language_index(ev->language);
    return language < 0 ? c->language : language;
}

static void confirm(const struct consent *c, enum consent_word kind, const struct word_use *use,
                    const struct handler_event *ev, struct verdict *v)
{
    const struct program *p = container_of(c, struct program, consent);
    struct template_values values;
    const struct template *t = c->replies[c->own_reply[kind] ? 0 : reply_language(c, use, ev)][kind];
    struct verdict_reply *r;
    const char *lacks;
    char text[MSG_REASON_BYTES];

    program_values(p, ev, &values);
    if (!t) {
        verdict_why(v, "consent: no text is configured for the answer");
    } else if (number_kind(ev->from) != NUMBER_E164) {
        verdict_why(v, "consent: no answer, the sender is a short code");
    } else if (ev->known->automatic_replies >= c->most_replies) {
        verdict_why(v, "consent: no answer, the sender got %d automatic ones already",
                    ev->known->automatic_replies);
    } else if ((r = verdict_reply(v, "consent", true)) && (lacks = template_render(t, &values, &r->text))) {
        verdict_unreply(v);
        snprintf(text, sizeof text, "consent: answer held, no value for %.60s", lacks);
        verdict_why(v, "%s", text);
        verdict_flag(v, ev, text);
    }
}

/* "STOP ALL" is meant for the business, whatever the scope. */
static bool for_all(const struct word_use *use)
{
    return strcasecmp(use->text, "stopall") == 0 || strcasecmp(use->text, "stop all") == 0;
}

static void change(const struct consent *c, struct verdict *v, enum consent_state to,
                   const struct word_use *use, const struct handler_event *ev)
{
    const char *scope = c->per_sim && !for_all(use) ? ev->modem : "";

    verdict_effect(
        v, &(struct store_effect){
               .kind = EFFECT_CONSENT, .n = to, .name = scope, .value = ev->text.at, .who = "customer"});
    v->thread = THREAD_JOIN;
}

static enum handler_answer decide_stop(const struct consent *c, const struct handler_event *ev,
                                       const struct word_use *use, struct verdict *v)
{
    v->thread = THREAD_JOIN;
    /* One scope may be closed while the word means another: then it is noted, and confirmed once more. */
    if (ev->known->consent == CONSENT_OUT && !(c->per_sim && for_all(use))) {
        verdict_reason(v, "consent: \"%s\" again, opted out before", use->text);
        return HANDLER_STOP;
    }
    verdict_reason(v, "consent: opted out by \"%s\"", use->text);
    change(c, v, CONSENT_OUT, use, ev);
    if (ev->known->consent != CONSENT_OUT)
        confirm(c, WORD_STOP, use, ev, v);
    return HANDLER_STOP;
}

static enum handler_answer decide_start(const struct consent *c, const struct handler_event *ev,
                                        const struct word_use *use, struct verdict *v)
{
    if (ev->known->consent == CONSENT_IN) {
        verdict_why(v, "consent: \"%s\", but opted in before: an ordinary message", use->text);
        return HANDLER_NEXT;
    }
    verdict_reason(v, "consent: opted in by \"%s\"", use->text);
    change(c, v, CONSENT_IN, use, ev);
    confirm(c, WORD_START, use, ev, v);
    return HANDLER_STOP;
}

static enum handler_answer decide_again(const struct consent *c, const struct handler_event *ev,
                                        const struct word_use *use, struct verdict *v)
{
    if (ev->known->consent == CONSENT_OUT)
        return decide_start(c, ev, use, v);
    verdict_why(v, "consent: \"%s\", but not opted out: an ordinary message", use->text);
    return HANDLER_NEXT;
}

static enum handler_answer decide_help(const struct consent *c, const struct handler_event *ev,
                                       const struct word_use *use, struct verdict *v)
{
    v->thread = THREAD_JOIN;
    verdict_reason(v, "consent: help asked for by \"%s\"", use->text);
    confirm(c, WORD_HELP, use, ev, v);
    return HANDLER_STOP;
}

static enum handler_answer (*const by_word[CONSENT_WORDS])(const struct consent *c,
                                                           const struct handler_event *ev,
                                                           const struct word_use *use, struct verdict *v) = {
    [WORD_STOP] = decide_stop,
    [WORD_START] = decide_start,
    [WORD_AGAIN] = decide_again,
    [WORD_HELP] = decide_help,
};

/* ---- near misses ----------------------------------------------------------------------------------------
 */

/* The first words of a text, without the punctuation around each. */
struct tokens {
    struct span words[PHRASE_WORDS];
    int count;
    bool more; /* than these */
};

static void tokenise(const struct fold *fold, struct span text, struct tokens *out)
{
    out->count = 0;
    for (;;) {
        struct span word = fold_next_word(fold, &text);

        if (word.len == 0 || out->count == PHRASE_WORDS) {
            out->more = word.len > 0;
            return;
        }
        out->words[out->count++] = fold_trim(fold, word);
    }
}

static bool is_stop(const struct consent *c, struct span word)
{
    const struct word_use *use = words_find(c->words, word);

    return (use && kind_of(use) == WORD_STOP) || words_find(c->near, word);
}

static bool only_digits(struct span word)
{
    for (size_t i = 0; i < word.len; i++)
        if (word.at[i] < '0' || word.at[i] > '9')
            return false;
    return word.len > 0;
}

/* "stop please", "Stop. Thank you": a STOP word and nothing else that says anything. */
static bool stop_and_fillers(const struct consent *c, const struct tokens *t)
{
    bool stop = false;

    if (t->count > NEAR_WORDS)
        return false;
    for (int i = 0; i < t->count; i++) {
        if (is_stop(c, t->words[i]))
            stop = true;
        else if (!words_find(c->fillers, t->words[i]))
            return false;
    }
    return stop;
}

/* "STOP 12345": an opt-out, or the answer to a question, or a bus stop. "cancel 12345" is an order. */
static bool stop_and_number(const struct consent *c, const struct tokens *t)
{
    char normal[FOLD_BYTES];

    return t->count == 2 && !t->more && fold_normal(c->fold, t->words[0], normal, FOLD_BYTES) == 4 &&
           memcmp(normal, "stop", 4) == 0 && only_digits(t->words[1]);
}

static bool has_phrase(const struct consent *c, const struct tokens *t)
{
    if (t->more)
        return false;
    for (int i = 0; i < t->count; i++) {
        for (const struct word_use *use = words_find(c->openings, t->words[i]); use; use = use->next) {
            int last = i + use->owner - 1;
            const char *at = t->words[i].at;

            if (last < t->count &&
                words_find(c->phrases,
                           (struct span){at, (size_t)(t->words[last].at + t->words[last].len - at)}))
                return true;
        }
    }
    return false;
}

/* What it may be, for a person; NULL: nothing of the kind. */
static const char *near_miss(const struct consent *c, const struct handler_event *ev, struct span text)
{
    struct tokens t;

    if (!ev->text.at)
        return NULL;
    if (words_find(c->near, text))
        return "may be an opt-out";
    tokenise(c->fold, ev->text, &t);
    if (stop_and_fillers(c, &t) || has_phrase(c, &t))
        return "may be an opt-out";
    return stop_and_number(c, &t) ? "STOP with a number: may be an opt-out" : NULL;
}

/* ---- the handler ----------------------------------------------------------------------------------------
 */

/* Senders whose consent means anything: those that can be written to, and are not ourselves. */
static bool has_consent(const struct handler_event *ev)
{
    return *ev->from != '\0' && !ev->own_number && number_kind(ev->from) != NUMBER_ALPHA;
}

static enum handler_answer read_message(const struct consent *c, const struct handler_event *ev,
                                        struct verdict *v)
{
    struct span text = fold_trim(c->fold, ev->text);
    const struct word_use *use = NULL;
    const char *near;

    /* The whole message counts, and a part of one is not that. */
    if (!ev->incomplete)
        use = words_find(c->words, text);
    if (use)
        return by_word[kind_of(use)](c, ev, use, v);
    if (ev->known->consent != CONSENT_OUT && (near = near_miss(c, ev, text))) {
        verdict_reason(v, "consent: %s, for a person to read", near);
        verdict_effect(v, &(struct store_effect){.kind = EFFECT_FLAG, .n = 1, .value = near});
        v->room = 0; /* nor does the desk answer it */
        return HANDLER_STOP;
    }
    verdict_why(v, "consent: no STOP, START or HELP");
    return HANDLER_NEXT;
}

static enum handler_answer consent_decide(struct handler *h, const struct handler_event *ev,
                                          struct verdict *v, struct walk *walk)
{
    const struct consent *c = container_of(h, struct consent, handler);
    enum handler_answer answer = HANDLER_NEXT;

    (void)walk;
    if (!has_consent(ev)) {
        verdict_why(v, "consent: not asked of this sender");
        return HANDLER_NEXT;
    }
    if (ev->on == ENGINE_ON_MESSAGE)
        answer = read_message(c, ev, v);
    if (answer == HANDLER_NEXT && ev->known->consent == CONSENT_OUT)
        verdict_silence(v, "consent: the sender has opted out");
    return answer;
}
