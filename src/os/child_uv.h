/* Child processes (os/child.h) on a libuv loop. */
#ifndef SIMGATE_OS_CHILD_UV_H
#define SIMGATE_OS_CHILD_UV_H

#include "os/child.h"

struct uv_loop_s; /* uv_loop_t */

struct child_uv {
    struct child_host host;
    struct uv_loop_s *loop;
    struct child *children; /* that run, or are being reaped */
};

/* In place. */
void child_uv_init(struct child_uv *u, struct uv_loop_s *loop);

#endif
