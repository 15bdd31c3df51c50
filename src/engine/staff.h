/* Departments, people and hours, compiled from gateway.conf: who is there, who is on duty, whose telephone
 * rings. Part of struct program; immutable.
 */
#ifndef SIMGATE_ENGINE_STAFF_H
#define SIMGATE_ENGINE_STAFF_H

#include "base/buf.h"
#include "base/hours.h"
#include "engine/conf.h"
#include "engine/fold.h"

struct problems;

struct department {
    char *name;
    char *folded;        /* for comparing */
    char *modem, *pool;  /* it answers from; "" by the SIM that the customer wrote to */
    struct hours *hours; /* NULL: the business's */
    int64_t first_response_ms, next_response_ms, resolution_ms; /* of business time; 0 none */
};

struct person {
    char *name;
    char *folded;
    char *number;        /* canonical; "" none: no relay */
    bool *departments;   /* staff.ndepartments of them: belongs to it? */
    struct hours *hours; /* NULL: always on duty */
    bool lead;
};

struct staff {
    const struct fold *fold;
    char *country;
    struct zone *zone;   /* of the business */
    struct hours *hours; /* of the business */
    struct zone **zones; /* of departments and people who have their own */
    int nzones;
    struct department *departments;
    int ndepartments;
    struct person *people;
    int npeople;
};

/* All problems are told. fold borrowed. */
void staff_compile(struct staff *s, const struct engine_conf *conf, const struct fold *fold,
                   struct problems *p);
void staff_fini(struct staff *s);

/* By name, whatever its case. NULL: there is none. */
const struct department *staff_department(const struct staff *s, const char *name);
/* By name, whatever its case, or by a beginning that only one person has. NULL: none, or several. */
const struct person *staff_person(const struct staff *s, const char *name);
/* NULL: it is nobody's. `number` canonical, or as the network told it: all of a number, as it is written inside
 * the country at most; some digits in common are nobody's. */
const struct person *staff_by_number(const struct staff *s, const char *number);
bool staff_belongs(const struct staff *s, const struct person *p, const char *department);

/* The hours of a department ("" or unknown: the business's). */
const struct hours *staff_hours(const struct staff *s, const char *department);
bool staff_on_duty(const struct person *p, int64_t wall_ms);

/* Who is told of a conversation: its assignee while on duty, else the people of its department (none: all
 * people) on duty; only those with a number. At most `max`, in the order of gateway.conf; returns how many.
 */
int staff_phones(const struct staff *s, const char *department, const char *assignee, int64_t wall_ms,
                 const struct person **out, int max);
/* Where nobody is on duty: who of these will be first, and when. 0: nobody within a year. */
int staff_next_phones(const struct staff *s, const char *department, int64_t wall_ms, int64_t *at_wall_ms,
                      const struct person **out, int max);
/* Who is told of what is late: leads of the department on duty, else those who are not. */
int staff_leads(const struct staff *s, const char *department, int64_t wall_ms, const struct person **out,
                int max);

/* "Anna, Ben": for errors that say what was expected. */
void staff_names(const struct staff *s, struct buf *out);
void staff_department_names(const struct staff *s, struct buf *out);

#endif
