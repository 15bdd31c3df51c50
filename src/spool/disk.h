/* The spool's files on the disk: everything here blocks and runs beside the loop, at most one call of each
 * function at a time. Nothing is logged: results are left in the items.
 *
 * What may be done to the directories by others meanwhile (files vanish, are swapped for links, FIFOs,
 * directories) never does harm: links are not followed, only regular files are read.
 */
#ifndef SIMGATE_SPOOL_DISK_H
#define SIMGATE_SPOOL_DISK_H

#include "base/buf.h"
#include "base/err.h"
#include "spool/names.h"
#include "spool/parse.h"

#define SPOOL_OUTGOING "outgoing"
#define SPOOL_CHECKED  "checked"
#define SPOOL_SENT     "sent"
#define SPOOL_FAILED   "failed"
#define SPOOL_INCOMING "incoming"
#define SPOOL_REPORT   "report"
#define SPOOL_CALLS    "calls"

/* Makes the spool directory and its folders where they are missing. */
int disk_make_folders(const char *root, struct err *e);

/* ---- looking through a folder ---- */

struct disk_found {
    char name[SPOOL_NAME_BYTES];
    int64_t mtime_ns;
    bool high; /* "Priority: HIGH" among its first headers */
};

/* A walk that goes on from call to call; {0} begins. */
struct disk_walk {
    void *dir;                /* DIR */
    struct disk_found *found; /* heap: what the last call found, in the order to be claimed */
    int nfound;
    int waiting; /* files that are too young to be picked, since the walk began */
    bool ended;
    int rc;
    struct err err;
};

/* Reads on, at most `max` files of outgoing/, sorted: HIGH first, then oldest, then by name. Files changed
 * within the last half second wait. */
void disk_walk_outgoing(struct disk_walk *w, const char *root, int max, int64_t now_wall_ms);
/* The same of checked/, all claimed files. */
void disk_walk_checked(struct disk_walk *w, const char *root, int max);
void disk_walk_end(struct disk_walk *w);

/* ---- claiming ---- */

enum disk_verdict {
    DISK_GONE,    /* not there, or not a file to be picked */
    DISK_WAIT,    /* locked, too small yet, or with another name beside this one */
    DISK_READ,    /* claimed, read and good */
    DISK_REFUSED, /* claimed, and cannot be sent: err says why */
    DISK_FAILED,  /* the disk refused: err; the file is where it was */
};

struct disk_claim {
    char name[SPOOL_NAME_BYTES];    /* in outgoing/ */
    char claimed[SPOOL_NAME_BYTES]; /* in checked/ */
    bool is_claimed;                /* in: it lies in checked/ already */
    enum disk_verdict verdict;
    struct spool_file file;
    struct err err;
};

/* Moves the files from outgoing/ to checked/, durably, and reads them. */
void disk_claim(const char *root, struct disk_claim *const *claims, int n);

/* ---- writing ---- */

enum disk_kind {
    DISK_PUT,    /* a new file `name` with `content` into `folder`; replaces one of that name */
    DISK_FINISH, /* the claimed file `name` to `folder` with the lines of `content` among its headers */
};

struct disk_item {
    enum disk_kind kind;
    const char *folder;
    char name[SPOOL_NAME_BYTES];
    struct buf content;
    uint8_t
        *opted_out; /* FINISH, heap or NULL: for each recipient, 1 if it has opted out; a Fail_reason each */
    int recipients;
    char placed[SPOOL_NAME_BYTES]; /* out: its name in `folder`; "" when it was there before */
    int fd;                        /* while it is being written */
    int rc;                        /* out: 0 also when the claimed file was gone already */
    struct err err;
};

/* Does all items, then makes them durable together. */
void disk_write(const char *root, struct disk_item *const *items, int n);

#endif
