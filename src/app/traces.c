/* One recorder per modem. Its text gathers in `pending` on the loop's thread; rt_work writes what has
 * gathered, and then what has come meanwhile. The file and its name belong to the work while it runs. A
 * recorder frees itself when its modem is gone and all is written. */
#include "app/traces.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/trace.h"
#include "base/util.h"

#define WHO    "trace"
#define SUFFIX ".trace"

enum {
    PENDING_MAX_BYTES = 1 << 20,
    RETRY_MS = 60000, /* after a failure */
    STAMP_CHARS = 16, /* 20261122T100000Z */
};

struct recorder {
    struct rt *rt;
    char directory[3900], name[64];
    struct modem_trace trace;
    struct buf header; /* begins each file */
    struct buf pending, writing;
    uint64_t left_out; /* bytes there was no room for */
    struct rt_work work;
    bool working, ended;
    int64_t wall_ms; /* for the work: when it was asked for */
    /* the work's own */
    int fd;
    size_t file_bytes;
    struct err failed;
    int64_t retry_ms;
};

/* ---- files: beside the loop ---- */

/* MODEM-20261122T100000Z.trace, or with "-2" behind the time. */
static bool is_ours(const struct recorder *r, const char *file)
{
    size_t name = strlen(r->name), len = strlen(file);

    if (len < name + 1 + STAMP_CHARS + strlen(SUFFIX) || strncmp(file, r->name, name) != 0 ||
        file[name] != '-')
        return false;
    const char *stamp = file + name + 1;
    for (int i = 0; i < STAMP_CHARS; i++) {
        if (i == 8 ? stamp[i] != 'T' : i == 15 ? stamp[i] != 'Z' : !isdigit((unsigned char)stamp[i]))
            return false;
    }
    return strcmp(file + len - strlen(SUFFIX), SUFFIX) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Room for one more file among those that are kept. */
static void remove_old(const struct recorder *r, const char *folder)
{
    struct dirent **list;
    int n = scandir(folder, &list, NULL, by_name), ours = 0;
    char path[4400];

    for (int i = 0; i < n; i++)
        ours += is_ours(r, list[i]->d_name);
    for (int i = 0; i < n; i++) {
        if (is_ours(r, list[i]->d_name) && ours-- >= TRACES_KEPT) {
            snprintf(path, sizeof path, "%s/%s", folder, list[i]->d_name);
            unlink(path);
        }
        free(list[i]);
    }
    if (n >= 0)
        free(list);
}

static void stamp_of(int64_t wall_ms, char stamp[STAMP_CHARS + 1])
{
    time_t s = (time_t)(wall_ms / 1000);
    struct tm tm;

    gmtime_r(&s, &tm);
    strftime(stamp, STAMP_CHARS + 1, "%Y%m%dT%H%M%SZ", &tm);
}

static int open_next(struct recorder *r, struct err *e)
{
    enum { SAME_SECOND_MAX = 9 };
    char folder[4000], path[4400], stamp[STAMP_CHARS + 1];

    snprintf(folder, sizeof folder, "%s/traces", r->directory);
    if (mkdir(folder, 0750) < 0 && errno != EEXIST)
        return err_errno(e, "%s", folder);
    remove_old(r, folder);
    stamp_of(r->wall_ms, stamp);
    for (int i = 1; i <= SAME_SECOND_MAX; i++) {
        snprintf(path, sizeof path, i == 1 ? "%s/%s-%s" SUFFIX : "%s/%s-%s-%d" SUFFIX, folder, r->name, stamp,
                 i);
        r->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
        if (r->fd >= 0 || errno != EEXIST)
            break;
    }
    if (r->fd < 0)
        return err_errno(e, "%s", path);
    r->file_bytes = 0;
    return 0;
}

static int write_all(struct recorder *r, const char *bytes, size_t len, struct err *e)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = write(r->fd, bytes + done, len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "%s/traces", r->directory);
        done += (size_t)n;
    }
    r->file_bytes += len;
    return 0;
}

static void close_file(struct recorder *r)
{
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
}

static void run(struct rt_work *w)
{
    struct recorder *r = container_of(w, struct recorder, work);
    bool new_file = r->fd < 0;

    r->failed = (struct err){0};
    if ((new_file && open_next(r, &r->failed) < 0) ||
        (new_file && write_all(r, r->header.data, r->header.len, &r->failed) < 0) ||
        write_all(r, r->writing.data, r->writing.len, &r->failed) < 0 || r->file_bytes >= TRACES_FILE_BYTES)
        close_file(r);
}

/* ---- on the loop ---- */

static void flush(struct recorder *r);

static void on_written(struct rt_work *w, int status)
{
    struct recorder *r = container_of(w, struct recorder, work);

    (void)status;
    r->working = false;
    buf_clear(&r->writing);
    if (r->failed.code) {
        log_err(WHO, "modem %s: %s: not recorded for a while", r->name, r->failed.text);
        r->retry_ms = rt_now_ms(r->rt) + RETRY_MS;
        buf_clear(&r->pending);
    }
    flush(r);
}

static void recorder_free(struct recorder *r)
{
    close_file(r);
    buf_free(&r->header);
    buf_free(&r->pending);
    buf_free(&r->writing);
    free(r);
}

static void flush(struct recorder *r)
{
    struct buf empty = r->writing;

    if (r->working)
        return;
    if (r->pending.len == 0) {
        if (r->ended)
            recorder_free(r);
        return;
    }
    r->writing = r->pending;
    r->pending = empty;
    r->wall_ms = rt_wall_ms(r->rt);
    r->work = (struct rt_work){.run = run, .done = on_written};
    r->working = rt_work(r->rt, &r->work) == 0;
    if (!r->working)
        buf_clear(&r->writing);
}

static void on_text(struct modem_trace *trace, const char *text, size_t len)
{
    struct recorder *r = container_of(trace, struct recorder, trace);

    if (r->header.len == 0) {
        buf_add(&r->header, text, len);
        return;
    }
    if (rt_now_ms(r->rt) < r->retry_ms)
        return;
    if (r->pending.len + len > PENDING_MAX_BYTES) {
        r->left_out += len;
        return;
    }
    if (r->left_out)
        buf_addf(&r->pending, "# %llu bytes were left out: the disk was too slow\n",
                 (unsigned long long)r->left_out);
    r->left_out = 0;
    buf_add(&r->pending, text, len);
    flush(r);
}

static void on_ended(struct modem_trace *trace)
{
    struct recorder *r = container_of(trace, struct recorder, trace);

    r->ended = true;
    flush(r);
}

void traces_start(struct rt *rt, const char *directory, const char *name, struct modem *m)
{
    struct recorder *r = calloc(1, sizeof *r);

    if (!r)
        abort();
    r->rt = rt;
    r->fd = -1;
    str_copy(r->directory, sizeof r->directory, directory);
    str_copy(r->name, sizeof r->name, name);
    for (char *p = r->name; *p; p++) {
        if (*p == '/')
            *p = '_';
    }
    r->trace.text = on_text;
    r->trace.ended = on_ended;
    modem_trace_start(m, &r->trace);
}
