/* The real runtime (base/rt.h) on a libuv loop: all timers under one uv_timer_t, work on libuv's threads. */
#ifndef SIMGATE_OS_RT_UV_H
#define SIMGATE_OS_RT_UV_H

#include "base/rt.h"

struct uv_loop_s; /* uv_loop_t */

/* NULL without memory. The loop stays the caller's and must outlive the runtime. */
struct rt *rt_uv_new(struct uv_loop_s *loop);

/* Timers that are still armed do not fire any more. Work that is under way is finished and its `done` called;
 * the runtime frees itself on the loop after that. No timer or work may be started after this call. */
void rt_uv_close(struct rt *rt);

#endif
