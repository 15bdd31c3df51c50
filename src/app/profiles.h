/* The families of modems, read from files: hw/profiles as installed, then the user's own.
 *
 * One libconfig file per family, NAME.conf; its settings are told in hw/README.md, which is installed beside
 * the files. A later folder's file replaces the file of the same name of an earlier one.
 */
#ifndef SIMGATE_APP_PROFILES_H
#define SIMGATE_APP_PROFILES_H

#include "app/schema.h"
#include "base/buf.h"
#include "modem/profile.h"

struct profiles;

/* Reads the *.conf files of the folders, a NULL-terminated list; one that is not there holds none. Problems
 * are lines in *problems, "FILE:LINE: PATH: what; what was expected". A file with a problem is left out; the
 * file that it was to replace counts then. Never NULL. */
struct profiles *profiles_read(const char *const *folders, struct buf *problems);
void profiles_free(struct profiles *p); /* NULL is allowed */

/* In the order of names, profile_generic last; lives as long as p. */
const struct profile_set *profiles_set(const struct profiles *p);

/* Where a program looks: [0] the installed folder ("../share/simgate/profiles" from the program's own, else
 * "profiles" beside it, else of the PREFIX it was built for), [1] "profiles" beside gateway.conf; for
 * profiles_read(). */
struct profiles_folders {
    const char *list[3]; /* NULL-terminated, into: */
    char installed[4096], own[4096];
};
void profiles_find(struct profiles_folders *f, const char *conf_path);

/* "there is no profile of this name; …" with the names that come near, or all. */
void profiles_unknown(const struct profile_set *set, const char *name, struct buf *out);

/* The table of a file's settings, for the test that compares hw/README.md with it. */
extern const struct schema_group profiles_table;

#endif
