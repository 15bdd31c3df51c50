/* The exact median and ninth decile of times, by selection: no time is sorted that need not be. */
#include "store/figures_private.h"

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

static int64_t median(int64_t *v, int n)
{
    int64_t upper, lower;

    select_nth(v, n, n / 2);
    upper = v[n / 2];
    if (n % 2)
        return upper;
    lower = v[0];
    for (int i = 1; i < n / 2; i++)
        lower = v[i] > lower ? v[i] : lower;
    return lower + (upper - lower) / 2;
}

static void spread(int64_t *v, int n, int64_t *count, int64_t *median_ms, int64_t *p90_ms)
{
    int rank = (n * 9 + 9) / 10; /* the nearest rank of 90 in 100, from 1 */

    *count = n;
    *median_ms = *p90_ms = -1;
    if (n == 0)
        return;
    *median_ms = median(v, n);
    select_nth(v, n, rank - 1);
    *p90_ms = v[rank - 1];
}

void figure_spread_of(const struct spread_sample *s, int n, int64_t *v, struct figure_spread *out)
{
    int m = 0;

    for (int i = 0; i < n; i++)
        v[i] = s[i].took;
    spread(v, n, &out->count, &out->median_ms, &out->p90_ms);
    for (int i = 0; i < n; i++)
        if (s[i].business >= 0)
            v[m++] = s[i].business;
    spread(v, m, &out->business_count, &out->business_median_ms, &out->business_p90_ms);
}
