/* When an answer is due: a department's times, counted while it is open. Pure.
 *
 * Three clocks: the first answer by a person, each next one, the end of it all. They stand while the customer
 * is to write: an answer stops the first two, and of the third what is left is kept (conv_row.due_wall_ms
 * below zero) until the customer writes again.
 */
#ifndef SIMGATE_ENGINE_DUE_H
#define SIMGATE_ENGINE_DUE_H

#include "engine/staff.h"
#include "store/desk.h"

/* Each writes at most CLOCKS effects EFFECT_CLOCK to out and returns how many; c is the conversation before
 * what happens now. */

/* The customer writes, and a person is to answer. `fresh`: it begins now, or begins again. */
int due_on_message(const struct staff *s, const struct conv_row *c, const char *department, bool fresh,
                   int64_t now_wall_ms, struct store_effect out[CLOCKS]);
/* A person answered, or put it aside. */
int due_on_answer(const struct staff *s, const struct conv_row *c, int64_t now_wall_ms,
                  struct store_effect out[CLOCKS]);
/* It goes on after it was closed or put aside: clocks run for what the customer still waits for. */
int due_on_resume(const struct staff *s, const struct conv_row *c, int64_t now_wall_ms,
                  struct store_effect out[CLOCKS]);
/* It goes to another department, whose times count from the same beginnings. */
int due_on_department(const struct staff *s, const struct conv_row *c, const char *department,
                      struct store_effect out[CLOCKS]);

#endif
