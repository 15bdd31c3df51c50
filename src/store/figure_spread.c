/* The exact median and ninth decile of gathered times, by selection: no time is sorted that need not be.
 *
 * A year has a hundred thousand times of a kind. They are counted into buckets of a 32nd of an octave first;
 * what is looked for is then selected among the few of its bucket. A time that is not known is -1 and stands
 * before all others. */
#include <stdlib.h>
#include <string.h>

#include "store/figures_private.h"
#include "store/private.h"

/* ---- gathered --------------------------------------------------------------------------------------------
 */

enum { GATHERED_MIN = 4096 };

/* Room for cap times; what there is stays, also when there is no room. */
static int make_room(struct figure_times *t, int cap)
{
    int64_t *took = realloc(t->took, (size_t)cap * sizeof *took), *business;
    int *row;

    if (took)
        t->took = took;
    if ((business = realloc(t->business, (size_t)cap * sizeof *business)))
        t->business = business;
    if ((row = realloc(t->row, (size_t)cap * sizeof *row)))
        t->row = row;
    if (!took || !business || !row)
        return ERR_NOMEM;
    t->cap = cap;
    return ERR_OK;
}

int figure_gather(struct figure_times *t, int64_t took, int64_t business, int row)
{
    if (t->count == t->cap && make_room(t, t->cap ? t->cap * 2 : GATHERED_MIN))
        return ERR_NOMEM;
    t->unordered = t->unordered || (t->count > 0 && row < t->row[t->count - 1]);
    t->took[t->count] = took;
    t->business[t->count] = business;
    t->row[t->count++] = row;
    return ERR_OK;
}

void figure_gather_none(struct figure_times *t)
{
    t->count = 0;
    t->unordered = false;
}

void figure_gather_free(struct figure_times *t)
{
    free(t->took);
    free(t->business);
    free(t->row);
    *t = (struct figure_times){0};
}

/* from[i] is where row i - 1 begins; rows + 2 of them. */
static void find_rows(const struct figure_times *t, int rows, int *from)
{
    memset(from, 0, ((size_t)rows + 3) * sizeof *from);
    for (int i = 0; i < t->count; i++)
        from[t->row[i] + 2]++;
    for (int i = 1; i < rows + 2; i++)
        from[i] += from[i - 1];
}

/* Times stand in the order of their rows; row is not valid any more. */
static int order_by_row(struct figure_times *t, int rows, int *from)
{
    struct figure_times ordered = {.count = t->count};

    find_rows(t, rows, from);
    if (!t->unordered)
        return ERR_OK;
    if (make_room(&ordered, t->cap)) {
        figure_gather_free(&ordered);
        return ERR_NOMEM;
    }
    for (int i = 0; i < t->count; i++) {
        int to = from[t->row[i] + 1]++;

        ordered.took[to] = t->took[i];
        ordered.business[to] = t->business[i];
    }
    memmove(from + 1, from, ((size_t)rows + 2) * sizeof *from);
    from[0] = 0;
    figure_gather_free(t);
    *t = ordered;
    return ERR_OK;
}

/* ---- selected --------------------------------------------------------------------------------------------
 */

/* v[k] becomes what it would be were v sorted; smaller ones stand before it. */
static void select_nth(int64_t *v, int n, int k)
{
    int from = 0, to = n - 1;

    while (from < to) {
        int64_t pivot = v[from + (to - from) / 2];
        int i = from, j = to;

        while (i <= j) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i <= j) {
                int64_t swap = v[i];

                v[i++] = v[j];
                v[j--] = swap;
            }
        }
        if (k <= j)
            to = j;
        else if (k >= i)
            from = i;
        else
            return;
    }
}

enum {
    OCTAVE_BITS = 5,
    OCTAVE = 1 << OCTAVE_BITS,
    BUCKETS = (64 - OCTAVE_BITS) * OCTAVE,
    FEW = 1024, /* are selected among as they are */
};

/* Growing with the time, which is -1 or more. */
static unsigned bucket_of(int64_t ms)
{
    uint64_t v = (uint64_t)ms + 1;
    unsigned octave;

    if (v < OCTAVE)
        return (unsigned)v;
    octave = 63 - (unsigned)__builtin_clzll(v) - OCTAVE_BITS;
    return octave * OCTAVE + (unsigned)(v >> octave);
}

/* Times of which single ones are looked for: those of one bucket stand at the front of v. */
struct picker {
    int64_t *v;
    int n;
    int bucket, before, in; /* the one in front, how many are in lower ones and in it; bucket -1 none yet */
    int counts[BUCKETS];
};

static void pick_from(struct picker *p, int64_t *v, int n)
{
    p->v = v;
    p->n = n;
    if (n <= FEW) {
        p->bucket = 0;
        p->before = 0;
        p->in = n;
        return;
    }
    p->bucket = -1;
    memset(p->counts, 0, sizeof p->counts);
    for (int i = 0; i < n; i++)
        p->counts[bucket_of(v[i])]++;
}

static void bring_to_front(struct picker *p, int k)
{
    unsigned bucket = 0;
    int m = 0;

    for (p->before = 0; k >= p->before + p->counts[bucket]; bucket++)
        p->before += p->counts[bucket];
    for (int i = 0; i < p->n; i++) {
        int64_t here = p->v[i], front = p->v[m];
        bool in = bucket_of(here) == bucket;

        p->v[i] = in ? front : here;
        p->v[m] = in ? here : front;
        m += in;
    }
    p->bucket = (int)bucket;
    p->in = m;
}

/* What v[k] would be were v sorted. */
static int64_t pick(struct picker *p, int k)
{
    if (p->bucket < 0 || k < p->before || k >= p->before + p->in)
        bring_to_front(p, k);
    select_nth(p->v, p->in, k - p->before);
    return p->v[k - p->before];
}

static void spread(int64_t *v, int n, int64_t *count, int64_t *median_ms, int64_t *p90_ms)
{
    struct picker p;
    int64_t lower, upper;
    int unknown = 0, known;

    for (int i = 0; i < n; i++)
        unknown += v[i] < 0;
    known = n - unknown;
    *count = known;
    *median_ms = *p90_ms = -1;
    if (known == 0)
        return;
    pick_from(&p, v, n);
    upper = pick(&p, unknown + known / 2);
    lower = known % 2 ? upper : pick(&p, unknown + known / 2 - 1);
    *median_ms = lower + (upper - lower) / 2;
    *p90_ms = pick(&p, unknown + (known * 9 + 9) / 10 - 1); /* the nearest rank of 90 in 100 */
}

static void spread_of(struct figure_times *t, int from, int to, struct figure_spread *out)
{
    spread(t->took + from, to - from, &out->count, &out->median_ms, &out->p90_ms);
    spread(t->business + from, to - from, &out->business_count, &out->business_median_ms,
           &out->business_p90_ms);
}

int figure_spreads(struct figure_times *t, struct figure_row *rows, int nrows, enum figure_time kind,
                   struct figure_row *total)
{
    int *from = calloc((size_t)nrows + 3, sizeof *from);
    int rc = from ? order_by_row(t, nrows, from) : ERR_NOMEM;

    for (int i = 0; rc == ERR_OK && i < nrows; i++)
        spread_of(t, from[i + 1], from[i + 2], &rows[i].times[kind]);
    if (rc == ERR_OK)
        spread_of(t, 0, t->count, &total->times[kind]);
    free(from);
    return rc;
}
