/* Requests to servers (os/transfer.h) by libcurl on a libuv loop. */
#ifndef SIMGATE_OS_TRANSFER_CURL_H
#define SIMGATE_OS_TRANSFER_CURL_H

#include "os/transfer.h"

struct uv_loop_s; /* uv_loop_t */

/* NULL without memory. */
struct transfer_host *transfer_curl_new(struct uv_loop_s *loop);
/* Nothing may be under way any more (all were done or cancelled). Its handles are closed by the loop after
 * it, which then frees the rest. NULL allowed. */
void transfer_curl_free(struct transfer_host *h);

#endif
