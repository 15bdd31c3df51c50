/* What the files of the policy share: policy.c, quiet.c and their tables. Nobody outside includes this. */
#ifndef SIMGATE_GATEWAY_POLICY_PRIVATE_H
#define SIMGATE_GATEWAY_POLICY_PRIVATE_H

#include "base/number.h"
#include "gateway/policy.h"

/* ---- beginnings of numbers ---- */

/* "+49*": all that begin with it; without the star: this one. */
struct prefix {
    char text[NUMBER_BYTES];
    size_t len;
    bool whole;
};
struct prefixes {
    struct prefix *list; /* NULL: any number */
    int count;
};
bool prefixes_hold(const struct prefixes *p, const char *number);
/* The length of the longest that fits; -1 none does. */
int prefixes_longest(const struct prefixes *p, const char *number);
void prefixes_free(struct prefixes *p);

/* ---- compiling ---- */

/* NULL stays NULL; the copy ends with policy_free_list(). */
const char *const *policy_copy_list(const char *const *list);
void policy_free_list(const char *const *list);

struct policy_problems {
    void (*tell)(void *owner, const char *text);
    void *owner;
    int count;
};
void policy_problem(struct policy_problems *pp, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Those that are none are told as "PLACE.KEY[i]: …" and left out. */
void prefixes_compile(struct prefixes *out, const char *const *list, const char *place, const char *key,
                      struct policy_problems *pp);

/* ---- the well-known premium ranges: premium.c ---- */

struct premium_range {
    const char *prefix; /* "+49900" */
    const char *what;   /* "Germany 0900" */
};
extern const struct premium_range premium_ranges[];
extern const int premium_range_count;

/* ---- quiet hours: quiet.c ---- */

struct quiet;
struct quiet *quiet_new(const struct quiet_conf *conf, struct policy_problems *pp);
void quiet_free(struct quiet *q);
int64_t quiet_until(struct quiet *q, const char *to, int64_t wall_ms, char words[160]);

/* ---- where numbers are: quiet_zones.c ---- */

/* By the digits behind '+', the longest that fits; zones parted by commas. */
struct country_zones {
    const char *digits, *zones;
};
extern const struct country_zones country_zones[];
extern const int country_zones_count;
/* Area codes of the North American Numbering Plan, parted by spaces; state "" outside of the United States.
 */
struct area_zones {
    const char *state, *zones, *areas;
};
extern const struct area_zones area_zones[];
extern const int area_zones_count;
/* States whose hours differ from the federal ones (47 CFR 64.1200(c)(1): 8 to 21). */
struct state_hours {
    const char *state;
    const char *hours[3]; /* NULL-terminated, as hours_new() */
};
extern const struct state_hours state_hours[];
extern const int state_hours_count;

#endif
