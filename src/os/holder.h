/* Who else has a device open: the answer to "why is my modem busy?". Private to os/. */
#ifndef SIMGATE_OS_HOLDER_H
#define SIMGATE_OS_HOLDER_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

struct holder {
    pid_t pid;
    char name[32]; /* of the process, proc(5) comm */
};

/* True for the slave side of a Unix 98 pseudo-terminal (/dev/pts/N). */
bool device_is_pts(const struct stat *device);

/* Looks through /proc for another process that has `device` open, rather one that has locked it; with `name`,
 * only for processes of that name. Processes that we may not look into are passed over. Blocks: not for the
 * loop's thread. */
bool holder_find(const struct stat *device, const char *name, struct holder *out);

#endif
