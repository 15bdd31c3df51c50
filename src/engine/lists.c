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
#include <utlist.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/util.h"
#include "engine/program.h"

enum { FILE_MOST_BYTES = 32 << 20, LOOK_EVERY_MS = 1000 };

/* ---- files ----------------------------------------------------------------------------------------------
 */

struct stamp {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec changed;
};

/* What a file held when it was read, for all configurations that there are: a reload of gateway.conf does not
 * read a million numbers again that are in memory. The loop's thread only. */
struct held {
    int refs;
    char *path, *country;
    struct stamp stamp;
    struct number_set *set;
    struct held *prev, *next;
};
static struct held *all_held;

struct list {
    char *name, *path;      /* path NULL: it stands in gateway.conf */
    struct number_set *set; /* its own, or that of held */
    struct held *held;
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
        if (rc == 0 || rc == ERR_INVALID || rc == ERR_TOO_LONG) /* what is in it; else it is tried again */
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

/* set is its own then. */
static struct held *held_new(const char *path, const char *country, const struct stamp *stamp,
                             struct number_set *set)
{
    struct held *h = calloc(1, sizeof *h);

    if (!h)
        abort();
    *h = (struct held){.refs = 1, .path = copy(path), .country = copy(country), .stamp = *stamp, .set = set};
    DL_APPEND(all_held, h);
    return h;
}

static void held_drop(struct held *h)
{
    if (--h->refs > 0)
        return;
    DL_DELETE(all_held, h);
    number_set_free(h->set);
    free(h->path);
    free(h->country);
    free(h);
}

/* The newest. */
static struct held *held_find(const char *path, const char *country)
{
    struct held *h, *found = NULL;

    DL_FOREACH(all_held, h)
    {
        if (strcmp(h->path, path) == 0 && strcmp(h->country, country) == 0)
            found = h;
    }
    return found;
}

static void set_free(struct list *l)
{
    if (l->held)
        held_drop(l->held);
    else
        number_set_free(l->set);
    l->held = NULL;
    l->set = NULL;
}

static void hold(struct list *l, struct held *h)
{
    set_free(l);
    l->held = h;
    l->set = h->set;
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
    struct held *held;
    struct err e = {0};

    l->name = copy(lc->name ? lc->name : "");
    l->set = number_set_new();
    if (strncmp(text, "file:", 5) != 0) {
        read_inline(l, text, ls->country, place, p);
        return;
    }
    l->path = copy(text + 5);
    ls->files = true;
    held = held_find(l->path, ls->country);
    if (held)
        l->stamp = held->stamp;
    if (*l->path != '/')
        problem(p, "%s: \"%.100s\": expected a path from the root", place, l->path);
    else if (read_file(l->path, ls->country, &l->stamp, &read, &e) != 0)
        problem(p, "%s: %s", place, e.text);
    else if (read)
        hold(l, held_new(l->path, ls->country, &l->stamp, read));
    else {
        held->refs++;
        hold(l, held);
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

static void take(struct list *l, const char *country, struct looked *f)
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
        hold(l, held_new(l->path, country, &f->stamp, f->set));
        f->set = NULL;
    }
    l->broken = false; /* perhaps gone and back as it was */
}

static void look_take(struct look *k)
{
    for (int i = 0; i < k->count; i++)
        if (k->files[i].path)
            take(&k->lists->all[i], k->country, &k->files[i]);
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
        set_free(&l->all[i]);
    }
    free(l->all);
    free(l->country);
    free(l->names);
    free(l);
}
