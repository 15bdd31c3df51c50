/* Lists of numbers, and their files. See engine/lists.h.
 *
 * A look at the files is a job of its own memory (struct look): it outlives the lists when a reload replaces
 * them, and is then thrown away. What it read is taken on the loop's thread.
 */
#include "engine/lists.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/number.h"
#include "base/utf8.h"
#include "base/util.h"
#include "engine/program.h"

enum { ENTRY_BYTES = 64, LINE_BYTES = 200, FILE_MOST_BYTES = 32 << 20, LOOK_EVERY_MS = 1000 };

/* ---- sets -----------------------------------------------------------------------------------------------
 */

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

/* "+49*", "+49 17*": digits behind an optional plus. */
static int read_prefix(const char *text, size_t len, char key[ENTRY_BYTES], struct err *e)
{
    size_t n = 0;

    for (size_t i = 0; i < len - 1; i++) {
        if (text[i] == ' ' || text[i] == '-')
            continue;
        if (!isdigit((unsigned char)text[i]) && !(text[i] == '+' && n == 0))
            return err_set(e, ERR_INVALID, "\"%.60s\": expected a prefix such as \"+4917*\"", text);
        if (n == ENTRY_BYTES - 1)
            return err_set(e, ERR_INVALID, "\"%.60s\": too long", text);
        key[n++] = text[i];
    }
    key[n] = '\0';
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
        return read_prefix(text, len, key, e);
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

/* ---- files ----------------------------------------------------------------------------------------------
 */

struct stamp {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec changed;
};

struct list {
    char *name, *path; /* path NULL: it stands in gateway.conf */
    struct number_set *set;
    struct stamp stamp;
    bool broken; /* told */
};

struct lists {
    struct list *all;
    int count;
    bool files;
    char *country, *names;
    int64_t looked_ms; /* monotonic; 0 never */
    struct look *look; /* under way; NULL none */
};

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static int read_all(int fd, struct buf *out, struct err *e)
{
    char block[16384];
    ssize_t n;

    while ((n = read(fd, block, sizeof block)) > 0) {
        if (out->len + (size_t)n > FILE_MOST_BYTES)
            return err_set(e, ERR_TOO_LONG, "over %d MB", FILE_MOST_BYTES >> 20);
        buf_add(out, block, (size_t)n);
    }
    return n < 0 ? err_errno(e, "read") : 0;
}

/* Reads the file if it is another than `have` says: *set is then new, else NULL. */
static int read_file(const char *path, const char *country, struct stamp *have, struct number_set **set,
                     struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = 0;
    struct stat st;
    struct stamp now;
    struct buf text = {0};

    *set = NULL;
    if (fd < 0 || fstat(fd, &st) != 0) {
        rc = err_errno(e, "%s", path);
        if (fd >= 0)
            close(fd);
        return rc;
    }
    now = (struct stamp){st.st_dev, st.st_ino, st.st_size, st.st_mtim};
    if (!same_stamp(&now, have)) {
        *set = number_set_new();
        rc = S_ISREG(st.st_mode) ? read_all(fd, &text, e) : err_set(e, ERR_INVALID, "not a file");
        if (rc == 0)
            rc = number_set_read(*set, buf_str(&text), text.len, country, e);
        if (rc != 0)
            err_wrap(e, "%s", path);
        *have = now;
    }
    close(fd);
    buf_free(&text);
    if (rc != 0) {
        number_set_free(*set);
        *set = NULL;
    }
    return rc;
}

/* ---- lists ----------------------------------------------------------------------------------------------
 */

static char *copy(const char *text)
{
    char *s = strdup(text);

    if (!s)
        abort();
    return s;
}

static void read_inline(struct list *l, const char *text, const char *country, const char *place,
                        struct problems *p)
{
    char *all = copy(text), *save = NULL;
    struct err e = {0};

    for (char *part = strtok_r(all, ",\n", &save); part; part = strtok_r(NULL, ",\n", &save)) {
        part += strspn(part, " \t");
        for (size_t n = strlen(part); n > 0 && isspace((unsigned char)part[n - 1]); n--)
            part[n - 1] = '\0';
        if (*part && number_set_add(l->set, part, country, &e) != 0)
            problem(p, "%s: %s", place, e.text);
    }
    free(all);
}

static void list_compile(struct lists *ls, int index, const struct engine_list_conf *lc, struct problems *p)
{
    struct list *l = &ls->all[index];
    const char *place = lc->place ? lc->place : "lists", *text = lc->text ? lc->text : "";
    struct number_set *read;
    struct err e = {0};

    l->name = copy(lc->name ? lc->name : "");
    l->set = number_set_new();
    if (strncmp(text, "file:", 5) != 0) {
        read_inline(l, text, ls->country, place, p);
        return;
    }
    l->path = copy(text + 5);
    ls->files = true;
    if (*l->path != '/')
        problem(p, "%s: \"%.100s\": expected a path from the root", place, l->path);
    else if (read_file(l->path, ls->country, &l->stamp, &read, &e) != 0)
        problem(p, "%s: %s", place, e.text);
    else if (read) {
        number_set_free(l->set);
        l->set = read;
    }
}

struct lists *lists_new(const struct engine_conf *conf, struct problems *p)
{
    struct lists *ls = calloc(1, sizeof *ls);
    struct buf names = {0};

    if (!ls || !(ls->all = calloc((size_t)conf->nlists + 1, sizeof *ls->all)))
        abort();
    ls->country = copy(conf->country ? conf->country : "");
    for (int i = 0; i < conf->nlists; i++, ls->count++) {
        list_compile(ls, i, &conf->lists[i], p);
        buf_addf(&names, "%s%s", i > 0 ? ", " : "", ls->all[i].name);
    }
    ls->names = copy(buf_str(&names));
    buf_free(&names);
    return ls;
}

int lists_find(const struct lists *l, const char *name)
{
    for (int i = 0; i < l->count; i++)
        if (strcmp(l->all[i].name, name) == 0)
            return i;
    return -1;
}

const struct number_set *lists_set(const struct lists *l, int index)
{
    return l->all[index].set;
}

const char *lists_names(const struct lists *l)
{
    return l->names;
}

/* ---- a look at the files --------------------------------------------------------------------------------
 */

struct look {
    struct rt_work work;
    struct lists *lists; /* NULL: they are gone */
    void (*done)(void *owner);
    void *owner;
    char *country;
    int count;
    struct looked {
        char *path; /* NULL: not a file */
        struct stamp stamp;
        struct number_set *set;
        int status;
        struct err err;
    } files[];
};

static struct look *look_new(struct lists *l)
{
    struct look *k = calloc(1, sizeof *k + (size_t)l->count * sizeof k->files[0]);

    if (!k)
        abort();
    k->lists = l;
    k->country = copy(l->country);
    k->count = l->count;
    for (int i = 0; i < l->count; i++) {
        k->files[i].path = l->all[i].path ? copy(l->all[i].path) : NULL;
        k->files[i].stamp = l->all[i].stamp;
    }
    return k;
}

static void look_free(struct look *k)
{
    for (int i = 0; i < k->count; i++) {
        free(k->files[i].path);
        number_set_free(k->files[i].set);
    }
    free(k->country);
    free(k);
}

/* On another thread: touches nothing but the look itself. */
static void look_run(struct rt_work *w)
{
    struct look *k = container_of(w, struct look, work);

    for (int i = 0; i < k->count; i++) {
        struct looked *f = &k->files[i];

        if (f->path)
            f->status = read_file(f->path, k->country, &f->stamp, &f->set, &f->err);
    }
}

static void take(struct list *l, struct looked *f)
{
    bool changed = !same_stamp(&l->stamp, &f->stamp);

    l->stamp = f->stamp;
    if (f->status != 0) {
        if (changed || !l->broken)
            log_warning("engine", "list %s: %s: it stays as it was", l->name, f->err.text);
        l->broken = true;
        return;
    }
    if (f->set) {
        log_info("engine", "list %s read entries=%d", l->name, number_set_count(f->set));
        number_set_free(l->set);
        l->set = f->set;
        f->set = NULL;
        l->broken = false;
    }
}

static void look_take(struct look *k)
{
    for (int i = 0; i < k->count; i++)
        if (k->files[i].path)
            take(&k->lists->all[i], &k->files[i]);
}

static void look_done(struct rt_work *w, int status)
{
    struct look *k = container_of(w, struct look, work);
    struct lists *l = k->lists;
    void (*done)(void *owner) = k->done;
    void *owner = k->owner;

    if (l && status == 0)
        look_take(k);
    if (l)
        l->look = NULL;
    look_free(k);
    if (l)
        done(owner);
}

bool lists_refresh(struct lists *l, struct rt *rt, void (*done)(void *owner), void *owner)
{
    int64_t now_ms;

    if (!l->files || l->look)
        return l->look != NULL;
    now_ms = rt_now_ms(rt);
    if (l->looked_ms && now_ms - l->looked_ms < LOOK_EVERY_MS)
        return false;
    l->looked_ms = now_ms ? now_ms : 1;
    l->look = look_new(l);
    l->look->done = done;
    l->look->owner = owner;
    l->look->work = (struct rt_work){.run = look_run, .done = look_done};
    if (rt_work(rt, &l->look->work) == 0)
        return true;
    look_free(l->look);
    l->look = NULL;
    return false;
}

void lists_refresh_now(struct lists *l)
{
    struct look *k;

    if (!l->files || l->look)
        return;
    k = look_new(l);
    look_run(&k->work);
    look_take(k);
    look_free(k);
}

void lists_free(struct lists *l)
{
    if (!l)
        return;
    if (l->look)
        l->look->lists = NULL; /* it ends by itself */
    for (int i = 0; i < l->count; i++) {
        free(l->all[i].name);
        free(l->all[i].path);
        number_set_free(l->all[i].set);
    }
    free(l->all);
    free(l->country);
    free(l->names);
    free(l);
}
