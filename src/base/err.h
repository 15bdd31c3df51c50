/* Error codes and the chain of causes.
 *
 * Every function that can fail returns 0 or a negative code of this list. Where a person will read the
 * failure, it also fills a `struct err`: the innermost cause is written first with err_set(), each caller
 * puts its own words in front with err_wrap(): "modem counter: open: /dev/simgate/counter: busy".
 */
#ifndef SIMGATE_BASE_ERR_H
#define SIMGATE_BASE_ERR_H

enum {
    ERR_OK = 0,
    ERR_INVALID = -1,   /* the input breaks its format or a rule */
    ERR_TRUNCATED = -2, /* the input ends too early */
    ERR_TOO_LONG = -3,  /* the input, or what it would make, is over a bound */
    ERR_NOMEM = -4,
    ERR_IO = -5,      /* the operating system refused or failed */
    ERR_BUSY = -6,    /* held by somebody else, or already under way */
    ERR_GONE = -7,    /* the device, peer or object is no longer there */
    ERR_TIMEOUT = -8, /* no answer in the time allowed */
    ERR_CANCELLED = -9,
    ERR_NOT_FOUND = -10,
    ERR_EXISTS = -11,  /* the same key was accepted before */
    ERR_FULL = -12,    /* no room: disk, queue, memory of a SIM */
    ERR_REFUSED = -13, /* policy, consent or permission says no */
    ERR_CORRUPT = -14, /* stored data is damaged */
    ERR_VERSION = -15, /* made by a newer program */
    ERR_CODES = 16,
};

enum { ERR_TEXT_BYTES = 384 };

/* What a person reads. Owned by the caller, usually on the stack; {0} is "no error". */
struct err {
    int code;
    char text[ERR_TEXT_BYTES]; /* UTF-8, NUL-terminated, shortened if the chain grows too long */
};

/* The code's short English text, e.g. "no room". Never NULL. */
const char *err_name(int code);

/* Sets *e (which may be NULL) to code and the formatted text; returns code. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As err_set, with ": " and the text of errno behind it. Code is ERR_IO unless errno has a closer one. */
int err_errno(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts the formatted words and ": " in front of e's text; returns e's code. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
