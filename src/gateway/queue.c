/* The queue's index; see queue.h. Owns its entries, routes, senders and names. Cannot fail: without memory
 * the process ends (the sizes are bounded by queue_max).
 *
 *   entries   a hash by id
 *   heap      every put entry by the next time at which something happens to it
 *   routes    per route and priority a ring of groups, one per sender; per group its entries by due time, id
 */
#include "gateway/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

struct queue_name {
    struct queue_name *next;
    char text[];
};

struct queue_sender {
    struct queue_sender *next;
    uint64_t served; /* turn at which it was served last */
    uint32_t entries;
    char name[];
};

struct queue_group {
    struct queue_group *next, *prev; /* ring of the route's senders */
    struct queue_route *route;
    struct queue_sender *sender;
    struct queue_entry *head, *tail;
    uint8_t priority;
};

enum { FIRST_BUCKETS = 64 };

/* Doors that name each message's own file behind the colon: one sender all the same, whose order is kept. */
static const char *const one_sender_doors[] = {"spool:"};

static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

void queue_init(struct queue *q)
{
    *q = (struct queue){.nbuckets = FIRST_BUCKETS};
    q->buckets = must(calloc(q->nbuckets, sizeof(*q->buckets)));
}

static void free_entries(struct queue *q)
{
    for (uint32_t i = 0; i < q->nbuckets; i++) {
        while (q->buckets[i]) {
            struct queue_entry *e = q->buckets[i];
            q->buckets[i] = e->hash_next;
            free(e);
        }
    }
    free(q->buckets);
    free(q->heap);
}

static void free_route(struct queue_route *r)
{
    for (int p = 0; p < QUEUE_PRIORITIES; p++) {
        if (r->ring[p])
            r->ring[p]->prev->next = NULL;
        while (r->ring[p]) {
            struct queue_group *g = r->ring[p];
            r->ring[p] = g->next;
            free(g);
        }
    }
    free(r);
}

void queue_fini(struct queue *q)
{
    free_entries(q);
    while (q->routes) {
        struct queue_route *r = q->routes;
        q->routes = r->next;
        free_route(r);
    }
    while (q->senders) {
        struct queue_sender *s = q->senders;
        q->senders = s->next;
        free(s);
    }
    while (q->names) {
        struct queue_name *n = q->names;
        q->names = n->next;
        free(n);
    }
    *q = (struct queue){0};
}

/* ---- names and senders ---- */

const char *queue_name(struct queue *q, const char *text)
{
    if (!text || !*text)
        return "";
    for (struct queue_name *n = q->names; n; n = n->next)
        if (strcmp(n->text, text) == 0)
            return n->text;
    size_t size = strlen(text) + 1;
    struct queue_name *n = must(malloc(sizeof(*n) + size));
    memcpy(n->text, text, size);
    n->next = q->names;
    q->names = n;
    return n->text;
}

static size_t sender_length(const char *source)
{
    for (size_t i = 0; i < ARRAY_LEN(one_sender_doors); i++)
        if (strncmp(source, one_sender_doors[i], strlen(one_sender_doors[i])) == 0)
            return strlen(one_sender_doors[i]);
    return strlen(source);
}

static struct queue_sender *sender_get(struct queue *q, const char *source)
{
    size_t len = sender_length(source);
    for (struct queue_sender *s = q->senders; s; s = s->next)
        if (strncmp(s->name, source, len) == 0 && s->name[len] == '\0')
            return s;
    struct queue_sender *s = must(calloc(1, sizeof(*s) + len + 1));
    memcpy(s->name, source, len);
    s->next = q->senders;
    q->senders = s;
    return s;
}

/* Senders come and go; one with nothing in the queue has no turn to wait for. */
static void sender_drop(struct queue *q, struct queue_sender *s)
{
    if (--s->entries > 0)
        return;
    struct queue_sender **at = &q->senders;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    free(s);
}

/* ---- the hash ---- */

static struct queue_entry **bucket(const struct queue *q, int64_t id)
{
    return &q->buckets[(uint64_t)id & (q->nbuckets - 1)];
}

static void grow_buckets(struct queue *q)
{
    struct queue_entry **old = q->buckets;
    uint32_t n = q->nbuckets;
    q->nbuckets = 2 * n;
    q->buckets = must(calloc(q->nbuckets, sizeof(*q->buckets)));
    for (uint32_t i = 0; i < n; i++) {
        while (old[i]) {
            struct queue_entry *e = old[i];
            old[i] = e->hash_next;
            e->hash_next = *bucket(q, e->id);
            *bucket(q, e->id) = e;
        }
    }
    free(old);
}

struct queue_entry *queue_new(struct queue *q, int64_t id, const char *source)
{
    if (q->nentries >= q->nbuckets)
        grow_buckets(q);
    struct queue_entry *e = must(calloc(1, sizeof(*e)));
    *e = (struct queue_entry){.id = id,
                              .expires_ms = RT_NEVER,
                              .imsi = "",
                              .modem = "",
                              .pool = "",
                              .avoid = "",
                              .parts = 1,
                              .next_seq = 1,
                              .priority = 1};
    e->sender = sender_get(q, source ? source : "");
    e->sender->entries++;
    e->hash_next = *bucket(q, id);
    *bucket(q, id) = e;
    q->nentries++;
    return e;
}

struct queue_entry *queue_find(const struct queue *q, int64_t id)
{
    struct queue_entry *e = *bucket(q, id);
    while (e && e->id != id)
        e = e->hash_next;
    return e;
}

void queue_free(struct queue *q, struct queue_entry *e)
{
    queue_take(q, e);
    struct queue_entry **at = bucket(q, e->id);
    while (*at != e)
        at = &(*at)->hash_next;
    *at = e->hash_next;
    q->nentries--;
    sender_drop(q, e->sender);
    free(e);
}

/* ---- the heap ---- */

/* When something happens to a put entry by time alone. */
static int64_t wake_of(const struct queue_entry *e)
{
    int64_t at = e->group ? RT_NEVER : e->due_ms;
    if (e->group && e->prefer_until_ms)
        at = e->prefer_until_ms;
    return at < e->expires_ms ? at : e->expires_ms;
}

/* Of many for one time the older first: so they come to their places in the order in which they stand there.
 */
static bool sooner(const struct queue_entry *a, const struct queue_entry *b)
{
    int64_t at_a = wake_of(a), at_b = wake_of(b);
    return at_a != at_b ? at_a < at_b : a->id < b->id;
}

static void heap_set(struct queue *q, uint32_t i, struct queue_entry *e)
{
    q->heap[i] = e;
    e->heap_at = i + 1;
}

static void heap_up(struct queue *q, uint32_t i, struct queue_entry *e)
{
    while (i > 0 && sooner(e, q->heap[(i - 1) / 2])) {
        heap_set(q, i, q->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    heap_set(q, i, e);
}

static void heap_down(struct queue *q, uint32_t i, struct queue_entry *e)
{
    for (uint32_t child; (child = 2 * i + 1) < q->heap_len; i = child) {
        if (child + 1 < q->heap_len && sooner(q->heap[child + 1], q->heap[child]))
            child++;
        if (!sooner(q->heap[child], e))
            break;
        heap_set(q, i, q->heap[child]);
    }
    heap_set(q, i, e);
}

static void heap_add(struct queue *q, struct queue_entry *e)
{
    if (q->heap_len == q->heap_cap) {
        q->heap_cap = q->heap_cap ? 2 * q->heap_cap : FIRST_BUCKETS;
        q->heap = must(realloc(q->heap, q->heap_cap * sizeof(*q->heap)));
    }
    heap_up(q, q->heap_len++, e);
}

static void heap_remove(struct queue *q, struct queue_entry *e)
{
    uint32_t i = e->heap_at - 1;
    e->heap_at = 0;
    struct queue_entry *last = q->heap[--q->heap_len];
    if (last == e)
        return;
    if (i > 0 && sooner(last, q->heap[(i - 1) / 2]))
        heap_up(q, i, last);
    else
        heap_down(q, i, last);
}

int64_t queue_wake_ms(const struct queue *q)
{
    return q->heap_len ? wake_of(q->heap[0]) : RT_NEVER;
}

/* ---- routes and groups ---- */

static struct queue_route *route_get(struct queue *q, struct queue_route want)
{
    for (struct queue_route *r = q->routes; r; r = r->next)
        if (r->imsi == want.imsi && r->modem == want.modem && r->pool == want.pool &&
            r->avoid == want.avoid && r->cheapest == want.cheapest)
            return r;
    struct queue_route *r = must(malloc(sizeof(*r)));
    *r = want;
    r->next = q->routes;
    q->routes = r;
    q->new_routes = true;
    return r;
}

struct queue_route *queue_route_of(struct queue *q, const struct queue_entry *e)
{
    struct queue_route want = {.imsi = "", .modem = "", .pool = "", .avoid = ""};
    if (*e->imsi)
        want.imsi = e->imsi;
    else if (*e->modem)
        want.modem = e->modem;
    else {
        want.pool = e->pool;
        want.avoid = e->avoid;
        want.cheapest = e->cheapest;
    }
    return route_get(q, want);
}

static struct queue_group *group_get(struct queue_route *r, uint8_t priority, struct queue_sender *sender)
{
    struct queue_group *first = r->ring[priority];
    struct queue_group *g = first;
    while (g && g->sender != sender)
        g = g->next == first ? NULL : g->next;
    if (g)
        return g;
    g = must(calloc(1, sizeof(*g)));
    *g = (struct queue_group){.route = r, .sender = sender, .priority = priority, .next = g, .prev = g};
    if (!first) {
        g->next = g->prev = g;
        r->ring[priority] = g;
        return g;
    }
    g->next = first; /* behind all that wait already */
    g->prev = first->prev;
    first->prev->next = g;
    first->prev = g;
    return g;
}

static void group_drop(struct queue_group *g)
{
    struct queue_group **first = &g->route->ring[g->priority];
    if (*first == g)
        *first = g->next == g ? NULL : g->next;
    g->next->prev = g->prev;
    g->prev->next = g->next;
    free(g);
}

static bool before(const struct queue_entry *a, const struct queue_entry *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->id < b->id;
}

static void link_after(struct queue_group *g, struct queue_entry *at, struct queue_entry *e)
{
    e->prev = at;
    e->next = at ? at->next : g->head;
    *(e->next ? &e->next->prev : &g->tail) = e;
    *(at ? &at->next : &g->head) = e;
}

/* New messages belong at the tail and returned ones near the head: both ends are looked at first. */
static void group_add(struct queue_group *g, struct queue_entry *e)
{
    struct queue_entry *at = g->tail;
    if (g->head && before(e, g->head))
        at = NULL;
    while (at && before(e, at))
        at = at->prev;
    link_after(g, at, e);
    e->group = g;
    g->route->count++;
}

static void group_remove(struct queue_entry *e)
{
    struct queue_group *g = e->group;
    *(e->prev ? &e->prev->next : &g->head) = e->next;
    *(e->next ? &e->next->prev : &g->tail) = e->prev;
    e->next = e->prev = NULL;
    e->group = NULL;
    g->route->count--;
    if (!g->head)
        group_drop(g);
}

/* ---- moves ---- */

/* The time of its wish is over: lasts the wish all the same? */
static bool wish_lasts(const struct queue *q, struct queue_entry *e, int64_t now_ms)
{
    if (!q->wish_lasts || !q->wish_lasts(q->owner, e))
        return false;
    e->prefer_until_ms = now_ms + QUEUE_WISH_MS;
    return true;
}

void queue_put(struct queue *q, struct queue_entry *e, int64_t now_ms)
{
    if (e->prefer_until_ms && e->prefer_until_ms <= now_ms && !wish_lasts(q, e, now_ms)) {
        e->prefer_until_ms = 0;
        e->modem = "";
    }
    if (e->due_ms <= now_ms)
        group_add(group_get(queue_route_of(q, e), e->priority, e->sender), e);
    else
        q->waiting++;
    heap_add(q, e);
}

void queue_take(struct queue *q, struct queue_entry *e)
{
    if (!queue_is_put(e))
        return;
    heap_remove(q, e);
    if (e->group)
        group_remove(e);
    else
        q->waiting--;
}

struct queue_entry *queue_tick(struct queue *q, int64_t now_ms)
{
    while (q->heap_len && wake_of(q->heap[0]) <= now_ms) {
        struct queue_entry *e = q->heap[0];
        if (e->group && e->expires_ms > now_ms && wish_lasts(q, e, now_ms)) { /* it keeps its place */
            heap_remove(q, e);
            heap_add(q, e);
            continue;
        }
        queue_take(q, e);
        if (e->expires_ms <= now_ms)
            return e;
        queue_put(q, e, now_ms);
    }
    return NULL;
}

struct queue_entry *queue_next(struct queue_route *const routes[], int n)
{
    for (int p = QUEUE_PRIORITIES - 1; p >= 0; p--) {
        struct queue_group *best = NULL;
        for (int i = 0; i < n; i++) {
            struct queue_group *g = routes[i]->passed_over ? NULL : routes[i]->ring[p];
            if (g && (!best || g->sender->served < best->sender->served))
                best = g;
        }
        if (best)
            return best->head;
    }
    return NULL;
}

void queue_serve(struct queue *q, struct queue_entry *e)
{
    struct queue_group *g = e->group;
    g->sender->served = ++q->served;
    if (g->route->ring[g->priority] == g)
        g->route->ring[g->priority] = g->next;
    queue_take(q, e);
}

int queue_heads(const struct queue_route *r, struct queue_entry **out, int max)
{
    int n = 0;
    for (int p = QUEUE_PRIORITIES - 1; p >= 0; p--) {
        struct queue_group *g = r->ring[p];
        for (struct queue_group *first = g; g; g = g->next == first ? NULL : g->next)
            for (struct queue_entry *e = g->head; e && n < max; e = e->next)
                out[n++] = e;
    }
    return n;
}
