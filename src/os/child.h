/* Child processes without a shell: an argument array, a cleaned environment, bytes to its standard input, its
 * standard output and error as bytes. Implemented on libuv (os/child_uv.c); tests that live in simulated time
 * give their own. All on the loop's thread. */
#ifndef SIMGATE_OS_CHILD_H
#define SIMGATE_OS_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct child;

struct child_conf {
    const char *const *argv; /* argv[0] is looked for in PATH only when it has no '/' */
    const char *const
        *env; /* "NAME=value", all of it: nothing is inherited; NULL: PATH, HOME, LANG, TZ only */
    const char *directory; /* NULL "/" */
    void *owner;
    void (*output)(void *owner, const char *at, size_t len); /* of its standard output; len 0: it has ended */
    void (*error)(void *owner, const char *at, size_t len);  /* of its standard error */
    void (*exited)(void *owner, int status, int signal);     /* once, last, when its output has ended too */
};

struct child_host {
    const struct child_ops *ops;
};
struct child_ops {
    /* Copies all of conf. ERR_NOT_FOUND, ERR_IO, …; exited comes if and only if this returns 0. */
    int (*start)(struct child_host *h, const struct child_conf *conf, struct child **out, struct err *e);
    void (*write)(struct child *c, const char *at, size_t len); /* copies; a child that does not read is the
                                                                   caller's to bound: child_pending */
    size_t (*pending)(const struct child *c);                   /* bytes not taken yet */
    void (*end_input)(struct child *c);                         /* closes its standard input */
    void (*kill)(struct child *c, int signal);                  /* the whole process group */
    void (*forget)(struct child *c); /* no callbacks any more: it is killed and reaped without being told */
};

#endif
