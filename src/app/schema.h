/* gateway.conf to typed structs, by table: name, type, bounds, default, place in the struct.
 *
 * Every error is reported, all in one pass, as "FILE:LINE: PATH: what is wrong; what was expected". An
 * unknown key is an error with the nearest known one as a suggestion. The only file that knows libconfig is
 * schema.c.
 */
#ifndef SIMGATE_APP_SCHEMA_H
#define SIMGATE_APP_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum schema_type {
    SCHEMA_STRING,   /* const char * */
    SCHEMA_BOOL,     /* bool */
    SCHEMA_TRISTATE, /* int: 0 not given, 1 true, 2 false */
    SCHEMA_INT,      /* int */
    SCHEMA_DURATION, /* int64_t, milliseconds; "90s", "15m", "2h", "3d", "1w" or seconds */
    SCHEMA_ENUM,     /* int, one of `names` */
    SCHEMA_STRINGS,  /* const char *const *, NULL-terminated; NULL when not given */
    SCHEMA_GROUP,    /* an embedded struct of `group` */
    SCHEMA_LIST,     /* a pointer to structs of `group`, and their number (int) at `count_offset` */
    SCHEMA_TEXTS,    /* as LIST: a group of NAME = "text" with names that the user chooses */
    SCHEMA_VARIANTS, /* the same, where a text may also be a group of VARIANT = "text", each one an element,
                        and NUMBER_NAME = 3 for all of them, NUMBER_NAME being the key's only name */
    SCHEMA_FLAGS,    /* unsigned: a list of texts of `names`, bit = index */
    SCHEMA_PARSED,   /* whatever `parse` makes of a text or number; untouched when not given */
};

struct schema;
struct schema_group;

/* Reads a text into `at`, whose type the table's owner knows. NULL, or what was expected. */
typedef const char *schema_parse(struct schema *s, const char *text, void *at);

struct schema_key {
    const char *name;
    enum schema_type type;
    size_t offset, count_offset;
    const char *def;          /* as it would be written; NULL: 0, NULL or "" */
    int64_t min, max;         /* INT: value; STRING: bytes; DURATION: milliseconds; 0, 0 = not bounded */
    const char *const *names; /* ENUM: NULL-terminated, index = value */
    schema_parse *parse;      /* PARSED; STRINGS: a look at each element, with at = NULL; NULL: any text */
    const struct schema_group *group;
    bool required;
    const char *help; /* one line for the manual page */
};

struct schema_group {
    const struct schema_key *keys;
    size_t nkeys;
    size_t size;         /* of the struct */
    size_t place_offset; /* const char *: "FILE:LINE: PATH", for later checks; SCHEMA_NO_PLACE */
};
#define SCHEMA_NO_PLACE SIZE_MAX

/* For SCHEMA_TEXTS and SCHEMA_VARIANTS: the struct of its elements. */
struct schema_text {
    const char *name, *text, *place;
    const char *variant; /* "" where it is no group */
    int number;          /* 0 not given */
};

/* Owns the memory of everything that was read. */
struct schema *schema_new(void);
/* Where the settings are told, for messages; gateway.conf(5) if not said. */
void schema_set_manual(struct schema *s, const char *manual);
void schema_free(struct schema *s);

/* Reads the file into `out` (of root->size bytes). Returns the number of problems, each a line in *problems;
 * negative when the file could not be read as a whole, so that nothing is in `out` but defaults. */
int schema_read(struct schema *s, const char *path, const struct schema_group *root, void *out,
                struct buf *problems);

/* Is the setting of this path, "modems[0].port", written in the file? */
bool schema_wrote(const struct schema *s, const char *path);
/* "FILE:LINE: PATH" for a check made after reading: the line of the setting, or of what it stands in. Lives
 * as long as s. */
const char *schema_place(struct schema *s, const char *path);

/* How many letters must change to make one of the other (for suggestions); short names only. */
size_t schema_distance(const char *a, const char *b);
enum { SCHEMA_NEAR = 3 }; /* at most so many: a slip of the pen */

/* Do two structs of this group hold the same settings? (Lists and parsed values are not
 * compared: their groups hold none.) */
bool schema_same(const struct schema_group *g, const void *a, const void *b);

/* Memory that lives as long as s. */
void *schema_alloc(struct schema *s, size_t size);
const char *schema_strdup(struct schema *s, const char *text);

#endif
