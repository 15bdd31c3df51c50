/* Sets of numbers: in gateway.conf, and lists in files that are read live.
 *
 * Entries are numbers as people write them, prefixes ("+4917*") and senders' names. A file has one a line;
 * lines that begin with '#', and what stands behind a tab, a ';' or " #", are remarks. A file that changed is
 * read when it is next needed (its state is asked at most once a second); one that is broken or gone keeps
 * what it held, and is told of once.
 */
#ifndef SIMGATE_ENGINE_LISTS_H
#define SIMGATE_ENGINE_LISTS_H

#include "base/err.h"
#include "base/rt.h"
#include "engine/conf.h"

struct problems;

/* ---- a set ---- */

struct number_set;

struct number_set *number_set_new(void);
void number_set_free(struct number_set *s);
/* ERR_INVALID. country: calling code, for numbers written nationally; "" none. */
int number_set_add(struct number_set *s, const char *text, const char *country, struct err *e);
/* canonical, as messages have it. The entry that holds it, NULL none. */
const char *number_set_find(const struct number_set *s, const char *number);
int number_set_count(const struct number_set *s);
/* The numbers that can be written to: no prefixes, no names. */
void number_set_each(const struct number_set *s, void (*each)(void *owner, const char *number), void *owner);
/* A file's contents, of `len` bytes; the first wrong line is told. */
int number_set_read(struct number_set *s, const char *text, size_t len, const char *country, struct err *e);

/* ---- lists by name ---- */

struct lists;

/* Reads files at once (blocking: at start, and at a reload those that another configuration that there is has
 * not read as they are). Never NULL. */
struct lists *lists_new(const struct engine_conf *conf, struct problems *p);
void lists_free(struct lists *l);
/* The index of a list, -1 none; "vip" without '@'. */
int lists_find(const struct lists *l, const char *name);
const struct number_set *lists_set(const struct lists *l, int index);
/* For messages of errors: "a, b, c". */
const char *lists_names(const struct lists *l);

/* Reads what has changed, beside the loop, at most once a second. True: that is under way, and `done` comes
 * once, unless the lists are freed before; false: they are fresh. */
bool lists_refresh(struct lists *l, struct rt *rt, void (*done)(void *owner), void *owner);
/* The same at once: for an operator's trial. */
void lists_refresh_now(struct lists *l);

#endif
