/* The spool's file format: what is read from a file, and what is written into one. Pure: no files, no clock.
 *
 * A file is "Header: value" lines, an empty line, and the body to the end. Header names are smstools3's and
 * case-sensitive; unknown ones are the user's own. Bytes come from untrusted writers.
 */
#ifndef SIMGATE_SPOOL_PARSE_H
#define SIMGATE_SPOOL_PARSE_H

#include "base/buf.h"
#include "base/err.h"
#include "gateway/gateway.h"

enum {
    SPOOL_MAX_BYTES = 1 << 20, /* of a file; larger ones are refused */
    SPOOL_MIN_BYTES = 8,       /* smaller ones are being written still */
    SPOOL_RECIPIENTS_MAX = 1000,
    SPOOL_UDH_BYTES = 140,
};

/* A file as admission takes it: `send` once for each of `to`. */
struct spool_file {
    struct gateway_send send; /* all but `to`; borrows from the rest of this struct */
    char **to;                /* numbers as number_normalise() reads them */
    int nto;
    struct buf body; /* UTF-8 text, or the octets of a binary message */
    uint8_t udh[SPOOL_UDH_BYTES];
    char pool[MSG_MODEM_BYTES], smsc[NUMBER_BYTES];
};

/* 0, or a negative code with smstools3's Fail_reason where it has one, the line, and what was expected:
 * "Invalid alphabet: line 3: Alphabet: …". *out is valid in either case, and has to be cleared. */
int spool_parse(const char *bytes, size_t len, struct spool_file *out, struct err *e);
void spool_file_clear(struct spool_file *f);

/* ---- body.c ---- */

enum spool_alphabet {
    SPOOL_ALPHABET_UNSAID,
    SPOOL_ALPHABET_GSM,
    SPOOL_ALPHABET_ISO,
    SPOOL_ALPHABET_BINARY,
    SPOOL_ALPHABET_UCS2,
    SPOOL_ALPHABET_UTF8,
};

/* Body bytes to UTF-8 (or to octets, when binary), appended to out. */
int spool_decode_body(enum spool_alphabet a, const char *bytes, size_t len, struct buf *out, struct err *e);
/* Hexadecimal text with comments and the keywords STRING:, INLINESTRING: and LENGTH to octets. */
int spool_decode_hex(const char *bytes, size_t len, struct buf *out, struct err *e);

/* ---- rewrite.c ---- */

/* Where the headers end and the body begins: offset of the first byte of the empty line (len if there is
 * none) and of the body. */
struct spool_layout {
    size_t bom;     /* bytes of a UTF-8 byte order mark in front */
    size_t headers; /* where the headers end */
    size_t body;    /* where the body begins */
    bool divided;   /* there is an empty line */
};
struct spool_layout spool_layout_of(const char *bytes, size_t len);

/* True for the headers that a life of the file leaves in it (Modem, Sent, Fail_reason …): name_len bytes. */
bool spool_runtime_header(const char *name, size_t name_len);
/* The file without its earlier runtime headers, with `added` (whole lines) in front of the empty line. */
void spool_rewrite(const char *bytes, size_t len, const char *added, struct buf *out);
/* Appends "name: value\n"; control characters and broken UTF-8 in value become '?', so that no value, whoever
 * wrote it, makes a header line. */
void spool_put_header(struct buf *out, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Local time as smstools3 writes it, "26-11-21 10:00:00". */
void spool_put_time(struct buf *out, const char *name, int64_t wall_ms);

#endif
