/* A set of words and phrases, each with what it stands for: found by one look-up, however many there are. */
#ifndef SIMGATE_ENGINE_WORDS_H
#define SIMGATE_ENGINE_WORDS_H

#include "base/err.h"
#include "engine/fold.h"

/* One of the places where a word is wanted, in the order of words_add. */
struct word_use {
    int owner;        /* rule, kind of consent */
    const char *text; /* as it was configured */
    struct word_use *next;
};

struct words;

struct words *words_new(const struct fold *fold); /* borrowed */
void words_free(struct words *w);

/* Copies text. ERR_INVALID (not UTF-8, nothing in it), ERR_TOO_LONG (over KEYWORD_BYTES); a word that the
 * same owner added before is passed over. */
int words_add(struct words *w, const char *text, int owner, struct err *e);

/* Whether s is one of the words: its uses, NULL none. s as fold_trim or fold_first_word return it. */
const struct word_use *words_find(const struct words *w, struct span s);

#endif
