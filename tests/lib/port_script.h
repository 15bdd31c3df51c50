/* A port behind which answers are read from a table: for modems that answer otherwise than the simulated one
 * does. Every command that has no row is answered with OK.
 *
 *     struct port_script *s = port_script_new(rt);
 *     port_script_answer(s, "AT+CPMS=?", "+CPMS: \"ME\",\"MT\",\"SM\"\r\n\r\nOK\r\n");
 *     port_script_say(s, "\r\nRDY\r\n");
 */
#ifndef SIMGATE_TESTS_LIB_PORT_SCRIPT_H
#define SIMGATE_TESTS_LIB_PORT_SCRIPT_H

#include "base/buf.h"
#include "os/port.h"
#include "tests/lib/rt_sim.h"

struct port_script;

struct port_script *port_script_new(struct rt *rt);
void port_script_free(struct port_script *s);
struct port_source *port_script_source(struct port_script *s);

/* A modem that is ready and registered: what most tests begin with. */
void port_script_usual(struct port_script *s);
/* The answer to a command equal to `command`, or that begins with it if that ends in '*'. Later rows win;
 * answer "" is silence. `times` 0: always; otherwise so many times, then the row before counts. */
void port_script_answer(struct port_script *s, const char *command, const char *answer);
void port_script_answer_times(struct port_script *s, const char *command, const char *answer, unsigned times);
/* Unsolicited bytes. */
void port_script_say(struct port_script *s, const char *bytes);
void port_script_unplug(struct port_script *s);

/* All commands so far, one a line; data behind a prompt begins with "> ". */
const char *port_script_heard(const struct port_script *s);
/* How many of them begin with this. */
unsigned port_script_count(const struct port_script *s, const char *command);
void port_script_forget(struct port_script *s);

#endif
