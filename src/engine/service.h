/* People and machine together, compiled: the relay to staff's telephones, the survey, and what the desk adds
 * where nobody answered. Parts of struct program; they may point to it, so it does not move.
 */
#ifndef SIMGATE_ENGINE_SERVICE_H
#define SIMGATE_ENGINE_SERVICE_H

#include "engine/handler.h"
#include "engine/operations.h"

struct problems;
struct program;
struct plugin_world;
struct template;

/* ---- relay ----------------------------------------------------------------------------------------------
 *
 * First in every chain, also before consent: a number of staff is no customer's, and "yes" or "stop" from it
 * is an answer to somebody, or a slip. What staff writes is a command (relay_command.h); it waits for the
 * store, so it answers LATER. What customers write reaches staff by relay_tell, from desk_finish.
 */

struct relay_job;
struct relay {
    struct handler handler; /* "relay" */
    bool on;
    const struct program *program;
    const struct plugin_world *world;
    struct relay_job *jobs; /* owned */
    struct relay_meter {
        int answers;
        int64_t since_wall_ms;
    } * meters; /* one a person: a machine that answers its own answers is not answered for ever */
};
void relay_compile(struct relay *r, const struct engine_conf *conf, const struct program *p,
                   const struct plugin_world *world);
void relay_fini(struct relay *r);

/* The staff that is told of a customer's message: "#12 Maria: text". Adds the messages to the verdict. */
void relay_tell(const struct program *p, const struct handler_event *ev, const char *department,
                const char *assignee, struct verdict *v);

/* "#12 Maria" or "#12 +4917…"; the name without what would break a line. */
void relay_title(const struct conv_row *c, struct buf *out);
/* A text in quotation marks, in one line, not too long, sensitive data masked. */
void relay_quote(const struct program *p, const char *text, struct buf *out);
/* What those hear whom an operation concerns (operation_plan.told): "#12 Maria: assigned to Ben (Anna). …".
 */
void relay_told(const struct program *p, const struct conv_row *c, const struct operation_plan *plan,
                const char *by, const char *value, struct buf *out);

/* ---- survey ---------------------------------------------------------------------------------------------
 *
 * Behind consent and relay, before guard and rules: a bare number within the window is the answer.
 */

struct survey {
    struct handler handler; /* "survey" */
    bool on;
    int min, max;
    int64_t delay_ms, window_ms;
    struct template *text, *comment, *thanks; /* NULL none */
    const struct program *program;
};
void survey_compile(struct survey *s, const struct engine_conf *conf, const struct program *p,
                    struct problems *problems);
void survey_fini(struct survey *s);

/* ---- what the desk adds ---------------------------------------------------------------------------------
 */

struct answers {
    struct template *greeting, *office; /* NULL none */
    char *department;                   /* of a conversation that no rule gave one; "" none */
    int64_t close_after_ms;             /* 0 never */
};
void answers_compile(struct answers *a, const struct engine_conf *conf, const struct program *p,
                     struct problems *problems);
void answers_fini(struct answers *a);

#endif
