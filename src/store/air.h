/* What has left: the parts whose PDU was handed to a modem and whose outcome is not committed yet.
 *
 * The intent of a part is committed some time before its PDU leaves. A process that dies between the two left
 * the part SUBMITTING although it never went out. These marks tell the two apart: they are written to a
 * mapped file beside the database, a store to memory each, and outlive the process, though not the machine:
 * after a reboot (another boot_id) nothing is known, and every SUBMITTING part may have left. */
#ifndef SIMGATE_STORE_AIR_H
#define SIMGATE_STORE_AIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct air_file;

struct air {
    struct air_file *file; /* mapped; NULL: no marks can be kept, everything may have left */
    bool known;            /* the marks of the life before this one are good */
    size_t next, top;
};

/* Maps DATABASE-air. Never fails: without the file nothing is known. */
void air_open(struct air *a, const char *database);
void air_close(struct air *a);

/* Before air_begin(): may this part of the last life have left? */
bool air_may_have_left(const struct air *a, int64_t part);
/* The last life is settled: its marks are dropped, this life's begin. */
void air_begin(struct air *a);

void air_mark(struct air *a, int64_t part);
void air_clear(struct air *a, int64_t part);

#endif
