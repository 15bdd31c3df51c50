/* Header lines of a spool file, one handler each. Private to spool/. */
#ifndef SIMGATE_SPOOL_HEADERS_H
#define SIMGATE_SPOOL_HEADERS_H

#include "spool/parse.h"

enum spool_toa { SPOOL_TOA_UNSAID = -1, SPOOL_TOA_UNKNOWN, SPOOL_TOA_INTERNATIONAL, SPOOL_TOA_NATIONAL };

enum { SPOOL_HEADERS = 48 }; /* room for a bit each */

/* A file being read: the message, and what can only be settled when all headers are known. */
struct spool_draft {
    struct spool_file *f;
    uint64_t seen; /* bits by place in the table */
    int to_line;
    enum spool_toa toa;
    enum spool_alphabet alphabet;
    int autosplit; /* -1 not said */
    bool hex, no_udh, has_udh, system_message, ping;
    bool has_ext;
    struct buf macros; /* name NUL value NUL … */
};

/* Takes one header: value is NUL-terminated and trimmed. Unknown names are the user's: 0. */
int spool_take_header(struct spool_draft *d, int line, const char *name, const char *value, struct err *e);

#endif
