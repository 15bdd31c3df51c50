/* From outgoing/ to the gateway: names that the watch told, walks through the directory, claims, admission;
 * and, once at start, the files that the last life left in checked/.
 *
 *   name | walk -> claim (rename, read, parse: beside the loop) -> gateway_admit -> waits in checked/
 *                                                               -> settle_refuse -> failed/
 *
 * One piece of work is under way at a time, with up to BATCH_MAX files: what comes meanwhile gathers for the
 * next, so that a crowd costs few syncs and a single file waits for nothing. A file that the gateway cannot
 * take now (full disk, full queue) stays claimed and is offered again. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "spool/private.h"

enum {
    WAIT_FIRST_MS = 250, /* files being written: looked at again */
    WAIT_MOST_MS = 60000,
    RETRY_FIRST_MS = 500, /* the gateway was full */
    RETRY_MOST_MS = 30000,
};

/* ---- claims ---- */

static struct claim *claim_new(struct spool *sp, const char *name, bool is_claimed)
{
    struct picker *p = &sp->pick;
    struct claim *c = spool_alloc(sizeof(*c));
    char unique[SPOOL_UNIQUE_BYTES];
    c->sp = sp;
    c->disk.is_claimed = is_claimed;
    if (is_claimed) {
        str_copy(c->disk.claimed, sizeof(c->disk.claimed), name);
        spool_original_name(name, c->disk.name);
    } else {
        str_copy(c->disk.name, sizeof(c->disk.name), name);
        spool_make_unique((uint64_t)rt_wall_ms(sp->rt), sp->life, sp->count++, unique);
        spool_claimed_name(name, unique, c->disk.claimed);
    }
    c->prev = &p->claims;
    c->next = p->claims.next;
    c->next->prev = c;
    p->claims.next = c;
    p->nclaims++;
    return c;
}

static void claim_clear(struct claim *c)
{
    spool_file_clear(&c->disk.file);
    free(c->sends);
    free(c->results);
    free(c->keys);
    free(c->meta);
    free(c);
}

void claim_free(struct claim *c)
{
    struct picker *p = &c->sp->pick;
    c->prev->next = c->next;
    c->next->prev = c->prev;
    p->nclaims--;
    p->bytes -= c->disk.file.body.len;
    claim_clear(c);
}

/* ---- admission ---- */

static void refuse(struct claim *c, const char *reason)
{
    struct spool *sp = c->sp;
    unsigned left_out;
    char name[MSG_SOURCE_BYTES];
    spool_name_to_text(c->disk.name, name, sizeof(name));
    if (log_limit_pass(&sp->pick.log_refused, rt_now_ms(sp->rt), &left_out))
        log_notice(WHO, "refused file=%s reason=\"%s\" not_logged_before=%u", name, reason, left_out);
    settle_refuse(sp, c->disk.claimed, reason);
    claim_free(c);
}

/* Puts smstools3's words in front, where it has some. */
static void name_reason(const struct gateway_admitted *r, const char *to, int n, struct err *out)
{
    *out = r->err;
    if (n > 1)
        err_wrap(out, "%s", to);
    if (strncmp(r->err.text, "pool:", 5) == 0)
        err_wrap(out, "Wrong provider queue");
    if (r->err.code == ERR_TOO_LONG)
        err_wrap(out, "Too long text");
    if (r->err.code == ERR_REFUSED)
        err_wrap(out, "Destination is blacklisted");
}

static void refuse_admission(struct claim *c)
{
    struct err why = {0};
    int i = 0;
    while (i < c->admit.count - 1 && (c->results[i].err.code == 0 || c->results[i].err.code == ERR_CANCELLED))
        i++;
    name_reason(&c->results[i], c->disk.file.to[i], c->admit.count, &why);
    refuse(c, why.text);
}

/* Failures that pass: the file waits. All others are the file's own. */
static bool passes(int status)
{
    static const int codes[] = {ERR_FULL, ERR_IO, ERR_BUSY, ERR_NOMEM, ERR_CORRUPT, ERR_TIMEOUT, ERR_GONE};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (status == codes[i])
            return true;
    return false;
}

static void stick(struct claim *c, int status)
{
    struct spool *sp = c->sp;
    unsigned left_out;
    if (log_limit_pass(&sp->pick.log_failed, rt_now_ms(sp->rt), &left_out))
        log_warning(WHO, "files wait, they cannot be accepted now: %s",
                    *c->results[0].err.text ? c->results[0].err.text : err_name(status));
    c->next_stuck = sp->pick.stuck;
    sp->pick.stuck = c;
    backoff_start(sp, &sp->pick.retry, RETRY_FIRST_MS, RETRY_MOST_MS);
}

static void on_admitted(struct gateway_admit *a, int status)
{
    struct claim *c = container_of(a, struct claim, admit);
    struct spool *sp = c->sp;
    int accepted = 0;
    for (int i = 0; i < a->count; i++)
        accepted += c->results[i].id != 0;
    if (status == ERR_CANCELLED) {
        claim_free(c); /* the next life finds it */
    } else if (passes(status)) {
        stick(c, status);
    } else if (status < 0 || !accepted) {
        refuse_admission(c);
    } else {
        /* durable: the messages are committed; the file waits in checked/ for their outcome. */
        log_debug(WHO, "accepted file=%s messages=%d", c->source, accepted);
        sp->pick.retry.wait_ms = 0;
        claim_free(c);
    }
    pick_go(sp);
}

static char *meta_of(const struct claim *c)
{
    char file[3 * SPOOL_NAME_BYTES];
    spool_name_to_text(c->disk.claimed, file, sizeof(file));
    json_t *o = json_pack("{s:s,s:i}", "file", file, "of", c->disk.file.nto);
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    json_decref(o);
    if (!text)
        abort();
    return text;
}

static void prepare(struct claim *c)
{
    struct spool_file *f = &c->disk.file;
    size_t n = (size_t)f->nto;
    char name[sizeof(c->source) - sizeof(SPOOL_KEY)];
    c->sends = spool_alloc(n * sizeof(*c->sends));
    c->results = spool_alloc(n * sizeof(*c->results));
    c->keys = spool_alloc(n * sizeof(*c->keys));
    c->meta = meta_of(c);
    spool_name_to_text(c->disk.name, name, sizeof(name));
    snprintf(c->source, sizeof(c->source), SPOOL_KEY "%s", name);
    for (int i = 0; i < f->nto; i++) {
        spool_key(spool_unique_of(c->disk.claimed), i, f->nto, c->keys[i]);
        c->sends[i] = f->send;
        c->sends[i].to = f->to[i];
        c->sends[i].source = c->source;
        c->sends[i].key = c->keys[i];
        c->sends[i].meta = c->meta;
    }
}

void pick_admit(struct claim *c)
{
    if (!c->sends)
        prepare(c);
    if (hook_check(c))
        return;
    c->admit = (struct gateway_admit){
        .sends = c->sends, .count = c->disk.file.nto, .results = c->results, .done = on_admitted};
    gateway_admit(c->sp->g, &c->admit);
}

/* The file may have changed: it is read again, as one that an earlier life has claimed. */
static void read_again(struct claim *c)
{
    struct picker *p = &c->sp->pick;
    struct claim *again = claim_new(c->sp, c->disk.claimed, true);
    again->checked = true;
    again->next_stuck = p->again;
    p->again = again;
    claim_free(c);
}

void pick_checked(struct claim *c, int status, const char *reason)
{
    struct spool *sp = c->sp;
    if (sp->stopped || status == ERR_GONE) {
        claim_free(c); /* the next life finds it, if it is there */
    } else if (status == ERR_REFUSED) {
        refuse(c, reason);
    } else if (status < 0) {
        err_set(&c->results[0].err, status, "%s", reason);
        stick(c, status);
    } else {
        read_again(c);
    }
    pick_go(sp);
}

static void retry_stuck(struct spool *sp)
{
    struct claim *c = sp->pick.stuck, *next;
    sp->pick.stuck = NULL;
    for (; c; c = next) {
        next = c->next_stuck;
        pick_admit(c);
    }
}

/* ---- the work ---- */

static void run(struct rt_work *w)
{
    struct spool *sp = container_of(w, struct spool, pick.work);
    struct picker *p = &sp->pick;
    struct disk_claim *disk[BATCH_MAX];
    switch (p->job) {
    case PICK_WALK:
        disk_walk_outgoing(&p->walk, sp->dir, WALK_MAX, p->now_wall_ms);
        return;
    case PICK_RECHECK:
        disk_walk_checked(&p->recheck, sp->dir, WALK_MAX);
        return;
    case PICK_CLAIM:
        break;
    }
    for (int i = 0; i < p->nbatch; i++)
        disk[i] = &p->batch[i]->disk;
    disk_claim(sp->dir, disk, p->nbatch);
}

static void claimed(struct claim *c)
{
    struct spool *sp = c->sp;
    unsigned left_out;
    sp->pick.bytes += c->disk.file.body.len;
    switch (c->disk.verdict) {
    case DISK_GONE:
        claim_free(c);
        return;
    case DISK_FAILED:
        if (log_limit_pass(&sp->pick.log_failed, rt_now_ms(sp->rt), &left_out))
            log_err(WHO, "outgoing: %s", c->disk.err.text);
        sp->pick.waiting++;
        claim_free(c);
        return;
    case DISK_WAIT:
        sp->pick.waiting++;
        claim_free(c);
        return;
    case DISK_REFUSED:
        refuse(c, c->disk.err.text);
        return;
    case DISK_READ:
        break;
    }
    if (c->disk.is_claimed)
        settle_recheck(c);
    else
        pick_admit(c);
}

static void walk_failed(struct spool *sp, const struct disk_walk *w)
{
    unsigned left_out;
    if (w->rc < 0 && log_limit_pass(&sp->pick.log_failed, rt_now_ms(sp->rt), &left_out))
        log_err(WHO, "%s", w->err.text);
}

static void done(struct rt_work *w, int status)
{
    struct spool *sp = container_of(w, struct spool, pick.work);
    struct picker *p = &sp->pick;
    p->busy = false;
    if (p->job == PICK_CLAIM) {
        int n = p->nbatch;
        p->nbatch = 0;
        for (int i = 0; i < n; i++) {
            if (status < 0 || sp->stopped)
                claim_free(p->batch[i]); /* moved or not, the next life finds it */
            else
                claimed(p->batch[i]);
        }
    } else if (p->job == PICK_WALK) {
        p->walk_at = 0;
        walk_failed(sp, &p->walk);
    } else {
        p->recheck_at = 0;
        walk_failed(sp, &p->recheck);
    }
    pick_go(sp);
}

/* ---- what comes next ---- */

static struct claim *next_name(struct spool *sp)
{
    struct picker *p = &sp->pick;
    struct name *n = p->names;
    if (!n)
        return NULL;
    p->names = n->next;
    if (!p->names)
        p->names_end = &p->names;
    p->nnames--;
    struct claim *c = claim_new(sp, n->text, false);
    free(n);
    return c;
}

static struct claim *next_checked(struct spool *sp)
{
    struct claim *c = sp->pick.again;
    if (c)
        sp->pick.again = c->next_stuck;
    return c;
}

static struct claim *next_walked(struct spool *sp)
{
    struct picker *p = &sp->pick;
    return p->walk_at < p->walk.nfound ? claim_new(sp, p->walk.found[p->walk_at++].name, false) : NULL;
}

/* Files of this life are passed over: they are under way. */
static struct claim *next_left(struct spool *sp)
{
    struct picker *p = &sp->pick;
    char life[SPOOL_LIFE_DIGITS + 1];
    spool_base36(life, sp->life, SPOOL_LIFE_DIGITS);
    while (p->recheck_at < p->recheck.nfound) {
        const char *name = p->recheck.found[p->recheck_at++].name;
        if (memcmp(spool_unique_of(name) + SPOOL_TIME_DIGITS, life, SPOOL_LIFE_DIGITS) != 0)
            return claim_new(sp, name, true);
    }
    return NULL;
}

/* From each source in turn, so that none waits for another. */
static bool fill_batch(struct spool *sp)
{
    static struct claim *(*const sources[])(struct spool *) = {next_checked, next_name, next_walked,
                                                               next_left};
    struct picker *p = &sp->pick;
    size_t empty = 0;
    for (size_t i = 0; empty < ARRAY_LEN(sources) && p->nbatch < BATCH_MAX; i++) {
        struct claim *c = sources[i % ARRAY_LEN(sources)](sp);
        empty = c ? 0 : empty + 1;
        if (c)
            p->batch[p->nbatch++] = c;
    }
    return p->nbatch > 0;
}

static void begin(struct spool *sp, int job)
{
    struct picker *p = &sp->pick;
    p->job = job;
    p->now_wall_ms = rt_wall_ms(sp->rt);
    p->busy = true;
    if (rt_work(sp->rt, &p->work) == 0)
        return;
    /* No memory at the moment; files that were to be claimed are found by the next walk. */
    p->busy = false;
    for (; p->nbatch; p->nbatch--)
        claim_free(p->batch[p->nbatch - 1]);
    p->waiting++;
}

/* All that was found is claimed: reads on, or ends. True if there is work. */
static bool walk_on(struct spool *sp)
{
    struct picker *p = &sp->pick;
    if (p->rechecking && p->recheck.ended) {
        p->rechecking = false;
        disk_walk_end(&p->recheck);
        p->recheck_at = 0;
    }
    if (p->walking && p->walk.ended) {
        p->walking = false;
        p->waiting += p->walk.waiting;
        disk_walk_end(&p->walk);
        p->walk_at = 0;
    }
    if (!p->walking && p->walk_wanted) {
        p->walk_wanted = false;
        p->walking = true;
    }
    if (!p->walking && !p->rechecking)
        return false;
    begin(sp, p->rechecking ? PICK_RECHECK : PICK_WALK);
    return true;
}

void pick_go(struct spool *sp)
{
    struct picker *p = &sp->pick;
    if (sp->stopped || p->busy || p->stuck)
        return;
    if (!p->again && (p->nclaims >= CLAIMS_MAX || p->bytes > CLAIMS_BYTES))
        return;
    if (fill_batch(sp))
        begin(sp, PICK_CLAIM);
    else if (!walk_on(sp) && p->waiting) {
        p->waiting = 0;
        backoff_start(sp, &p->wait, WAIT_FIRST_MS, WAIT_MOST_MS);
    }
}

void pick_kick(struct spool *sp, const char *name)
{
    struct picker *p = &sp->pick;
    p->wait.wait_ms = 0; /* something happens: what waits is looked at sooner */
    if (!name || p->nnames >= NAMES_MAX) {
        p->walk_wanted = true;
    } else if (!spool_ignored_name(name)) {
        struct name *n = spool_alloc(sizeof(*n) + strlen(name) + 1);
        memcpy(n->text, name, strlen(name) + 1);
        *p->names_end = n;
        p->names_end = &n->next;
        p->nnames++;
    }
    pick_go(sp);
}

void pick_tick(struct spool *sp, int64_t now_ms)
{
    struct picker *p = &sp->pick;
    if (p->wait.at_ms <= now_ms) {
        p->wait.at_ms = RT_NEVER;
        p->walk_wanted = true;
    }
    if (p->retry.at_ms <= now_ms) {
        p->retry.at_ms = RT_NEVER;
        retry_stuck(sp);
    }
    pick_go(sp);
}

void pick_start(struct spool *sp)
{
    struct picker *p = &sp->pick;
    p->claims.next = p->claims.prev = &p->claims;
    p->names_end = &p->names;
    p->work = (struct rt_work){.run = run, .done = done};
    backoff_reset(&p->wait);
    backoff_reset(&p->retry);
    p->rechecking = p->walk_wanted = true;
    pick_go(sp);
}

void pick_free(struct spool *sp)
{
    struct picker *p = &sp->pick;
    for (struct claim *c = p->claims.next, *next; c != &p->claims; c = next) {
        next = c->next;
        claim_clear(c);
    }
    for (struct name *n = p->names, *next; n; n = next) {
        next = n->next;
        free(n);
    }
    disk_walk_end(&p->walk);
    disk_walk_end(&p->recheck);
}
