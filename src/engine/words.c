/* A set of words, hashed by their normal form. See engine/words.h. */
#include "engine/words.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a: the words are short. */
#define HASH_FUNCTION(key, len, hash)                                                                        \
    do {                                                                                                     \
        (hash) = 2166136261u;                                                                                \
        for (size_t hash_i = 0; hash_i < (len); hash_i++)                                                    \
            (hash) = ((hash) ^ (unsigned char)(key)[hash_i]) * 16777619u;                                    \
    } while (0)
#include <uthash.h>

#include "base/utf8.h"

struct word {
    char *normal;
    struct word_use *first, *last;
    UT_hash_handle hh;
};

struct words {
    const struct fold *fold;
    struct word *by_normal;
    size_t longest_bytes; /* of all normal forms: a longer text needs no look-up */
    bool first[256];      /* they begin with this byte: others need none either */
};

struct words *words_new(const struct fold *fold)
{
    struct words *w = calloc(1, sizeof *w);

    if (!w)
        abort();
    w->fold = fold;
    return w;
}

static void word_free(struct word *word)
{
    while (word->first) {
        struct word_use *use = word->first;

        word->first = use->next;
        free((char *)use->text);
        free(use);
    }
    free(word->normal);
    free(word);
}

void words_free(struct words *w)
{
    struct word *word, *next;

    if (!w)
        return;
    HASH_ITER(hh, w->by_normal, word, next)
    {
        HASH_DEL(w->by_normal, word);
        word_free(word);
    }
    free(w);
}

static struct word *word_of(struct words *w, const char *normal, size_t len)
{
    struct word *word = NULL;

    HASH_FIND(hh, w->by_normal, normal, len, word);
    if (word)
        return word;
    word = calloc(1, sizeof *word);
    if (!word || !(word->normal = strndup(normal, len)))
        abort();
    HASH_ADD_KEYPTR(hh, w->by_normal, word->normal, len, word);
    if (len > w->longest_bytes)
        w->longest_bytes = len;
    w->first[(unsigned char)*normal] = true;
    return word;
}

static void word_use(struct word *word, const char *text, int owner)
{
    struct word_use *use;

    for (use = word->first; use; use = use->next)
        if (use->owner == owner)
            return;
    use = calloc(1, sizeof *use);
    if (!use || !(use->text = strdup(text)))
        abort();
    use->owner = owner;
    if (word->last)
        word->last->next = use;
    else
        word->first = use;
    word->last = use;
}

int words_add(struct words *w, const char *text, int owner, struct err *e)
{
    char normal[FOLD_BYTES];
    struct span s = {text, strlen(text)};
    int len;

    if (!utf8_valid(s.at, s.len))
        return err_set(e, ERR_INVALID, "not UTF-8");
    len = fold_normal(w->fold, fold_trim(w->fold, s), normal, KEYWORD_BYTES);
    if (len < 0)
        return err_set(e, ERR_TOO_LONG, "over %d bytes: expected a word or a short phrase", KEYWORD_BYTES);
    if (len == 0)
        return err_set(e, ERR_INVALID, "empty: expected a word or a short phrase");
    word_use(word_of(w, normal, (size_t)len), text, owner);
    return 0;
}

const struct word_use *words_find(const struct words *w, struct span s)
{
    char normal[FOLD_BYTES];
    struct word *word = NULL;
    unsigned char first = fold_first_byte(w->fold, s);
    int len;

    if (first && !w->first[first])
        return NULL;
    len = fold_normal(w->fold, s, normal, w->longest_bytes);
    if (len <= 0)
        return NULL;
    HASH_FIND(hh, w->by_normal, normal, (size_t)len, word);
    return word ? word->first : NULL;
}
