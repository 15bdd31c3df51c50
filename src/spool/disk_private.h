/* What disk.c and disk_write.c share. */
#ifndef SIMGATE_SPOOL_DISK_PRIVATE_H
#define SIMGATE_SPOOL_DISK_PRIVATE_H

#include <sys/stat.h>

#include "spool/disk.h"

/* A descriptor of the folder, which is made again where it has gone; or a negative code. */
int disk_open_folder(const char *root, const char *folder, struct err *e);
/* A regular file that is no link, or -1 with errno. */
int disk_open_file(int folder, const char *name, struct stat *st);
/* Appends at most `max` bytes. -1 with errno. */
int disk_read(int fd, size_t max, struct buf *out);
/* Where in checked/ a name is kept that was too long: a dot and the unique part. */
void disk_name_link(const char *unique, char out[SPOOL_UNIQUE_BYTES + 1]);

#endif
