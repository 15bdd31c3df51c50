/* Templates that are managed by command: a name, a language ("" any) and a text. */
#ifndef SIMGATE_STORE_TEMPLATES_H
#define SIMGATE_STORE_TEMPLATES_H

#include "store/store.h"

/* Adds, replaces, or (text NULL) takes away. ERR_NOT_FOUND: there is none to take away. */
struct store_put_template {
    struct store_op op;
    const char *name, *language, *text;
    const char *who; /* "ctl:root" */
    int64_t now_wall_ms;
    bool existed; /* out */
};
void store_put_template(struct store *s, struct store_put_template *p);

struct template_row {
    char name[DESK_WORD_BYTES], language[DESK_LANGUAGE_BYTES], who[DESK_WHO_BYTES];
    char *text; /* heap */
    int64_t changed_wall_ms;
};
/* All of them, by name and language. Writer's lane, so that it sees what was put before. */
struct store_templates {
    struct store_op op;
    struct template_row *rows; /* out: heap; the caller gives them to store_templates_clear */
    int count;
};
void store_templates(struct store *s, struct store_templates *t);
void store_templates_clear(struct store_templates *t);
/* The same, blocking: at start only. `op` is not used. */
int store_load_templates(struct store *s, struct store_templates *t, struct err *e);

/* Is there one in the database of this path? False also where that cannot be read. Blocking; needs no store:
 * for a check of gateway.conf. */
bool store_peek_template(const char *path, const char *name);
/* All of them; `op` is not used. */
int store_peek_templates(const char *path, struct store_templates *t, struct err *e);

#endif
