/* Tells when a file that is complete has come into a directory: moved in, hard-linked in, or closed after
 * writing. On the loop's thread, by inotify(7). */
#ifndef SIMGATE_OS_DIRWATCH_H
#define SIMGATE_OS_DIRWATCH_H

#include "base/err.h"

struct uv_loop_s; /* uv_loop_t */
struct dirwatch;

/* name: of the file, without the directory, borrowed for the call; the file may be gone again by then, and
 * may be told more than once. NULL: anything may have happened (events were lost, or the directory vanished):
 * look for yourself, and call dirwatch_renew() now and then. */
typedef void (*dirwatch_event)(void *owner, const char *name);

/* 0, or a negative code with the reason in *e. Files that are there already are not told. */
int dirwatch_open(struct uv_loop_s *loop, const char *path, dirwatch_event event, void *owner,
                  struct dirwatch **out, struct err *e);

/* Watches what is at the path now, where the directory was removed, moved away or replaced. 0 if it is being
 * watched. Costs next to nothing if nothing changed; made for a periodic rescan. */
int dirwatch_renew(struct dirwatch *w, struct err *e);

/* No event comes after this call. It frees itself on the loop. */
void dirwatch_close(struct dirwatch *w);

#endif
