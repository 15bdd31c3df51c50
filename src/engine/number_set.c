/* Sets of numbers: exact ones and prefixes, found by look-ups, however many there are. See engine/lists.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/number.h"
#include "base/utf8.h"
#include "base/util.h"
#include "engine/lists.h"

enum { ENTRY_BYTES = 64, LINE_BYTES = 200 };

struct entry {
    char key[ENTRY_BYTES]; /* lower case; a prefix without its star */
    bool prefix;
    char *text; /* as it was written */
    UT_hash_handle hh;
};

struct number_set {
    struct entry *numbers, *prefixes; /* by key */
    size_t shortest, longest;         /* of the prefixes */
};

struct number_set *number_set_new(void)
{
    struct number_set *s = calloc(1, sizeof *s);

    if (!s)
        abort();
    s->shortest = ENTRY_BYTES;
    return s;
}

static void entries_free(struct entry **all)
{
    struct entry *e, *next;

    HASH_ITER(hh, *all, e, next)
    {
        HASH_DEL(*all, e);
        free(e->text);
        free(e);
    }
}

void number_set_free(struct number_set *s)
{
    if (!s)
        return;
    entries_free(&s->numbers);
    entries_free(&s->prefixes);
    free(s);
}

static void lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

/* "+49*", "+49 17*", "017*": as numbers are written, and a star. */
static int read_prefix(const char *text, const char *country, char key[ENTRY_BYTES], struct err *e)
{
    char begins[ENTRY_BYTES], prefix[NUMBER_BYTES];
    bool whole = str_copy(begins, sizeof begins, text);

    begins[strlen(begins) - whole] = '\0'; /* the star */
    if (!whole || number_normalise_prefix(begins, country, prefix, NULL) != 0)
        return err_set(e, ERR_INVALID, "\"%.60s\": expected a prefix such as \"+4917*\"", text);
    str_copy(key, ENTRY_BYTES, prefix);
    return 0;
}

/* A sender may be a name (TS 23.040 9.1.2.5). */
static bool is_name(const char *text)
{
    bool letter = false;

    for (const char *c = text; *c; c++)
        letter = letter || isalpha((unsigned char)*c) || (unsigned char)*c >= 0x80;
    return letter && strlen(text) < ENTRY_BYTES && utf8_valid(text, strlen(text));
}

static int read_entry(const char *text, const char *country, char key[ENTRY_BYTES], bool *prefix,
                      struct err *e)
{
    size_t len = strlen(text);
    char number[NUMBER_BYTES];

    *prefix = len > 1 && text[len - 1] == '*';
    if (*prefix)
        return read_prefix(text, country, key, e);
    if (number_normalise(text, country, NUMBER_READ_NATIONAL, number, e) == 0) {
        str_copy(key, ENTRY_BYTES, number);
        return 0;
    }
    if (!is_name(text))
        return ERR_INVALID;
    str_copy(key, ENTRY_BYTES, text);
    lower(key);
    return 0;
}

int number_set_add(struct number_set *s, const char *text, const char *country, struct err *e)
{
    char key[ENTRY_BYTES];
    bool prefix;
    struct entry *have = NULL, *entry;
    int rc = read_entry(text, country, key, &prefix, e);
    size_t len = strlen(key);

    if (rc != 0)
        return rc;
    HASH_FIND_STR(prefix ? s->prefixes : s->numbers, key, have);
    if (have)
        return 0;
    entry = calloc(1, sizeof *entry);
    if (!entry || !(entry->text = strdup(text)))
        abort();
    str_copy(entry->key, sizeof entry->key, key);
    entry->prefix = prefix;
    if (!prefix) {
        HASH_ADD_STR(s->numbers, key, entry);
        return 0;
    }
    HASH_ADD_STR(s->prefixes, key, entry);
    s->shortest = len < s->shortest ? len : s->shortest;
    s->longest = len > s->longest ? len : s->longest;
    return 0;
}

const char *number_set_find(const struct number_set *s, const char *number)
{
    char key[ENTRY_BYTES];
    struct entry *found = NULL;
    size_t len;

    str_copy(key, sizeof key, number);
    lower(key);
    len = strlen(key);
    HASH_FIND(hh, s->numbers, key, len, found);
    for (size_t n = s->shortest; !found && n <= s->longest && n <= len; n++)
        HASH_FIND(hh, s->prefixes, key, n, found);
    return found ? found->text : NULL;
}

int number_set_count(const struct number_set *s)
{
    return (int)(HASH_COUNT(s->numbers) + HASH_COUNT(s->prefixes));
}

void number_set_each(const struct number_set *s, void (*each)(void *owner, const char *number), void *owner)
{
    for (const struct entry *e = s->numbers; e; e = e->hh.next)
        if (number_kind(e->key) != NUMBER_ALPHA)
            each(owner, e->key);
}

/* ---- a file's text --------------------------------------------------------------------------------------
 */

/* What stands in a line, without remarks and white space; "" nothing. False: longer than an entry can be. */
static bool line_entry(const char *at, size_t len, char out[LINE_BYTES])
{
    size_t end = 0;

    while (len > 0 && isspace((unsigned char)*at))
        at++, len--;
    if (len == 0 || *at == '#')
        len = 0;
    while (end < len && at[end] != '\t' && at[end] != ';' && strncmp(at + end, " #", end + 1 < len ? 2 : 3))
        end++;
    while (end > 0 && isspace((unsigned char)at[end - 1]))
        end--;
    if (end >= LINE_BYTES || memchr(at, '\0', end))
        return false;
    memcpy(out, at, end);
    out[end] = '\0';
    return true;
}

int number_set_read(struct number_set *s, const char *text, size_t len, const char *country, struct err *e)
{
    static const char bom[] = "\xEF\xBB\xBF";
    char entry[LINE_BYTES];
    size_t at = len >= 3 && memcmp(text, bom, 3) == 0 ? 3 : 0;

    for (int line = 1; at < len; line++) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t n = end ? (size_t)(end - text) - at : len - at;

        if (!line_entry(text + at, n, entry))
            return err_set(e, ERR_INVALID,
                           "line %d: expected a number, a prefix such as \"+4917*\" or a name", line);
        if (*entry && number_set_add(s, entry, country, e) != 0)
            return err_wrap(e, "line %d", line);
        at += n + 1;
    }
    return 0;
}
