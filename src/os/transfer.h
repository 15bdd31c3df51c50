/* Requests to servers outside, by libcurl's multi interface on the loop: HTTP(S) and SMTP(S). Certificates
 * are checked. Implemented in os/transfer_curl.c; tests that live in simulated time give their own. */
#ifndef SIMGATE_OS_TRANSFER_H
#define SIMGATE_OS_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct transfer_host {
    const struct transfer_ops *ops;
};

struct transfer {
    /* in: borrowed until done */
    const char *url;            /* http, https; smtp, smtps */
    const char *method;         /* "POST"; NULL GET; of HTTP */
    const char *const *headers; /* "Name: value", NULL-terminated; NULL none */
    const char *body;
    size_t body_len;
    const char *user, *password; /* NULL none */
    const char *ca_file;         /* NULL the system's */
    const char *mail_from;       /* SMTP; with */
    const char *const *mail_to;
    int64_t timeout_ms;
    size_t answer_max_bytes;                      /* a longer answer is ERR_TOO_LONG */
    void (*done)(struct transfer *t, int status); /* 0: an answer came, whatever it says; once, never before
                                                     start returns; not after cancel */
    /* out */
    long code;         /* of HTTP or SMTP */
    bool refused;      /* SMTP: this mail or its recipient is, for good: 5yz, RFC 5321 4.2.1 */
    struct buf answer; /* freed by the holder */
    struct err err;
    void *impl;
};

struct transfer_ops {
    void (*start)(struct transfer_host *h, struct transfer *t);
    void (*cancel)(struct transfer_host *h, struct transfer *t);
};

#endif
