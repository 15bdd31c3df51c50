/* Taking things out of the store for good: what erasing and retention share. Private to store/. */
#ifndef SIMGATE_STORE_REMOVE_H
#define SIMGATE_STORE_REMOVE_H

#include "store/private.h"

/* Before anything is taken out: the ids that were given are written down, for others know things by them. */
int ids_keep(struct store_db *db);
/* A message with its parts, history, reports and raw PDUs. `state`: its own, for the tally. */
int message_remove(struct store_db *db, int64_t id, int state);
/* Behind some of them: what waited to be told of messages that are gone. */
int messages_sweep(struct store_db *db);
/* Names and titles that are gone leave their words in old segments of the index until these are written anew:
 * some pages of it; *more: call again. */
int words_scrub(struct store_db *db, int pages, bool *more);
/* The keyed hash under which an erased number's opt-out is kept. */
int consent_hash(struct store_db *db, const char *number, int64_t *out);

#endif
