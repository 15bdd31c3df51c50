/* Output for people: text that cannot harm a terminal, colours, tables, fields. To standard output. */
#ifndef SIMGATE_CLI_TEXT_H
#define SIMGATE_CLI_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum colour { PLAIN, BOLD, DIM, RED, GREEN, YELLOW, CYAN };

/* Colours and cutting only on a terminal; no colours with NO_COLOR set or TERM=dumb. */
void text_init(void);
/* As text_init finds out; width 0: no cutting. For tests. */
void text_set(bool colours, int width_columns);
int text_terminal_width(void);

/* Appends text that came from a network or a user: control characters (C0, C1, DEL), what turns the direction
 * of writing, and bytes that are not UTF-8 become visible and harmless. A line's end becomes "⏎", or, with
 * `lines`, stays one. */
void text_safe(struct buf *out, const char *text, bool lines);
/* Columns on a terminal that harmless UTF-8 text takes. */
int text_width(const char *text);
/* Appends so much of harmless text as fits; "…" tells that something was cut. */
void text_cut(struct buf *out, const char *text, int width_columns);

/* A line of text in a colour. */
void say(enum colour colour, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "label   value"; nothing when the value is NULL or "". The value is made harmless. */
void say_field(const char *label, const char *value);

/* The text of a member, "" when there is none; a number in digits (static buffers in rotation). */
const char *member_text(const json_t *object, const char *name);
/* A time as people here write it: "2026-11-21 10:30:00", or without the date when it is today's. Static,
 * rotating. */
const char *member_time(const json_t *object, const char *name);
enum colour state_colour(const char *state);

/* Draws how far it is, over what it drew before; at the end nothing of it stays. To standard error: for a
 * terminal only. */
void progress(const char *what, int64_t done, int64_t total);

struct column {
    const char *title;
    bool right; /* aligned */
};

/* Cells are given row by row; the last column is cut to the terminal. */
struct table {
    const struct column *columns;
    int count;
    char **cells;
    enum colour *colours;
    size_t ncells, cap;
};
void table_begin(struct table *t, const struct column *columns, int count);
void table_cell(struct table *t, enum colour colour, const char *text); /* made harmless here */
void table_print(struct table *t); /* and frees; nothing when it has no rows */

#endif
