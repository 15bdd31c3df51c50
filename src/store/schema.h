/* Migrations of the schema. Private to store/. */
#ifndef SIMGATE_STORE_SCHEMA_H
#define SIMGATE_STORE_SCHEMA_H

#include "store/db.h"

/* "SMGT": marks the file as ours (PRAGMA application_id). */
enum { SCHEMA_APPLICATION_ID = 0x534D4754 };

extern const char *const schema_migrations[]; /* [n]: from version n to n + 1 */
extern const char schema_desk[];              /* from 1 to 2 */
extern const char schema_queries[];           /* from 2 to 3 */
extern const char schema_restraint[];         /* from 3 to 4 */
extern const char schema_templates[];         /* from 4 to 5 */
extern const char schema_numbers[];           /* from 5 to 6 */
extern const int schema_version;

/* The file's version, checked: ERR_VERSION when newer than `newest`, ERR_INVALID when it is not simgate's.
 * Writes nothing. */
int schema_check(struct store_db *db, int newest, int *version);

/* Brings the file from `version` to `newest`, each step in its own transaction. A file that has data (version
 * over 0) is copied before to "PATH.before-vN-TIME". */
int schema_migrate(struct store_db *db, const char *const *migrations, int newest, int version);

/* An online copy of the connection's database to a new file: checked, synced, and only then given its name.
 * ERR_EXISTS if there is one. */
int db_copy(struct store_db *db, const char *path, int64_t *bytes);

#endif
